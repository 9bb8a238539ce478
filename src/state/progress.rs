//! How far the run is, and how long the rest takes, validation counted in.

use super::RunState;
use crate::event::{DataOpened, PhaseInfo, Phases, SplitName};

/// A forward pass alone is about a third of a training step's work (backward costs twice the forward): the guess until a validation was timed.
const EVALUATION_SPEEDUP: f64 = 3.0;

/// Seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Remaining {
    pub epoch: f64,
    pub total: f64,
}

impl RunState {
    /// The number of the last epoch of all, as it is planned now.
    pub fn epochs_planned(&self) -> u32 {
        self.phases.as_ref().map_or_else(|| self.run.as_ref().map_or(0, |r| r.epochs), Phases::last_epoch)
    }

    /// In the phase under way.
    pub fn steps_per_epoch(&self) -> u32 {
        let phase = self.phases.as_ref().and_then(|phases| phases.coming().next());
        self.data.as_ref().map_or(0, |data| phase.map_or(data.steps_per_epoch, |phase| steps(data, phase)))
    }

    /// The step that will be the last, if no phase ends before its time.
    fn steps_planned(&self) -> u64 {
        let (Some(data), Some(phases)) = (&self.data, &self.phases) else {
            return u64::from(self.epochs_planned()) * u64::from(self.steps_per_epoch());
        };
        let coming = phases.coming().map(|phase| u64::from(phase.epochs) * u64::from(steps(data, phase)));
        phases.first_step + coming.sum::<u64>()
    }

    /// Share of this epoch's steps that are done, 0–1.
    pub fn epoch_share(&self) -> f64 {
        share(self.step_in_epoch.into(), self.steps_per_epoch().into())
    }

    /// Share of all epochs' steps that are done, 0–1.
    pub fn total_share(&self) -> f64 {
        share(self.step, self.steps_planned())
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

/// Steps of an epoch of a phase.
fn steps(data: &DataOpened, phase: &PhaseInfo) -> u32 {
    data.train.div_ceil(u64::from(phase.batch_size.max(1))) as u32
}

fn share(done: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { (done as f64 / total as f64).min(1.0) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::event::{EpochEnded, Metrics, RunStarted};

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
    fn phases_of_other_batches_count_with_their_own_steps() {
        let phase = |epochs, batch_size| PhaseInfo {
            name: String::new(),
            epochs,
            batch_size,
            optimizer: String::new(),
            rates: [0.1, 0.1],
            augmented: false,
        };
        let mut state = running(15);
        // The first was ended after 15 steps; 3 epochs of 20 steps and one of 10 are to come.
        let phases = vec![phase(9, 100), phase(3, 50), phase(1, 100)];
        state.phases = Some(Phases { current: 2, first_step: 15, first_epoch: 3, phases });
        (state.epoch, state.step_in_epoch, state.step) = (3, 10, 25);
        assert_eq!((state.epochs_planned(), state.steps_per_epoch()), (6, 20));
        assert!((state.epoch_share() - 0.5).abs() < 1e-12);
        assert!((state.total_share() - 25.0 / 85.0).abs() < 1e-12);
        // Half an epoch is 5 s and 2 s of validation, then three epochs of 12 s.
        check(&state, 7.0, 43.0);
    }

    #[test]
    fn nothing_is_promised_without_a_measurement() {
        assert_eq!(RunState::default().remaining(), None);
        let stalled = RunState { speed: Some(0.0), ..running(5) };
        assert_eq!(stalled.remaining(), None);
    }
}
