//! Grad-CAM against Keras's `GradientTape` (`tests/reference/keras_gradcam.py`), and that looking changes nothing.

use serde::Deserialize;
use tch::Tensor;

use super::formula::{bytes, floats, from_keras_parameter};
use super::*;
use crate::explain::{grad_cam, target};
use crate::input;
use frostline::command::Method;
use frostline::data::Pixels;
use frostline::trainer::{Explanation, Painting, Question, Stepper, Update};

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

fn look(network: &Network, layer: usize, class: Option<u32>) -> Explanation {
    grad_cam(network, &tensor(&picture()), layer, class).unwrap()
}

fn at(layer: &str) -> Question<'_> {
    Question { layer, method: Method::GradCam, class: None }
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
        let ours = look(&network, layer, Some(case.class));
        let what = format!("{} units, class {} at {}", case.units, case.class, case.layer);
        check(&format!("{what}: probabilities"), &ours.probabilities, &case.probabilities);
        check(&format!("{what}: activations"), &ours.activations.values, &case.activations);
        let heat = ours.heat.unwrap();
        check(&format!("{what}: heat"), &heat.values, &case.heat);
        let Shape::Map { height, width, channels } = network.arch().layers()[layer].output else { unreachable!() };
        let planes = &ours.activations;
        assert_eq!([planes.channels, planes.height, planes.width], [channels, height, width]);
        assert_eq!([heat.channels, heat.height, heat.width], [1, height, width]);
    }
}

#[test]
fn the_predicted_class_is_explained() {
    for units in [1, 3] {
        let network = network(units);
        let layer = target(&network, "conv2d_1").unwrap();
        let ours = look(&network, layer, None);
        let most = ours.probabilities.iter().copied().fold(0.0, f32::max);
        assert_eq!(ours.probabilities[ours.class as usize], most);
    }
}

#[test]
fn a_fully_frozen_network_is_explained_all_the_same() {
    let mut network = network(3);
    let layer = target(&network, "conv2d_1").unwrap();
    let before = look(&network, layer, None);
    for layer in 0..network.arch().layers().len() {
        network.set_frozen(layer, true).unwrap();
    }
    assert_eq!(look(&network, layer, None), before);
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
                    stepper.explain(&picture, at(layer), &mut |_, _| true).unwrap();
                    let mut painting = Painting { filters: 2, ..Painting::default() };
                    stepper.climb(layer, &mut painting).unwrap();
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
    let error = stepper.explain(&picture, at("dense"), &mut |_, _| true).unwrap_err();
    assert_eq!(error.message(), "layer \"dense\" puts out a vector (None, 8), not a feature map");
    let error = stepper.explain(&picture, at("densest"), &mut |_, _| true).unwrap_err();
    assert_eq!(error.message(), "there is no layer \"densest\"");
}

#[test]
fn every_method_gives_heat_of_its_size_and_stops_when_told() {
    let mut stepper = stepper(&small(2), plan::Optimizer::default());
    let picture = Pixels { size: size(12, 3), bytes: bytes("picture", 12 * 12 * 3) };
    for method in Method::ALL {
        let question = Question { layer: "conv2d_1", method, class: Some(0) };
        let seen = stepper.explain(&picture, question, &mut |_, _| true).unwrap();
        let heat = seen.heat.unwrap();
        let pixels = !method.looks_at_a_layer() || method == Method::GuidedGradCam;
        let side = if pixels { 12 } else { seen.activations.height };
        assert_eq!([heat.channels, heat.height, heat.width], [1, side, side], "{method:?}");
        assert!(heat.values.iter().all(|value| (0.0..=1.0).contains(value)), "{method:?}");
        let mut asked = 0;
        let stopped = stepper.explain(&picture, question, &mut |_, _| {
            asked += 1;
            false
        });
        let stopped = stopped.unwrap();
        assert_eq!(
            (stopped.heat.is_none(), asked),
            (method.is_costly(), usize::from(method.is_costly())),
            "{method:?}"
        );
        assert_eq!(stopped.probabilities, seen.probabilities, "{method:?}");
    }
}

#[test]
fn a_class_that_is_not_there_is_the_predicted_one() {
    let network = network(3);
    let layer = target(&network, "conv2d_1").unwrap();
    assert_eq!(look(&network, layer, Some(7)), look(&network, layer, None));
}
