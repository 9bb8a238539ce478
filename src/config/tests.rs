//! Errors are compared whole, as a person reads them.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::error::Error;

const SMALL: &str = r#"
[data]
source = "critters"
[model]
input = [64, 64, 3]
layers = [{ type = "flatten" }, { type = "dense", units = 1, activation = "sigmoid" }]
"#;

fn parse(text: &str, overrides: &[&str]) -> Result<Config, ConfigError> {
    let overrides: Vec<String> = overrides.iter().map(|&each| each.to_owned()).collect();
    Config::parse(text, Path::new("small.toml"), &overrides)
}

fn told(text: &str, overrides: &[&str]) -> String {
    Error::from(parse(text, overrides).unwrap_err()).to_string()
}

#[test]
fn what_is_left_out_has_kerass_default() {
    let config = parse(SMALL, &[]).unwrap();
    assert_eq!(config.name.as_deref(), Some("small"));
    assert_eq!(config.train.batch_size, 32);
    assert_eq!(config.train.optimizer, Optimizer::Rmsprop { rho: 0.9, momentum: 0.0, epsilon: 1e-7 });
}

#[test]
fn the_resolved_text_reads_back_as_the_same_configuration() {
    let augment = "data.augment={ width_shift_range = 3, height_shift_range = [0.5, 1], zoom_range = [0.5, 2], cval = 9, \
                   brightness_range = [0.5, 1.5], color_jitter = { hue = 0.1 }, random_erasing = {}, random_resized_crop = {} }";
    let overrides = ["train.schedule.kind=cosine", "train.early_stopping.patience=3", augment];
    let config = parse(SMALL, &overrides).unwrap();
    assert_eq!(parse(&config.to_toml(), &[]).unwrap(), config);
}

#[test]
fn overrides_replace_single_keys() {
    let config = parse(SMALL, &["train.epochs=3", "engine.device=cpu", "train.optimizer.kind=\"adam\""]).unwrap();
    assert_eq!(config.train.epochs, 3);
    assert_eq!(config.engine.device, "cpu");
    assert_eq!(config.train.optimizer.name(), "adam");
}

#[test]
fn mistakes_name_the_place_and_the_nearest_word() {
    let mistakes = [
        told(&SMALL.replace("source", "sorce"), &[]),
        told(&SMALL.replace("units = 1", "unit = 1"), &[]),
        told(&SMALL.replace("\"dense\"", "\"densse\""), &[]),
        told(&SMALL.replace("[64, 64, 3]", "[64, 64"), &[]),
        told(&format!("{SMALL}\n[train.optimizer]\nkind = \"adam\"\nrho = 0.5\n"), &[]),
        told(SMALL, &["train.epoch=3"]),
        told(SMALL, &["train.epochs"]),
    ];
    insta::assert_snapshot!(mistakes.join("\n\n"));
}

#[test]
fn places_are_seen_from_the_files_folder() {
    assert_eq!(seen_from(Path::new("/a/config"), Path::new("../data/x")), Path::new("/a/data/x"));
    assert_eq!(seen_from(Path::new("/a/config"), Path::new("/usr/share")), Path::new("/usr/share"));
}
