//! How fast the training loop goes: a [`Record`] that keeps nothing but times. The clock runs from the start of an epoch's loading to
//! its last step, so validation, pictures and checkpoints between two epochs are not in it; all that happens between two steps is.

use std::{
    sync::{Arc, mpsc::Sender},
    time::{Duration, Instant},
};

use image::RgbImage;

use super::{Progress, Record, SavedTensor, Settled};
use crate::{
    command::{Command, Request},
    error::Result,
    event::{CheckpointKind, Event, Steps},
};

/// Where a [`Pace`] stops the run.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    pub batch_size: usize,
    /// Images in an epoch.
    pub images: usize,
    /// Epochs that fill caches and are told apart.
    pub warm_up_epochs: u32,
    /// Least length of a window.
    pub window: Duration,
    pub windows: usize,
}

/// What was measured, images a second.
#[derive(Clone, Debug, Default)]
pub struct Paces {
    /// Of the warm-up epochs, the first steps left out. One an epoch.
    pub warm_up: Vec<f64>,
    pub steady: Vec<f64>,
    /// Share of the steady windows in which a step waited for its batch.
    pub data_wait: f64,
}

/// Times the steps of a run and asks it to stop once enough windows are full.
pub struct Pace {
    measure: Measure,
    stop: Sender<Request>,
    paces: Paces,
    /// When the steps began that the next event gathers; `None` before the first event of the run.
    since: Option<Instant>,
    open: Span,
    waited: Duration,
    in_windows: Duration,
}

#[derive(Default)]
struct Span {
    time: Duration,
    images: usize,
}

impl Pace {
    /// `stop` leads to the run's inbox.
    pub fn new(measure: Measure, stop: Sender<Request>) -> Self {
        Self {
            measure,
            stop,
            paces: Paces::default(),
            since: None,
            open: Span::default(),
            waited: Duration::ZERO,
            in_windows: Duration::ZERO,
        }
    }

    pub fn paces(self) -> Paces {
        let share = self.waited.as_secs_f64() / self.in_windows.as_secs_f64().max(1e-9);
        Paces { data_wait: share.min(1.0), ..self.paces }
    }

    fn steps(&mut self, steps: &Steps, now: Instant) {
        let Some(since) = self.since.replace(now) else { return };
        let took = now.duration_since(since);
        let reached = |step: u32| (step as usize * self.measure.batch_size).min(self.measure.images);
        self.open.time += took;
        self.open.images += reached(steps.step_in_epoch) - reached(steps.step_in_epoch.saturating_sub(steps.count));
        let warming = steps.epoch <= self.measure.warm_up_epochs;
        let is_full = if warming {
            reached(steps.step_in_epoch) == self.measure.images
        } else {
            self.waited += took.mul_f64(steps.data_wait.clamp(0.0, 1.0));
            self.in_windows += took;
            self.open.time >= self.measure.window
        };
        if is_full {
            let Span { time, images } = std::mem::take(&mut self.open);
            let rate = images as f64 / time.as_secs_f64().max(1e-9);
            if warming { self.paces.warm_up.push(rate) } else { self.paces.steady.push(rate) }
        }
        if self.paces.steady.len() == self.measure.windows {
            // A run that has just ended by itself hears nothing any more.
            let _ = self.stop.send(Request { id: 0, by: "bench".into(), command: Command::Stop });
        }
    }
}

impl Record for Pace {
    fn say(&mut self, event: Event) -> Result<()> {
        let now = Instant::now();
        match event {
            // The first steps of all come with everything that happens once; they only start the clock.
            Event::EpochStarted { epoch, .. } if epoch > 1 => self.since = Some(now),
            Event::Steps(steps) => self.steps(&steps, now),
            _ => {}
        }
        Ok(())
    }

    fn picture(&mut self, _: &RgbImage, _: bool) -> Result<String> {
        Ok(String::new())
    }

    fn checkpoint(&mut self, _: CheckpointKind, _: Arc<Vec<SavedTensor>>, _: &Progress) -> Result<()> {
        Ok(())
    }

    fn settled(&mut self, _: bool) -> Vec<Settled> {
        Vec::new()
    }

    fn go_back(&mut self, _: u32) -> Result<()> {
        Ok(())
    }

    fn forget(&mut self, _: u32) {}

    fn read_checkpoint(&mut self, _: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::event::Gathered;

    const GATHERED: Gathered = Gathered { mean: 0.0, min: 0.0, max: 0.0, last: 0.0 };

    fn steps(epoch: u32, step_in_epoch: u32, count: u32, data_wait: f64) -> Steps {
        Steps {
            epoch,
            step: 0,
            step_in_epoch,
            count,
            loss: GATHERED,
            accuracy: GATHERED,
            learning_rate: 0.0,
            images_per_second: 0.0,
            data_wait,
        }
    }

    #[test]
    fn windows_hold_the_images_of_their_steps_and_the_short_last_batch_counts_as_it_is() {
        let (stop, inbox) = channel();
        let second = Duration::from_secs(1);
        let measure = Measure { batch_size: 4, images: 10, warm_up_epochs: 1, window: second * 2, windows: 2 };
        let mut pace = Pace::new(measure, stop);
        let begun = Instant::now();
        let at = |seconds: u32| begun + second * seconds;
        // Epoch 1: 4 images start the clock, the other 6 take 3 s. Epoch 2: 8 images in 2 s, then 2 images in 1 s.
        pace.steps(&steps(1, 1, 1, 0.0), at(5));
        pace.steps(&steps(1, 3, 2, 0.9), at(8));
        pace.since = Some(at(20));
        pace.steps(&steps(2, 2, 2, 0.5), at(22));
        assert!(inbox.try_recv().is_err(), "one window is not two");
        pace.steps(&steps(2, 3, 1, 0.0), at(23));
        pace.since = Some(at(30));
        pace.steps(&steps(3, 1, 1, 0.0), at(31));
        assert_eq!(inbox.try_recv().map(|request| request.command), Ok(Command::Stop));
        let paces = pace.paces();
        assert_eq!(paces.warm_up, [2.0]);
        assert_eq!(paces.steady, [4.0, 3.0]);
        assert_eq!(paces.data_wait, 0.25, "half of two seconds out of four");
    }
}
