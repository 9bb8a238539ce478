//! A measurement that somebody asks for in the middle of training. It must not disturb anything: what comes after it is bit by bit what
//! would have come without.

use std::{
    ops::ControlFlow::{self, Break, Continue},
    time::Instant,
};

use super::{Leave, Record, Stepper, Trainer};
use crate::{
    command::HeldOut,
    error::Result,
    event::{CheckpointKind, Event, Measured, SplitName, State, Tested},
};

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    pub(super) fn measure(&mut self, split: HeldOut) -> Result<ControlFlow<Leave>> {
        self.flush()?;
        let split = match split {
            HeldOut::Validation => SplitName::Validation,
            HeldOut::Test => SplitName::Test,
        };
        let (begun, doing) = (Instant::now(), self.doing);
        self.measuring = true;
        let outcome = self.tested(split, CheckpointKind::Last);
        self.measuring = false;
        // The pass has served a loader of its own, and may have been the first to see that the mask has changed.
        self.keeping.refrozen = true;
        let Tested { metrics, images, .. } = match outcome? {
            Break(leave) => return Ok(Break(leave)),
            Continue(tested) => tested,
        };
        let (step, epoch) = (self.progress.step, self.progress.epoch);
        self.record.say(Event::Measured(Measured {
            split,
            step,
            epoch,
            metrics,
            images,
            seconds: begun.elapsed().as_secs_f64(),
        }))?;
        self.doing = doing;
        // The time belongs to no step.
        self.meter = super::Meter::new();
        self.paused_for += begun.elapsed();
        let state = if self.paused { State::Paused } else { doing };
        self.record.say(Event::StateChanged { state, step })?;
        Ok(Continue(()))
    }

    /// Whether the steps of the epoch are done, and it is judged now.
    pub(super) fn is_validating(&self) -> bool {
        self.doing == State::Evaluating && !self.measuring
    }
}
