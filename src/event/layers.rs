//! How the layers of a network fare: meters that cost next to nothing and are read all the time, and a probe that is taken while somebody
//! looks, or once an epoch.

use serde::{Deserialize, Serialize};

use super::real;

/// Per-layer meters, in the order of [`RunStarted::layers`](super::RunStarted::layers); layers without parameters are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layers {
    pub step: u64,
    pub layers: Vec<LayerMeters>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerMeters {
    pub name: String,
    /// Euclidean norm over the layer's gradients of the last step; `None` while frozen.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "real::optional")]
    pub gradient_norm: Option<f64>,
    /// ‖w − w₀‖ / ‖w₀‖ since the epoch began.
    #[serde(with = "real")]
    pub weight_change: f64,
    /// For a frozen layer: whether its weights still have the digest that they had when they were frozen.
    pub frozen_intact: Option<bool>,
    /// The rate of the last step, the layer's own factor included; `None` while frozen, before the first step, and in older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
}

/// What a few images of the split that is looked at did to every layer, in inference mode, and how the weights stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    pub step: u64,
    pub epoch: u32,
    /// How many images were sent through.
    pub images: u32,
    /// In order of execution, those without parameters too.
    pub layers: Vec<LayerProbe>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerProbe {
    pub name: String,
    /// Over all elements of the layer's output, its activation included.
    #[serde(with = "real")]
    pub mean: f64,
    /// Standard deviation, of the same.
    #[serde(with = "real")]
    pub deviation: f64,
    /// Share, 0–1, of the channels (of a map) or units that are zero everywhere and for every image, as in "Dying `ReLU` and
    /// Initialization" (arXiv:1903.06733); `None` where no `ReLU` stands at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead: Option<f64>,
    /// Milliseconds for all the images, the layer run by itself.
    pub forward_ms: f64,
    /// The same for the way back, to the weights and to what lies below; 0 where nothing is to be learned from here on down.
    pub backward_ms: f64,
    /// ‖w′ − w‖ / ‖w‖ of one step; `None` while frozen, or where no step was measured.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "real::optional")]
    pub update_ratio: Option<f64>,
    /// Of the kernel; of a normalisation, its factors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Histogram>,
    /// Of the last step's gradient of the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradients: Option<Histogram>,
}

/// Counts of values in equal bins from the least value to the greatest; large tensors are sampled evenly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    pub low: f64,
    pub high: f64,
    pub counts: Vec<u32>,
}

impl Histogram {
    pub const BINS: usize = 28;

    /// As `numpy.histogram(values, BINS)`: a value on a border belongs to the bin above it, the greatest to the last bin, and where all
    /// are the same the range is that value ± ½. `None` of nothing, or where a value is no number.
    pub fn of(values: &[f32]) -> Option<Self> {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for &value in values {
            if !value.is_finite() {
                return None;
            }
            (low, high) = (low.min(value), high.max(value));
        }
        if values.is_empty() {
            return None;
        }
        let (mut low, mut high) = (f64::from(low), f64::from(high));
        if low == high {
            (low, high) = (low - 0.5, high + 0.5);
        }
        let mut counts = vec![0; Self::BINS];
        for &value in values {
            let place = (f64::from(value) - low) / (high - low) * Self::BINS as f64;
            counts[(place as usize).min(Self::BINS - 1)] += 1;
        }
        Some(Self { low, high, counts })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_histogram_is_numpys() {
        let fixture = include_str!("../../tests/fixtures/metrics/histogram.json");
        let cases: Vec<(Vec<f32>, f64, f64, Vec<u32>)> = serde_json::from_str(fixture).unwrap();
        assert!(cases.len() > 2);
        for (values, low, high, counts) in cases {
            assert_eq!(Histogram::of(&values).unwrap(), Histogram { low, high, counts });
        }
    }

    #[test]
    fn what_is_no_number_has_no_histogram() {
        assert_eq!(Histogram::of(&[]), None);
        assert_eq!(Histogram::of(&[1.0, f32::NAN]), None);
    }

    #[test]
    fn a_gradient_that_blew_up_is_not_a_frozen_layer() {
        let meters = |gradient_norm| LayerMeters {
            name: "dense".into(),
            gradient_norm,
            weight_change: f64::INFINITY,
            frozen_intact: None,
            learning_rate: None,
        };
        let through = |meters: LayerMeters| -> LayerMeters {
            serde_json::from_str(&serde_json::to_string(&meters).unwrap()).unwrap()
        };
        assert!(through(meters(Some(f64::NAN))).gradient_norm.unwrap().is_nan());
        assert_eq!(through(meters(None)).gradient_norm, None);
    }
}
