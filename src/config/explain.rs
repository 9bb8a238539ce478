//! `[explain]`: what is kept, at the end of each epoch, of what the network sees, and what that may cost.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Explain {
    /// Images of the validation split that are looked at: the first of each class, then the second of each, and so on.
    pub pinned: u32,
    /// The part of the run's time that this may take, 0 to 1.
    pub time_share: f64,
}

impl Default for Explain {
    fn default() -> Self {
        Self { pinned: 4, time_share: 0.02 }
    }
}
