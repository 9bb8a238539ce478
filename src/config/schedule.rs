//! `[train.schedule]` and `[train.early_stopping]`: how the learning rate moves in a phase, and when to end it.

use serde::{Deserialize, Serialize};

/// The learning rate over the epochs of a phase, as a factor on its `learning_rate`. Every kind may begin with a linear warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    Constant {
        /// Epochs in which the rate rises from nothing to its full height.
        #[serde(default)]
        warmup_epochs: f64,
    },
    /// Times `factor` after each `every_epochs`.
    Step {
        #[serde(default)]
        warmup_epochs: f64,
        every_epochs: f64,
        #[serde(default = "tenth")]
        factor: f64,
    },
    /// Half a cosine from 1 to `final_factor` over the epochs after the warm-up (arXiv:1608.03983, without restarts).
    Cosine {
        #[serde(default)]
        warmup_epochs: f64,
        #[serde(default)]
        final_factor: f64,
    },
    /// Keras's `ReduceLROnPlateau`: times `factor` when `monitor` has not improved by `min_delta` for `patience` epochs.
    ReduceOnPlateau {
        #[serde(default)]
        warmup_epochs: f64,
        #[serde(default = "tenth")]
        factor: f64,
        #[serde(default = "ten")]
        patience: u32,
        #[serde(default = "plateau_delta")]
        min_delta: f64,
        #[serde(default)]
        cooldown: u32,
        #[serde(default)]
        min_rate: f64,
        #[serde(default)]
        monitor: Monitor,
    },
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Constant { warmup_epochs: 0.0 }
    }
}

/// Keras's `EarlyStopping`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    #[serde(default)]
    pub monitor: Monitor,
    /// Epochs without improvement after which the phase ends.
    pub patience: u32,
    /// What counts as an improvement.
    #[serde(default)]
    pub min_delta: f64,
}

/// The figure that is watched at the end of each epoch. Without a validation split the training figure takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    #[default]
    ValLoss,
    ValAccuracy,
}

fn tenth() -> f64 {
    0.1
}

fn ten() -> u32 {
    10
}

fn plateau_delta() -> f64 {
    1e-4
}
