//! The quantities that curves show, and where a run keeps them.

use super::{Curve, RunState, Stretch};
use crate::event::{EpochEnded, Metrics};

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
}
