//! `[model]`: the list of layers, in the words of `keras.layers`, and what stands before it. Which key belongs to which kind is the
//! plan's to check.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Base;
use crate::arch::{Activation, Padding, Preprocessing};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Height, width, channels; images are brought to this size.
    pub input: [usize; 3],
    /// What is done to the pixels first. Left out: nothing, and the network reads values in 0–1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
    /// A file with weights for all of the model, a run's checkpoint for example. Left out: random ones, but for the base's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// All of the model, or what stands on its base.
    #[serde(default)]
    pub layers: Vec<Layer>,
}

/// One entry of the list. `None` is Keras's default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    #[serde(rename = "type")]
    pub kind: LayerKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Names of earlier layers to read from, or `input`; left out: the layer before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_size: Option<Pair>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_size: Option<Pair>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strides: Option<Pair>,
    /// Of convolutions and pools; the margins of `zero_padding2d` are its `amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub padding: Option<Padding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dilation_rate: Option<Pair>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth_multiplier: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_bias: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// Of `dropout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Of `batch_normalization`, as the two below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<bool>,
    /// `true`/`false` for `batch_normalization`, a factor for `rescaling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
    /// Of `zero_padding2d`: rows and columns of zeros on every side, `[top, bottom, left, right]`, or one number for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Sides>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    Conv2d,
    DepthwiseConv2d,
    SeparableConv2d,
    Dense,
    BatchNormalization,
    MaxPooling2d,
    AveragePooling2d,
    GlobalMaxPooling2d,
    GlobalAveragePooling2d,
    Flatten,
    Dropout,
    Activation,
    Add,
    Concatenate,
    ZeroPadding2d,
    Rescaling,
}

/// One number for both sides, or `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or [height, width]")]
pub enum Pair {
    Square(usize),
    Sides([usize; 2]),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected true, false or a factor")]
pub enum Scale {
    Learned(bool),
    Factor(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or [top, bottom, left, right]")]
pub enum Sides {
    All(usize),
    Each([usize; 4]),
}

impl Model {
    /// Makes relative paths ones that are seen from `folder`.
    pub(super) fn settle_places(&mut self, folder: &Path) {
        if let Some(weights) = &mut self.weights {
            *weights = super::seen_from(folder, weights);
        }
        if let Some(base) = &mut self.base {
            base.settle_places(folder);
        }
    }
}

impl Layer {
    /// With Keras's defaults.
    pub fn new(kind: LayerKind) -> Self {
        Self {
            kind,
            name: None,
            inputs: Vec::new(),
            filters: None,
            units: None,
            kernel_size: None,
            pool_size: None,
            strides: None,
            padding: None,
            dilation_rate: None,
            groups: None,
            depth_multiplier: None,
            use_bias: None,
            activation: None,
            rate: None,
            momentum: None,
            epsilon: None,
            center: None,
            scale: None,
            offset: None,
            amount: None,
        }
    }
}

impl Pair {
    pub fn sides(self) -> [usize; 2] {
        match self {
            Self::Square(side) => [side, side],
            Self::Sides(sides) => sides,
        }
    }
}

impl LayerKind {
    /// As it is written in `type`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Conv2d => "conv2d",
            Self::DepthwiseConv2d => "depthwise_conv2d",
            Self::SeparableConv2d => "separable_conv2d",
            Self::Dense => "dense",
            Self::BatchNormalization => "batch_normalization",
            Self::MaxPooling2d => "max_pooling2d",
            Self::AveragePooling2d => "average_pooling2d",
            Self::GlobalMaxPooling2d => "global_max_pooling2d",
            Self::GlobalAveragePooling2d => "global_average_pooling2d",
            Self::Flatten => "flatten",
            Self::Dropout => "dropout",
            Self::Activation => "activation",
            Self::Add => "add",
            Self::Concatenate => "concatenate",
            Self::ZeroPadding2d => "zero_padding2d",
            Self::Rescaling => "rescaling",
        }
    }
}
