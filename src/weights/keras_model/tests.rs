//! Models of two generations of Keras (`tests/reference/keras_models.py` makes them); what they predict is compared where there is an
//! engine. And descriptions that nobody can turn into a network.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::PathBuf};

use super::*;
use crate::{
    config::{Config, Data, DataSource},
    plan::Plan,
};

pub(in crate::weights) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(name)
}

fn arch(model: &KerasModel) -> Arch {
    let data = Data { path: Some(crate::config::Places::One("nowhere".into())), ..Data::new(DataSource::Folder) };
    Plan::resolve(Config::new("model".into(), data, model.model.clone())).unwrap().arch
}

#[test]
fn every_model_becomes_a_network_with_all_its_weights() {
    let predictions: BTreeMap<String, Vec<f32>> =
        serde_json::from_slice(&fs::read(fixture("predictions.json")).unwrap()).unwrap();
    for name in predictions.keys() {
        let model = KerasModel::open(&fixture(name), None).unwrap_or_else(|error| panic!("{name}: {error}"));
        let arch = arch(&model);
        let tensors = model.file.tensors().len();
        let weights = model.weights(&arch).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(weights.fit().unexpected, [""; 0], "{name}");
        assert_eq!(weights.fit().found(), tensors, "{name}");
    }
}

#[test]
fn a_description_says_what_stands_around_the_weights() {
    let model = KerasModel::open(&fixture("on_a_base2.h5"), None).unwrap();
    assert_eq!(model.frozen, ["conv", "norm", "dense_conv"]);
    let model = KerasModel::open(&fixture("branches3.keras"), None).unwrap();
    assert!(matches!(model.model.preprocessing, Some(Preprocessing::Custom { scale: 1.0, .. })));
    let model = KerasModel::open(&fixture("chapter2.h5"), None).unwrap();
    assert_eq!((model.model.preprocessing, model.model.input), (None, [16, 16, 3]));
    assert_eq!(model.notes.len(), 1, "{:?}", model.notes);
    let model = KerasModel::open(&fixture("twins3.keras"), None).unwrap();
    assert!(model.notes[0].contains("random_flip (RandomFlip)"), "{:?}", model.notes);
    let names: Vec<&str> = model.model.layers.iter().filter_map(|layer| layer.name.as_deref()).collect();
    assert!(names.contains(&"norm") && names.contains(&"right_norm"), "{names:?}");
    assert_eq!(names[0], "pixels", "the image is read twice, as it was prepared");
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    let reasons: BTreeMap<String, String> =
        serde_json::from_slice(&fs::read(fixture("refused.json")).unwrap()).unwrap();
    for (name, reason) in reasons {
        let error = KerasModel::open(&fixture(&name), None).unwrap_err().to_string();
        assert!(error.ends_with(&format!("the model in it is not understood: {reason}")), "{name}: {error}");
    }
    let weights = fixture("../weights/keras3.weights.h5");
    assert!(matches!(KerasModel::open(&weights, None), Err(WeightsError::NoModel { .. })));
    let other = KerasModel::open(&fixture("chapter2.h5"), Some(20)).unwrap_err().to_string();
    assert!(other.ends_with("its images are 16 pixels high or wide"), "{other}");
}

/// A functional model of these layers; the output is the last one.
fn described(layers: &[(&str, &str, &str, &[&str])]) -> Value {
    let layer = |&(class, name, config, reads): &(&str, &str, &str, &[&str])| {
        let mut config: Value = serde_json::from_str(config).unwrap();
        config["name"] = name.into();
        let call: Vec<Value> = reads.iter().map(|read| serde_json::json!([read, 0, 0, {}])).collect();
        let calls = if call.is_empty() { vec![] } else { vec![call] };
        serde_json::json!({"class_name": class, "name": name, "config": config, "inbound_nodes": calls})
    };
    let all: Vec<Value> = layers.iter().map(layer).collect();
    let last = layers.last().unwrap().1;
    let ends = (serde_json::json!([["image", 0, 0]]), serde_json::json!([[last, 0, 0]]));
    serde_json::json!({"class_name": "Functional", "config": {"layers": all, "input_layers": ends.0, "output_layers": ends.1}})
}

const IMAGE: (&str, &str, &str, &[&str]) = ("InputLayer", "image", r#"{"batch_input_shape": [null, 8, 8, 3]}"#, &[]);

#[test]
fn layers_are_put_into_an_order_in_which_they_can_be_computed() {
    let model = described(&[
        ("Add", "sum", "{}", &["b", "a"]),
        ("Activation", "b", r#"{"activation": "relu"}"#, &["a"]),
        IMAGE,
        ("Activation", "a", r#"{"activation": "tanh"}"#, &["image"]),
        ("Flatten", "flat", "{}", &["sum"]),
    ]);
    let layers = wired(Walk::of(&model).unwrap().layers);
    let wired: Vec<(&str, &[String])> =
        layers.iter().map(|layer| (layer.name.as_deref().unwrap(), &layer.inputs[..])).collect();
    let sum = ["b".to_owned(), "a".to_owned()];
    assert_eq!(wired, [("a", &[][..]), ("b", &[]), ("sum", &sum), ("flat", &[])]);
    assert_eq!(input(&model, None), Ok([8, 8, 3]));
}

#[test]
fn descriptions_that_make_no_sense_are_told() {
    let told = |model: &Value| Walk::of(model).err().unwrap().to_string();
    let dense = ("Dense", "dense", r#"{"units": 2}"#, &["image"][..]);
    let circle = [IMAGE, ("Add", "a", "{}", &["image", "b"][..]), ("Add", "b", "{}", &["image", "a"])];
    assert_eq!(told(&described(&circle)), "its layers read each other in a circle");
    let nowhere = [IMAGE, ("Flatten", "flat", "{}", &["gone"][..])];
    assert_eq!(told(&described(&nowhere)), "layer \"flat\" (Flatten): it reads \"gone\", which is not there");
    let twice = [IMAGE, dense, dense];
    assert!(told(&described(&twice)).contains("no class or no name of its own for \"dense\""));
    let read_on = [IMAGE, ("Flatten", "flat", "{}", &["image"][..]), dense];
    let mut inner = described(&read_on);
    inner["config"]["output_layers"] = serde_json::json!([["flat", 0, 0]]);
    assert!(told(&inner).contains("layers read its output, \"flat\""), "{}", told(&inner));
    let mut several = described(&read_on);
    several["config"]["output_layers"] = serde_json::json!([["flat", 0, 0], ["dense", 0, 0]]);
    assert_eq!(told(&several), "it gives 2 tensors; one is understood");
    assert!(told(&serde_json::json!({"class_name": "MyModel", "config": {}})).contains("of the class \"MyModel\""));
    assert!(told(&serde_json::json!({})).contains("of the class \"\""));
    let channels = [IMAGE, ("Flatten", "flat", r#"{"data_format": "channels_first"}"#, &["image"][..])];
    assert!(told(&described(&channels)).ends_with("data_format = \"channels_first\""));
    let hard = [IMAGE, ("Activation", "hard", r#"{"activation": "hard_sigmoid"}"#, &["image"][..])];
    assert_eq!(told(&described(&hard)), "layer \"hard\" (Activation): activation = \"hard_sigmoid\"");
    let steep = [IMAGE, ("LeakyReLU", "steep", r#"{"negative_slope": 0.3}"#, &["image"][..])];
    assert_eq!(told(&described(&steep)), "layer \"steep\" (LeakyReLU): negative_slope = 0.3");
    let mut deep = described(&[IMAGE, dense]);
    for _ in 0..40 {
        deep = serde_json::json!({"class_name": "Sequential", "config": {"layers": [deep]}});
    }
    assert_eq!(told(&deep), "its models are nested too deep");
}

#[test]
fn another_axis_than_that_of_the_channels_is_refused() {
    let model = KerasModel::open(&fixture("branches3.keras"), None).unwrap();
    let arch = arch(&model);
    let mut model = model;
    let kept = model.kept.iter_mut().find(|kept| kept.name == "concatenate").unwrap();
    kept.axis = 1;
    let error = model.weights(&arch).unwrap_err().to_string();
    assert!(error.contains("layer \"concatenate\" (Concatenate): it works along axis 1"), "{error}");
}

/// Every byte of the description changed in turn: an error or some network, never a panic.
#[test]
fn a_damaged_description_never_panics() {
    let model = KerasModel::open(&fixture("on_a_base3.keras"), None).unwrap();
    let text = model.file.attributes()["model_config"].clone();
    for at in (0..text.len()).step_by(7) {
        for with in [b'"', b'0', b'[', b'9'] {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = with;
            if let Ok(model) = serde_json::from_slice::<Value>(&damaged) {
                let _ = input(&model, None);
                if let Ok(walk) = Walk::of(&model) {
                    let _ = wired(walk.layers);
                }
            }
        }
    }
}
