//! Weights from files of other libraries: what the network then computes is what those libraries compute.

use std::collections::HashMap;
use std::path::Path;

use frostline::data::Pixels;
use frostline::weights::{Pretrained, Wanted, WeightsError};

use super::*;

/// The network of `tests/reference/weights.py`.
fn keras_network() -> Arch {
    let strided = |size, stride, padding| Window { strides: [stride; 2], padding, ..window(size) };
    let plain = Activation::Linear;
    let conv = |filters, window, bias| Op::Conv2d { filters, window, groups: 1, bias, activation: plain };
    let separable = Op::SeparableConv2d {
        filters: 4,
        window: strided(3, 1, Padding::Same),
        multiplier: 2,
        bias: true,
        activation: plain,
    };
    let depthwise =
        Op::DepthwiseConv2d { window: strided(3, 2, Padding::Same), multiplier: 1, bias: true, activation: plain };
    let reading =
        |op, inputs: &[&str]| LayerSpec { inputs: inputs.iter().map(|&input| input.into()).collect(), ..layer(op) };
    let layers = [
        LayerSpec { name: Some("stem".into()), ..layer(conv(3, strided(3, 1, Padding::Same), true)) },
        norm(),
        LayerSpec { name: Some("relu".into()), ..layer(Op::Activation(Activation::Relu)) },
        layer(conv(4, strided(1, 2, Padding::Valid), false)),
        reading(separable, &["relu"]),
        layer(depthwise),
        layer(conv(4, strided(1, 1, Padding::Valid), true)),
        layer(Op::BatchNorm { momentum: 0.99, epsilon: 1e-3, center: true, scale: false }),
        reading(Op::Add, &["batch_normalization_1", "conv2d"]),
        layer(Op::Flatten),
        dense(5, Activation::Relu),
        layer(Op::Dropout { rate: 0.5 }),
        dense(2, Activation::Softmax),
    ];
    Arch::new("keras", Shape::Map { height: 6, width: 6, channels: 2 }, &layers).unwrap()
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights").join(name)
}

#[test]
fn predictions_are_those_of_keras_from_every_generation_of_its_files() {
    let predictions = std::fs::read(fixture("keras_predictions.json")).unwrap();
    let predictions: HashMap<String, Vec<f32>> = serde_json::from_slice(&predictions).unwrap();
    let arch = keras_network();
    let size = Size { height: 6, width: 6, channels: 2 };
    let picture = Pixels { size, bytes: (0..size.bytes()).map(|at| (at * 37 % 256) as u8).collect() };
    for (file, keras) in [
        ("keras3.weights.h5", "keras3"),
        ("keras3.keras", "keras3"),
        ("keras3_second.h5", "keras3"),
        ("keras2_weights.h5", "keras2"),
        ("keras1.h5", "keras3"),
    ] {
        let mut stepper = stepper(&arch, RULES[0]);
        stepper.load(&Pretrained::open(&fixture(file), &Wanted::whole(&arch, None)).unwrap()).unwrap();
        let found = stepper.probabilities(&picture).unwrap();
        let wanted = &predictions[keras];
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{file}: {found:?} {wanted:?}");
    }
}

#[test]
fn a_file_that_does_not_fit_is_refused_as_a_whole() {
    let arch = small(2);
    let error = Pretrained::open(&fixture("keras3.keras"), &Wanted::whole(&arch, None)).unwrap_err();
    assert!(matches!(error, WeightsError::Misfit { .. }), "{error}");
}
