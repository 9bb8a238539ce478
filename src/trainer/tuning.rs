//! What people change of a phase while it runs, besides the freeze mask: rates, variations, batches, dropout, weight decay. Part of every
//! checkpoint, and forgotten where the next phase begins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Record, Stepper, Trainer};
use crate::{
    arch::{Layer, Op},
    command::means,
    error::Result,
};

/// `None`, or a layer that is not there: as the phase says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tuning {
    /// Held, whatever the schedule says.
    pub rate: Option<f64>,
    /// What the schedule is multiplied by.
    pub rate_scale: Option<f64>,
    pub layer_rates: BTreeMap<String, LayerRate>,
    /// The strength of the variations; 0: none.
    pub augmentation: Option<f64>,
    /// Images of an update.
    pub batch_size: Option<u32>,
    /// The share that a dropout layer drops.
    pub dropout: BTreeMap<String, f64>,
    /// Decoupled, under every rule.
    pub weight_decay: Option<f64>,
}

/// A layer's own rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerRate {
    Held(f64),
    /// Of what it would be otherwise.
    Scaled(f64),
}

impl LayerRate {
    /// The layer's rate where it would be `rate` otherwise.
    pub fn of(self, rate: f64) -> f64 {
        match self {
            Self::Held(held) => held,
            Self::Scaled(factor) => rate * factor,
        }
    }

    pub(super) fn scale(&mut self, by: f64) {
        let (Self::Held(number) | Self::Scaled(number)) = self;
        *number *= by;
    }
}

impl Tuning {
    /// Of all layers, or of these alone.
    pub(super) fn hold_rate(&mut self, rate: f64, layers: &[String]) {
        if layers.is_empty() {
            self.rate = Some(rate);
        }
        for layer in layers {
            self.layer_rates.insert(layer.clone(), LayerRate::Held(rate));
        }
    }

    /// Likewise.
    pub(super) fn scale_rate(&mut self, factor: f64, layers: &[String]) {
        match &mut self.rate {
            _ if !layers.is_empty() => {}
            Some(held) => *held *= factor,
            None => *self.rate_scale.get_or_insert(1.0) *= factor,
        }
        for layer in layers {
            self.layer_rates.entry(layer.clone()).or_insert(LayerRate::Scaled(1.0)).scale(factor);
        }
    }
}

/// From which place on an epoch has batches of the size that it has now: people may change it in the middle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regrouped {
    /// The first batch of that size, and how many images stand before it.
    pub batch: u32,
    pub images: u64,
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// The loader of the phase under way, as it is tuned now.
    pub(super) fn rearrange(&mut self) {
        let (batch_size, augment) = super::batches(self.plan, self.phase(), &self.progress.tuning);
        self.loader = self.loader.rearranged(batch_size, augment);
    }

    pub(super) fn set_augmentation(&mut self, factor: f64) {
        self.progress.tuning.augmentation = (factor != 1.0).then_some(factor);
        self.rearrange();
        self.reload = true;
    }

    pub(super) fn set_batch_size(&mut self, images: u32) -> Result<()> {
        let progress = &mut self.progress;
        if progress.step_in_epoch > 0 {
            let images = super::images_before(&self.loader, progress.regrouped, progress.step_in_epoch);
            progress.regrouped = Some(Regrouped { batch: progress.step_in_epoch, images });
        }
        progress.tuning.batch_size = Some(images);
        self.rearrange();
        self.reload = true;
        self.say_phases()
    }

    /// Holds through all phases: what fits into memory does not change with them.
    pub(super) fn set_micro_batch(&mut self, images: u32) {
        self.progress.micro_batch = Some(images);
        self.stepper.set_micro_batch(Some(images as usize));
    }

    /// Without layers: all that drop.
    pub(super) fn set_dropout(&mut self, rate: f64, layers: &[String]) -> Result<()> {
        let means_it = |layer: &&Layer| {
            let drops = matches!(layer.op, Op::Dropout { .. });
            drops && (layers.is_empty() || layers.iter().any(|pattern| means(pattern, &layer.name)))
        };
        for layer in self.plan.arch.layers().iter().filter(means_it) {
            self.progress.tuning.dropout.insert(layer.name.clone(), rate);
        }
        // What is kept of a frozen part holds no layer that drops in steps.
        self.keeping.refrozen = true;
        self.stepper.tune(&self.progress.tuning)
    }

    pub(super) fn set_weight_decay(&mut self, decay: f64) -> Result<()> {
        self.progress.tuning.weight_decay = Some(decay);
        self.stepper.tune(&self.progress.tuning)
    }
}
