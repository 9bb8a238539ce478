//! Schedules are checked against Keras's definitions by hand; errors are compared whole.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::config::Schedule;

const SMALL: &str = r#"
[data]
source = "critters"
[model]
input = [64, 64, 3]
layers = [
  { type = "conv2d", filters = 8, kernel_size = 3, activation = "relu" },
  { type = "max_pooling2d" },
  { type = "flatten" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
"#;

fn plan(overrides: &[&str]) -> Result<Plan, Error> {
    let overrides: Vec<String> = overrides.iter().map(|&each| each.to_owned()).collect();
    Plan::parse(SMALL, "small", &overrides)
}

fn told(text: &str) -> String {
    Plan::parse(text, "small", &[]).unwrap_err().to_string()
}

#[test]
fn a_plan_survives_its_own_text() {
    let first = plan(&[]).unwrap();
    assert_eq!(first.phases[0].learning_rate, 0.001, "RMSprop's default in Keras");
    assert_eq!(Plan::parse(&first.to_toml(), "other", &[]).unwrap(), first);
}

#[test]
fn mistakes_name_the_key_or_the_layer() {
    let mistakes = [
        told(&SMALL.replace("filters = 8, ", "")),
        told(&SMALL.replace("\"max_pooling2d\"", "\"max_pooling2d\", units = 3")),
        told(&SMALL.replace("units = 1, activation = \"sigmoid\"", "units = 1, activation = \"relu\"")),
        told(&SMALL.replace("64, 3]", "64, 2]")),
        told(&SMALL.replace("critters\"", "folder\"")),
        told(&SMALL.replace("critters\"", "critters\"\nclasses = [\"a\"]")),
        told(&format!("{SMALL}\n[train]\nfreeze = [\"flatten\"]")),
        told(&format!("{SMALL}\n[train]\nfreeze = [\"conv\"]")),
        told(&format!("{SMALL}\n[train]\nfreeze = [\"conv2d\", \"dense\"]")),
        told(&format!("{SMALL}\n[train]\nepochs = 0")),
        told(&format!("{SMALL}\n[train.optimizer]\nkind = \"sgd\"\nnesterov = true")),
        told(&format!("{SMALL}\n[engine]\ndevice = \"gpu\"")),
        Error::from(plan(&[]).unwrap().check_classes(&["a".into(), "b".into(), "c".into()]).unwrap_err()).to_string(),
        Error::from(plan(&[]).unwrap().check_classes(&["a".into()]).unwrap_err()).to_string(),
    ];
    insta::assert_snapshot!(mistakes.join("\n\n"));
}

const PHASES: &str = r#"
[train]
epochs = 4
learning_rate = 1e-3
[[phase]]
name = "top"
train = ["dense"]
augment = false
restore_best = true
[[phase]]
train = { from = "max_pooling2d" }
epochs = 2
learning_rate = 1e-4
optimizer = { kind = "sgd", momentum = 0.9 }
[[phase]]
train = "all"
groups = [
  { layers = "all", multiplier = 0.1 },
  { layers = ["dense"], learning_rate = 2e-3 },
]
"#;

#[test]
fn phases_say_what_differs_from_train() {
    let text = format!("{SMALL}{PHASES}");
    let plan = Plan::parse(&text, "small", &[]).unwrap();
    let names: Vec<&str> = plan.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(names, ["top", "from max_pooling2d", "all"]);
    let masks: Vec<&[String]> = plan.phases.iter().map(|phase| &phase.frozen[..]).collect();
    let conv2d = ["conv2d".to_owned()];
    assert_eq!(masks, [&conv2d[..], &conv2d, &[]]);
    let figures = |phase: &Phase| (phase.epochs, phase.learning_rate, phase.optimizer.name(), phase.rates(&plan.arch));
    assert_eq!(figures(&plan.phases[0]), (4, 1e-3, "rmsprop", [1e-3, 1e-3]));
    assert_eq!(figures(&plan.phases[1]), (2, 1e-4, "sgd", [1e-4, 1e-4]));
    assert_eq!(figures(&plan.phases[2]), (4, 1e-3, "rmsprop", [1e-4, 2e-3]));
    assert_eq!(plan.phases[2].rate_factors, [0.1, 0.1, 0.1, 2.0]);
    assert_eq!((plan.phases[0].augment, plan.phases[0].restore_best), (false, true));
    assert_eq!((plan.phases[1].augment, plan.phases[1].restore_best), (true, false));
    assert_eq!(Plan::parse(&plan.to_toml(), "other", &[]).unwrap(), plan);
    let longer = Plan::parse(&text, "small", &["phase.top.epochs=7".to_owned()]).unwrap();
    assert_eq!((longer.phases[0].epochs, longer.phases[1].epochs), (7, 2));
}

#[test]
fn what_train_freezes_stays_frozen_in_every_phase() {
    let text = format!("{SMALL}[train]\nfreeze = [\"conv2d\"]\n[[phase]]\ntrain = \"all\"\n[[phase]]\n");
    let plan = Plan::parse(&text, "small", &[]).unwrap();
    assert!(plan.phases.iter().all(|phase| phase.frozen == ["conv2d"]));
}

#[test]
fn mistakes_in_phases_name_the_phase() {
    let told = |phase: &str| told(&format!("{SMALL}[[phase]]\n[[phase]]\n{phase}"));
    let mistakes = [
        "train = \"tail\"",
        "train = \"head\"",
        "train = [\"flatten\"]",
        "name = \"fine\"\ntrain = { from = \"block5_conv1\" }",
        "train = []",
        "epochs = 0",
        "epochs = 3\nschedule = { kind = \"cosine\", warmup_epochs = 4 }",
        "learning_rate = -1",
        "optimizer = { kind = \"sgd\", nesterov = true }",
        "groups = [{ layers = \"all\" }]",
        "groups = [{ layers = [\"conv2d\"], multiplier = 0 }]",
        "groups = [{ layers = [\"conv\"], multiplier = 1 }]",
        "freeze = []",
    ];
    insta::assert_snapshot!(mistakes.map(told).join("\n\n"));
}

fn augmented(keys: &str) -> String {
    format!("{SMALL}\n[data.augment]\n{keys}\n")
}

#[test]
fn mistakes_in_augmentation_name_the_key() {
    let mistakes = [
        "rotation_range = -1",
        "rotation_range = nan",
        "width_shift_range = [0.1, 20000]",
        "height_shift_range = \"wide\"",
        "shear_range = 90",
        "zoom_range = 1",
        "zoom_range = [1.2, 0.8]",
        "fill_mode = \"nearst\"",
        "cval = 256",
        "brightness_range = [-0.1, 1]",
        "channel_shift_range = inf",
        "random_resized_crop = { scale = [0.0, 1.0] }",
        "random_resized_crop = { ratio = [2, 1] }",
        "color_jitter = { hue = 0.6 }",
        "color_jitter = { contrast = -1 }",
        "random_erasing = { probability = 1.5 }",
        "random_erasing = { value = 300 }",
        "mixup = -0.2",
        "cutmix = nan",
    ];
    let told = mistakes.map(|keys| format!("{keys}\n{}", told(&augmented(keys))));
    insta::assert_snapshot!(told.join("\n\n"));
}

/// The forms of Keras and torchvision that mean the same.
#[test]
fn forms_of_augmentation_become_one() {
    let augment = |keys: &str| Plan::parse(&augmented(keys), "small", &[]).unwrap().data.augment;
    assert!(augment("fill_mode = \"wrap\"").is_none());
    assert_eq!(augment("zoom_range = 0.25"), augment("zoom_range = [0.75, 1.25]"));
    assert_eq!(augment("width_shift_range = 3"), augment("width_shift_range = [0, 1, 2]"));
    assert_eq!(augment("width_shift_range = 0"), augment("width_shift_range = 0.0"));
    assert!(augment("height_shift_range = 0.5").height_shift.relative);
    assert!(!augment("height_shift_range = 1.0").height_shift.relative);
    assert_eq!(
        augment("color_jitter = { brightness = 1.5, hue = 0.25 }"),
        augment("color_jitter = { brightness = [0, 2.5], hue = [-0.25, 0.25] }")
    );
    assert_eq!(
        augment("random_resized_crop = {}"),
        augment("random_resized_crop = { scale = [0.08, 1], ratio = [0.75, 1.3333333333333333] }")
    );
    assert_eq!(augment("random_erasing = { value = 7 }"), augment("random_erasing = { value = [7, 7, 7] }"));
}

#[test]
fn schedules_follow_their_definitions() {
    let rate = |kind, epochs: f64| RateSchedule::new(kind, 0.8, 10).unwrap().rate(epochs);
    assert_eq!(rate(Schedule::Constant { warmup_epochs: 2.0 }, 0.5), 0.2);
    assert_eq!(rate(Schedule::Constant { warmup_epochs: 2.0 }, 2.0), 0.8);
    let step = Schedule::Step { warmup_epochs: 0.0, every_epochs: 3.0, factor: 0.5 };
    assert_eq!([0.0, 2.9, 3.0, 6.0].map(|epochs| rate(step, epochs)), [0.8, 0.8, 0.4, 0.2]);
    let cosine = Schedule::Cosine { warmup_epochs: 0.0, final_factor: 0.0 };
    assert!((rate(cosine, 5.0) - 0.4).abs() < 1e-12);
    assert!(rate(cosine, 10.0).abs() < 1e-12);
}

#[test]
fn a_watcher_counts_as_keras_does() {
    let mut watcher = Watcher::new(Monitor::ValLoss, 2, 0.0);
    let figures = [1.0, 0.9, 0.95, 0.9, 0.8];
    assert_eq!(figures.map(|figure| watcher.gives_up(figure)), [false, false, false, true, false]);
    let mut watcher = Watcher::new(Monitor::ValAccuracy, 1, 0.0);
    assert!(!watcher.gives_up(0.5));
    assert!(watcher.gives_up(0.5));
    watcher.rest(2);
    assert!(!watcher.gives_up(0.4), "the first epoch of the cooldown does not count");
    assert!(watcher.gives_up(0.4));
}

#[test]
fn not_a_number_is_no_improvement() {
    let mut watcher = Watcher::new(Monitor::ValLoss, 1, 0.0);
    assert!(watcher.gives_up(f64::NAN));
    assert!(!Watcher::better(Monitor::ValLoss, f64::NAN, Some(1.0)));
}
