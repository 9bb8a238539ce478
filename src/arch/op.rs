//! The kinds of layer and their settings, in Keras's words.

use super::Preprocessing;

/// What a layer computes. Feature maps are `[n, c, h, w]`, vectors `[n, c]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    Conv2d {
        filters: usize,
        window: Window,
        groups: usize,
        bias: bool,
        activation: Activation,
    },
    /// Every channel convolved on its own, `multiplier` results a channel.
    DepthwiseConv2d {
        window: Window,
        multiplier: usize,
        bias: bool,
        activation: Activation,
    },
    /// A depthwise convolution, then a 1x1 convolution.
    SeparableConv2d {
        filters: usize,
        window: Window,
        multiplier: usize,
        bias: bool,
        activation: Activation,
    },
    Dense {
        units: usize,
        bias: bool,
        activation: Activation,
    },
    /// Over the channels. `momentum` is Keras's: the share of the old moving statistic that is kept.
    BatchNorm {
        momentum: f64,
        epsilon: f64,
        center: bool,
        scale: bool,
    },
    MaxPool2d {
        window: Window,
    },
    /// Padding does not count into the mean.
    AveragePool2d {
        window: Window,
    },
    GlobalMaxPool2d,
    GlobalAveragePool2d,
    /// To a vector in the order (h, w, c).
    Flatten,
    Dropout {
        rate: f64,
    },
    Activation(Activation),
    Add,
    /// Along the channels.
    Concatenate,
    ZeroPadding2d {
        top: usize,
        bottom: usize,
        left: usize,
        right: usize,
    },
    /// `x * scale + offset`.
    Rescaling {
        scale: f64,
        offset: f64,
    },
    /// From pixel values in 0–1 to what a pretrained network was trained on.
    Preprocessing(Preprocessing),
}

/// How a kernel or a pool moves over a feature map; `[height, width]` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub size: [usize; 2],
    pub strides: [usize; 2],
    pub padding: Padding,
    pub dilation: [usize; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    Valid,
    /// TensorFlow's: ⌈input / stride⌉ outputs; an odd row or column of padding goes to the bottom and the right.
    Same,
    /// PyTorch's: so many rows above and below, so many columns left and right. Only networks of the zoo have it.
    #[serde(skip)]
    Symmetric([usize; 2]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    #[default]
    Linear,
    Relu,
    Relu6,
    /// Negative slope 0.2, Keras 3's `activations.leaky_relu`.
    LeakyRelu,
    Elu,
    Silu,
    Gelu,
    Tanh,
    Sigmoid,
    Softmax,
}

impl Op {
    /// Keras's class name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "Conv2D",
            Self::DepthwiseConv2d { .. } => "DepthwiseConv2D",
            Self::SeparableConv2d { .. } => "SeparableConv2D",
            Self::Dense { .. } => "Dense",
            Self::BatchNorm { .. } => "BatchNormalization",
            Self::MaxPool2d { .. } => "MaxPooling2D",
            Self::AveragePool2d { .. } => "AveragePooling2D",
            Self::GlobalMaxPool2d => "GlobalMaxPooling2D",
            Self::GlobalAveragePool2d => "GlobalAveragePooling2D",
            Self::Flatten => "Flatten",
            Self::Dropout { .. } => "Dropout",
            Self::Activation(_) => "Activation",
            Self::Add => "Add",
            Self::Concatenate => "Concatenate",
            Self::ZeroPadding2d { .. } => "ZeroPadding2D",
            Self::Rescaling { .. } => "Rescaling",
            Self::Preprocessing(_) => "Preprocessing",
        }
    }

    /// What Keras calls a layer of this kind that was given no name.
    pub fn stem(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "conv2d",
            Self::DepthwiseConv2d { .. } => "depthwise_conv2d",
            Self::SeparableConv2d { .. } => "separable_conv2d",
            Self::Dense { .. } => "dense",
            Self::BatchNorm { .. } => "batch_normalization",
            Self::MaxPool2d { .. } => "max_pooling2d",
            Self::AveragePool2d { .. } => "average_pooling2d",
            Self::GlobalMaxPool2d => "global_max_pooling2d",
            Self::GlobalAveragePool2d => "global_average_pooling2d",
            Self::Flatten => "flatten",
            Self::Dropout { .. } => "dropout",
            Self::Activation(_) => "activation",
            Self::Add => "add",
            Self::Concatenate => "concatenate",
            Self::ZeroPadding2d { .. } => "zero_padding2d",
            Self::Rescaling { .. } => "rescaling",
            Self::Preprocessing(_) => "preprocessing",
        }
    }

    /// The activation that the layer applies to its result.
    pub fn activation(&self) -> Activation {
        match self {
            Self::Conv2d { activation, .. }
            | Self::DepthwiseConv2d { activation, .. }
            | Self::SeparableConv2d { activation, .. }
            | Self::Dense { activation, .. }
            | Self::Activation(activation) => *activation,
            _ => Activation::Linear,
        }
    }

    /// Whether it convolves or multiplies by a learned matrix.
    pub fn has_kernel(&self) -> bool {
        matches!(
            self,
            Self::Conv2d { .. } | Self::DepthwiseConv2d { .. } | Self::SeparableConv2d { .. } | Self::Dense { .. }
        )
    }
}

impl Window {
    /// Rows and columns that the window covers, dilation included.
    pub fn extent(self) -> [usize; 2] {
        [0, 1].map(|axis| (self.size[axis] - 1) * self.dilation[axis] + 1)
    }
}
