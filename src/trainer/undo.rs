//! Going back: before each command that changes training a checkpoint is kept, the newest few of them, and `undo` returns to the last one
//! with data order, optimiser, schedule, freeze mask and all else. What was done since stays in the journal, and counts no more.

use serde::{Deserialize, Serialize};

use super::{Progress, Record, SavedTensor, Stepper, Trainer};
use crate::{
    command::Command,
    error::{Error, Result},
    event::{CheckpointKind, Event, Undone},
};

/// Where a run stood before an intervention. Several in a row, with no step between them, share one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoPoint {
    /// Of its checkpoint.
    pub number: u32,
    pub step: u64,
    pub epoch: u32,
    pub phase: usize,
    /// The first intervention behind it, as it was typed.
    pub what: String,
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// Before `command` is carried out. On a disk that is full the run goes on; what cannot be read later cannot be undone.
    pub(super) fn keep_undo_point(&mut self, command: &Command) -> Result<()> {
        let Progress { step, epoch, phase, .. } = self.progress;
        let last = self.progress.undo.last();
        if self.plan.undo == 0 || last.is_some_and(|last| (last.step, last.epoch, last.phase) == (step, epoch, phase)) {
            return Ok(());
        }
        let number = last.map_or(0, |last| last.number + 1);
        self.checkpoint_or_warn(CheckpointKind::Undo(number))?;
        self.progress.undo.push(UndoPoint { number, step, epoch, phase, what: command.to_string() });
        while self.progress.undo.len() > self.plan.undo {
            let oldest = self.progress.undo.remove(0);
            self.record.forget(oldest.number);
        }
        Ok(())
    }

    /// What lies at the last point. One that cannot be read is given up, so that the next undo finds the one before.
    pub(super) fn read_undo_point(&mut self) -> Result<(Vec<SavedTensor>, Progress)> {
        let point = self.progress.undo.last().cloned();
        let point = point.ok_or_else(|| Error::internal("nothing was done that could be undone"))?;
        let read = self.record.read_checkpoint(CheckpointKind::Undo(point.number));
        match read {
            // A write that failed leaves what had that number before.
            Ok(Some((tensors, progress))) if (progress.step, progress.epoch) == (point.step, point.epoch) => {
                Ok((tensors, progress))
            }
            other => {
                self.progress.undo.pop();
                let reason = other.err().map_or_else(|| "it is not there".into(), |error| error.message());
                Err(Error::environment(
                    format!("the checkpoint before \"{}\" cannot be read: {reason}", point.what),
                    None,
                ))
            }
        }
    }

    pub(super) fn undo(&mut self, tensors: &[SavedTensor], to: Progress) -> Result<()> {
        self.flush()?;
        let from = self.progress.step;
        let Some(point) = self.progress.undo.last().cloned() else { return Ok(()) };
        self.record.go_back(point.number)?;
        self.record.forget(point.number);
        // Pins bend no curve, and whoever pinned an image since wants to see it still.
        let pinned = self.progress.pinned.clone();
        self.stand_at(tensors, Progress { pinned, ..to })?;
        self.hold = None;
        // On the disk before anybody is told: a killed run must not come back with what was undone.
        self.checkpoint_or_warn(CheckpointKind::Last)?;
        self.settle(true)?;
        let Progress { step, epoch, step_in_epoch, interventions, .. } = self.progress;
        self.record.say(Event::Undone(Undone {
            from,
            to: step,
            epoch,
            step_in_epoch,
            interventions,
            what: point.what,
        }))?;
        self.say_phases()?;
        self.say_trainable()?;
        let rate = self.rate();
        self.record.say(Event::LearningRate { step, rate, why: "undone".into(), layers: Vec::new() })
    }
}
