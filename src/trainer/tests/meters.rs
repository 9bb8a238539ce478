//! When layers are probed, and what is told of a validation's mistakes.

use super::*;
use crate::{
    command::Scene,
    event::{ConfusedPair, Mistakes, Probed, Shown},
};

fn probed(ran: &Ran) -> Vec<&Probed> {
    ran.events.iter().filter_map(|event| if let Event::Probed(probed) = event { Some(probed) } else { None }).collect()
}

fn mistakes(ran: &Ran) -> Vec<&Mistakes> {
    ran.events.iter().filter_map(|event| if let Event::Mistakes(found) = event { Some(found) } else { None }).collect()
}

#[test]
fn layers_are_probed_while_somebody_looks_around_a_step_of_their_own() {
    let watch = Watch { scene: Scene::Probe, layer: Some("conv2d".into()), ..Watch::default() };
    let looked_at = run_with(&plan(&["explain.time_share=0"]), &[], &[1.0], &Saved::default(), |_, record| {
        record.watched = vec![watch];
    });
    let found = probed(&looked_at);
    assert_eq!(found.len(), 1, "it is too early for another");
    let [layer] = &found[0].layers[..] else { panic!("{found:?}") };
    assert_eq!(
        (layer.update_ratio, found[0].step, found[0].images),
        (Some(0.5), 2, 8),
        "before the second step, after it"
    );
    assert!(layer.weights.is_some());
    assert!(probed(&fresh(&plan(&["explain.time_share=0"]), &[])).is_empty());
    assert!(!looked_at.events.iter().any(|event| matches!(event, Event::Explained(_))), "no image is looked at for it");
}

#[test]
fn a_run_is_the_same_whether_somebody_looks_or_not() {
    let saved = [Saved::default(), Saved::default()];
    run(&plan(&[]), &[], &[1.0], &saved[0]);
    run_with(&plan(&[]), &[], &[1.0], &saved[1], |_, record| {
        record.watched = vec![Watch { scene: Scene::Probe, ..Watch::default() }];
    });
    assert_eq!(end(&saved[0]), end(&saved[1]));
}

#[test]
fn every_histogram_is_kept_at_the_end_of_epochs_without_a_step_that_was_measured() {
    let plan = plan(&["explain.time_share=1", "explain.pinned=0"]);
    let ran = run_with(&plan, &[], &[1.0], &Saved::default(), |fake, _| fake.step_takes = Duration::from_millis(2));
    let found: Vec<_> = probed(&ran).into_iter().map(|probed| (probed.epoch, probed.layers[0].update_ratio)).collect();
    assert_eq!(found, [(1, None), (2, None)]);
    assert!(probed(&ran).iter().all(|probed| probed.layers[0].weights.is_some()));
}

#[test]
fn a_validation_tells_its_mistakes_with_thumbnails() {
    // Critters are cats and dogs in turn. Of 8 images the network takes 3, a dog, for a cat, and 4, a cat, for a dog.
    let says: fn(u32) -> Vec<f32> = |sample| match sample {
        3 => vec![0.9, 0.1],
        4 => vec![0.3, 0.7],
        5 => vec![0.4, 0.6],
        _ => vec![1.0 - (sample % 2) as f32 * 0.98, 0.02 + (sample % 2) as f32 * 0.97],
    };
    let plan = plan(&["explain.time_share=1", "train.epochs=1"]);
    let ran = run_with(&plan, &[], &[1.0], &Saved::default(), |fake, _| {
        (fake.says, fake.step_takes) = (Some(says), Duration::from_millis(5));
    });
    let [found] = mistakes(&ran)[..] else { panic!("one validation") };
    assert_eq!(found.confusion, Shown::of(&[vec![3, 1], vec![1, 3]]));
    let samples = |list: &[u32]| list.iter().map(|at| found.cases[*at as usize].sample).collect::<Vec<_>>();
    assert_eq!(samples(&found.worst)[..3], [3, 4, 5], "by their losses: -ln of 0.1, 0.3 and 0.6");
    assert_eq!(samples(&found.confident), [3, 4]);
    let pairs: Vec<(u32, ConfusedPair)> = found.pairs.iter().map(|pair| (samples(&[pair.example])[0], *pair)).collect();
    assert_eq!(
        pairs.iter().map(|(sample, pair)| (*sample, pair.truth, pair.predicted, pair.images)).collect::<Vec<_>>(),
        [(4, 0, 1, 1), (3, 1, 0, 1)]
    );
    assert_eq!(found.cases.len(), 8, "each image once, however many lists it is in");
    assert!(found.cases[0].picture.is_some());
    assert!((found.cases[0].loss - 10.0_f64.ln()).abs() < 1e-6);
    let at = |wanted: fn(&Event) -> bool| ran.events.iter().position(wanted).unwrap();
    let ended = at(|event| matches!(event, Event::EpochEnded(_)));
    assert!(ended < at(|event| matches!(event, Event::Mistakes(_))), "it is the epoch's");
}

#[test]
fn no_time_no_thumbnails() {
    let ran = run_with(&plan(&["explain.time_share=0"]), &[], &[1.0], &Saved::default(), |fake, _| {
        fake.says = Some(|_| vec![0.6, 0.4]);
    });
    let found = mistakes(&ran);
    assert_eq!(found.len(), 2, "one an epoch");
    assert!(found.iter().all(|found| found.cases.iter().all(|case| case.picture.is_none())));
    assert_eq!(found[0].confusion.counts, [[4, 0], [4, 0]]);
}
