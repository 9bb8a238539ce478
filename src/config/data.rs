//! `[data]`: where the images come from, how a validation split is carved, how training images are varied.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Augment;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub source: DataSource,
    /// For `idx` the folder of the four MNIST files, for `folder` the one that holds `train/`, `validation/` and `test/`.
    /// A list names places to look in, in order. Relative to the configuration file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Places>,
    /// Names of the classes of `idx`, whose files hold only numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Share of the training images set aside for validation, the same share of every class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_fraction: Option<f64>,
    /// Train on so many images only, evenly over the classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Numbers of images that `critters` draws.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
    /// How the images of `folder` are brought to the network's size.
    #[serde(default)]
    pub interpolation: Interpolation,
    /// Where decoded images are kept for the next epoch, up to `engine.cache_mib`.
    #[serde(default)]
    pub cache: CacheKind,
    #[serde(default)]
    pub augment: Augment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSource {
    /// MNIST's file format, plain or gzip.
    Idx,
    /// One subfolder a class.
    Folder,
    /// Cats and dogs that Frostline draws itself.
    Critters,
}

/// Keras's words for Pillow's filters. All but `nearest` average over what a pixel of the small image covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    Nearest,
    /// Pillow's but for pixels on the edge between two windows, which may fall to the other one.
    Box,
    #[default]
    Bilinear,
    Hamming,
    Bicubic,
    Lanczos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheKind {
    /// Decoded anew each time.
    None,
    #[default]
    Memory,
    /// In a file that later runs and other processes find again. What has no files of its own is kept in memory.
    File,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a path, or a list of paths to look in")]
pub enum Places {
    One(PathBuf),
    Several(Vec<PathBuf>),
}

impl Data {
    /// With the defaults of everything else.
    pub fn new(source: DataSource) -> Self {
        Self {
            source,
            path: None,
            classes: Vec::new(),
            validation_fraction: None,
            limit: None,
            train: None,
            validation: None,
            test: None,
            interpolation: Interpolation::default(),
            cache: CacheKind::default(),
            augment: Augment::default(),
        }
    }

    pub(super) fn settle_places(&mut self, folder: &Path) {
        match &mut self.path {
            None => {}
            Some(Places::One(path)) => *path = super::seen_from(folder, path),
            Some(Places::Several(paths)) => {
                for path in paths {
                    *path = super::seen_from(folder, path);
                }
            }
        }
    }
}

impl Places {
    pub fn list(&self) -> &[PathBuf] {
        match self {
            Self::One(path) => std::slice::from_ref(path),
            Self::Several(paths) => paths,
        }
    }
}
