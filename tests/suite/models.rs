//! The published networks on the command line.

use crate::acting::{Stage, said};

#[test]
fn models_are_listed_with_their_sizes() {
    let stage = Stage::new();
    let listed = said(&mut stage.frostline(&["models"]));
    assert_eq!((listed.err.as_str(), listed.code), ("", Some(0)));
    insta::assert_snapshot!(listed.out);
    let json = said(&mut stage.frostline(&["models", "--json"]));
    let first: serde_json::Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["name"], "vgg16");
    assert_eq!(first["parameters_without_top"], 14_714_688);
}

#[test]
fn a_model_is_summarised_without_a_configuration() {
    let stage = Stage::new();
    let summary = said(&mut stage.frostline(&["summary", "--model", "vgg16", "--input", "150"]));
    assert_eq!((summary.err.as_str(), summary.code), ("", Some(0)));
    assert!(summary.out.contains("Total params: 14,714,688"), "{}", summary.out);
    assert!(summary.out.contains("(None, 4, 4, 512)"), "{}", summary.out);
    let whole = said(&mut stage.frostline(&["summary", "--model", "resnet50", "--top"]));
    assert!(whole.out.contains("Total params: 25,636,712"), "{}", whole.out);
    assert!(whole.out.contains("conv5_block3_out (Activation)"), "{}", whole.out);
}

#[test]
fn what_is_no_model_or_too_small_for_one_is_told() {
    let stage = Stage::new();
    let unknown = said(&mut stage.frostline(&["summary", "--model", "vgg61"]));
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.err.contains("there is no model \"vgg61\"") && unknown.err.contains("vgg16, vgg19"),
        "{}",
        unknown.err
    );
    let small = said(&mut stage.frostline(&["summary", "--model", "xception", "--input", "64"]));
    assert_eq!(small.code, Some(2));
    assert!(small.err.contains("xception needs images of at least 71x71, not 64x64"), "{}", small.err);
}

#[test]
fn a_summary_warns_of_pixels_that_the_weights_do_not_know() {
    let stage = Stage::new();
    let config = "[data]\nsource = \"critters\"\n[model]\ninput = [64, 64, 3]\npreprocessing = \"caffe\"\n\
                  [model.base]\narchitecture = \"resnet50\"\nweights = \"imagenet\"\npooling = \"avg\"\n\
                  [[model.layers]]\ntype = \"dense\"\nunits = 1\nactivation = \"sigmoid\"\n";
    std::fs::write(stage.path("base.toml"), config).unwrap();
    let summary = said(&mut stage.frostline(&["summary", "base.toml"]));
    assert_eq!(summary.code, Some(0));
    assert!(summary.out.contains("preprocessing (Preprocessing)"), "{}", summary.out);
    assert!(summary.err.contains("set model.preprocessing = \"torch\""), "{}", summary.err);
}
