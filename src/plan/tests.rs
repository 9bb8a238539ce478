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
    assert_eq!(first.learning_rate, 0.001, "RMSprop's default in Keras");
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
