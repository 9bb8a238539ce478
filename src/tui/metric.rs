//! The quantities that curves show: their names, where a run keeps them, and how they are written.

use super::figures;
use crate::{
    event::{EpochEnded, Metrics},
    state::{Curve, RunState, Stretch},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    Loss,
    Accuracy,
    /// Loss on the validation split less loss in training: how far the network fits what it has seen better than what it has not.
    Gap,
    LearningRate,
    Speed,
    DataWait,
}

impl Metric {
    pub const ALL: [Self; 6] = [Self::Loss, Self::Accuracy, Self::Gap, Self::LearningRate, Self::Speed, Self::DataWait];

    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::Gap => "over-fitting gap",
            Self::LearningRate => "learning rate",
            Self::Speed => "images/s",
            Self::DataWait => "data wait",
        }
    }

    /// Where there is no room for the name.
    pub fn short(self) -> &'static str {
        match self {
            Self::Accuracy => "acc",
            Self::Gap => "gap",
            Self::LearningRate => "rate",
            Self::DataWait => "wait",
            Self::Loss | Self::Speed => self.name(),
        }
    }

    /// Measured at the steps, if it is.
    pub fn curve(self, run: &RunState) -> Option<&Curve> {
        let curves = &run.curves;
        match self {
            Self::Loss => Some(&curves.loss),
            Self::Accuracy => Some(&curves.accuracy),
            Self::Gap => None,
            Self::LearningRate => Some(&curves.learning_rate),
            Self::Speed => Some(&curves.images_per_second),
            Self::DataWait => Some(&curves.data_wait),
        }
    }

    /// Of a stretch that was given up, what is kept of it.
    pub fn abandoned(self, stretch: &Stretch) -> Option<&Curve> {
        match self {
            Self::Loss => Some(&stretch.loss),
            Self::Accuracy => Some(&stretch.accuracy),
            Self::Gap | Self::LearningRate | Self::Speed | Self::DataWait => None,
        }
    }

    /// Found at the end of epochs: of validation, or of both splits.
    pub fn at_epoch(self, epoch: &EpochEnded) -> Option<f64> {
        let of = |read: fn(Metrics) -> f64| epoch.validation.map(read);
        match self {
            Self::Loss => of(|metrics| metrics.loss),
            Self::Accuracy => of(|metrics| metrics.accuracy),
            Self::Gap => of(|metrics| metrics.loss).map(|validation| validation - epoch.train.loss),
            Self::LearningRate | Self::Speed | Self::DataWait => None,
        }
    }

    /// Whether it is known at the ends of epochs only.
    pub fn is_of_epochs(self) -> bool {
        self == Self::Gap
    }

    /// Whether single readings are noise that a smoothed curve sees through. A rate is what it is.
    pub fn is_noisy(self) -> bool {
        self != Self::LearningRate
    }

    /// What no reading can leave.
    pub fn bounds(self) -> [f64; 2] {
        match self {
            Self::Loss | Self::LearningRate | Self::Speed => [0.0, f64::INFINITY],
            Self::Accuracy | Self::DataWait => [0.0, 1.0],
            Self::Gap => [f64::NEG_INFINITY, f64::INFINITY],
        }
    }

    pub fn write(self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => figures::figure(value),
            Self::Loss | Self::Gap => figures::loss(value),
            Self::Accuracy => figures::percent(value),
            Self::LearningRate => figures::rate(value),
            Self::Speed => figures::count(value.max(0.0).round() as u64),
            Self::DataWait => figures::whole_percent(value),
        }
    }

    /// With the fewest digits that say anything.
    pub fn write_short(self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => figures::figure(value),
            Self::Loss | Self::Gap => format!("{value:.2}"),
            Self::Accuracy | Self::DataWait => format!("{:.0}%", value * 100.0),
            Self::LearningRate => figures::rate(value),
            Self::Speed => figures::short_count(value.max(0.0).round() as u64),
        }
    }

    /// At an axis, with the decimals that tell neighbours apart.
    pub fn write_tick(self, value: f64, decimals: usize) -> String {
        match self {
            Self::Loss | Self::Gap => format!("{value:.decimals$}"),
            Self::Accuracy | Self::DataWait => format!("{:.*}%", decimals.saturating_sub(2), value * 100.0),
            Self::LearningRate => figures::rate(value),
            Self::Speed => figures::short_count(value.max(0.0).round() as u64),
        }
    }
}
