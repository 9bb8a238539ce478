//! The learning rate of a phase as a function of the epochs done in it, and the watchers that act on what an epoch brought.

use serde::{Deserialize, Serialize};

use super::PlanError;
use crate::config::{Monitor, Schedule};

/// The rate that the configuration asks for at every point of a phase, before plateaus and people change it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateSchedule {
    kind: Schedule,
    height: f64,
    epochs: f64,
}

impl RateSchedule {
    pub fn new(kind: Schedule, height: f64, epochs: u32) -> Result<Self, PlanError> {
        let range = |key, value, fits, range| if fits { Ok(()) } else { Err(PlanError::Range { key, value, range }) };
        let schedule = Self { kind, height, epochs: f64::from(epochs) };
        let warmup = schedule.warmup();
        range(
            "train.schedule.warmup_epochs",
            warmup,
            (0.0..=schedule.epochs).contains(&warmup),
            "from 0 to the number of epochs",
        )?;
        match kind {
            Schedule::Step { every_epochs, factor, .. } => {
                range("train.schedule.every_epochs", every_epochs, every_epochs > 0.0, "greater than 0")?;
                range("train.schedule.factor", factor, factor > 0.0 && factor <= 1.0, "greater than 0 and at most 1")?;
            }
            Schedule::Cosine { final_factor, .. } => {
                range("train.schedule.final_factor", final_factor, (0.0..=1.0).contains(&final_factor), "from 0 to 1")?;
            }
            Schedule::ReduceOnPlateau { factor, min_delta, min_rate, .. } => {
                range("train.schedule.factor", factor, factor > 0.0 && factor < 1.0, "between 0 and 1")?;
                let fits = min_delta >= 0.0 && min_delta.is_finite();
                range("train.schedule.min_delta", min_delta, fits, "0 or more")?;
                range("train.schedule.min_rate", min_rate, (0.0..=1000.0).contains(&min_rate), "from 0 to 1000")?;
            }
            Schedule::Constant { .. } => {}
        }
        Ok(schedule)
    }

    /// The rate of the step that begins after `epochs` epochs of the phase, counted with fractions from 0.
    pub fn rate(&self, epochs: f64) -> f64 {
        let warmup = self.warmup();
        if epochs < warmup {
            return self.height * epochs / warmup;
        }
        let factor = match self.kind {
            Schedule::Constant { .. } | Schedule::ReduceOnPlateau { .. } => 1.0,
            Schedule::Step { every_epochs, factor, .. } => factor.powf((epochs / every_epochs).floor()),
            Schedule::Cosine { final_factor, .. } => {
                let progress = ((epochs - warmup) / (self.epochs - warmup).max(f64::MIN_POSITIVE)).min(1.0);
                final_factor + (1.0 - final_factor) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
        };
        self.height * factor
    }

    /// Whether the rate is still rising to its height.
    pub fn warms_up(&self, epochs: f64) -> bool {
        epochs < self.warmup()
    }

    fn warmup(&self) -> f64 {
        match self.kind {
            Schedule::Constant { warmup_epochs }
            | Schedule::Step { warmup_epochs, .. }
            | Schedule::Cosine { warmup_epochs, .. }
            | Schedule::ReduceOnPlateau { warmup_epochs, .. } => warmup_epochs,
        }
    }

    /// The watcher of `reduce_on_plateau`, and what to do when it gives up.
    pub fn plateau(&self) -> Option<(Watcher, Reduction)> {
        match self.kind {
            Schedule::ReduceOnPlateau { factor, patience, min_delta, cooldown, min_rate, monitor, .. } => {
                Some((Watcher::new(monitor, patience, min_delta), Reduction { factor, cooldown, min_rate }))
            }
            _ => None,
        }
    }
}

/// What a plateau does to the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reduction {
    pub factor: f64,
    /// Epochs after a reduction in which none is counted as bad.
    pub cooldown: u32,
    pub min_rate: f64,
}

/// Counts epochs without improvement, as Keras's `EarlyStopping` and `ReduceLROnPlateau` do. Part of every checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watcher {
    pub monitor: Monitor,
    patience: u32,
    min_delta: f64,
    best: Option<f64>,
    waited: u32,
    cooldown: u32,
}

impl Watcher {
    pub fn new(monitor: Monitor, patience: u32, min_delta: f64) -> Self {
        Self { monitor, patience, min_delta, best: None, waited: 0, cooldown: 0 }
    }

    /// Takes an epoch's figure; true when it has been without improvement for `patience` epochs. A figure that is not a number
    /// is no improvement.
    pub fn gives_up(&mut self, figure: f64) -> bool {
        if self.cooldown > 0 {
            self.cooldown -= 1;
            self.waited = 0;
        }
        let improved = match (self.monitor, self.best) {
            (_, None) => figure.is_finite(),
            (Monitor::ValLoss, Some(best)) => figure < best - self.min_delta,
            (Monitor::ValAccuracy, Some(best)) => figure > best + self.min_delta,
        };
        if improved {
            self.best = Some(figure);
            self.waited = 0;
        } else if self.cooldown == 0 {
            self.waited += 1;
        }
        self.waited >= self.patience.max(1)
    }

    /// Starts counting anew, after `cooldown` epochs that do not count.
    pub fn rest(&mut self, cooldown: u32) {
        self.waited = 0;
        self.cooldown = cooldown;
    }

    /// Whether `figure` is strictly better than the best one so far, whatever the patience.
    pub fn better(monitor: Monitor, figure: f64, best: Option<f64>) -> bool {
        match (monitor, best) {
            (_, None) => figure.is_finite(),
            (Monitor::ValLoss, Some(best)) => figure < best,
            (Monitor::ValAccuracy, Some(best)) => figure > best,
        }
    }
}
