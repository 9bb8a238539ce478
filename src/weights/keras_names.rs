//! How Keras counts layers that nobody named, and in which order it lists a model's layers. Old files carry numbers of another
//! session (`conv2d_95`), and Keras 3 counts every layer of a class in a file, so both are matched by rank.

use crate::arch::{Arch, Layer, Op, Source, zoo::Architecture};

/// `conv2d_3` is the third after `conv2d`.
pub(super) fn stem(name: &str) -> (&str, usize) {
    match name.rsplit_once('_') {
        Some((stem, digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            (stem, digits.parse().unwrap_or(usize::MAX))
        }
        _ => (name, 0),
    }
}

/// The class of layer in a name that Keras made up, in today's spelling; `None` for a name that somebody gave.
pub(super) fn class(name: &str) -> Option<(&'static str, usize)> {
    let (stem, number) = stem(name);
    let class = match stem {
        "conv2d" | "convolution2d" => "conv2d",
        "dense" => "dense",
        "batch_normalization" | "batchnormalization" | "batch_normalization_v1" | "batch_normalization_v2" => {
            "batch_normalization"
        }
        "separable_conv2d" | "separableconv2d" | "separableconvolution2d" => "separable_conv2d",
        "depthwise_conv2d" | "depthwiseconv2d" => "depthwise_conv2d",
        _ => return None,
    };
    Some((class, number))
}

/// The class under which Keras 3 counts a layer; `None` for one without weights. `architecture` is the published network, if it is one.
pub fn class_of(layer: &Layer, architecture: Option<Architecture>) -> Option<&'static str> {
    match &layer.op {
        Op::Dense { .. } if is_convolution(layer, architecture) => Some("conv2d"),
        Op::Conv2d { .. }
        | Op::DepthwiseConv2d { .. }
        | Op::SeparableConv2d { .. }
        | Op::Dense { .. }
        | Op::BatchNorm { .. } => Some(layer.op.stem()),
        _ => None,
    }
}

/// Whether a dense layer here is a 1x1 convolution over a single position in Keras: the classifier of `MobileNet`.
pub fn is_convolution(layer: &Layer, architecture: Option<Architecture>) -> bool {
    architecture == Some(Architecture::Mobilenet) && layer.name == "conv_preds"
}

/// Positions of the layers in the order of Keras's `model.layers`: from the deepest to the output, and among those equally deep in
/// the order in which a walk back from the output first comes to them (`keras/src/ops/function.py`, `map_graph`).
pub fn order(arch: &Arch) -> Vec<usize> {
    let layers = arch.layers();
    let count = layers.len();
    // Readers stand behind what they read, so one pass from the end settles all depths.
    let mut depths = vec![0_usize; count];
    for index in (0..count).rev() {
        for source in &layers[index].inputs {
            if let Source::Layer(read) = *source {
                depths[read] = depths[read].max(depths[index] + 1);
            }
        }
    }
    let mut met = vec![usize::MAX; count];
    let mut next = 0;
    let mut walk = vec![count - 1];
    while let Some(index) = walk.pop() {
        if met[index] != usize::MAX {
            continue;
        }
        met[index] = next;
        next += 1;
        let inputs = layers[index].inputs.iter().rev();
        walk.extend(inputs.filter_map(|source| if let Source::Layer(read) = *source { Some(read) } else { None }));
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(depths[index]), met[index]));
    order
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::arch::zoo::Wiring;

    #[test]
    fn made_up_names_are_told_from_given_ones() {
        assert_eq!(class("conv2d"), Some(("conv2d", 0)));
        assert_eq!(class("batchnormalization_94"), Some(("batch_normalization", 94)));
        assert_eq!(class("block1_conv1"), None);
        assert_eq!(class("fc_1"), None);
        assert_eq!(stem("conv2d_x"), ("conv2d_x", 0));
    }

    /// `[layer.name for layer in keras.applications.ResNet50(weights=None).layers][6:19]`, Keras 3.
    #[test]
    fn a_shortcut_stands_where_keras_lists_it() {
        let arch = Architecture::Resnet50.network(Wiring::Keras, true, [224, 224, 3], None).unwrap();
        let names: Vec<&str> = order(&arch).into_iter().map(|index| arch.layers()[index].name.as_str()).collect();
        let first = names.iter().position(|name| *name == "conv2_block1_1_conv").unwrap();
        let wanted = [
            "conv2_block1_1_conv",
            "conv2_block1_1_bn",
            "conv2_block1_1_relu",
            "conv2_block1_2_conv",
            "conv2_block1_2_bn",
            "conv2_block1_2_relu",
            "conv2_block1_0_conv",
            "conv2_block1_3_conv",
            "conv2_block1_0_bn",
            "conv2_block1_3_bn",
            "conv2_block1_add",
            "conv2_block1_out",
        ];
        assert_eq!(&names[first..first + wanted.len()], wanted);
    }
}
