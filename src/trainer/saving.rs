//! Checkpoints as the loop sees them: a copy in memory between two steps, and later the word that it is on the disk, or is not.

use std::{sync::Arc, time::Instant};

use super::{Record, Settled, Stepper, Trainer, Written};
use crate::{
    error::Result,
    event::{Answered, Checkpoint, CheckpointKind, Event, Level, Outcome},
};

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// Begins one. What becomes of it is told by [`settle`](Self::settle).
    pub(super) fn checkpoint(&mut self, kind: CheckpointKind) -> Result<()> {
        self.checkpoints(&[kind])
    }

    /// A disk that is full now may not be so at the next checkpoint: training goes on, and the last whole one stays.
    pub(super) fn checkpoint_or_warn(&mut self, kind: CheckpointKind) -> Result<()> {
        self.checkpoints_or_warn(&[kind])
    }

    pub(super) fn checkpoints_or_warn(&mut self, kinds: &[CheckpointKind]) -> Result<()> {
        match self.checkpoints(kinds) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.saved = Instant::now();
                self.warn_of_unsaved(&error.message())
            }
        }
    }

    /// Of the same moment, so one copy does for all.
    fn checkpoints(&mut self, kinds: &[CheckpointKind]) -> Result<()> {
        let begun = Instant::now();
        let tensors = Arc::new(self.stepper.save()?);
        for &kind in kinds {
            self.record.checkpoint(kind, Arc::clone(&tensors), &self.progress)?;
        }
        self.stalled = begun.elapsed().as_secs_f64();
        if kinds.contains(&CheckpointKind::Last) {
            self.saved = Instant::now();
        }
        Ok(())
    }

    /// Tells what became of checkpoints, and answers who asked for them. `wait`: until all are on the disk.
    pub(super) fn settle(&mut self, wait: bool) -> Result<()> {
        for Settled { kind, progress, seconds, outcome } in self.record.settled(wait) {
            let is_last = kind == CheckpointKind::Last;
            let (reached, asked): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.asked).into_iter().partition(|(_, step)| is_last && *step <= progress.step);
            self.asked = asked;
            let answer = match outcome {
                Ok(written) => {
                    self.warn_of_room(&written)?;
                    // Between two epochs it is the finished one that a person thinks of.
                    let epoch = progress.epoch - u32::from(progress.step_in_epoch == 0 && progress.epoch > 1);
                    self.record.say(Event::Checkpoint(Checkpoint {
                        kind,
                        step: progress.step,
                        epoch,
                        file: written.file,
                        bytes: written.bytes,
                        seconds,
                        stalled: self.stalled,
                    }))?;
                    Outcome::Applied
                }
                Err(error) => {
                    if reached.is_empty() {
                        self.warn_of_unsaved(&error.message())?;
                    }
                    Outcome::Rejected { reason: error.message() }
                }
            };
            for (request, step) in reached {
                let (id, by, request) = (request.id, request.by, request.command);
                self.record.say(Event::Answered(Answered {
                    id,
                    by,
                    request,
                    step,
                    outcome: answer.clone(),
                    moment: None,
                }))?;
            }
        }
        Ok(())
    }

    /// Once, until there is room again.
    fn warn_of_room(&mut self, written: &Written) -> Result<()> {
        /// Checkpoints that should still fit.
        const FIT: u64 = 3;
        let scarce = written.left.is_some_and(|left| left < FIT * written.bytes);
        if scarce && !self.room_told {
            let [left, bytes] =
                [written.left.unwrap_or(0), written.bytes].map(|bytes| bytes as f64 / f64::from(1 << 20));
            let message = format!(
                "the disk of the run has {left:.0} MiB left, and a checkpoint takes {bytes:.0} MiB: free some space, or lower \
                 train.keep_checkpoints"
            );
            self.record.say(Event::Log { level: Level::Warning, message })?;
        }
        self.room_told = scarce;
        Ok(())
    }

    fn warn_of_unsaved(&mut self, reason: &str) -> Result<()> {
        let message = format!("no checkpoint was written, the one before it stays: {reason}");
        self.record.say(Event::Log { level: Level::Error, message })
    }
}
