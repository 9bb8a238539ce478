//! Commands, applied between two steps. Each is answered with the step at which it took effect, or with the reason why not.

use std::{
    ops::ControlFlow::{self, Break, Continue},
    time::{Duration, Instant},
};

use super::{Record, Stepper, Trainer};
use crate::{
    command::{Command, Request},
    error::Result,
    event::{Answered, CheckpointKind, Event, Moment, OUT_OF_TIME, Outcome, State},
};

/// While paused the trainer wakes so often to serve what viewers look at.
const PAUSED_WAKE: Duration = Duration::from_millis(100);

/// Why the loop is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leave {
    Stopped {
        by: String,
    },
    /// Without a checkpoint.
    Aborted {
        by: String,
    },
    /// Not for good: the run stands elsewhere now, and goes on from there.
    Moved,
}

/// Where a run that goes on is to pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// So many steps were done since the run began.
    AtStep(u64),
    /// Behind this epoch.
    Behind(u32),
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// Takes every request that has arrived; while the run is paused it stays here. Breaks when the run is to end.
    pub(super) fn obey(&mut self) -> Result<ControlFlow<Leave>> {
        self.hold_if_due()?;
        loop {
            self.settle(false)?;
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                let by = OUT_OF_TIME.to_owned();
                // Whoever repeats the run finds the place.
                self.say_done(by.clone(), Command::Stop)?;
                return Ok(Break(Leave::Stopped { by }));
            }
            while let Some(request) = self.scripted()? {
                if let Break(leave) = self.answer(request)? {
                    return Ok(Break(leave));
                }
            }
            while let Some(request) = self.next_request() {
                let Some(request) = self.kept_off(request)? else { continue };
                if let Break(leave) = self.answer(request)? {
                    return Ok(Break(leave));
                }
            }
            if !self.paused || self.measuring {
                return Ok(Continue(()));
            }
            let begun = Instant::now();
            self.look_if_due()?;
            let wake = if self.easel.is_at_work() { Duration::ZERO } else { PAUSED_WAKE };
            let request = self.inbox.wait(wake);
            self.paused_for += begun.elapsed();
            if let Some(request) = request
                && let Some(request) = self.kept_off(request)?
                && let Break(leave) = self.answer(request)?
            {
                return Ok(Break(leave));
            }
        }
    }

    /// In a measurement that somebody asked for only what ends the run is heard; the rest waits until it is over.
    fn next_request(&mut self) -> Option<Request> {
        if !self.measuring {
            return self.deferred.pop_front().or_else(|| self.inbox.take());
        }
        while let Some(request) = self.inbox.take() {
            if matches!(request.command, Command::Stop | Command::Abort) {
                return Some(request);
            }
            self.deferred.push_back(request);
        }
        None
    }

    fn answer(&mut self, request: Request) -> Result<ControlFlow<Leave>> {
        let Request { id, by, command } = request;
        let mut refused = self.refusal(&command);
        // Answered once it is on the disk; everything else takes effect at once.
        if refused.is_none() && command == Command::Checkpoint {
            match self.checkpoint(CheckpointKind::Last) {
                Ok(()) => {
                    self.asked.push((Request { id, by, command }, self.progress.step));
                    return self.settle(false).map(Continue);
                }
                Err(error) => refused = Some(error.message()),
            }
        }
        let mut point = None;
        if refused.is_none() && command == Command::Undo {
            match self.read_undo_point() {
                Ok(found) => point = Some(found),
                Err(error) => refused = Some(error.message()),
            }
        }
        if refused.is_none() && command.intervenes() {
            self.keep_undo_point(&command)?;
        }
        let moment = Some(self.moment());
        let outcome = match &refused {
            Some(reason) => Outcome::Rejected { reason: reason.clone() },
            None => Outcome::Applied,
        };
        let step = self.progress.step;
        let answer = Answered { id, by: by.clone(), request: command.clone(), step, outcome, moment };
        self.record.say(Event::Answered(answer))?;
        if refused.is_some() {
            return Ok(Continue(()));
        }
        if let Some((tensors, progress)) = point {
            return self.undo(&tensors, progress).map(|()| Break(Leave::Moved));
        }
        self.progress.interventions += u64::from(command.intervenes());
        self.carry_out(command, by)
    }

    /// What nobody has asked for and is done all the same, as if somebody had.
    pub(super) fn say_done(&mut self, by: String, request: Command) -> Result<()> {
        let (step, outcome, moment) = (self.progress.step, Outcome::Applied, Some(self.moment()));
        self.record.say(Event::Answered(Answered { id: 0, by, request, step, outcome, moment }))
    }

    /// While a run repeats another one nobody else may change it.
    fn kept_off(&mut self, request: Request) -> Result<Option<Request>> {
        let Some(last) =
            self.script.back().filter(|_| request.command.intervenes() || request.command == Command::Undo)
        else {
            return Ok(Some(request));
        };
        let reason = format!("the run repeats another one until step {}", last.step);
        let Request { id, by, command: request } = request;
        let (step, outcome, moment) = (self.progress.step, Outcome::Rejected { reason }, Some(self.moment()));
        self.record.say(Event::Answered(Answered { id, by, request, step, outcome, moment }))?;
        Ok(None)
    }

    pub(super) fn moment(&self) -> Moment {
        Moment {
            epoch: self.progress.epoch,
            phase: self.progress.phase as u32 + 1,
            // Behind an epoch the next one has begun already.
            evaluating: self.doing == State::Evaluating && self.progress.step_in_epoch > 0,
            interventions: self.progress.interventions,
        }
    }

    fn carry_out(&mut self, command: Command, by: String) -> Result<ControlFlow<Leave>> {
        match command {
            Command::Pause => self.pause()?,
            Command::Resume => self.resume()?,
            Command::Step { steps } => self.go_on_until(Hold::AtStep(self.progress.step.saturating_add(steps)))?,
            Command::Epoch => self.go_on_until(Hold::Behind(self.progress.epoch))?,
            Command::Freeze { layers } => self.freeze(&layers)?,
            Command::Unfreeze { layers } => self.unfreeze(&layers)?,
            Command::FrostLine { layer } => self.freeze_exactly(&self.below(layer.as_deref()))?,
            Command::LearningRate { rate, layers } => self.hold_rate(rate, &layers, &by)?,
            Command::ScaleRate { factor, layers } => self.scale_rate(factor, &layers, &by)?,
            Command::Schedule { layers } => self.return_to_schedule(&layers, &by)?,
            Command::Augmentation { factor } => self.set_augmentation(factor),
            Command::BatchSize { images } => self.set_batch_size(images)?,
            Command::MicroBatch { images } => self.set_micro_batch(images),
            Command::Dropout { rate, layers } => self.set_dropout(rate, &layers)?,
            Command::WeightDecay { decay } => self.set_weight_decay(decay)?,
            Command::EndPhase => self.end_phase(),
            Command::SkipPhase => self.skip_phase()?,
            Command::InsertPhase { phase } => self.insert_phase(phase)?,
            Command::Evaluate { split } => return self.measure(split),
            Command::Pin { sample } => self.pin(sample)?,
            Command::Unpin { sample } => self.unpin(sample)?,
            // Its answer is the mark.
            Command::Note { .. } | Command::Checkpoint | Command::Undo => {}
            Command::Stop => return Ok(Break(Leave::Stopped { by })),
            Command::Abort => return Ok(Break(Leave::Aborted { by })),
        }
        Ok(Continue(()))
    }

    pub(super) fn pause(&mut self) -> Result<()> {
        self.hold = None;
        self.flush()?;
        self.say_layers()?;
        self.paused = true;
        self.record.say(Event::StateChanged { state: State::Paused, step: self.progress.step })
    }

    fn resume(&mut self) -> Result<()> {
        self.hold = None;
        self.paused = false;
        // The time spent paused belongs to no step.
        self.meter = super::Meter::new();
        self.say_doing(self.doing)
    }

    fn go_on_until(&mut self, hold: Hold) -> Result<()> {
        if self.paused {
            self.resume()?;
        }
        self.hold = Some(hold);
        Ok(())
    }

    /// Whether the run has come to where somebody wanted it to pause.
    pub(super) fn is_held_here(&self) -> bool {
        match self.hold {
            None => false,
            Some(Hold::AtStep(step)) => self.progress.step >= step,
            Some(Hold::Behind(epoch)) => self.progress.epoch > epoch,
        }
    }

    fn hold_if_due(&mut self) -> Result<()> {
        if self.is_held_here() && !self.paused && !self.measuring { self.pause() } else { Ok(()) }
    }
}
