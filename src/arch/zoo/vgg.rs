//! VGG16 and VGG19 (arXiv:1409.1556): five blocks of 3x3 convolutions, each halved by a pool, and three dense layers.
//! torchvision and timm have the same network; only what they call its layers differs, and the order in which the first dense
//! layer reads the last map (channels first there).

use super::{
    Naming,
    graph::{Graph, dense, square},
};
use crate::arch::{Activation, LayerSpec, Op, Padding};

/// Convolutions in each block.
pub(super) const SIXTEEN: [usize; 5] = [2, 2, 3, 3, 3];
pub(super) const NINETEEN: [usize; 5] = [2, 2, 4, 4, 4];

const FILTERS: [usize; 5] = [64, 128, 256, 512, 512];

pub(super) fn layers(convolutions: [usize; 5], top: bool) -> Vec<LayerSpec> {
    let mut graph = Graph::default();
    for (block, (count, filters)) in (1..).zip(convolutions.into_iter().zip(FILTERS)) {
        for convolution in 1..=count {
            let window = square(3, 1, Padding::Same);
            let op = Op::Conv2d { filters, window, groups: 1, bias: true, activation: Activation::Relu };
            graph.push("", format!("block{block}_conv{convolution}"), op);
        }
        graph.push("", format!("block{block}_pool"), Op::MaxPool2d { window: square(2, 2, Padding::Valid) });
    }
    if top {
        graph.push("", "flatten", Op::Flatten);
        graph.push("", "fc1", dense(4096, Activation::Relu));
        graph.push("", "fc2", dense(4096, Activation::Relu));
        graph.predict("");
    }
    graph.into_layers()
}

pub(super) fn modules(convolutions: [usize; 5], naming: Naming) -> Vec<(String, String)> {
    let mut modules = Vec::new();
    // In both libraries each convolution is followed by its ReLU, each block by its pool.
    let mut position = 0;
    for (block, count) in (1..).zip(convolutions) {
        for convolution in 1..=count {
            modules.push((format!("block{block}_conv{convolution}"), format!("features.{position}")));
            position += 2;
        }
        position += 1;
    }
    let top = match naming {
        Naming::Timm => ["pre_logits.fc1", "pre_logits.fc2", "head.fc"],
        _ => ["classifier.0", "classifier.3", "classifier.6"],
    };
    modules
        .extend(["fc1", "fc2", "predictions"].into_iter().zip(top).map(|(ours, theirs)| (ours.into(), theirs.into())));
    modules
}
