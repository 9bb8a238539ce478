//! `ResNet50` (arXiv:1512.03385, table 1): sixteen bottlenecks of three convolutions with a shortcut around each.
//! Keras strides in a stage's first 1x1 convolution, as the paper does, and its convolutions have biases; torchvision and timm
//! stride in the 3x3 one ("v1.5") and leave the biases out.

use super::{
    Wiring,
    graph::{Graph, Norm, conv, square},
};
use crate::arch::{LayerSpec, Op, Padding};

/// Width and number of bottlenecks of each stage, from `conv2` on.
const STAGES: [(usize, usize); 4] = [(64, 3), (128, 4), (256, 6), (512, 3)];

struct Style {
    norm: Norm,
    bias: bool,
    strides_first: bool,
}

impl Style {
    fn of(wiring: Wiring) -> Self {
        match wiring {
            // The odd epsilon is Caffe's, carried over with the weights.
            Wiring::Keras => Self { norm: Norm { epsilon: 1.001e-5, ..Norm::KERAS }, bias: true, strides_first: true },
            Wiring::Torch => Self { norm: Norm::TORCH, bias: false, strides_first: false },
        }
    }
}

pub(super) fn layers(wiring: Wiring, top: bool) -> Vec<LayerSpec> {
    let style = Style::of(wiring);
    let mut graph = Graph::default();
    let margin = |side| Op::ZeroPadding2d { top: side, bottom: side, left: side, right: side };
    graph.push("", "conv1_pad", margin(3));
    graph.push("", "conv1_conv", conv(64, square(7, 2, Padding::Valid), style.bias));
    graph.norm("", "conv1_bn", style.norm);
    graph.relu("", "conv1_relu");
    // Zeros are as good as nothing here: a ReLU's values are not negative.
    graph.push("", "pool1_pad", margin(1));
    let mut x = graph.push("", "pool1_pool", Op::MaxPool2d { window: square(3, 2, Padding::Valid) });
    for (stage, (width, count)) in (2..).zip(STAGES) {
        for block in 1..=count {
            let stride = if stage > 2 && block == 1 { 2 } else { 1 };
            x = bottleneck(&mut graph, &style, &x, &format!("conv{stage}_block{block}"), width, stride, block == 1);
        }
    }
    if top {
        graph.classify(&x);
    }
    graph.into_layers()
}

/// `projects`: the shortcut is a convolution, since the block changes the number of channels.
fn bottleneck(
    graph: &mut Graph,
    style: &Style,
    from: &str,
    name: &str,
    width: usize,
    stride: usize,
    projects: bool,
) -> String {
    let named = |part: &str| format!("{name}_{part}");
    let (first, second) = if style.strides_first { (stride, 1) } else { (1, stride) };
    let shortcut = if projects {
        let point = square(1, stride, Padding::Valid);
        let shortcut = graph.push(from, named("0_conv"), conv(4 * width, point, style.bias));
        graph.norm(&shortcut, named("0_bn"), style.norm)
    } else {
        from.to_owned()
    };
    graph.push(from, named("1_conv"), conv(width, square(1, first, Padding::Valid), style.bias));
    graph.norm("", named("1_bn"), style.norm);
    graph.relu("", named("1_relu"));
    let padding = if second == 1 { Padding::Same } else { Padding::Symmetric([1, 1]) };
    graph.push("", named("2_conv"), conv(width, square(3, second, padding), style.bias));
    graph.norm("", named("2_bn"), style.norm);
    graph.relu("", named("2_relu"));
    graph.push("", named("3_conv"), conv(4 * width, square(1, 1, Padding::Valid), style.bias));
    let residual = graph.norm("", named("3_bn"), style.norm);
    graph.join(&[&shortcut, &residual], named("add"), Op::Add);
    graph.relu("", named("out"))
}

pub(super) fn modules() -> Vec<(String, String)> {
    let mut modules: Vec<(String, String)> =
        vec![("conv1_conv".into(), "conv1".into()), ("conv1_bn".into(), "bn1".into())];
    for (stage, (_, count)) in (2..).zip(STAGES) {
        for block in 1..=count {
            let (ours, theirs) = (format!("conv{stage}_block{block}"), format!("layer{}.{}", stage - 1, block - 1));
            if block == 1 {
                modules.push((format!("{ours}_0_conv"), format!("{theirs}.downsample.0")));
                modules.push((format!("{ours}_0_bn"), format!("{theirs}.downsample.1")));
            }
            for part in 1..=3 {
                modules.push((format!("{ours}_{part}_conv"), format!("{theirs}.conv{part}")));
                modules.push((format!("{ours}_{part}_bn"), format!("{theirs}.bn{part}")));
            }
        }
    }
    modules.push(("predictions".into(), "fc".into()));
    modules
}
