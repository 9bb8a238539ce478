//! The networks of the zoo against Keras, torchvision and timm, with weights that both sides make alike (`zoo_weights.py`): a feature
//! map in the middle and the logits. Weights are named as the library names them, so the tables of names are on trial too.

use serde::Deserialize;
use tch::{Device, Kind, Tensor};

use super::formula::{floats, fnv1a, from_keras_map, from_keras_order, tiled, to_keras_map};
use super::{CPU, Preprocess, RULES, batch, input, size};
use crate::network::{Mode, Network, Taps};
use crate::pass::Pass;
use crate::shards::Shards;
use crate::stepper::TorchStepper;
use frostline::arch::zoo::{Architecture, Naming, Wiring, modules, parameter_name};
use frostline::arch::{Activation, Arch, LayerSpec, Op, Preprocessing, Shape, Source};
use frostline::trainer::{Stepper as _, Update};

#[derive(Deserialize)]
struct Figures {
    cases: Vec<Case>,
    #[serde(default)]
    whole: Vec<Whole>,
}

#[derive(Deserialize)]
struct Case {
    architecture: Architecture,
    naming: String,
    wiring: Wiring,
    input: [usize; 3],
    /// Where the map was taken; its shape is `[h, w, c]`.
    layer: String,
    map_shape: Vec<i64>,
    map: Vec<f32>,
    map_rounding: f32,
    logits: Vec<f32>,
    logits_rounding: f32,
    /// Parameters with and without top, of Keras's.
    counts: Option<[u64; 2]>,
    /// How many weights there are with the top, of Keras's.
    tensors: Option<usize>,
}

/// A network at its own size, of which only names and sizes are compared.
#[derive(Deserialize)]
struct Whole {
    architecture: Architecture,
    naming: String,
    names: String,
    elements: u64,
}

fn keras() -> Figures {
    serde_json::from_str(include_str!("../../../tests/fixtures/zoo/keras.json")).unwrap()
}

fn torch() -> Figures {
    serde_json::from_str(include_str!("../../../tests/fixtures/zoo/torch.json")).unwrap()
}

pub(super) fn naming(name: &str) -> Naming {
    match name {
        "keras" => Naming::Keras,
        "torchvision" => Naming::Torchvision,
        "timm" => Naming::Timm,
        "efficientnet_pytorch" => Naming::EfficientnetPytorch,
        other => panic!("{other}"),
    }
}

pub(super) fn arch(
    architecture: Architecture,
    wiring: Wiring,
    top: bool,
    [height, width, channels]: [usize; 3],
) -> Arch {
    let shape = Shape::Map { height, width, channels };
    Arch::new(architecture.name(), shape, &architecture.layers_for(wiring, top)).unwrap()
}

/// In the order of elements in which the library keeps it.
fn values(name: &str, parameter: &str, shape: &[i64]) -> Tensor {
    let count = shape.iter().product::<i64>() as usize;
    if parameter.ends_with("kernel") {
        let fan_in: i64 = shape[1..].iter().product();
        let gain = if parameter == "pointwise_kernel" { 3.0 } else { 6.0 };
        return tiled(name, count, (gain / fan_in as f64).sqrt() as f32);
    }
    match parameter {
        "gamma" => tiled(name, count, 0.4) + 1.0_f64,
        "moving_variance" => tiled(name, count, 0.5) + f64::from(1.1_f32),
        _ => tiled(name, count, 0.2),
    }
}

/// The shape of the map that a dense layer reads in flattened order (h, w, c), where PyTorch's libraries have (c, h, w).
fn flattened(arch: &Arch, layer: usize) -> Option<[i64; 3]> {
    let Source::Layer(read) = arch.layers()[layer].inputs[0] else { return None };
    match (&arch.layers()[layer].op, &arch.layers()[read].op, arch.input_shapes(read)[0]) {
        (Op::Dense { .. }, Op::Flatten, Shape::Map { height, width, channels }) => {
            Some([channels as i64, height as i64, width as i64])
        }
        _ => None,
    }
}

pub(super) fn fill(network: &Network, architecture: Architecture, naming: Naming) {
    let modules = modules(architecture, naming).unwrap();
    let _no_grad = tch::no_grad_guard();
    for weight in network.weights().all() {
        let (layer, parameter) = weight.name.split_once('/').unwrap();
        let Some(module) = modules.get(layer) else {
            // A layer of another head keeps what it has.
            assert_eq!(layer, "dense");
            continue;
        };
        let name = parameter_name(naming, module, parameter).unwrap();
        let shape = weight.tensor.size();
        let values = values(&name, parameter, &shape);
        let values = match flattened(network.arch(), weight.layer) {
            _ if naming == Naming::Keras => from_keras_order(&values, &shape),
            Some([channels, height, width]) if parameter == "kernel" => {
                values.reshape([shape[0], channels, height, width]).permute([0, 2, 3, 1]).reshape(&shape)
            }
            _ => values.reshape(&shape),
        };
        weight.tensor.shallow_clone().copy_(&values);
    }
}

/// What `sample` of `zoo_weights.py` takes.
pub(super) fn sample(values: &[f32], count: usize) -> Vec<f32> {
    (0..count).map(|index| values[index * values.len() / count]).collect()
}

/// The reference's own rounding tells what to expect of ours: sums are taken in other orders, and that is all.
fn check(what: &str, ours: &[f32], theirs: &[f32], rounding: f32) {
    let scale = theirs.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let worst = ours.iter().zip(theirs).fold(0.0_f32, |most, (ours, theirs)| most.max((ours - theirs).abs()));
    let allowed = (10.0 * rounding + 1e-6) * scale;
    assert!(worst <= allowed, "{what}: {worst} off, where {allowed} may be, of values up to {scale}");
}

fn agrees(case: &Case) {
    let (architecture, naming) = (case.architecture, naming(&case.naming));
    let what = format!("{} of {} in the {} wiring", architecture.name(), case.naming, case.wiring.name());
    let arch = arch(architecture, case.wiring, true, case.input);
    crate::device::set_threads(1).unwrap();
    let network = Network::new(&arch, 0, Device::Cpu, Kind::Float).unwrap();
    fill(&network, architecture, naming);

    let [height, width, channels] = case.input;
    let image = floats("image", height * width * channels, 1.0);
    let image = from_keras_map(&image, &[1, height as i64, width as i64, channels as i64]);
    let mut map = None;
    let mut taps = Taps::new(vec![arch.position(&case.layer).unwrap()], |_, output| {
        map = Some(output.shallow_clone());
        Ok(output)
    });
    let _no_grad = tch::no_grad_guard();
    let logits = network.forward(&image, Mode::Infer, &mut taps).unwrap();
    drop(taps);
    let map = map.unwrap();
    let [_, channels, height, width] = map.size()[..] else { panic!("{what}: {} is no map", case.layer) };
    assert_eq!([height, width, channels], case.map_shape[..], "{what}");
    check(
        &format!("{what}, {}", case.layer),
        &sample(&to_keras_map(&map), case.map.len()),
        &case.map,
        case.map_rounding,
    );
    let logits = to_keras_map(&logits);
    check(&format!("{what}, logits"), &sample(&logits, case.logits.len()), &case.logits, case.logits_rounding);
}

/// One test a network, so that they run side by side and fail by name.
fn agree(figures: &Figures, architecture: Architecture, cases: usize) {
    let mine: Vec<&Case> = figures.cases.iter().filter(|case| case.architecture == architecture).collect();
    assert_eq!(mine.len(), cases);
    mine.into_iter().for_each(agrees);
}

#[test]
fn vgg16_computes_what_keras_and_torchvision_compute() {
    agree(&keras(), Architecture::Vgg16, 1);
    agree(&torch(), Architecture::Vgg16, 1);
}

#[test]
fn vgg19_computes_what_keras_and_torchvision_compute() {
    agree(&keras(), Architecture::Vgg19, 1);
    agree(&torch(), Architecture::Vgg19, 1);
}

#[test]
fn resnet50_computes_what_keras_and_torchvision_compute() {
    agree(&keras(), Architecture::Resnet50, 1);
    agree(&torch(), Architecture::Resnet50, 1);
}

#[test]
fn inception_v3_computes_what_keras_and_torchvision_compute() {
    agree(&keras(), Architecture::InceptionV3, 1);
    agree(&torch(), Architecture::InceptionV3, 1);
}

#[test]
fn xception_computes_what_keras_and_timm_compute() {
    agree(&keras(), Architecture::Xception, 1);
    agree(&torch(), Architecture::Xception, 1);
}

#[test]
fn inception_resnet_v2_computes_what_keras_and_timm_compute() {
    agree(&keras(), Architecture::InceptionResnetV2, 1);
    agree(&torch(), Architecture::InceptionResnetV2, 1);
}

#[test]
fn mobilenet_computes_what_keras_and_timm_compute() {
    agree(&keras(), Architecture::Mobilenet, 1);
    agree(&torch(), Architecture::Mobilenet, 1);
}

#[test]
fn efficientnet_lite0_computes_what_timm_computes_in_both_wirings() {
    agree(&torch(), Architecture::EfficientnetLite0, 2);
}

#[test]
fn counts_are_those_of_keras() {
    for case in keras().cases {
        let count = |top| arch(case.architecture, Wiring::Keras, top, case.architecture.default_input());
        let counts = [true, false].map(|top| count(top).parameter_count());
        assert_eq!(counts, case.counts.unwrap(), "{:?}", case.architecture);
        let tensors = count(true).layers().iter().map(|layer| layer.parameters.len()).sum::<usize>();
        assert_eq!(tensors, case.tensors.unwrap(), "{:?}", case.architecture);
    }
}

/// All of a state dict's names, no more and no fewer.
#[test]
fn names_and_counts_are_those_of_the_pytorch_libraries() {
    let whole = torch().whole;
    assert!(whole.len() >= 13);
    for Whole { architecture, naming: library, names, elements } in whole {
        let naming = naming(&library);
        let modules = modules(architecture, naming).unwrap();
        let arch = arch(architecture, naming.wiring(architecture), true, architecture.default_input());
        let mut ours: Vec<String> = Vec::new();
        for layer in arch.layers() {
            let name = |parameter: &str| parameter_name(naming, &modules[&layer.name], parameter).unwrap();
            ours.extend(layer.parameters.iter().map(|parameter| name(parameter.name)));
        }
        ours.sort_unstable();
        assert_eq!(format!("{:016x}", fnv1a(&ours.join("\n"))), names, "{architecture:?} of {library}");
        assert_eq!(arch.parameter_count(), elements, "{architecture:?} of {library}");
    }
}

/// With a small head, on images of the least size: some steps without anything frozen, and with all of the base frozen.
fn trains(architecture: Architecture, wiring: Wiring) {
    let side = architecture.minimum_side();
    let mut layers: Vec<LayerSpec> = vec![super::layer(Op::Preprocessing(Preprocessing::Tf))];
    layers.extend(architecture.layers_for(wiring, false));
    layers.extend([super::layer(Op::GlobalAveragePool2d), super::dense(3, Activation::Softmax)]);
    let arch = Arch::new("trained", Shape::Map { height: side, width: side, channels: 3 }, &layers).unwrap();
    crate::device::set_threads(2).unwrap();
    let mut stepper = TorchStepper::new(&arch, RULES[0], 7, CPU, Preprocess::default()).unwrap();
    let pictures = batch(1, 4, size(side as u32, 3), 3);
    let base: Vec<String> = arch.layers()[..arch.layers().len() - 1]
        .iter()
        .filter(|layer| !layer.parameters.is_empty())
        .map(|layer| layer.name.clone())
        .collect();
    for frozen in [&base[..], &[]] {
        stepper.set_frozen(frozen).unwrap();
        let before = digests(&stepper);
        for step in 0..2 {
            let score = stepper.step(&pictures, Update { step, learning_rate: 1e-3 }).unwrap();
            assert!(score.loss_sum.is_finite(), "{architecture:?}");
        }
        let after = digests(&stepper);
        for (layer, (before, after)) in arch.layers().iter().zip(before.iter().zip(&after)) {
            if !layer.parameters.is_empty() {
                let moved = before != after;
                assert_eq!(
                    moved,
                    !frozen.contains(&layer.name),
                    "{architecture:?}: {} with {} frozen",
                    layer.name,
                    frozen.len()
                );
            }
        }
    }
    crate::device::set_threads(1).unwrap();
}

fn digests(stepper: &TorchStepper) -> Vec<blake3::Hash> {
    let network = stepper.network();
    (0..network.arch().layers().len()).map(|layer| crate::freeze::digest(network, layer).unwrap()).collect()
}

#[test]
fn residual_networks_train_in_shards() {
    trains(Architecture::Resnet50, Wiring::Keras);
    trains(Architecture::Mobilenet, Wiring::Torch);
    trains(Architecture::EfficientnetLite0, Wiring::Keras);
}

#[test]
fn networks_of_branches_train_in_shards() {
    trains(Architecture::InceptionV3, Wiring::Torch);
    trains(Architecture::Xception, Wiring::Keras);
}

/// Gradients through additions and concatenations, with every normalisation frozen so that all of the base runs in shards.
fn shards_agree(architecture: Architecture, wiring: Wiring) {
    let side = architecture.minimum_side();
    let mut layers = architecture.layers_for(wiring, false);
    layers.extend([super::layer(Op::GlobalAveragePool2d), super::dense(3, Activation::Softmax)]);
    let arch = Arch::new("sharded", Shape::Map { height: side, width: side, channels: 3 }, &layers).unwrap();
    crate::device::set_threads(1).unwrap();
    let mut network = Network::new(&arch, 7, Device::Cpu, Kind::Float).unwrap();
    fill(&network, architecture, if wiring == Wiring::Keras { Naming::Keras } else { Naming::Timm });
    for (position, layer) in arch.layers().iter().enumerate() {
        if matches!(layer.op, Op::BatchNorm { .. }) {
            network.set_frozen(position, true).unwrap();
        }
    }
    assert_eq!(network.trunk_end(TRAIN), Some(arch.layers().len() - 2), "all but the last layer");
    let pictures = batch(1, 5, size(side as u32, 3), 3);
    let one = pictures.size.bytes();
    let pass = |shards: Option<&Shards>| {
        let input = |range: std::ops::Range<usize>| {
            let bytes = &pictures.images[range.start * one..range.end * one];
            input::pictures(bytes, range.len(), pictures.size, Preprocess::default(), Device::Cpu)
        };
        let pass = Pass::forward(&network, shards, pictures.count, input, TRAIN).unwrap();
        let loss = crate::loss::mean(&pass.logits, &Tensor::from_slice(&pictures.labels), network.head()).unwrap();
        let mut gradients = pass.backward(&network, shards, &loss).unwrap();
        gradients.sort_by_key(|(position, _)| *position);
        gradients
    };
    let (whole, sharded) = (pass(None), pass(Some(&Shards::new(2))));
    assert_eq!(whole.len(), network.trainable().len());
    assert_eq!(sharded.len(), whole.len());
    for ((position, sharded), (_, whole)) in sharded.iter().zip(&whole) {
        let off = ((sharded - whole).norm() / whole.norm()).double_value(&[]);
        let name = &network.weights().all()[*position].name;
        // A lost or doubled shard is tenths; a ReLU that rounding tips over is a few of many thousand.
        assert!(off < 1e-3, "{architecture:?}: the gradient of {name} is {off} off");
    }
}

const TRAIN: Mode = Mode::Train { seed: 7, step: 3 };

#[test]
fn branches_that_join_have_the_same_gradients_in_shards() {
    shards_agree(Architecture::Resnet50, Wiring::Keras);
    shards_agree(Architecture::InceptionV3, Wiring::Torch);
    shards_agree(Architecture::Xception, Wiring::Torch);
}
