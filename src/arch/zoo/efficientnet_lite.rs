//! EfficientNet-Lite0: `EfficientNetB0` (arXiv:1905.11946, table 1) without squeeze-and-excitation, `ReLU6` for swish. Layers have
//! the names of Keras's `EfficientNetB0`. The plain wiring is TensorFlow's, that of timm's `tf_efficientnet_lite0` and of the
//! Python package; timm's own `efficientnet_lite0` pads on both sides alike, and has PyTorch's epsilon.
//! Stochastic depth, which some train it with, is left out.

use super::{
    Naming, Wiring,
    graph::{Graph, Norm, conv, dense, depthwise, square},
};
use crate::arch::{Activation, LayerSpec, Op, Padding};

struct Stage {
    count: usize,
    kernel: usize,
    stride: usize,
    /// How many times as many channels the depthwise convolution has as the block reads.
    expansion: usize,
    filters: usize,
}

const fn stage(count: usize, kernel: usize, stride: usize, expansion: usize, filters: usize) -> Stage {
    Stage { count, kernel, stride, expansion, filters }
}

const STAGES: [Stage; 7] = [
    stage(1, 3, 1, 1, 16),
    stage(2, 3, 2, 6, 24),
    stage(2, 5, 2, 6, 40),
    stage(3, 3, 2, 6, 80),
    stage(3, 5, 1, 6, 112),
    stage(4, 5, 2, 6, 192),
    stage(1, 3, 1, 6, 320),
];

const LETTERS: [&str; 4] = ["a", "b", "c", "d"];

struct Net {
    graph: Graph,
    norm: Norm,
    symmetric: bool,
}

pub(super) fn layers(wiring: Wiring, top: bool) -> Vec<LayerSpec> {
    let norm = match wiring {
        Wiring::Keras => Norm::KERAS,
        Wiring::Torch => Norm::TORCH,
    };
    let mut net = Net { graph: Graph::default(), norm, symmetric: wiring == Wiring::Torch };
    net.graph.push("", "stem_conv", conv(32, square(3, 2, net.padding(3, 2)), false));
    let mut x = net.activated("stem");
    let mut channels = 32;
    for (number, stage) in (1..).zip(&STAGES) {
        for (block, letter) in LETTERS.iter().take(stage.count).enumerate() {
            let stride = if block == 0 { stage.stride } else { 1 };
            x = net.block(&x, &format!("block{number}{letter}"), stage, stride, channels);
            channels = stage.filters;
        }
    }
    net.graph.push(&x, "top_conv", conv(1280, square(1, 1, Padding::Same), false));
    net.activated("top");
    if top {
        net.graph.push("", "avg_pool", Op::GlobalAveragePool2d);
        net.graph.push("", "top_dropout", Op::Dropout { rate: 0.2 });
        net.graph.push("", "predictions", dense(super::CLASSES, Activation::Softmax));
    }
    net.graph.into_layers()
}

impl Net {
    fn padding(&self, kernel: usize, stride: usize) -> Padding {
        if self.symmetric && stride > 1 { Padding::Symmetric([kernel / 2; 2]) } else { Padding::Same }
    }

    /// Normalisation and `ReLU6` behind the convolution just added.
    fn activated(&mut self, name: &str) -> String {
        self.graph.norm("", format!("{name}_bn"), self.norm);
        self.graph.push("", format!("{name}_activation"), Op::Activation(Activation::Relu6))
    }

    /// Wider, depthwise, narrow again; around it a shortcut where the shape stays.
    fn block(&mut self, x: &str, name: &str, stage: &Stage, stride: usize, channels: usize) -> String {
        let point = square(1, 1, Padding::Same);
        let mut inner = x.to_owned();
        if stage.expansion > 1 {
            self.graph.push(x, format!("{name}_expand_conv"), conv(channels * stage.expansion, point, false));
            inner = self.activated(&format!("{name}_expand"));
        }
        let window = square(stage.kernel, stride, self.padding(stage.kernel, stride));
        self.graph.push(&inner, format!("{name}_dwconv"), depthwise(window));
        self.activated(name);
        self.graph.push("", format!("{name}_project_conv"), conv(stage.filters, point, false));
        let result = self.graph.norm("", format!("{name}_project_bn"), self.norm);
        if stride == 1 && channels == stage.filters {
            self.graph.join(&[&result, x], format!("{name}_add"), Op::Add)
        } else {
            result
        }
    }
}

pub(super) fn modules(naming: Naming) -> Vec<(String, String)> {
    let timm = naming == Naming::Timm;
    let mut modules: Vec<(String, String)> = Vec::new();
    let mut add = |ours: String, theirs: String| modules.push((ours, theirs));
    let [stem, stem_norm] = if timm { ["conv_stem", "bn1"] } else { ["_conv_stem", "_bn0"] };
    add("stem_conv".into(), stem.into());
    add("stem_bn".into(), stem_norm.into());
    let mut running = 0;
    for (number, stage) in STAGES.iter().enumerate() {
        for (block, letter) in LETTERS.iter().take(stage.count).enumerate() {
            let ours = format!("block{}{letter}", number + 1);
            let theirs = if timm { format!("blocks.{number}.{block}") } else { format!("_blocks.{running}") };
            // The convolutions of a block in order, with their normalisations.
            let parts: &[[&str; 4]] = match (timm, stage.expansion) {
                (true, 1) => &[["dwconv", "bn", "conv_dw", "bn1"], ["project_conv", "project_bn", "conv_pw", "bn2"]],
                (true, _) => &[
                    ["expand_conv", "expand_bn", "conv_pw", "bn1"],
                    ["dwconv", "bn", "conv_dw", "bn2"],
                    ["project_conv", "project_bn", "conv_pwl", "bn3"],
                ],
                (false, 1) => &[
                    ["dwconv", "bn", "_depthwise_conv", "_bn1"],
                    ["project_conv", "project_bn", "_project_conv", "_bn2"],
                ],
                (false, _) => &[
                    ["expand_conv", "expand_bn", "_expand_conv", "_bn0"],
                    ["dwconv", "bn", "_depthwise_conv", "_bn1"],
                    ["project_conv", "project_bn", "_project_conv", "_bn2"],
                ],
            };
            for [conv, norm, their_conv, their_norm] in parts {
                add(format!("{ours}_{conv}"), format!("{theirs}.{their_conv}"));
                add(format!("{ours}_{norm}"), format!("{theirs}.{their_norm}"));
            }
            running += 1;
        }
    }
    let [top, top_norm, classifier] =
        if timm { ["conv_head", "bn2", "classifier"] } else { ["_conv_head", "_bn1", "_fc"] };
    add("top_conv".into(), top.into());
    add("top_bn".into(), top_norm.into());
    add("predictions".into(), classifier.into());
    modules
}
