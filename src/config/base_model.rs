//! `[model.base]`: a published network under the model's own layers, and where its weights come from.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::arch::zoo::{Architecture, Wiring};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    pub architecture: Architecture,
    #[serde(default)]
    pub weights: BaseWeights,
    /// With the classifier for ImageNet's thousand classes.
    #[serde(default)]
    pub include_top: bool,
    /// Behind the base, where it has no top.
    #[serde(default)]
    pub pooling: Pooling,
    /// Left out: that of the library whose weights they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wiring: Option<Wiring>,
}

/// `none`, `imagenet`, or the path of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum BaseWeights {
    /// Random ones.
    #[default]
    None,
    Imagenet,
    File(PathBuf),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    #[default]
    None,
    Avg,
    Max,
}

impl From<String> for BaseWeights {
    fn from(word: String) -> Self {
        match &*word {
            "none" => Self::None,
            "imagenet" => Self::Imagenet,
            _ => Self::File(word.into()),
        }
    }
}

impl From<BaseWeights> for String {
    fn from(weights: BaseWeights) -> Self {
        match weights {
            BaseWeights::None => "none".to_owned(),
            BaseWeights::Imagenet => "imagenet".to_owned(),
            BaseWeights::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}

impl Base {
    /// Makes a relative path one that is seen from `folder`.
    pub(super) fn settle_places(&mut self, folder: &Path) {
        if let BaseWeights::File(path) = &mut self.weights {
            *path = super::seen_from(folder, path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_place_is_seen_from_the_configuration() {
        let settled = |weights: &str| {
            let mut base = Base {
                architecture: Architecture::Vgg16,
                weights: weights.to_owned().into(),
                include_top: false,
                pooling: Pooling::None,
                wiring: None,
            };
            base.settle_places(Path::new("/a/config"));
            String::from(base.weights)
        };
        assert_eq!(settled("../weights/vgg16.safetensors"), "/a/weights/vgg16.safetensors");
        assert_eq!(settled("imagenet"), "imagenet");
        assert_eq!(settled("none"), "none");
    }
}
