//! The published networks, as lists of layers that the one interpreter runs: one file a family, and with it the names that its
//! layers have in PyTorch's libraries. Layers are Keras's and have its names. Weights are no business of this room.
//! Where torchvision's or timm's weights need another [`Wiring`], that is a list of its own with the same names.

mod efficientnet_lite;
mod graph;
mod inception_resnet_v2;
mod inception_v3;
mod mobilenet;
mod naming;
mod resnet;
mod vgg;
mod xception;

use serde::{Deserialize, Serialize};

pub use naming::{Naming, expected_preprocessing, is_surplus, modules, parameter_name};

use super::{Arch, ArchError, LayerSpec, Op, Preprocessing, Shape};

/// ImageNet's.
pub const CLASSES: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Simonyan and Zisserman 2014, arXiv:1409.1556, table 1, column D.
    Vgg16,
    /// The same, column E.
    Vgg19,
    /// He and others 2015, arXiv:1512.03385.
    Resnet50,
    /// Szegedy and others 2015, arXiv:1512.00567.
    InceptionV3,
    /// Chollet 2016, arXiv:1610.02357.
    Xception,
    /// Szegedy and others 2016, arXiv:1602.07261.
    InceptionResnetV2,
    /// Howard and others 2017, arXiv:1704.04861, width 1.
    Mobilenet,
    /// Tan and Le 2019, arXiv:1905.11946, without squeeze-and-excitation and with `ReLU6`: TensorFlow's `efficientnet-lite0`.
    EfficientnetLite0,
}

/// How a network's layers are set, where libraries that share its weights' shapes differ. The same weights give other results in the
/// other wiring, so it has to be that of the library in which they were trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wiring {
    /// `keras.applications`, and TensorFlow's own EfficientNet-Lite.
    #[default]
    Keras,
    /// torchvision's and timm's: padding on both sides alike, batch normalisation with gamma and PyTorch's epsilon,
    /// `ResNet50`'s strides in its 3x3 convolutions, which have no bias.
    Torch,
}

impl Architecture {
    pub const ALL: [Self; 8] = [
        Self::Vgg16,
        Self::Vgg19,
        Self::Resnet50,
        Self::InceptionV3,
        Self::Xception,
        Self::InceptionResnetV2,
        Self::Mobilenet,
        Self::EfficientnetLite0,
    ];

    /// As it is written in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vgg16 => "vgg16",
            Self::Vgg19 => "vgg19",
            Self::Resnet50 => "resnet50",
            Self::InceptionV3 => "inception_v3",
            Self::Xception => "xception",
            Self::InceptionResnetV2 => "inception_resnet_v2",
            Self::Mobilenet => "mobilenet",
            Self::EfficientnetLite0 => "efficientnet_lite0",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|architecture| architecture.name() == name)
    }

    /// Height, width and channels that its ImageNet weights were trained with.
    pub fn default_input(self) -> [usize; 3] {
        let side = match self {
            Self::InceptionV3 | Self::Xception | Self::InceptionResnetV2 => 299,
            _ => 224,
        };
        [side, side, 3]
    }

    /// Keras's limit: below it the last maps would vanish.
    pub fn minimum_side(self) -> usize {
        match self {
            Self::InceptionV3 | Self::InceptionResnetV2 => 75,
            Self::Xception => 71,
            _ => 32,
        }
    }

    /// For images of this height, width and number of channels; `preprocessing` is its first layer.
    pub fn network(
        self,
        wiring: Wiring,
        top: bool,
        [height, width, channels]: [usize; 3],
        preprocessing: Option<&Preprocessing>,
    ) -> Result<Arch, ArchError> {
        let prepare =
            |by: &Preprocessing| LayerSpec { name: None, op: Op::Preprocessing(by.clone()), inputs: Vec::new() };
        let mut layers: Vec<LayerSpec> = preprocessing.map(prepare).into_iter().collect();
        layers.extend(self.layers_for(wiring, top));
        Arch::new(self.name(), Shape::Map { height, width, channels }, &layers)
    }

    /// Without or with the ImageNet top (a thousand classes, softmax).
    pub fn layers_for(self, wiring: Wiring, top: bool) -> Vec<LayerSpec> {
        match self {
            Self::Vgg16 => vgg::layers(vgg::SIXTEEN, top),
            Self::Vgg19 => vgg::layers(vgg::NINETEEN, top),
            Self::Resnet50 => resnet::layers(wiring, top),
            Self::InceptionV3 => inception_v3::layers(wiring, top),
            Self::Xception => xception::layers(wiring, top),
            Self::InceptionResnetV2 => inception_resnet_v2::layers(wiring, top),
            Self::Mobilenet => mobilenet::layers(wiring, top),
            Self::EfficientnetLite0 => efficientnet_lite::layers(wiring, top),
        }
    }
}

impl Wiring {
    pub fn name(self) -> &'static str {
        match self {
            Self::Keras => "keras",
            Self::Torch => "torch",
        }
    }
}

#[cfg(test)]
mod tests;
