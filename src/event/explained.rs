//! What a run says of what its network sees: an image with its heat and activations, the images that are pinned, and what filters
//! like. Pictures are named by their contents' hash and pulled by whoever shows them.

use serde::{Deserialize, Serialize};

use super::real;
use crate::command::{Method, Whose};

/// One validation image as the network sees it now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    pub step: u64,
    pub epoch: u32,
    /// Position in the validation split.
    pub sample: u32,
    pub name: String,
    pub label: u32,
    /// One probability a class.
    #[serde(with = "real::list")]
    pub probabilities: Vec<f32>,
    pub pictures: Vec<Picture>,
    /// Made at the end of an epoch, of an image that is pinned, to stay with the run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub kept: bool,
    /// Heat that was asked for and is not here, and why, for the person who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

impl Explained {
    /// Heat that a method found, at one layer after the other.
    pub fn heats(&self, method: Method) -> impl Iterator<Item = &Picture> {
        self.pictures.iter().filter(move |picture| match &picture.kind {
            PictureKind::Heat { method: by, .. } => *by == method,
            PictureKind::GradCam { .. } => method == Method::GradCam,
            PictureKind::Sample | PictureKind::Activations { .. } => false,
        })
    }

    /// The most probable class and its probability.
    pub fn predicted(&self) -> Option<(u32, f64)> {
        let (class, share) = self.probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        Some((class as u32, f64::from(*share)))
    }

    /// Classes, the most probable first.
    pub fn likeliest(&self) -> Vec<u32> {
        let mut classes: Vec<u32> = (0..self.probabilities.len() as u32).collect();
        classes.sort_by(|a, b| self.probabilities[*b as usize].total_cmp(&self.probabilities[*a as usize]));
        classes
    }

    /// The class that is meant.
    pub fn class_of(&self, whose: Whose) -> Option<u32> {
        match whose {
            Whose::Predicted => self.predicted().map(|(class, _)| class),
            Whose::True => Some(self.label),
            Whose::Class(class) => Some(class),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub method: Method,
    pub layer: String,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    #[serde(flatten)]
    pub kind: PictureKind,
    /// Content hash: the file `blobs/<blob>.png`.
    pub blob: String,
    pub width: u32,
    pub height: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PictureKind {
    /// The image itself.
    Sample,
    /// The layer's channels as a grid, each scaled as in the book.
    Activations { layer: String, channels: u32 },
    /// What speaks for `class`, as `method` finds it: grey levels, 255 where the most does, at the size at which it was found, that is
    /// the layer's, or the image's for methods that look at pixels. `empty` when nothing spoke for the class (all zero).
    Heat { method: Method, layer: String, class: u32, empty: bool },
    /// Grad-CAM of `class` at `layer`, laid over the image: in journals of before heat was kept by itself.
    GradCam { layer: String, class: u32, empty: bool },
}

/// An image of which something is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Position in the validation split.
    pub sample: u32,
    pub name: String,
    pub label: u32,
}

/// What a layer's first filters would like to see, while it forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Painted {
    pub step: u64,
    pub epoch: u32,
    pub layer: String,
    /// Filters from the first on, row by row in a square grid.
    pub filters: u32,
    /// Of the layer.
    pub channels: u32,
    /// Steps of the ascent.
    pub done: u32,
    pub total: u32,
    /// The picture of all, as [`Picture::blob`].
    pub blob: String,
    pub width: u32,
    pub height: u32,
    /// Why it will not come, for the person who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Whether the pictures of an epoch are kept for good: of each of the first 128, and from there on of as many between a number and
/// its double as 64. A run of a million epochs keeps a thousand.
pub fn is_kept(epoch: u32) -> bool {
    epoch.is_multiple_of((epoch.saturating_sub(1) / 64).checked_ilog2().map_or(1, |power| 1 << power))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_picture_is_flat_in_the_journal() {
        let kind = PictureKind::Heat { method: Method::GradCam, layer: "conv2d_1".into(), class: 1, empty: false };
        let line = serde_json::to_value(Picture { kind, blob: "ab".into(), width: 1, height: 2 }).unwrap();
        assert_eq!(line["kind"], "heat");
        assert_eq!(line["method"], "grad-cam");
        assert_eq!(line["layer"], "conv2d_1");
    }

    #[test]
    fn an_explanation_of_an_older_journal_is_read() {
        let line = r#"{"step":1,"epoch":1,"sample":0,"name":"a","label":1,"probabilities":[0.5],"pictures":[
            {"kind":"grad_cam","layer":"conv2d","class":1,"empty":false,"blob":"ab","width":1,"height":2}]}"#;
        let explained: Explained = serde_json::from_str(line).unwrap();
        assert!(!explained.kept && explained.refused.is_none() && explained.pictures.len() == 1);
    }

    #[test]
    fn the_longer_a_run_the_fewer_of_its_epochs_are_kept() {
        assert!((1..=128).all(is_kept));
        let between = |from: u32, to: u32| (from + 1..=to).filter(|epoch| is_kept(*epoch)).count();
        assert_eq!([between(128, 256), between(256, 512), between(512, 1024)], [64; 3]);
        assert!(between(0, 1_000_000) < 1024);
    }
}
