//! From phase to phase: what one takes up when it begins, how it ends, and what people do with phases while they run.
//! The last checkpoint is written anew before a phase's first step, so that a resumed run never has to end the one before again.

use super::{Inserted, Record, Stepper, Trainer};
use crate::{
    error::Result,
    event::{CheckpointKind, Event, Level, PhaseEnd, PhaseEnded, PhaseStarted, State},
    plan::Phase,
};

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// The phase under way.
    pub(super) fn phase(&self) -> &Phase {
        &self.phases[self.progress.phase]
    }

    /// Whether an epoch of this phase is under way or still to come.
    pub(super) fn has_epoch_left(&self) -> bool {
        let progress = &self.progress;
        let is_over = progress.phase_ended.is_some() || progress.epochs_in_phase() >= self.phase().epochs;
        progress.step_in_epoch > 0 || !is_over
    }

    /// Ends the phase under way and begins the next one; whether there is one.
    pub(super) fn next_phase(&mut self) -> Result<bool> {
        let how = self.progress.phase_ended.unwrap_or(PhaseEnd::Completed);
        let next = self.progress.phase + 1;
        let is_last = next == self.phases.len();
        let wanted = !is_last && how != PhaseEnd::Skipped && self.phase().restore_best;
        let restored = wanted && self.restore_best()?;
        if wanted && !restored {
            let message = format!("phase \"{}\" has no best weights; its last ones stay", self.phase().name);
            self.record.say(Event::Log { level: Level::Warning, message })?;
        }
        self.record.say(Event::PhaseEnded(PhaseEnded {
            phase: next as u32,
            count: self.phases.len() as u32,
            name: self.phase().name.clone(),
            step: self.progress.step,
            epoch: self.progress.epoch - 1,
            how,
            restored,
        }))?;
        if is_last {
            return Ok(false);
        }
        let frozen_before = self.progress.frozen.clone();
        self.progress.begin_phase(next, &self.phases[next]);
        self.stepper.begin_phase(&self.phases[next])?;
        self.stepper.set_frozen(&self.progress.frozen)?;
        self.stepper.tune(&self.progress.tuning)?;
        self.rearrange();
        self.last_rate = None;
        self.say_phases()?;
        self.say_phase_started()?;
        self.say_trainable()?;
        self.warn_of_raw_head(&frozen_before)?;
        self.checkpoint_or_warn(CheckpointKind::Last)?;
        Ok(true)
    }

    /// Goes back to this phase's best weights, if one of its epochs has left any.
    pub(super) fn restore_best(&mut self) -> Result<bool> {
        let best = match self.record.read_checkpoint(CheckpointKind::Best) {
            Ok(best) => best,
            // The weights of this moment are less good, and all that there is.
            Err(error) => {
                let message = format!("the best checkpoint cannot be read: {}", error.message());
                self.record.say(Event::Log { level: Level::Error, message })?;
                None
            }
        };
        match best {
            Some((tensors, best))
                if best.phase == self.progress.phase && best.phase_step == self.progress.phase_step =>
            {
                self.stepper.restore(&tensors)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// At the beginning of an engine's life: also a resumed one may stand where a phase begins.
    pub(super) fn open_phase(&mut self) -> Result<()> {
        self.say_phases()?;
        let progress = &self.progress;
        let begins = progress.step_in_epoch == 0 && progress.epochs_in_phase() == 0 && progress.phase_ended.is_none();
        if begins { self.say_phase_started() } else { Ok(()) }
    }

    pub(super) fn say_phases(&mut self) -> Result<()> {
        self.record.say(Event::Phases(self.progress.told(self.plan, &self.phases)))
    }

    fn say_phase_started(&mut self) -> Result<()> {
        self.record.say(Event::PhaseStarted(PhaseStarted {
            phase: self.progress.phase as u32 + 1,
            count: self.phases.len() as u32,
            name: self.phase().name.clone(),
            step: self.progress.step,
            epoch: self.progress.epoch,
        }))
    }

    /// After this step; what the epoch has done is still validated.
    pub(super) fn end_phase(&mut self) {
        self.progress.phase_ended = Some(PhaseEnd::Ended);
    }

    /// At once. Only a validation that is under way is brought to its end.
    pub(super) fn skip_phase(&mut self) -> Result<()> {
        self.progress.phase_ended = Some(PhaseEnd::Skipped);
        if self.progress.step_in_epoch > 0 && self.doing != State::Evaluating {
            self.flush()?;
            self.progress.next_epoch();
        }
        Ok(())
    }

    /// Behind the phase under way. The line is known to be a phase.
    pub(super) fn insert_phase(&mut self, line: String) -> Result<()> {
        let at = self.progress.phase + 1;
        self.phases.insert(at, self.plan.phase(&line)?);
        self.progress.inserted.push(Inserted { at, phase: line });
        self.say_phases()
    }
}
