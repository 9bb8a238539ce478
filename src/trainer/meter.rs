//! Gathers steps into events, at most ten a second, and tells how fast the run goes and how long the step waits for data.

use std::time::{Duration, Instant};

use super::{Progress, Score};
use crate::event::{Gathered, Steps};

/// Ten events a second.
const INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub struct Meter {
    since: Instant,
    count: u32,
    images: u64,
    waited: Duration,
    loss: Range,
    accuracy: Range,
}

impl Meter {
    pub fn new() -> Self {
        Self {
            since: Instant::now(),
            count: 0,
            images: 0,
            waited: Duration::ZERO,
            loss: Range::default(),
            accuracy: Range::default(),
        }
    }

    /// Takes one step's sums and the time for which it waited for its batch.
    pub fn add(&mut self, score: Score, waited: Duration) {
        let images = score.images.max(1) as f64;
        self.count += 1;
        self.images += score.images;
        self.waited += waited;
        self.loss.add(score.loss_sum / images, images);
        self.accuracy.add(score.correct as f64 / images, images);
    }

    pub fn is_due(&self) -> bool {
        self.count > 0 && self.since.elapsed() >= INTERVAL
    }

    /// What was gathered, and a new beginning; `None` when nothing was.
    pub fn flush(&mut self, progress: &Progress, learning_rate: f64) -> Option<Steps> {
        let gathered = std::mem::replace(self, Self::new());
        if gathered.count == 0 {
            return None;
        }
        let seconds = gathered.since.elapsed().as_secs_f64().max(1e-9);
        Some(Steps {
            epoch: progress.epoch,
            step: progress.step,
            step_in_epoch: progress.step_in_epoch,
            count: gathered.count,
            loss: gathered.loss.gathered(),
            accuracy: gathered.accuracy.gathered(),
            learning_rate,
            images_per_second: gathered.images as f64 / seconds,
            data_wait: (gathered.waited.as_secs_f64() / seconds).min(1.0),
        })
    }
}

#[derive(Debug)]
struct Range {
    sum: f64,
    weight: f64,
    min: f64,
    max: f64,
    last: f64,
}

impl Default for Range {
    fn default() -> Self {
        Self { sum: 0.0, weight: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, last: f64::NAN }
    }
}

impl Range {
    fn add(&mut self, value: f64, weight: f64) {
        self.sum += value * weight;
        self.weight += weight;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.last = value;
    }

    fn gathered(&self) -> Gathered {
        Gathered { mean: self.sum / self.weight, min: self.min, max: self.max, last: self.last }
    }
}
