//! What the quantities of curves are called on the screen, and how they are written.

use super::figures;
use crate::state::Metric;

impl Metric {
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
            Self::Loss | Self::Gap if value.abs() >= 1e5 => format!("{value:e}"),
            Self::Loss | Self::Gap => format!("{value:.decimals$}"),
            Self::Accuracy | Self::DataWait => format!("{:.*}%", decimals.saturating_sub(2), value * 100.0),
            Self::LearningRate => figures::rate(value),
            Self::Speed => figures::short_count(value.max(0.0).round() as u64),
        }
    }
}
