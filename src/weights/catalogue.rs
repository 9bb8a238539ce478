//! The ImageNet weights that can be fetched, as data: which repository of the Hugging Face hub has them, and how pictures are framed
//! for them. Every repository that Frostline may ask for stands here.

use crate::{arch::zoo::Architecture, config::Interpolation};

/// The weights of one network.
#[derive(Debug)]
pub struct Remote {
    pub architecture: Architecture,
    /// `owner/name` on the hub.
    pub repository: &'static str,
    pub revision: &'static str,
    pub file: &'static str,
    pub about: &'static str,
    /// In hexadecimal. `None`: nobody here has seen the file, and what the hub says of it is what it is checked against.
    pub sha256: Option<&'static str>,
}

const fn timm(architecture: Architecture, repository: &'static str, about: &'static str) -> Remote {
    Remote { architecture, repository, revision: "main", file: "model.safetensors", about, sha256: None }
}

/// All of them timm's copies, in its names; `tv` were trained by torchvision, `tf` by TensorFlow's authors.
pub const REMOTES: [Remote; 8] = [
    timm(Architecture::Vgg16, "timm/vgg16.tv_in1k", "torchvision's"),
    timm(Architecture::Vgg19, "timm/vgg19.tv_in1k", "torchvision's"),
    timm(Architecture::Resnet50, "timm/resnet50.tv_in1k", "torchvision's first"),
    timm(Architecture::InceptionV3, "timm/inception_v3.tv_in1k", "torchvision's, from TensorFlow"),
    timm(Architecture::Xception, "timm/legacy_xception.tf_in1k", "TensorFlow's, through Keras"),
    timm(Architecture::InceptionResnetV2, "timm/inception_resnet_v2.tf_in1k", "TensorFlow's"),
    timm(Architecture::Mobilenet, "timm/mobilenetv1_100.ra4_e3600_r224_in1k", "timm's own recipe"),
    timm(Architecture::EfficientnetLite0, "timm/tf_efficientnet_lite0.in1k", "TensorFlow's"),
];

pub fn find(name: &str) -> Option<&'static Remote> {
    REMOTES.iter().find(|remote| remote.architecture.name() == name)
}

/// How a photograph is brought to the network's size when it is measured: the shorter side to `resize`, then the middle of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    pub resize: u32,
    pub side: u32,
    pub interpolation: Interpolation,
}

/// timm's `default_cfg` of these weights (input size, `crop_pct`, interpolation).
pub fn framing(architecture: Architecture) -> Framing {
    let (side, resize, interpolation) = match architecture {
        Architecture::Vgg16 | Architecture::Vgg19 | Architecture::Resnet50 => (224, 256, Interpolation::Bilinear),
        Architecture::Mobilenet | Architecture::EfficientnetLite0 => (224, 256, Interpolation::Bicubic),
        Architecture::InceptionV3 => (299, 341, Interpolation::Bicubic),
        Architecture::Xception | Architecture::InceptionResnetV2 => (299, 333, Interpolation::Bicubic),
    };
    Framing { resize, side, interpolation }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_network_can_be_fetched_by_its_name() {
        for architecture in Architecture::ALL {
            let remote = find(architecture.name()).unwrap();
            assert_eq!(remote.architecture, architecture);
            assert_eq!(u64::from(framing(architecture).side), architecture.default_input()[0] as u64);
        }
        assert!(find("alexnet").is_none());
    }
}
