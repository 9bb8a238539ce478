//! Cuts against what arithmetic by hand says is cheapest, and against trying every one of them.

use super::*;
use crate::tests::{conv, dense, layer, norm, pool, window};
use frostline::arch::{LayerSpec, Shape};

const PRICES: Prices = Prices::PROCESSOR;

fn named(name: &str, inputs: &[&str], spec: LayerSpec) -> LayerSpec {
    let inputs = inputs.iter().map(|&input| input.to_owned()).collect();
    LayerSpec { name: Some(name.into()), inputs, ..spec }
}

fn arch(side: usize, layers: &[LayerSpec]) -> Arch {
    Arch::new("net", Shape::Map { height: side, width: side, channels: 3 }, layers).unwrap()
}

fn frozen(arch: &Arch, names: &[&str], training: bool) -> Vec<bool> {
    still(arch, |index| names.contains(&&*arch.layers()[index].name), training)
}

/// Names of the layers whose outputs cross, and whether the picture does.
fn found(arch: &Arch, names: &[&str]) -> Option<(Vec<String>, bool)> {
    let prefix = Prefix::find(arch, &frozen(arch, names, true), PRICES)?;
    let crossing = prefix.crossing().iter().map(|&layer| arch.layers()[layer].name.clone()).collect();
    Some((crossing, prefix.needs_pictures()))
}

fn check(arch: &Arch, frozen: &[&str], names: &[&str], needs_pictures: bool) {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(found(arch, frozen), Some((names, needs_pictures)), "{frozen:?}");
}

/// Wide enough for a convolution to be worth more than its output's bytes.
fn wide() -> LayerSpec {
    conv(128, Activation::Relu)
}

fn chain() -> Arch {
    arch(
        40,
        &[
            wide(),
            wide(),
            pool(),
            wide(),
            norm(),
            pool(),
            layer(Op::Flatten),
            layer(Op::Dropout { rate: 0.5 }),
            dense(8, Activation::Relu),
            dense(1, Activation::Sigmoid),
        ],
    )
}

#[test]
fn a_frozen_chain_is_cut_as_deep_as_nothing_is_random_or_shared() {
    let net = chain();
    let all = ["conv2d", "conv2d_1", "conv2d_2", "batch_normalization", "dense"];
    // Dropout draws anew.
    check(&net, &all, &["flatten"], false);
    // A normalisation that is not frozen gathers.
    check(&net, &all[..3], &["conv2d_2"], false);
    // A pool leaves a quarter of the bytes.
    check(&net, &all[..2], &["max_pooling2d"], false);
    assert_eq!(found(&net, &all[1..]), None, "the lowest layer learns");
    assert_eq!(found(&net, &[]), None);
    let in_evaluation = frozen(&net, &all, false);
    assert_eq!(Prefix::find(&net, &in_evaluation, PRICES).unwrap().crossing(), [7], "nothing drops then");
    assert!(!in_evaluation[8], "a product of the whole batch");
}

#[test]
fn what_is_cheap_to_compute_is_not_kept() {
    // One multiply-add an input byte, and 32 times the bytes.
    let point =
        layer(Op::Conv2d { filters: 96, window: window(1), groups: 1, bias: true, activation: Activation::Relu });
    let net = arch(40, &[point, layer(Op::Flatten), dense(1, Activation::Sigmoid)]);
    assert_eq!(found(&net, &["conv2d"]), None);
    let plain = arch(
        40,
        &[layer(Op::Rescaling { scale: 2.0, offset: 1.0 }), wide(), layer(Op::Flatten), dense(1, Activation::Sigmoid)],
    );
    assert_eq!(found(&plain, &[]), None, "a rescaling alone");
}

#[test]
fn an_activation_whose_last_bits_depend_on_a_pictures_place_ends_the_part() {
    let net =
        arch(40, &[wide(), wide(), conv(128, Activation::Silu), layer(Op::Flatten), dense(1, Activation::Sigmoid)]);
    check(&net, &["conv2d", "conv2d_1", "conv2d_2"], &["conv2d_1"], false);
}

/// A frozen trunk with two ends that are read above, a shortcut, and a branch that learns from the picture itself.
fn branching(learner_reads: &str) -> Arch {
    let same = |spec: LayerSpec| match spec.op {
        Op::Conv2d { filters, window, groups, bias, activation } => {
            let window = frostline::arch::Window { padding: frostline::arch::Padding::Same, ..window };
            layer(Op::Conv2d { filters, window, groups, bias, activation })
        }
        _ => spec,
    };
    arch(
        24,
        &[
            named("stem", &["input"], same(wide())),
            named("left", &["stem"], same(wide())),
            named("right", &["stem"], same(wide())),
            named("sum", &["left", "right"], layer(Op::Add)),
            named("down", &["sum"], pool()),
            named("deep", &["down"], same(wide())),
            named("side", &["down"], layer(Op::GlobalAveragePool2d)),
            named("learner", &[learner_reads], same(conv(4, Activation::Relu))),
            named("mean", &["learner"], layer(Op::GlobalAveragePool2d)),
            named("peak", &["deep"], layer(Op::GlobalMaxPool2d)),
            named("all", &["side", "mean", "peak"], layer(Op::Concatenate)),
            named("out", &["all"], dense(1, Activation::Sigmoid)),
        ],
    )
}

const TRUNK: [&str; 4] = ["stem", "left", "right", "deep"];

#[test]
fn a_cut_may_take_several_tensors_and_the_picture() {
    check(&branching("input"), &TRUNK, &["side", "peak"], true);
    check(&branching("sum"), &TRUNK, &["sum", "side", "peak"], false);
    // What is cheap above what crosses anyway is not kept besides.
    check(&branching("deep"), &TRUNK, &["deep", "side"], false);
    // Both maps would have to cross, and cost more than the convolution that they save.
    assert_eq!(found(&branching("down"), &["stem", "left"]), None);
}

/// What a set of layers below costs; nothing where it is no such set.
fn cost(arch: &Arch, still: &[bool], below: &[bool]) -> Option<u64> {
    let layers = arch.layers();
    let is_below = |source: &Source| match *source {
        Source::Input => true,
        Source::Layer(read) => below[read],
    };
    let whole = |index: usize| still[index] && layers[index].inputs.iter().all(is_below);
    if (0..layers.len()).any(|index| below[index] && !whole(index)) {
        return None;
    }
    let read_above = |source| layers.iter().zip(below).any(|(layer, below)| !below && layer.inputs.contains(&source));
    let mut cost = if read_above(Source::Input) { arch.input().elements() as u64 * PRICES.byte } else { 0 };
    for (index, layer) in layers.iter().enumerate() {
        let elements = layer.output.elements() as u64;
        if below[index] && read_above(Source::Layer(index)) {
            cost += elements * ELEMENT_BYTES * PRICES.byte;
        } else if still[index] && !below[index] {
            cost += layer.flops + elements * PRICES.element;
        }
    }
    Some(cost)
}

#[test]
fn no_other_cut_is_cheaper() {
    let nets = [branching("input"), branching("down"), branching("sum"), chain()];
    for net in nets {
        let count = net.layers().len();
        let weighty: Vec<&str> =
            net.layers().iter().filter(|layer| !layer.parameters.is_empty()).map(|layer| &*layer.name).collect();
        // Every mask over the layers with weights, but for the last.
        for mask in 0..1_u32 << (weighty.len() - 1) {
            let names: Vec<&str> =
                weighty.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, name)| *name).collect();
            let still = frozen(&net, &names, true);
            let found = cheapest(&net, &still, PRICES);
            let best = (0..1_u32 << count)
                .filter_map(|set| cost(&net, &still, &(0..count).map(|at| set >> at & 1 == 1).collect::<Vec<_>>()))
                .min()
                .unwrap();
            assert_eq!(cost(&net, &still, &found), Some(best), "{names:?}");
        }
    }
}
