//! Class activation maps against pytorch-grad-cam, attributions at pixels against captum (`tests/reference/explain_maps.py`): on small
//! networks, and on networks of the zoo.

use std::collections::BTreeMap;

use serde::Deserialize;
use tch::Tensor;

use super::formula::{floats, from_keras_map};
use super::zoo::{arch as zoo_arch, fill as fill_zoo, naming, sample};
use super::*;
use crate::explain::{self, View, Window as Slide, perturb, pixels};
use frostline::arch::Source;
use frostline::arch::zoo::{Architecture, Wiring};
use frostline::command::Method;

#[derive(Deserialize)]
struct Figures<C> {
    cases: Vec<C>,
}

#[derive(Deserialize)]
struct Small {
    network: String,
    class: i64,
    score: f32,
    maps: Maps,
    pixels: BTreeMap<String, Vec<f32>>,
}

#[derive(Deserialize)]
struct Zoo {
    architecture: Architecture,
    naming: String,
    wiring: Wiring,
    input: [usize; 3],
    class: i64,
    maps: Maps,
    pixels: BTreeMap<String, Vec<f32>>,
}

/// By layer and method.
type Maps = BTreeMap<String, BTreeMap<Method, Vec<f32>>>;

const SIDE: i64 = 16;

fn named(name: &str, spec: LayerSpec, inputs: &[&str]) -> LayerSpec {
    let inputs = inputs.iter().map(|&input| input.to_owned()).collect();
    LayerSpec { name: Some(name.to_owned()), inputs, ..spec }
}

fn same(filters: usize, activation: Activation) -> LayerSpec {
    let window = Window { padding: Padding::Same, ..window(3) };
    layer(Op::Conv2d { filters, window, groups: 1, bias: true, activation })
}

/// `chain4`: the chain with four units at its end.
fn network(name: &str) -> Network {
    let (kind, units) = name.split_at(name.len() - 1);
    let units = units.parse().unwrap();
    let layers = match kind {
        "chain" => vec![
            conv(6, Activation::Relu),
            pool(),
            conv(8, Activation::Relu),
            norm(),
            layer(Op::Flatten),
            dense(10, Activation::Relu),
            dense(units, if units == 1 { Activation::Sigmoid } else { Activation::Softmax }),
        ],
        _ => vec![
            named("conv2d", conv(6, Activation::Relu), &[]),
            named("conv2d_1", same(6, Activation::Relu), &["conv2d"]),
            named("conv2d_2", same(6, Activation::Linear), &["conv2d_1"]),
            named("add", layer(Op::Add), &["conv2d", "conv2d_2"]),
            named("activation", layer(Op::Activation(Activation::Relu)), &["add"]),
            pool(),
            layer(Op::Flatten),
            named("dense", dense(units, if units == 1 { Activation::Sigmoid } else { Activation::Softmax }), &[]),
        ],
    };
    let input = Shape::Map { height: SIDE as usize, width: SIDE as usize, channels: 3 };
    let network = Network::new(&Arch::new(name, input, &layers).unwrap(), 0, Device::Cpu, Kind::Float).unwrap();
    let _no_grad = tch::no_grad_guard();
    for weight in network.weights().all() {
        let (layer, parameter) = weight.name.split_once('/').unwrap();
        let theirs = match parameter {
            "kernel" | "gamma" => "weight",
            "beta" => "bias",
            same => same,
        };
        let mut values = floats(&format!("{name}/{layer}/{theirs}"), weight.tensor.numel(), 0.5);
        if parameter == "moving_variance" {
            for value in &mut values {
                *value += 1.0;
            }
        }
        weight.tensor.shallow_clone().copy_(&Tensor::from_slice(&values).reshape(weight.tensor.size()));
    }
    network
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.detach().to_kind(Kind::Float).contiguous().reshape([-1])).unwrap()
}

/// Relative to the largest of theirs.
fn near(what: &str, ours: &[f32], theirs: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let scale = theirs.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
    let worst = ours.iter().zip(theirs).fold(0.0_f32, |most, (ours, theirs)| most.max((ours - theirs).abs()));
    assert!(worst <= tolerance * scale, "{what}: {worst} off, of values up to {scale}");
}

/// The sign of a principal component is a matter of taste.
fn signed_like(ours: Vec<f32>, theirs: &[f32]) -> Vec<f32> {
    let alike: f32 = ours.iter().zip(theirs).map(|(ours, theirs)| ours * theirs).sum();
    if alike < 0.0 { ours.into_iter().map(|value| -value).collect() } else { ours }
}

fn check_maps(what: &str, network: &Network, picture: &Tensor, class: i64, maps: &Maps, tolerance: f32) {
    let classes = Tensor::from_slice(&[class]);
    for (layer, methods) in maps {
        let position = explain::target(network, layer).unwrap();
        let view = View::new(network, picture, position).unwrap();
        for (&method, theirs) in methods {
            let mut ours = numbers(&explain::attribution(&view, method, &classes, &mut |_, _| Ok(())).unwrap());
            if ours.len() != theirs.len() {
                ours = sample(&ours, theirs.len());
            }
            if method == Method::EigenCam {
                ours = signed_like(ours, theirs);
            }
            near(&format!("{what}, class {class}, {layer}, {}", method.name()), &ours, theirs, tolerance);
        }
    }
}

struct Sweep {
    window: Slide,
    steps: usize,
}

fn check_pixels(
    what: &str,
    view: &View<'_>,
    class: i64,
    figures: &BTreeMap<String, Vec<f32>>,
    sweep: &Sweep,
    tolerance: f32,
) {
    let classes = Tensor::from_slice(&[class]);
    let mut told = |_, _| Ok(());
    let shape = view.input.size();
    for (method, theirs) in figures {
        let ours = match method.as_str() {
            "saliency" => pixels::saliency(view, &classes),
            "smooth-grad" => {
                let each: i64 = shape.iter().product();
                let all = Tensor::from_slice(&floats("noise", 4 * each as usize, 0.1)).reshape([4, each]);
                // Theirs are `[n, c, h, w]` too.
                let noises = (0..4_i32).map(|draw| Ok(all.get(draw.into()).reshape(&shape)));
                pixels::smooth_grad(view, &classes, noises, &mut told)
            }
            "integrated-gradients" => pixels::integrated_gradients(view, &classes, sweep.steps, &mut told),
            "occlusion" => perturb::occlusion(view, &classes, sweep.window, &mut told),
            "guided" => pixels::guided_backpropagation(view, &classes),
            other => panic!("{other}"),
        };
        let ours = numbers(&ours.unwrap());
        let ours = if ours.len() == theirs.len() { ours } else { sample(&ours, theirs.len()) };
        near(&format!("{what}, class {class}, {method}"), &ours, theirs, tolerance);
    }
}

fn small() -> Figures<Small> {
    serde_json::from_str(include_str!("../../../tests/fixtures/explain/maps.json")).unwrap()
}

fn picture() -> Tensor {
    let planes = Tensor::from_slice(&floats("picture", 3 * (SIDE * SIDE) as usize, 1.0));
    planes.reshape([1, 3, SIDE, SIDE])
}

/// Float32 through seven layers against float64.
const SMALL: f32 = 1e-4;

#[test]
fn maps_of_small_networks_are_those_of_pytorch_grad_cam() {
    let figures = small();
    assert_eq!(figures.cases.len(), 2 * (2 + 4));
    for case in &figures.cases {
        let network = network(&case.network);
        check_maps(&case.network, &network, &picture(), case.class, &case.maps, SMALL);
    }
}

#[test]
fn attributions_of_small_networks_are_those_of_captum() {
    let sweep = Sweep { window: Slide { size: [5, 4], stride: [3, 2] }, steps: 7 };
    for case in &small().cases {
        let network = network(&case.network);
        let view = View::new(&network, &picture(), network.arch().last_feature_map().unwrap()).unwrap();
        check_pixels(&case.network, &view, case.class, &case.pixels, &sweep, SMALL);
        let score = numbers(&view.scores(&Tensor::from_slice(&[case.class])).unwrap());
        assert!((score[0] - case.score).abs() < 1e-5, "{}: {}, {}", case.network, score[0], case.score);
    }
}

#[test]
fn a_batch_is_explained_like_its_pictures_one_by_one() {
    let network = network("residual4");
    let pictures = Tensor::cat(&[picture(), picture().flip([3]), picture() * 0.3], 0);
    let classes = Tensor::from_slice(&[2_i64, 0, 3]);
    for layer in ["conv2d_1", "activation"] {
        let position = explain::target(&network, layer).unwrap();
        let all = View::new(&network, &pictures, position).unwrap();
        for method in Method::ALL {
            // Its noise is the same for each picture only if each comes first.
            if method == Method::SmoothGrad {
                continue;
            }
            let together = explain::attribution(&all, method, &classes, &mut |_, _| Ok(())).unwrap();
            for at in 0..3 {
                let one = View::new(&network, &pictures.narrow(0, at, 1), position).unwrap();
                let alone = explain::attribution(&one, method, &classes.narrow(0, at, 1), &mut |_, _| Ok(())).unwrap();
                let what = format!("{layer}, {}, picture {at}", method.name());
                near(&what, &numbers(&together.narrow(0, at, 1)), &numbers(&alone), 1e-5);
            }
        }
    }
}

#[test]
fn the_two_classes_of_a_sigmoid_pull_in_opposite_directions() {
    let network = network("chain1");
    let view = View::new(&network, &picture(), explain::target(&network, "conv2d").unwrap()).unwrap();
    let of = |class: i64| numbers(&view.gradient(&Tensor::from_slice(&[class])).unwrap());
    let (first, second) = (of(0), of(1));
    assert!(first.iter().zip(&second).all(|(a, b)| *a == -b) && second.iter().any(|value| *value != 0.0));
}

/// Integrated gradients sum up to the difference that the picture makes (arXiv:1703.01365, proposition 1).
#[test]
fn integrated_gradients_are_complete() {
    let network = network("chain4");
    let view = View::new(&network, &picture(), explain::target(&network, "conv2d_1").unwrap()).unwrap();
    let class = Tensor::from_slice(&[1_i64]);
    let sum = pixels::integrated_gradients(&view, &class, 200, &mut |_, _| Ok(())).unwrap().sum(Kind::Float);
    let nothing = view.scores_of(&view.input.zeros_like(), &class).unwrap();
    let made = numbers(&(view.scores(&class).unwrap() - nothing));
    near("sum", &numbers(&sum), &made, 0.01);
}

#[test]
fn a_map_that_is_negative_everywhere_is_empty_and_not_black_by_division() {
    let map = Tensor::from_slice(&[-1.0_f32, -2.0, -3.0, -4.0, 0.5, -1.0, 2.0, 0.0]).reshape([2, 2, 2]);
    let heat = numbers(&explain::heat(Method::GradCam, &map).unwrap());
    assert_eq!(heat, [0.0, 0.0, 0.0, 0.0, 0.25, 0.0, 1.0, 0.0]);
}

/// Ten times as much for single pixels: where a unit deep inside is nearly at zero, rounding decides whether its `ReLU` lets a gradient
/// pass. `PyTorch` itself, in float32 and channels-last, is 2e-3 off its float64 in `ResNet50`'s integrated gradients.
fn zoo(architecture: Architecture, tolerance: f32) {
    let figures: Figures<Zoo> = serde_json::from_str(include_str!("../../../tests/fixtures/explain/zoo.json")).unwrap();
    let case = figures.cases.into_iter().find(|case| case.architecture == architecture).unwrap();
    let arch = zoo_arch(architecture, case.wiring, true, case.input);
    crate::device::set_threads(1).unwrap();
    let network = Network::new(&arch, 0, Device::Cpu, Kind::Float).unwrap();
    fill_zoo(&network, architecture, naming(&case.naming));
    let [height, width, channels] = case.input;
    let image = floats("image", height * width * channels, 1.0);
    let image = from_keras_map(&image, &[1, height as i64, width as i64, channels as i64]);
    let what = architecture.name();
    check_maps(what, &network, &image, case.class, &case.maps, tolerance);
    let view = View::new(&network, &image, arch.last_feature_map().unwrap()).unwrap();
    let sweep = Sweep { window: Slide { size: [16, 16], stride: [12, 12] }, steps: 5 };
    check_pixels(what, &view, case.class, &case.pixels, &sweep, 10.0 * tolerance);
    // What the image is seen by begins where the network does.
    assert_eq!(arch.layers()[0].inputs, [Source::Input]);
}

#[test]
fn vgg16_is_explained_as_by_pytorch_grad_cam_and_captum() {
    zoo(Architecture::Vgg16, 1e-3);
}

#[test]
fn resnet50_is_explained_as_by_pytorch_grad_cam_and_captum() {
    zoo(Architecture::Resnet50, 1e-3);
}

#[test]
fn efficientnet_lite0_is_explained_as_by_pytorch_grad_cam_and_captum() {
    zoo(Architecture::EfficientnetLite0, 1e-3);
}
