//! What pretrained networks expect of their pixels, by Keras's names for it. A network always reads pixel values in 0–1; where its
//! weights were made for another range, its first layer is [`Op::Preprocessing`](super::Op::Preprocessing), so that explanations
//! and exports see it too.

use serde::{Deserialize, Serialize};

use super::Problem;

/// Means and deviations are for red, green, blue in that order unless `bgr` is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preprocessing {
    /// To 0–1, the chapter's `rescale=1./255`: what every network reads that says nothing else.
    Rescale,
    /// Blue, green, red; from 0–255 ImageNet's mean colour is taken: 103.939, 116.779, 123.68.
    Caffe,
    /// To −1–1.
    Tf,
    /// From 0–1, ImageNet's mean (0.485, 0.456, 0.406) taken, divided by its deviation (0.229, 0.224, 0.225).
    Torch,
    /// `(x · scale − mean) / std`, where x is 0–255. `mean` and `std` hold one number for all channels or one for each, in the order
    /// in which the network gets the channels.
    Custom {
        #[serde(default = "one")]
        scale: f64,
        #[serde(default = "nought")]
        mean: Vec<f64>,
        #[serde(default = "ones")]
        std: Vec<f64>,
        /// Whether the network gets blue, green, red.
        #[serde(default)]
        bgr: bool,
    },
}

fn one() -> f64 {
    1.0
}

fn nought() -> Vec<f64> {
    vec![0.0]
}

fn ones() -> Vec<f64> {
    vec![1.0]
}

/// What is computed of values in 0–1: `x · factor + offset` for each channel, after their order was reversed or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    pub reversed: bool,
    /// One a channel, like the offsets.
    pub factors: Vec<f64>,
    pub offsets: Vec<f64>,
}

impl Preprocessing {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rescale => "rescale",
            Self::Caffe => "caffe",
            Self::Tf => "tf",
            Self::Torch => "torch",
            Self::Custom { .. } => "custom",
        }
    }

    /// As it is written in a configuration.
    pub fn to_toml(&self) -> String {
        match self {
            Self::Custom { scale, mean, std, bgr } => {
                format!("{{ custom = {{ scale = {scale:?}, mean = {mean:?}, std = {std:?}, bgr = {bgr} }} }}")
            }
            named => format!("\"{}\"", named.name()),
        }
    }

    /// For a picture of so many channels.
    pub fn affine(&self, channels: usize) -> Result<Affine, Problem> {
        let (scale, mean, std, reversed): (f64, &[f64], &[f64], bool) = match self {
            Self::Rescale => (1.0 / 255.0, &[0.0], &[1.0], false),
            Self::Caffe => (1.0, &[103.939, 116.779, 123.68], &[1.0], true),
            Self::Tf => (1.0 / 127.5, &[1.0], &[1.0], false),
            Self::Torch => (1.0 / 255.0, &[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225], false),
            Self::Custom { scale, mean, std, bgr } => (*scale, mean, std, *bgr),
        };
        let spread = |values: &[f64]| match values {
            [all] => Ok(vec![*all; channels]),
            _ if values.len() == channels => Ok(values.to_vec()),
            _ => Err(Problem::Channels { expected: values.len(), found: channels }),
        };
        let (mean, std) = (spread(mean)?, spread(std)?);
        if reversed && channels != 3 {
            return Err(Problem::Channels { expected: 3, found: channels });
        }
        if let Some(&value) = std.iter().find(|std| !(std.is_finite() && **std > 0.0)) {
            return Err(Problem::Range { what: "std", value, range: "(0, ∞)" });
        }
        if let Some(&value) = mean.iter().chain([&scale]).find(|value| !value.is_finite()) {
            return Err(Problem::Range { what: "scale or mean", value, range: "(−∞, ∞)" });
        }
        Ok(Affine {
            reversed,
            factors: std.iter().map(|std| 255.0 * scale / std).collect(),
            offsets: mean.iter().zip(&std).map(|(mean, std)| -mean / std).collect(),
        })
    }

    /// Whether the two give a colour picture nearly the same values: within a hundredth of their range. (The original
    /// EfficientNet-Lite takes 127 and divides by 128, timm's copy 127.5 by 127.5; no network minds.)
    pub fn resembles(&self, other: &Self) -> bool {
        let (Ok(a), Ok(b)) = (self.affine(3), other.affine(3)) else { return false };
        let range = a.factors.iter().chain(&b.factors).fold(0.0_f64, |most, factor| most.max(factor.abs()));
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 0.01 * range);
        a.reversed == b.reversed && near(&a.factors, &b.factors) && near(&a.offsets, &b.offsets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of one pixel (red 255, green 51, blue 0), by `keras.applications.imagenet_utils.preprocess_input`, whose arithmetic is
    /// written out here.
    #[test]
    fn modes_do_what_keras_does() {
        let pixel = [1.0, 0.2, 0.0];
        let applied = |mode: &Preprocessing| {
            let affine = mode.affine(3).unwrap();
            let mut channels = pixel;
            if affine.reversed {
                channels.reverse();
            }
            [0, 1, 2].map(|at| channels[at] * affine.factors[at] + affine.offsets[at])
        };
        let near = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(near(applied(&Preprocessing::Rescale), pixel));
        assert!(near(applied(&Preprocessing::Caffe), [-103.939, 51.0 - 116.779, 255.0 - 123.68]));
        assert!(near(applied(&Preprocessing::Tf), [1.0, 51.0 / 127.5 - 1.0, -1.0]));
        let torch = [(1.0 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, -0.406 / 0.225];
        assert!(near(applied(&Preprocessing::Torch), torch));
        let custom = Preprocessing::Custom { scale: 1.0, mean: vec![127.0], std: vec![128.0], bgr: false };
        assert!(near(applied(&custom), [1.0, -76.0 / 128.0, -127.0 / 128.0]));
    }

    #[test]
    fn what_does_not_fit_the_channels_is_refused() {
        assert_eq!(Preprocessing::Caffe.affine(1), Err(Problem::Channels { expected: 3, found: 1 }));
        assert_eq!(Preprocessing::Tf.affine(1).unwrap().factors, [2.0]);
        let custom = |std| Preprocessing::Custom { scale: 1.0, mean: vec![0.0], std, bgr: false };
        assert_eq!(custom(vec![1.0, 2.0]).affine(3), Err(Problem::Channels { expected: 2, found: 3 }));
        assert!(matches!(custom(vec![0.0]).affine(3), Err(Problem::Range { what: "std", .. })));
    }

    #[test]
    fn near_is_near_enough() {
        let lite = Preprocessing::Custom { scale: 1.0, mean: vec![127.0], std: vec![128.0], bgr: false };
        assert!(lite.resembles(&Preprocessing::Tf));
        assert!(!Preprocessing::Torch.resembles(&Preprocessing::Tf));
        assert!(!Preprocessing::Rescale.resembles(&Preprocessing::Tf));
        assert!(!Preprocessing::Caffe.resembles(&Preprocessing::Torch));
    }
}
