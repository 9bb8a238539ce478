//! `frostline explain` on a real engine: a small network is trained once, and every way to look into it leaves the pictures, numbers and
//! words that it promises.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use image::{Rgb, RgbImage};
use serde_json::Value;

use crate::acting::{Said, frostline};

const CONFIG: &str = r#"
[data]
source = "critters"
train = 64
validation = 16
test = 16
[model]
input = [24, 24, 3]
layers = [
  { type = "conv2d", filters = 6, kernel_size = 3, activation = "relu" },
  { type = "max_pooling2d" },
  { type = "conv2d", filters = 8, kernel_size = 3, activation = "relu" },
  { type = "flatten" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 1
batch_size = 16
[engine]
device = "cpu"
threads = 1
"#;

/// A folder with a run and an image, for all tests.
fn trained() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(folder.path().join("mine.toml"), CONFIG).unwrap();
        let told = frostline(folder.path(), &["train", "mine.toml", "--headless"]);
        assert_eq!(told.code, Some(0), "{}", told.err);
        picture().save(folder.path().join("cat.png")).unwrap();
        folder
    });
    folder.path()
}

fn picture() -> RgbImage {
    RgbImage::from_fn(300, 200, |x, y| Rgb([(x % 256) as u8, y as u8, 90]))
}

fn explain(arguments: &[&str]) -> Said {
    let told = frostline(trained(), &[&["explain"], arguments].concat());
    assert_eq!(told.code, Some(0), "{arguments:?}: {}", told.err);
    told
}

fn records(told: &Said) -> Vec<Value> {
    told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn there(name: &str) -> PathBuf {
    trained().join(name)
}

#[test]
fn heat_is_laid_over_the_image_at_its_own_size() {
    let told = explain(&["cam", "last", "--image", "cat.png", "--class", "dog", "-o", "heat.png"]);
    assert!(told.out.contains("Grad-CAM for dog"), "{}", told.out);
    assert!(told.out.contains("at conv2d_1"), "{}", told.out);
    assert_eq!(image::open(there("heat.png")).unwrap().to_rgb8().dimensions(), (300, 200));
}

#[test]
fn every_method_explains_both_classes_of_a_sigmoid() {
    for method in frostline::command::Method::ALL {
        let told = explain(&["cam", "--image", "cat.png", "--class", "all", "--method", method.name(), "--json"]);
        let records = records(&told);
        assert_eq!(records.len(), 2, "{}", method.name());
        for (record, class) in records.iter().zip(["cat", "dog"]) {
            assert_eq!(record["class"]["class"], class);
            assert_eq!(record["method"], method.name());
            let values: Vec<f64> = record["heat"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            assert_eq!(values.len() as u64, record["height"].as_u64().unwrap() * record["width"].as_u64().unwrap());
            let most = values.iter().copied().fold(0.0, f64::max);
            assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "{}", method.name());
            assert_eq!(record["empty"].as_bool().unwrap(), most == 0.0, "{}", method.name());
            assert!(most == 0.0 || most > 0.999, "{}: {most}", method.name());
        }
    }
}

#[test]
fn a_folder_becomes_a_folder_of_pictures_with_an_index() {
    let folder = there("many/dog");
    fs::create_dir_all(&folder).unwrap();
    for name in ["a.png", "b & c.png"] {
        picture().save(folder.join(name)).unwrap();
    }
    let told = explain(&["cam", "--image", "many", "-o", "maps", "--no-image"]);
    let index = fs::read_to_string(there("maps/index.html")).unwrap();
    assert!(index.contains("b &amp; c.png") && told.out.contains("index.html"), "{}", told.out);
    let pictures = fs::read_dir(there("maps")).unwrap().count() - 1;
    // The true class, dog, is explained beside another one that was predicted.
    assert!((2..=4).contains(&pictures) && index.matches("<figure>").count() == pictures);
    let refused = frostline(trained(), &["explain", "cam", "--image", "many", "-o", "one.png"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("one.png: one file for several pictures"), "{}", refused.err);
}

#[test]
fn a_layer_s_channels_stand_in_a_grid() {
    let told = explain(&["activations", "--image", "cat.png", "--layer", "conv2d", "-o", "grid.png"]);
    assert!(told.out.contains("conv2d (Conv2D): 6 channels of 22x22"), "{}", told.out);
    // Six tiles of 22 with a pixel between, all seven times as large.
    assert_eq!(image::open(there("grid.png")).unwrap().to_rgb8().dimensions(), (7 * (6 * 23 - 1), 7 * 22));
    let told = explain(&["activations", "--image", "cat.png", "--sweep", "-o", "layers", "--json"]);
    let names: Vec<_> = records(&told).iter().map(|record| record["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["conv2d", "max_pooling2d", "conv2d_1"]);
    for name in ["cat-conv2d.png", "cat-max_pooling2d.png", "cat-conv2d_1.png", "cat-sweep.png", "index.html"] {
        assert!(there("layers").join(name).exists(), "{name}");
    }
    let refused = frostline(trained(), &["explain", "activations", "--image", "cat.png", "--channel", "8"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("layer \"conv2d_1\" has no channel 8: it has 8"), "{}", refused.err);
}

#[test]
fn filters_form_step_by_step_into_a_picture_and_an_animation() {
    let arguments = ["filters", "--layer", "conv2d_1", "--size", "16", "--steps", "6", "-o", "filters.png"];
    let told = explain(&[&arguments[..], &["--animation", "forming.gif", "--no-image"]].concat());
    assert!(told.out.contains("conv2d_1: 8 filters, 6 steps"), "{}", told.out);
    let side = 8 * 16 + 7 * 5;
    assert_eq!(image::open(there("filters.png")).unwrap().to_rgb8().dimensions(), (side * 6, 16 * 6));
    assert!(fs::read(there("forming.gif")).unwrap().starts_with(b"GIF89a"));
    let modern = explain(&["filters", "--modern", "--filter", "1", "--steps", "4", "--size", "24", "--json"]);
    let last = records(&modern).pop().unwrap();
    assert_eq!((last["done"].as_u64(), last["filters"][0].as_u64()), (Some(4), Some(1)));
    let refused = frostline(trained(), &["explain", "filters", "--filter", "8", "--size", "16"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("has no filter 8: it has 8, counted from 0"), "{}", refused.err);
}

#[test]
fn methods_are_scored_against_the_drawings_own_truth() {
    let told = explain(&["check", "--count", "4", "--method", "grad-cam,saliency,eigen-cam", "--json"]);
    let records = records(&told);
    assert_eq!(records.len(), 2 * 3);
    for record in &records {
        for share in ["pointing", "energy", "deletion", "insertion", "chance", "accuracy"] {
            assert!((0.0..=1.0).contains(&record[share].as_f64().unwrap()), "{share}: {record}");
        }
        assert_eq!(record["likeness"].is_null(), record["trained"] == false, "{record}");
    }
    let table = explain(&["check", "--count", "2", "--method", "grad-cam"]).out;
    assert!(table.contains("| Grad-CAM |") && table.contains("tell the species apart"), "{table}");
}

#[test]
fn wrong_words_are_answered_with_the_right_ones() {
    for (arguments, expected) in [
        (&["cam", "--image", "cat.png", "--class", "wolf"][..], "there is no class \"wolf\""),
        (&["cam", "--image", "cat.png", "--layer", "dense"], "puts out a vector (None, 1), not a feature map"),
        (&["cam", "--image", "cat.png", "--layer", "conv9"], "there is no layer \"conv9\""),
        (&["cam", "--image", "cat.png", "--model", "vgg61"], "there is no model \"vgg61\""),
        (&["cam", "nobody", "--image", "cat.png"], "nobody"),
    ] {
        let told = frostline(trained(), &[&["explain"], arguments].concat());
        assert_eq!(told.code, Some(2), "{arguments:?}: {}", told.err);
        assert!(told.err.contains(expected) && told.err.contains("hint"), "{arguments:?}: {}", told.err);
    }
}
