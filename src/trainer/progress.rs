//! Where a run stands: everything that a checkpoint must hold besides tensors. All else follows from the plan and the seed.

use serde::{Deserialize, Serialize};

use super::Score;
use crate::{
    event::Metrics,
    plan::{Monitor, Plan, Watcher},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done since the run began.
    pub step: u64,
    /// The epoch under way, from 1; one past the last when all are done.
    pub epoch: u32,
    /// Steps done in it. Equal to the steps of an epoch while its validation is still to come.
    pub step_in_epoch: u32,
    pub sums: Sums,
    pub train_seconds: f64,
    /// The part of it that steps spent waiting for their batches.
    pub wait_seconds: f64,
    pub frozen: Vec<String>,
    /// What people and plateaus have multiplied the schedule's rate by.
    pub rate_factor: f64,
    pub plateau: Option<Watcher>,
    pub stopping: Option<Watcher>,
    /// The best figure of the monitor so far.
    pub best: Option<f64>,
    /// True once early stopping has ended the epochs.
    pub stopped_early: bool,
    /// A resumed run is bit-identical only where all of this is the same.
    pub origin: Origin,
}

/// What the numbers of a run depend on besides its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `cpu`, `cuda:0`.
    pub device: String,
    pub threads: usize,
    pub libtorch: String,
    /// Of the training images' names and labels, in order.
    pub data: String,
}

impl Origin {
    /// What differs, in words; empty when a resumed run goes on bit by bit.
    pub(super) fn differences(&self, now: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if self.data != now.data {
            differences.push("the training images are not the same as then".to_owned());
        }
        if self.device != now.device {
            differences.push(format!("it was made on {}, this is {}", self.device, now.device));
        }
        if self.threads != now.threads {
            differences.push(format!("it was made with {} threads, these are {}", self.threads, now.threads));
        }
        if self.libtorch != now.libtorch {
            differences.push(format!("it was made with libtorch {}, this is {}", self.libtorch, now.libtorch));
        }
        differences
    }
}

/// Sums over the images of the epoch under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    pub images: u64,
    /// Not a number once a step's loss was none.
    #[serde(with = "crate::event::real")]
    pub loss: f64,
    pub correct: u64,
}

impl Progress {
    pub fn new(plan: &Plan, origin: Origin) -> Self {
        Self {
            step: 0,
            epoch: 1,
            step_in_epoch: 0,
            sums: Sums::default(),
            train_seconds: 0.0,
            wait_seconds: 0.0,
            frozen: plan.frozen.clone(),
            rate_factor: 1.0,
            plateau: plan.schedule.plateau().map(|(watcher, _)| watcher),
            stopping: plan.early_stopping.map(|stop| Watcher::new(stop.monitor, stop.patience, stop.min_delta)),
            best: None,
            stopped_early: false,
            origin,
        }
    }

    pub(super) fn next_epoch(&mut self) {
        self.epoch += 1;
        self.step_in_epoch = 0;
        self.sums = Sums::default();
        self.train_seconds = 0.0;
        self.wait_seconds = 0.0;
    }
}

impl Sums {
    pub fn add(&mut self, score: Score) {
        self.images += score.images;
        self.loss += score.loss_sum;
        self.correct += score.correct;
    }

    /// Means over images; not a number before the first image.
    pub fn metrics(&self) -> Metrics {
        let images = self.images as f64;
        Metrics { loss: self.loss / images, accuracy: self.correct as f64 / images }
    }
}

/// The figure that a monitor watches, taken from validation where there is one.
pub(super) fn figure(monitor: Monitor, train: Metrics, validation: Option<Metrics>) -> f64 {
    let metrics = validation.unwrap_or(train);
    match monitor {
        Monitor::ValLoss => metrics.loss,
        Monitor::ValAccuracy => metrics.accuracy,
    }
}
