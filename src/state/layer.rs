//! One layer with its newest meters.

use serde::{Deserialize, Serialize};

use crate::event::{LayerInfo, LayerMeters, LayerProbe};

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
    /// In force in the last measured step; `None` while frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// The newest probe, with the newest histograms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<LayerProbe>,
}

impl Layer {
    pub fn new(info: LayerInfo) -> Self {
        Self {
            info,
            frozen: false,
            gradient_norm: None,
            weight_change: None,
            intact: None,
            learning_rate: None,
            probe: None,
        }
    }

    pub fn measure(&mut self, meters: &LayerMeters) {
        self.gradient_norm = meters.gradient_norm;
        self.weight_change = Some(meters.weight_change);
        self.intact = meters.frozen_intact;
        self.learning_rate = meters.learning_rate;
    }

    /// What a probe leaves out, stays what it was: it has the histograms of few layers. Times are a mean over the last few probes of as
    /// many images, since one time says as much of the machine as of the layer; `same` is whether those before it were as many.
    pub fn probed(&mut self, probe: &LayerProbe, same: bool) {
        /// Weight of the newest.
        const NEWEST: f64 = 0.3;
        let before = self.probe.take();
        let mut probe = probe.clone();
        if let Some(before) = before {
            if same {
                let mean = |before: f64, now: f64| before + NEWEST * (now - before);
                probe.forward_ms = mean(before.forward_ms, probe.forward_ms);
                // A layer that was just frozen or thawed has another way back.
                if (before.backward_ms > 0.0) == (probe.backward_ms > 0.0) {
                    probe.backward_ms = mean(before.backward_ms, probe.backward_ms);
                }
            }
            probe.weights = probe.weights.or(before.weights);
            probe.gradients = probe.gradients.or(before.gradients.filter(|_| !self.frozen));
            probe.update_ratio = probe.update_ratio.or(before.update_ratio.filter(|_| !self.frozen));
        }
        self.probe = Some(probe);
    }

    /// A thawed layer's proof and a frozen one's gradient are of the past.
    pub fn set_frozen(&mut self, frozen: bool) {
        if self.frozen != frozen {
            self.gradient_norm = None;
            self.intact = None;
            self.learning_rate = None;
            if let Some(probe) = &mut self.probe {
                (probe.gradients, probe.update_ratio) = (None, None);
            }
        }
        self.frozen = frozen;
    }
}
