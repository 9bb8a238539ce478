//! What a run does when numbers stop being finite, and when the loss leaps.

use serde::{Deserialize, Serialize};

/// After a step whose loss or gradient is no finite number. The weights are those from before it in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNonFinite {
    /// Wait for somebody where a dashboard looks on; else as `stop`.
    #[default]
    Pause,
    /// Go on with the next batch.
    Skip,
    /// Go back to the last checkpoint, with half the learning rate.
    Rollback,
    /// Save, then end the run as failed.
    Stop,
}

/// A loss far above those before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossSpike {
    /// Robust standard deviations above the median of the window, from which on it is a spike; 0: never.
    pub z: f64,
    /// Steps that are looked back on.
    pub window: u32,
    pub then: OnSpike,
}

impl Default for LossSpike {
    fn default() -> Self {
        Self { z: 12.0, window: 100, then: OnSpike::default() }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSpike {
    #[default]
    Warn,
    /// Where a dashboard looks on; else a warning.
    Pause,
    Rollback,
}
