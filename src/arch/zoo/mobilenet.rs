//! `MobileNet` (arXiv:1704.04861, table 1), width 1: thirteen depthwise convolutions, each with a 1x1 convolution behind it.
//! The classifier is a 1x1 convolution in Keras's files; on a single position that is the dense layer here.
//! timm's `mobilenetv1_100` pads on both sides alike, and has PyTorch's epsilon.

use super::{
    Wiring,
    graph::{Graph, Norm, conv, dense, depthwise, square},
};
use crate::arch::{Activation, LayerSpec, Op, Padding};

/// Filters of each 1x1 convolution, and the stride of the depthwise one before it.
const BLOCKS: [(usize, usize); 13] = [
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
];

pub(super) fn layers(wiring: Wiring, top: bool) -> Vec<LayerSpec> {
    let norm = match wiring {
        Wiring::Keras => Norm::KERAS,
        Wiring::Torch => Norm::TORCH,
    };
    let mut graph = Graph::default();
    let padding = if wiring == Wiring::Torch { Padding::Symmetric([1, 1]) } else { Padding::Same };
    unit(&mut graph, "conv1", conv(32, square(3, 2, padding), false), norm);
    for (block, (filters, stride)) in (1..).zip(BLOCKS) {
        let padding = match (wiring, stride) {
            (_, 1) => Padding::Same,
            (Wiring::Torch, _) => Padding::Symmetric([1, 1]),
            (Wiring::Keras, _) => {
                // Not the same as `same` on maps with odd sides.
                let margin = Op::ZeroPadding2d { top: 0, bottom: 1, left: 0, right: 1 };
                graph.push("", format!("conv_pad_{block}"), margin);
                Padding::Valid
            }
        };
        unit(&mut graph, &format!("conv_dw_{block}"), depthwise(square(3, stride, padding)), norm);
        unit(&mut graph, &format!("conv_pw_{block}"), conv(filters, square(1, 1, Padding::Same), false), norm);
    }
    if top {
        graph.push("", "global_average_pooling2d", Op::GlobalAveragePool2d);
        graph.push("", "dropout", Op::Dropout { rate: 1e-3 });
        graph.push("", "conv_preds", dense(super::CLASSES, Activation::Linear));
        graph.push("", "predictions", Op::Activation(Activation::Softmax));
    }
    graph.into_layers()
}

fn unit(graph: &mut Graph, name: &str, convolution: Op, norm: Norm) {
    graph.push("", name, convolution);
    graph.norm("", format!("{name}_bn"), norm);
    graph.push("", format!("{name}_relu"), Op::Activation(Activation::Relu6));
}

/// timm's, whose stages begin where the map is halved.
pub(super) fn modules() -> Vec<(String, String)> {
    let mut modules: Vec<(String, String)> =
        vec![("conv1".into(), "conv_stem".into()), ("conv1_bn".into(), "bn1".into())];
    let (mut stage, mut at) = (0, 0);
    for (block, (_, stride)) in (1..).zip(BLOCKS) {
        if stride == 2 {
            (stage, at) = (stage + 1, 0);
        }
        for (ours, theirs) in [("dw", ("conv_dw", "bn1")), ("pw", ("conv_pw", "bn2"))] {
            modules.push((format!("conv_{ours}_{block}"), format!("blocks.{stage}.{at}.{}", theirs.0)));
            modules.push((format!("conv_{ours}_{block}_bn"), format!("blocks.{stage}.{at}.{}", theirs.1)));
        }
        at += 1;
    }
    modules.push(("conv_preds".into(), "classifier".into()));
    modules
}
