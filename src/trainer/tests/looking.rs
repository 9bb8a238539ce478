//! What is looked at, when, and what it may cost.

use super::*;
use crate::{
    command::{Scene, Whose},
    event::{Explained, Painted, PictureKind},
};

/// Two blocks.
const DEEPER: &str = r#"
[data]
source = "critters"
train = 24
validation = 8
test = 8
[model]
input = [16, 16, 3]
layers = [
  { type = "conv2d", filters = 2, kernel_size = 3, activation = "relu" },
  { type = "max_pooling2d" },
  { type = "conv2d", filters = 2, kernel_size = 3, activation = "relu" },
  { type = "flatten" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 3
batch_size = 4
[explain]
time_share = 1.0
"#;

fn deeper(overrides: &[&str]) -> Plan {
    let overrides: Vec<String> = overrides.iter().map(|&each| each.to_owned()).collect();
    Plan::parse(DEEPER, "fake", &overrides).unwrap()
}

fn explained(ran: &Ran) -> Vec<&Explained> {
    ran.events
        .iter()
        .filter_map(|event| if let Event::Explained(explained) = event { Some(explained) } else { None })
        .collect()
}

fn painted(ran: &Ran) -> Vec<&Painted> {
    ran.events
        .iter()
        .filter_map(|event| if let Event::Painted(painted) = event { Some(painted) } else { None })
        .collect()
}

/// The layers of heat, in order.
fn heats(explained: &Explained) -> Vec<(&str, u32)> {
    let kinds = explained.pictures.iter().map(|picture| &picture.kind);
    kinds
        .filter_map(|kind| match kind {
            PictureKind::Heat { layer, class, .. } => Some((layer.as_str(), *class)),
            _ => None,
        })
        .collect()
}

fn watching(plan: &Plan, script: &[(u64, Command)], watch: Watch, takes: [u64; 2]) -> (Ran, Asked) {
    let asked = Asked::default();
    let own = Arc::clone(&asked);
    let ran = run_with(plan, script, &[1.0], &Saved::default(), |fake, record| {
        fake.asked = own;
        fake.takes = takes.map(Duration::from_millis);
        record.watched = vec![watch];
        let wire = fake.wire.clone();
        // Whoever paused the run lets it go on after a while; otherwise it is not paused, and says so.
        let resume = move || loop {
            std::thread::sleep(Duration::from_millis(250));
            if wire.send(Request { id: 99, by: "test".into(), command: Command::Resume }).is_err() {
                break;
            }
        };
        std::thread::spawn(resume);
    });
    (ran, asked)
}

#[test]
fn pinned_images_are_kept_at_the_end_of_each_epoch_at_every_block() {
    let asked = Asked::default();
    let own = Arc::clone(&asked);
    let mut lasting = 0;
    let plan = deeper(&["explain.pinned=3"]);
    let ran = run_with(&plan, &[], &[1.0], &Saved::default(), |fake, _| {
        fake.asked = own;
        // So that an epoch is long enough to pay for it.
        fake.step_takes = Duration::from_millis(5);
    });
    let kept: Vec<&Explained> = explained(&ran).into_iter().filter(|explained| explained.kept).collect();
    let which: Vec<(u32, u32)> = kept.iter().map(|explained| (explained.epoch, explained.sample)).collect();
    // Cats and dogs in turn: the first of each class, then the second cat.
    assert_eq!(which, [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2)]);
    for explained in kept {
        let mut at = vec![("conv2d_1", 0)];
        // The predicted class is the first; the true one is explained too.
        at.extend((explained.label == 1).then_some(("conv2d_1", 1)));
        at.push(("conv2d", 0));
        assert_eq!(heats(explained), at, "image {}", explained.sample);
        lasting += explained.pictures.len();
    }
    assert!(lasting > 0 && asked.lock().unwrap().iter().all(|(step, ..)| step % 6 == 0), "only at the ends of epochs");
}

#[test]
fn what_would_take_more_than_its_share_is_left_out_and_told_once() {
    // An epoch takes some milliseconds; an explanation takes twenty.
    let plan = deeper(&["explain.time_share=0.02", "train.epochs=6"]);
    let asked = Asked::default();
    let own = Arc::clone(&asked);
    let ran = run_with(&plan, &[], &[1.0], &Saved::default(), |fake, _| {
        fake.asked = own;
        fake.takes = [Duration::from_millis(20), Duration::ZERO];
    });
    assert_eq!(asked.lock().unwrap().len(), 1, "the price of the first was not known");
    let told: Vec<&str> = said(&ran.events, Level::Info).into_iter().filter(|text| text.contains("pinned")).collect();
    assert_eq!(
        told,
        [
            "3 of 4 pinned images were left out at the end of epoch 1, and may be again: more would take over 2 % of the time (explain.time_share)"
        ]
    );
}

#[test]
fn nothing_is_kept_where_nothing_is_pinned_or_nothing_may_be_spent() {
    for setting in ["explain.pinned=0", "explain.time_share=0"] {
        let ran = fresh(&deeper(&[setting]), &[]);
        assert!(explained(&ran).is_empty(), "{setting}");
    }
}

#[test]
fn images_are_pinned_and_unpinned_and_a_resumed_run_remembers() {
    let script = [
        (1, Command::Pin { sample: 5 }),
        (1, Command::Unpin { sample: 0 }),
        (1, Command::Pin { sample: 5 }),
        (1, Command::Unpin { sample: 0 }),
        (1, Command::Pin { sample: 8 }),
        (7, Command::Stop),
    ];
    let plan = deeper(&["explain.pinned=1"]);
    let saved = Saved::default();
    let ran = run(&plan, &script, &[1.0], &saved);
    assert_eq!(
        replies(&ran.events),
        "pin 5: applied
unpin 0: applied
pin 5: image 5 is pinned already
unpin 0: image 0 is not pinned
\
         pin 8: there is no image 8: there are 8, counted from 0
stop: applied"
    );
    let pinned = |ran: &Ran| -> Vec<Vec<u32>> {
        let of = |event: &Event| match event {
            Event::Pinned { images } => Some(images.iter().map(|pin| pin.sample).collect()),
            _ => None,
        };
        ran.events.iter().filter_map(of).collect()
    };
    assert_eq!(pinned(&ran), [vec![0], vec![0, 5], vec![5]]);
    let again = run(&plan, &[], &[1.0], &saved);
    assert_eq!(pinned(&again), [vec![5]]);
    assert!(explained(&again).iter().all(|explained| explained.sample == 5));
}

#[test]
fn a_screen_gets_the_method_and_the_class_that_it_wants() {
    let quiet = deeper(&["explain.pinned=0", "train.epochs=1"]);
    let watch = Watch { sample: 3, method: Method::LayerCam, class: Whose::Class(1), ..Watch::default() };
    let (ran, asked) = watching(&quiet, &[], watch, [0, 0]);
    assert_eq!(asked.lock().unwrap()[0], (1, "conv2d_1".into(), Method::LayerCam), "after the first step");
    let first = explained(&ran)[0];
    assert_eq!((first.sample, first.kept, heats(first)), (3, false, vec![("conv2d_1", 1)]));
    assert!(first.pictures.iter().any(|picture| matches!(picture.kind, PictureKind::Activations { .. })));

    let watch = Watch { scene: Scene::Sweep, ..Watch::default() };
    let (ran, _) = watching(&quiet, &[], watch.clone(), [0, 0]);
    assert_eq!(heats(explained(&ran)[0]), [("conv2d", 0), ("conv2d_1", 0)]);
    // At pixels there is no depth to go through.
    let (ran, _) = watching(&quiet, &[], Watch { method: Method::Saliency, ..watch }, [0, 0]);
    assert_eq!(heats(explained(&ran)[0]).len(), 1);
}

#[test]
fn what_would_hold_up_training_is_refused_until_the_run_is_paused() {
    let plan = deeper(&["explain.pinned=0", "train.epochs=1"]);
    let watch = Watch { method: Method::ScoreCam, ..Watch::default() };
    // One part of many took 2 ms; all would take a minute.
    let (ran, asked) = watching(&plan, &[(2, Command::Pause)], watch.clone(), [2, 60_000]);
    let told = explained(&ran);
    let refused = told[0].refused.as_ref().unwrap();
    assert!(refused.reason.contains("Score-CAM at conv2d_1 would hold up training for"), "{}", refused.reason);
    assert!(heats(told[0]).is_empty());
    let costly = |(_, _, method): &&(u64, String, Method)| *method == Method::ScoreCam;
    // Asked once while it trained, and once more when it was paused.
    assert_eq!(asked.lock().unwrap().iter().filter(costly).count(), 2);
    assert!(told[1].refused.is_none() && heats(told[1]).len() == 1);

    // What takes no longer than a moment is computed at once.
    let (ran, _) = watching(&plan, &[], watch, [2, 100]);
    assert!(explained(&ran)[0].refused.is_none());
}

#[test]
fn filters_are_painted_step_by_step_and_all_at_once_while_paused() {
    let plan = deeper(&["explain.pinned=0", "train.epochs=1"]);
    let watch = Watch { scene: Scene::Filters(64), ..Watch::default() };
    let (ran, _) = watching(&plan, &[(2, Command::Pause)], watch, [0, 0]);
    let told = painted(&ran);
    let first = told[0];
    assert_eq!((first.layer.as_str(), first.filters, first.channels, first.done), ("conv2d_1", 2, 2, 1));
    let last = told.last().unwrap();
    assert_eq!((last.done, last.total), (40, 40));
    assert!(explained(&ran).is_empty(), "there is no image in it");
}
