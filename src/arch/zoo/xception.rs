//! Xception (arXiv:1610.02357, figure 5): separable convolutions with shortcuts around every two or three of them. The shortcuts'
//! convolutions have no names in Keras and are numbered.
//! timm's `legacy_xception` pads its pools on both sides alike, and has PyTorch's epsilon.

use super::{
    Wiring,
    graph::{Graph, Norm, conv, norm_op, square},
};
use crate::arch::{Activation, LayerSpec, Op, Padding};

/// Width and blocks of the middle flow.
const MIDDLE: usize = 728;
const MIDDLE_BLOCKS: [usize; 8] = [5, 6, 7, 8, 9, 10, 11, 12];

struct Style {
    norm: Norm,
    pool: Padding,
}

impl Style {
    fn of(wiring: Wiring) -> Self {
        match wiring {
            Wiring::Keras => Self { norm: Norm::KERAS, pool: Padding::Same },
            Wiring::Torch => Self { norm: Norm::TORCH, pool: Padding::Symmetric([1, 1]) },
        }
    }
}

pub(super) fn layers(wiring: Wiring, top: bool) -> Vec<LayerSpec> {
    let style = Style::of(wiring);
    let mut graph = Graph::default();
    graph.push("", "block1_conv1", conv(32, square(3, 2, Padding::Valid), false));
    graph.norm("", "block1_conv1_bn", style.norm);
    graph.relu("", "block1_conv1_act");
    graph.push("", "block1_conv2", conv(64, square(3, 1, Padding::Valid), false));
    graph.norm("", "block1_conv2_bn", style.norm);
    let mut x = graph.relu("", "block1_conv2_act");
    for (block, filters) in [(2, [128, 128]), (3, [256, 256]), (4, [MIDDLE, MIDDLE])] {
        x = halving(&mut graph, &style, &x, block, filters);
    }
    for block in MIDDLE_BLOCKS {
        let end = separables(&mut graph, &style, &x, block, &[MIDDLE; 3]);
        let name = graph.number(&Op::Add);
        x = graph.join(&[&end, &x], name, Op::Add);
    }
    halving(&mut graph, &style, &x, 13, [MIDDLE, 1024]);
    for (convolution, filters) in [(1, 1536), (2, 2048)] {
        let name = format!("block14_sepconv{convolution}");
        graph.push("", name.clone(), separable(filters));
        graph.norm("", format!("{name}_bn"), style.norm);
        graph.relu("", format!("{name}_act"));
    }
    if top {
        graph.classify("");
    }
    graph.into_layers()
}

fn separable(filters: usize) -> Op {
    let window = square(3, 1, Padding::Same);
    Op::SeparableConv2d { filters, window, multiplier: 1, bias: false, activation: Activation::Linear }
}

/// Two separable convolutions and a pool, beside a 1x1 convolution that halves too.
fn halving(graph: &mut Graph, style: &Style, x: &str, block: usize, filters: [usize; 2]) -> String {
    graph.push_numbered(x, conv(filters[1], square(1, 2, Padding::Same), false));
    let shortcut = graph.push_numbered("", norm_op(style.norm));
    let end = separables(graph, style, x, block, &filters);
    let end = graph.push(&end, format!("block{block}_pool"), Op::MaxPool2d { window: square(3, 2, style.pool) });
    let name = graph.number(&Op::Add);
    graph.join(&[&end, &shortcut], name, Op::Add)
}

/// `ReLU`, separable convolution, normalisation, for each number of filters. The first block of all has its `ReLU` behind it already.
fn separables(graph: &mut Graph, style: &Style, x: &str, block: usize, filters: &[usize]) -> String {
    let mut x = x.to_owned();
    for (convolution, &filters) in (1..).zip(filters) {
        let name = format!("block{block}_sepconv{convolution}");
        if (block, convolution) != (2, 1) {
            x = graph.relu(&x, format!("{name}_act"));
        }
        graph.push(&x, name.clone(), separable(filters));
        x = graph.norm("", format!("{name}_bn"), style.norm);
    }
    x
}

/// timm's. Its blocks count from the second of ours, and number their `ReLU`s too.
pub(super) fn modules() -> Vec<(String, String)> {
    let mut modules: Vec<(String, String)> = Vec::new();
    let mut add = |ours: String, theirs: String| modules.push((ours, theirs));
    for convolution in 1..=2 {
        add(format!("block1_conv{convolution}"), format!("conv{convolution}"));
        add(format!("block1_conv{convolution}_bn"), format!("bn{convolution}"));
    }
    for block in 2..=13 {
        let theirs = block - 1;
        let count = if MIDDLE_BLOCKS.contains(&block) { 3 } else { 2 };
        // The first block does without the first ReLU.
        let first = usize::from(block > 2);
        for convolution in 0..count {
            let (ours, at) = (format!("block{block}_sepconv{}", convolution + 1), 3 * convolution + first);
            add(ours.clone(), format!("block{theirs}.rep.{at}"));
            add(format!("{ours}_bn"), format!("block{theirs}.rep.{}", at + 1));
        }
    }
    for (number, block) in [1, 2, 3, 12].into_iter().enumerate() {
        let suffix = if number == 0 { String::new() } else { format!("_{number}") };
        add(format!("conv2d{suffix}"), format!("block{block}.skip"));
        add(format!("batch_normalization{suffix}"), format!("block{block}.skipbn"));
    }
    for convolution in 1..=2 {
        add(format!("block14_sepconv{convolution}"), format!("conv{}", convolution + 2));
        add(format!("block14_sepconv{convolution}_bn"), format!("bn{}", convolution + 2));
    }
    add("predictions".into(), "fc".into());
    modules
}
