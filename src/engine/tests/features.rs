//! Training from kept outputs of the frozen part is training from pictures, bit by bit.

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use frostline::data::{Augment, CacheKind, DataError, Features, Loader, LoaderSpec, Pictures, Pixels, Source, Split};
use frostline::trainer::{SavedTensor, Stepper as _, Update};

const PICTURES: usize = 23;
const SIDE: u32 = 24;

/// Pictures that look random and are the same everywhere.
struct Noise;

impl Source for Noise {
    fn len(&self) -> usize {
        PICTURES
    }

    fn label(&self, i: usize) -> u32 {
        (i % 2) as u32
    }

    fn name(&self, i: usize) -> String {
        format!("noise {i}")
    }

    fn load(&self, i: usize, size: Size) -> Result<Pixels, DataError> {
        Ok(Pixels { size, bytes: batch(i, 1, size, 2).images })
    }

    fn identity(&self, _: Size) -> Option<blake3::Hash> {
        Some(blake3::hash(b"noise"))
    }
}

fn loader(augment: Option<Augment>) -> Loader {
    let spec = LoaderSpec {
        batch_size: 7,
        shuffle: true,
        seed: 3,
        workers: 0,
        prefetch: 1,
        augment,
        cache: CacheKind::None,
        cache_bytes: 0,
    };
    Loader::new(Split::whole(Arc::new(Noise)), size(SIDE, 3), spec)
}

fn same(filters: usize, side: usize, strides: usize, activation: Activation) -> LayerSpec {
    let window = Window { padding: Padding::Same, strides: [strides; 2], ..window(side) };
    layer(Op::Conv2d { filters, window, groups: 1, bias: true, activation })
}

fn named(name: &str, inputs: &[&str], spec: LayerSpec) -> LayerSpec {
    let inputs = inputs.iter().map(|&input| input.to_owned()).collect();
    LayerSpec { name: Some(name.into()), inputs, ..spec }
}

fn arch(layers: &[LayerSpec]) -> Arch {
    Arch::new("net", Shape::Map { height: SIDE as usize, width: SIDE as usize, channels: 3 }, layers).unwrap()
}

/// The chapter's: convolutions and pools under a classifier with dropout.
fn chain() -> Arch {
    arch(&[
        same(32, 3, 1, Activation::Relu),
        same(64, 3, 1, Activation::Relu),
        pool(),
        same(64, 3, 1, Activation::Relu),
        pool(),
        layer(Op::Flatten),
        dense(16, Activation::Relu),
        layer(Op::Dropout { rate: 0.5 }),
        dense(1, Activation::Sigmoid),
    ])
}

/// Residual, with 1x1 and depthwise convolutions, normalisation, two tensors across the cut and the picture itself.
fn graph() -> Arch {
    let depthwise = Op::DepthwiseConv2d {
        window: Window { padding: Padding::Same, ..window(3) },
        multiplier: 1,
        bias: true,
        activation: Activation::Relu6,
    };
    arch(&[
        named("stem", &["input"], same(64, 3, 1, Activation::Linear)),
        named("stem_bn", &["stem"], norm()),
        named("stem_relu", &["stem_bn"], layer(Op::Activation(Activation::Relu))),
        named("squeeze", &["stem_relu"], same(32, 1, 1, Activation::Relu)),
        named("apart", &["squeeze"], layer(depthwise)),
        named("expand", &["apart"], same(64, 1, 1, Activation::Linear)),
        named("sum", &["stem_relu", "expand"], layer(Op::Add)),
        named("down", &["sum"], same(128, 3, 2, Activation::Relu)),
        named("side", &["sum"], layer(Op::GlobalAveragePool2d)),
        named("learner", &["input"], same(4, 3, 2, Activation::Relu)),
        named("late", &["down"], same(8, 3, 2, Activation::Relu)),
        named("mean", &["learner"], layer(Op::GlobalAveragePool2d)),
        named("deep", &["late"], layer(Op::GlobalAveragePool2d)),
        named("all", &["side", "mean", "deep"], layer(Op::Concatenate)),
        named("out", &["all"], dense(1, Activation::Sigmoid)),
    ])
}

const CHAIN: [&str; 3] = ["conv2d", "conv2d_1", "conv2d_2"];
const GRAPH: [&str; 6] = ["stem", "stem_bn", "squeeze", "apart", "expand", "down"];

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Serves what is frozen now, as the trainer does; false where nothing is.
fn serve(place: &TempDir, loader: &Loader, stepper: &mut TorchStepper, training: bool) -> bool {
    let Some(part) = stepper.frozen_part(training).unwrap() else {
        loader.serve(None);
        return false;
    };
    let pictures: Pictures = loader.pictures().unwrap();
    let features = Features::open(place.path(), &part, pictures, 1 << 26, 0, "test").unwrap();
    loader.serve(Some(Arc::new(features)));
    true
}

/// Trains two epochs with this mask; weights, losses and what an evaluation says.
fn train(
    arch: &Arch,
    frozen: &[&str],
    threads: u32,
    augment: Option<&Augment>,
    place: Option<&TempDir>,
) -> (Vec<SavedTensor>, Vec<f64>) {
    crate::device::set_threads(threads).unwrap();
    let mut stepper = TorchStepper::new(arch, RULES[2], 7, CPU, Preprocess::default()).unwrap();
    stepper.set_frozen(&owned(frozen)).unwrap();
    let (training, validation) = (loader(augment.cloned()), loader(None));
    let mut step = 0;
    let mut losses = Vec::new();
    for epoch in 1..=3 {
        if let Some(place) = place {
            assert!(serve(place, &training, &mut stepper, true));
        }
        for batch in training.epoch(epoch, 0) {
            let update = Update { step, learning_rate: 1e-3 };
            losses.push(stepper.step(&batch.unwrap(), update).unwrap().loss_sum);
            step += 1;
        }
        if let Some(features) = training.features() {
            let (read, computed) = features.take_counts();
            let fills = epoch == 1 || augment.is_some_and(|augment| epoch <= u64::from(augment.variants));
            let computes = if fills { PICTURES as u64 } else { 0 };
            assert_eq!((read, computed), (PICTURES as u64 - computes, computes), "epoch {epoch}");
            training.serve(None);
        }
        if let Some(place) = place {
            assert!(serve(place, &validation, &mut stepper, false));
        }
        for batch in validation.epoch(0, 0) {
            losses.push(stepper.evaluate(&batch.unwrap()).unwrap().score.loss_sum);
        }
        validation.serve(None);
    }
    crate::device::set_threads(1).unwrap();
    (stepper.save().unwrap(), losses)
}

fn check(arch: &Arch, frozen: &[&str], threads: u32, augment: Option<&Augment>) {
    let place = tempfile::tempdir().unwrap();
    let plain = train(arch, frozen, threads, augment, None);
    let kept = train(arch, frozen, threads, augment, Some(&place));
    let differing: Vec<&str> =
        plain.0.iter().zip(&kept.0).filter(|(a, b)| a.1.bytes != b.1.bytes).map(|(a, _)| &*a.0).collect();
    assert!(differing.is_empty(), "{differing:?} with {frozen:?} frozen on {threads} threads");
    assert_eq!(kept.1, plain.1);
}

#[test]
fn a_frozen_base_gives_the_same_weights_from_kept_outputs() {
    for threads in [1, 2] {
        check(&chain(), &CHAIN, threads, None);
    }
}

#[test]
fn so_does_a_part_of_it_below_convolutions_that_learn() {
    check(&chain(), &CHAIN[..2], 2, None);
}

#[test]
fn so_does_a_graph_with_several_tensors_across_the_cut() {
    for threads in [1, 2] {
        check(&graph(), &GRAPH, threads, None);
    }
}

#[test]
fn so_do_variants_that_come_again() {
    let augment = Augment { rotation: 20.0, horizontal_flip: true, variants: 2, ..Augment::default() };
    check(&chain(), &CHAIN, 2, Some(&augment));
}

#[test]
fn a_mask_that_changes_in_mid_epoch_changes_nothing_else() {
    let run = |place: Option<&TempDir>| {
        crate::device::set_threads(2).unwrap();
        let mut stepper = TorchStepper::new(&chain(), RULES[2], 7, CPU, Preprocess::default()).unwrap();
        let loader = loader(None);
        let masks: [&[&str]; 4] = [&CHAIN, &CHAIN[..2], &[], &CHAIN];
        let mut step = 0;
        for epoch in 1..=2 {
            for (done, mask) in masks.iter().enumerate() {
                stepper.set_frozen(&owned(mask)).unwrap();
                if let Some(place) = place {
                    assert_eq!(serve(place, &loader, &mut stepper, true), !mask.is_empty());
                }
                let batch = loader.epoch(epoch, done).next().unwrap().unwrap();
                stepper.step(&batch, Update { step, learning_rate: 1e-3 }).unwrap();
                step += 1;
            }
        }
        loader.serve(None);
        crate::device::set_threads(1).unwrap();
        stepper.save().unwrap()
    };
    let place = tempfile::tempdir().unwrap();
    assert_eq!(run(Some(&place)), run(None));
}

#[test]
fn a_batch_of_what_another_part_made_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let mut stepper = stepper(&chain(), RULES[0]);
    stepper.set_frozen(&owned(&CHAIN)).unwrap();
    let loader = loader(None);
    assert!(serve(&place, &loader, &mut stepper, true));
    let batch = loader.epoch(1, 0).next().unwrap().unwrap();
    stepper.set_frozen(&owned(&CHAIN[..2])).unwrap();
    let update = Update { step: 0, learning_rate: 0.1 };
    assert!(stepper.step(&batch, update).is_err(), "nobody has asked what is frozen now");
    stepper.frozen_part(true).unwrap().unwrap();
    let error = stepper.step(&batch, update).unwrap_err();
    assert!(error.message().contains("another part"), "{}", error.message());
}

#[test]
fn the_name_follows_weights_structure_and_what_is_computed_not_names_or_heads() {
    let part = |arch: &Arch, frozen: &[&str], seed, preprocess| {
        crate::device::set_threads(1).unwrap();
        let mut stepper = TorchStepper::new(arch, RULES[0], seed, CPU, preprocess).unwrap();
        stepper.set_frozen(&owned(frozen)).unwrap();
        stepper.frozen_part(true).unwrap().unwrap()
    };
    let plain = part(&chain(), &CHAIN, 7, Preprocess::default());
    assert_eq!(plain.outputs, ["flatten"]);
    assert_eq!(plain.record_bytes, 6 * 6 * 64 * 4);
    assert_eq!(part(&chain(), &CHAIN, 7, Preprocess::default()), plain);
    let mut layers = vec![
        named("a", &["input"], same(32, 3, 1, Activation::Relu)),
        named("b", &["a"], same(64, 3, 1, Activation::Relu)),
        pool(),
        named("c", &["max_pooling2d"], same(64, 3, 1, Activation::Relu)),
        pool(),
        layer(Op::Flatten),
        dense(1, Activation::Sigmoid),
    ];
    assert_eq!(
        part(&arch(&layers), &["a", "b", "c"], 7, Preprocess::default()).identity,
        plain.identity,
        "another head"
    );
    layers[3] = named("c", &["max_pooling2d"], same(64, 3, 1, Activation::Relu6));
    let others = [
        part(&arch(&layers), &["a", "b", "c"], 7, Preprocess::default()),
        part(&chain(), &CHAIN, 8, Preprocess::default()),
        part(&chain(), &CHAIN[..2], 7, Preprocess::default()),
        part(&chain(), &CHAIN, 7, Preprocess { scale: 1.0, offset: 0.0 }),
    ];
    for other in others {
        assert_ne!(other.identity, plain.identity, "{:?}", other.outputs);
    }
}

/// What the whole rests on: a picture gives the same bits among however many others, on however many threads. Sizes at which libtorch
/// by itself changes its kernel: one picture, and 1x1 convolutions of fewer than sixteen.
#[test]
fn what_is_frozen_gives_a_picture_the_same_bits_in_every_company() {
    use crate::network::Taps;
    let depthwise = |strides| {
        layer(Op::DepthwiseConv2d {
            window: Window { padding: Padding::Same, strides: [strides; 2], ..window(3) },
            multiplier: 1,
            bias: true,
            activation: Activation::Relu,
        })
    };
    let separable = layer(Op::SeparableConv2d {
        filters: 40,
        window: Window { padding: Padding::Same, ..window(3) },
        multiplier: 1,
        bias: true,
        activation: Activation::LeakyRelu,
    });
    let bodies: [Vec<LayerSpec>; 5] = [
        vec![same(32, 3, 2, Activation::Relu), same(48, 1, 1, Activation::Relu), same(17, 1, 2, Activation::Linear)],
        vec![
            same(64, 7, 2, Activation::Relu),
            pool(),
            same(64, 1, 1, Activation::Relu),
            same(256, 1, 1, Activation::Relu),
        ],
        vec![
            same(24, 3, 1, Activation::Relu6),
            depthwise(1),
            same(30, 1, 1, Activation::Linear),
            depthwise(2),
            separable,
        ],
        vec![same(33, 5, 1, Activation::Relu), norm(), layer(Op::AveragePool2d { window: window(3) })],
        vec![
            same(64, 3, 1, Activation::Relu),
            pool(),
            same(128, 3, 1, Activation::Relu),
            pool(),
            same(256, 3, 1, Activation::Relu),
        ],
    ];
    for body in bodies {
        let names = body.len();
        let head = [layer(Op::GlobalAveragePool2d), dense(1, Activation::Sigmoid)];
        let net = arch(&[body, head.to_vec()].concat());
        crate::device::set_threads(1).unwrap();
        let mut network = Network::new(&net, 7, Device::Cpu, Kind::Float).unwrap();
        for index in 0..names {
            network.set_frozen(index, true).unwrap();
        }
        let pictures = batch(1, 20, size(SIDE, 3), 2);
        let x = input::pictures(&pictures.images, 20, pictures.size, Preprocess::default(), Device::Cpu).unwrap();
        let run = |first: i64, count: i64, threads| {
            crate::device::set_threads(threads).unwrap();
            let _no_grad = tch::no_grad_guard();
            let train = network::Mode::Train { seed: 0, step: 0 };
            let x = x.narrow(0, first, count);
            let output = network.forward_part(0..names + 1, &x, train, &mut Taps::none()).unwrap();
            crate::device::set_threads(1).unwrap();
            output
        };
        let whole = run(0, 20, 1);
        for (first, count, threads) in
            [(0, 20, 2), (0, 1, 1), (19, 1, 1), (3, 2, 1), (5, 7, 1), (1, 15, 1), (2, 16, 1), (2, 16, 2), (7, 3, 2)]
        {
            let part = run(first, count, threads);
            let bits = |tensor: tch::Tensor| Vec::<f32>::try_from(tensor.contiguous().reshape([-1])).unwrap();
            let expected = bits(whole.narrow(0, first, count));
            assert!(bits(part) == expected, "{count} pictures on {threads} threads, {:?}", net.layers()[1].op);
        }
    }
}
