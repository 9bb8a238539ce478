//! How far the run is, and how long the rest takes, validation counted in.

use super::RunState;
use crate::event::SplitName;

/// A forward pass alone is about a third of a training step's work (backward costs twice the forward): the guess until a validation was timed.
const EVALUATION_SPEEDUP: f64 = 3.0;

/// Seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Remaining {
    pub epoch: f64,
    pub total: f64,
}

impl RunState {
    pub fn epochs_planned(&self) -> u32 {
        self.run.as_ref().map_or(0, |r| r.epochs)
    }

    pub fn steps_per_epoch(&self) -> u32 {
        self.data.as_ref().map_or(0, |d| d.steps_per_epoch)
    }

    /// Share of this epoch's steps that are done, 0–1.
    pub fn epoch_share(&self) -> f64 {
        share(self.step_in_epoch.into(), self.steps_per_epoch().into())
    }

    /// Share of all epochs' steps that are done, 0–1.
    pub fn total_share(&self) -> f64 {
        share(self.step, u64::from(self.epochs_planned()) * u64::from(self.steps_per_epoch()))
    }

    /// What is left at the present speed. `None` before the first measurement, and once the run has ended.
    pub fn remaining(&self) -> Option<Remaining> {
        let (data, speed) = (self.data.as_ref()?, self.speed.filter(|s| *s > 0.0)?);
        if self.is_over() {
            return None;
        }
        let train = data.train as f64 / speed;
        let validation = self.validation_seconds(speed);
        let epochs_left = self.epochs_planned().saturating_sub(self.epoch);
        let ended = self.epochs.last().is_some_and(|e| e.epoch == self.epoch);
        let epoch = match self.evaluating {
            Some((SplitName::Test, done, total)) => {
                (1.0 - share(done, total)) * total as f64 / speed / EVALUATION_SPEEDUP
            }
            Some((_, done, total)) => (1.0 - share(done, total)) * validation,
            None if ended => 0.0,
            None => train * (1.0 - self.epoch_share()) + validation,
        };
        Some(Remaining { epoch, total: epoch + f64::from(epochs_left) * (train + validation) })
    }

    fn validation_seconds(&self, speed: f64) -> f64 {
        let timed = self.epochs.iter().rev().find(|e| e.validation.is_some()).map(|e| e.validation_seconds);
        timed.unwrap_or_else(|| self.data.as_ref().map_or(0, |d| d.validation) as f64 / speed / EVALUATION_SPEEDUP)
    }
}

fn share(done: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { (done as f64 / total as f64).min(1.0) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::event::{DataOpened, EpochEnded, Metrics, RunStarted};

    /// 10 epochs of 1,000 images in 10 steps at 100 images a second: 10 s an epoch, and 600 validation images.
    fn running(step: u64) -> RunState {
        RunState {
            run: Some(RunStarted { epochs: 10, ..started() }),
            data: Some(DataOpened {
                classes: vec![],
                train: 1000,
                validation: 600,
                test: 300,
                steps_per_epoch: 10,
                pinned: SplitName::Validation,
            }),
            speed: Some(100.0),
            step,
            epoch: (step / 10 + 1) as u32,
            step_in_epoch: (step % 10) as u32,
            ..RunState::default()
        }
    }

    fn started() -> RunStarted {
        RunStarted {
            protocol: 1,
            version: String::new(),
            run: String::new(),
            model: String::new(),
            phase: String::new(),
            epochs: 0,
            batch_size: 100,
            layers: vec![],
            loss: String::new(),
            optimizer: String::new(),
            resumed: None,
        }
    }

    fn epoch(epoch: u32, validation_seconds: f64) -> EpochEnded {
        let figures = Metrics { loss: 0.1, accuracy: 0.9 };
        EpochEnded {
            epoch,
            step: u64::from(epoch) * 10,
            train: figures,
            validation: Some(figures),
            learning_rate: 0.1,
            train_seconds: 10.0,
            validation_seconds,
            images_per_second: 100.0,
            data_wait: 0.0,
        }
    }

    fn check(state: &RunState, epoch: f64, total: f64) {
        let left = state.remaining().unwrap();
        assert!((left.epoch - epoch).abs() < 1e-9 && (left.total - total).abs() < 1e-9, "{left:?}");
    }

    #[test]
    fn the_first_epoch_guesses_validation_at_three_times_the_speed() {
        // 5 s of training and 600 / 300 = 2 s of validation, then nine epochs of 12 s.
        check(&running(5), 7.0, 7.0 + 108.0);
    }

    #[test]
    fn a_timed_validation_counts_as_measured() {
        let mut state = running(15);
        state.epochs.push(epoch(1, 4.0));
        check(&state, 9.0, 9.0 + 8.0 * 14.0);
    }

    #[test]
    fn during_validation_its_rest_is_left() {
        let mut state = running(15);
        state.epochs.push(epoch(1, 4.0));
        state.step_in_epoch = 10;
        state.evaluating = Some((SplitName::Validation, 150, 600));
        check(&state, 3.0, 3.0 + 8.0 * 14.0);
    }

    #[test]
    fn nothing_is_promised_without_a_measurement() {
        assert_eq!(RunState::default().remaining(), None);
        let stalled = RunState { speed: Some(0.0), ..running(5) };
        assert_eq!(stalled.remaining(), None);
    }
}
