//! Grad-CAM against Keras's `GradientTape` (`tests/reference/keras_gradcam.py`), and that looking changes nothing.

use serde::Deserialize;
use tch::Tensor;

use super::formula::{bytes, floats, from_keras_parameter};
use super::*;
use crate::explain::{explain, target};
use crate::input;
use frostline::data::Pixels;
use frostline::trainer::{Stepper, Update};

#[derive(Deserialize)]
struct Figures {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    units: usize,
    layer: String,
    class: u32,
    probabilities: Vec<f32>,
    /// `[c, h, w]`.
    activations: Vec<f32>,
    /// `[h, w]`.
    heat: Vec<f32>,
}

const SIDE: u32 = 12;

fn network(units: usize) -> Network {
    let same = Window { padding: Padding::Same, ..window(3) };
    let layers = [
        layer(Op::Conv2d { filters: 4, window: same, groups: 1, bias: true, activation: Activation::Relu }),
        pool(),
        conv(6, Activation::Relu),
        norm(),
        layer(Op::Flatten),
        dense(8, Activation::Relu),
        dense(units, if units == 1 { Activation::Sigmoid } else { Activation::Softmax }),
    ];
    let input = Shape::Map { height: SIDE as usize, width: SIDE as usize, channels: 3 };
    let network = Network::new(&Arch::new("cam", input, &layers).unwrap(), 0, Device::Cpu, Kind::Float).unwrap();
    let _no_grad = tch::no_grad_guard();
    for weight in network.weights().all() {
        let mut values = floats(&format!("{units}/{}", weight.name), weight.tensor.numel(), 0.5);
        if weight.name.ends_with("moving_variance") {
            for value in &mut values {
                *value += 1.0;
            }
        }
        weight.tensor.shallow_clone().copy_(&from_keras_parameter(&values, &weight.tensor.size()));
    }
    network
}

fn picture() -> Pixels {
    Pixels { size: size(SIDE, 3), bytes: bytes("picture", (SIDE * SIDE * 3) as usize) }
}

fn tensor(picture: &Pixels) -> Tensor {
    input::pictures(&picture.bytes, 1, picture.size, Preprocess::default(), Device::Cpu).unwrap()
}

fn check(what: &str, ours: &[f32], keras: &[f32]) {
    assert_eq!(ours.len(), keras.len(), "{what}");
    for (index, (ours, keras)) in ours.iter().zip(keras).enumerate() {
        // Float32 through seven layers of values around 1.
        assert!((ours - keras).abs() < 2e-5, "{what}: element {index} is {ours}, in Keras {keras}");
    }
}

#[test]
fn heat_activations_and_probabilities_are_those_of_gradient_tape() {
    let figures: Figures = serde_json::from_str(include_str!("../../../tests/fixtures/keras/gradcam.json")).unwrap();
    assert_eq!(figures.cases.len(), 4 * (2 + 3));
    for case in &figures.cases {
        let network = network(case.units);
        let layer = target(&network, &case.layer).unwrap();
        let ours = explain(&network, &tensor(&picture()), layer, Some(case.class)).unwrap();
        let what = format!("{} units, class {} at {}", case.units, case.class, case.layer);
        check(&format!("{what}: probabilities"), &ours.probabilities, &case.probabilities);
        check(&format!("{what}: activations"), &ours.activations.values, &case.activations);
        check(&format!("{what}: heat"), &ours.heat.values, &case.heat);
        let Shape::Map { height, width, channels } = network.arch().layers()[layer].output else { unreachable!() };
        let planes = &ours.activations;
        assert_eq!([planes.channels, planes.height, planes.width], [channels, height, width]);
        assert_eq!([ours.heat.channels, ours.heat.height, ours.heat.width], [1, height, width]);
    }
}

#[test]
fn the_predicted_class_is_explained() {
    for units in [1, 3] {
        let network = network(units);
        let layer = target(&network, "conv2d_1").unwrap();
        let ours = explain(&network, &tensor(&picture()), layer, None).unwrap();
        let most = ours.probabilities.iter().copied().fold(0.0, f32::max);
        assert_eq!(ours.probabilities[ours.class as usize], most);
    }
}

#[test]
fn a_fully_frozen_network_is_explained_all_the_same() {
    let mut network = network(3);
    let layer = target(&network, "conv2d_1").unwrap();
    let before = explain(&network, &tensor(&picture()), layer, None).unwrap();
    for layer in 0..network.arch().layers().len() {
        network.set_frozen(layer, true).unwrap();
    }
    assert_eq!(explain(&network, &tensor(&picture()), layer, None).unwrap(), before);
}

#[test]
fn looking_between_two_steps_changes_nothing() {
    let arch = small(2);
    let picture = Pixels { size: size(12, 3), bytes: bytes("picture", 12 * 12 * 3) };
    let run = |look: bool| {
        let mut stepper = stepper(&arch, plan::Optimizer::default());
        for step in 0..6 {
            let batch = batch(step as usize, 5, size(12, 3), 2);
            stepper.step(&batch, Update { step, learning_rate: 0.01 }).unwrap();
            if look {
                let meters = stepper.meters().unwrap();
                for layer in ["conv2d", "max_pooling2d", "conv2d_1", "batch_normalization", "activation"] {
                    stepper.explain(&picture, layer).unwrap();
                }
                stepper.evaluate(&batch).unwrap();
                assert_eq!(stepper.meters().unwrap(), meters);
            }
        }
        stepper.save().unwrap()
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_vector_layer_is_refused_by_name() {
    let mut stepper = stepper(&small(2), plan::Optimizer::default());
    let picture = Pixels { size: size(12, 3), bytes: vec![0; 12 * 12 * 3] };
    let error = stepper.explain(&picture, "dense").unwrap_err();
    assert_eq!(error.message(), "layer \"dense\" puts out a vector (None, 8), not a feature map");
    let error = stepper.explain(&picture, "densest").unwrap_err();
    assert_eq!(error.message(), "there is no layer \"densest\"");
}
