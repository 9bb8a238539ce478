//! One layer with its newest meters.

use serde::{Deserialize, Serialize};

use crate::event::{LayerInfo, LayerMeters};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    pub info: LayerInfo,
    pub frozen: bool,
    /// Of the last measured step; `None` while frozen or before the first measurement.
    pub gradient_norm: Option<f64>,
    /// ‖w − w₀‖ / ‖w₀‖ since the epoch began.
    pub weight_change: Option<f64>,
    /// Whether frozen weights still have the digest with which they were frozen.
    pub intact: Option<bool>,
}

impl Layer {
    pub fn new(info: LayerInfo) -> Self {
        Self { info, frozen: false, gradient_norm: None, weight_change: None, intact: None }
    }

    pub fn measure(&mut self, meters: &LayerMeters) {
        self.gradient_norm = meters.gradient_norm;
        self.weight_change = Some(meters.weight_change);
        self.intact = meters.frozen_intact;
    }

    /// A thawed layer's proof and a frozen one's gradient are of the past.
    pub fn set_frozen(&mut self, frozen: bool) {
        if self.frozen != frozen {
            self.gradient_norm = None;
            self.intact = None;
        }
        self.frozen = frozen;
    }
}
