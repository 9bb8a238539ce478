//! Commands, applied between two steps. Each is answered with the step at which it took effect, or with the reason why not.

use std::{
    ops::ControlFlow::{self, Break, Continue},
    time::{Duration, Instant},
};

use super::{Record, Stepper, Trainer};
use crate::{
    command::{Command, Request},
    error::{Error, Result},
    event::{Answered, CheckpointKind, Event, OUT_OF_TIME, Outcome, State, Trainable},
    plan::{check_freezable, check_left_to_train},
};

/// While paused the trainer wakes so often to serve what viewers look at.
const PAUSED_WAKE: Duration = Duration::from_millis(100);

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// Takes every request that has arrived; while the run is paused it stays here. Breaks with the name of who stopped the run.
    pub(super) fn obey(&mut self) -> Result<ControlFlow<String>> {
        loop {
            self.settle(false)?;
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Break(OUT_OF_TIME.to_owned()));
            }
            while let Some(request) = self.inbox.take() {
                if let Break(by) = self.answer(request)? {
                    return Ok(Break(by));
                }
            }
            if !self.paused {
                return Ok(Continue(()));
            }
            let begun = Instant::now();
            self.look_if_due()?;
            let wake = if self.easel.is_at_work() { Duration::ZERO } else { PAUSED_WAKE };
            let request = self.inbox.wait(wake);
            self.paused_for += begun.elapsed();
            if let Some(request) = request
                && let Break(by) = self.answer(request)?
            {
                return Ok(Break(by));
            }
        }
    }

    fn answer(&mut self, request: Request) -> Result<ControlFlow<String>> {
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
        let outcome = match &refused {
            Some(reason) => Outcome::Rejected { reason: reason.clone() },
            None => Outcome::Applied,
        };
        let step = self.progress.step;
        let answer = Answered { id, by: by.clone(), request: command.clone(), step, outcome };
        self.record.say(Event::Answered(answer))?;
        if refused.is_some() {
            return Ok(Continue(()));
        }
        match command {
            Command::Pause => self.pause()?,
            Command::Resume => self.resume()?,
            Command::Freeze { layers } => {
                let mut frozen = self.progress.frozen.clone();
                frozen.extend(layers);
                self.freeze_exactly(&frozen)?;
            }
            Command::Unfreeze { layers } => {
                let frozen =
                    self.progress.frozen.iter().filter(|name| !layers.contains(name)).cloned().collect::<Vec<_>>();
                self.freeze_exactly(&frozen)?;
            }
            Command::FrostLine { layer } => self.freeze_exactly(&self.below(layer.as_deref()))?,
            Command::LearningRate { rate } => self.set_rate(rate, &by)?,
            Command::EndPhase => self.end_phase(),
            Command::SkipPhase => self.skip_phase()?,
            Command::InsertPhase { phase } => self.insert_phase(phase)?,
            Command::Pin { sample } => self.pin(sample)?,
            Command::Unpin { sample } => self.unpin(sample)?,
            Command::Checkpoint => {}
            Command::Stop => return Ok(Break(by)),
        }
        Ok(Continue(()))
    }

    /// While the schedule still warms up, `rate` is what it warms up to: the present one would lift the whole height with it.
    fn set_rate(&mut self, rate: f64, by: &str) -> Result<()> {
        let mut why = format!("set by {by}");
        if self.phase().schedule.warms_up(self.epochs_done()) {
            self.progress.rate_factor = rate / self.phase().learning_rate;
            why.push_str(", at the end of the warm-up");
        } else {
            self.progress.rate_factor *= rate / self.rate();
        }
        self.record.say(Event::LearningRate { step: self.progress.step, rate, why })
    }

    /// Why the command cannot be carried out now, in words for the person who gave it.
    fn refusal(&self, command: &Command) -> Option<String> {
        if let Some(problem) = command.senseless() {
            return Some(problem);
        }
        match command {
            Command::Freeze { .. }
            | Command::Unfreeze { .. }
            | Command::FrostLine { .. }
            | Command::LearningRate { .. }
            | Command::EndPhase
            | Command::SkipPhase
            | Command::InsertPhase { .. }
            | Command::Pin { .. }
            | Command::Unpin { .. }
            | Command::Checkpoint
                if self.testing =>
            {
                Some("training is over and saved; the best weights are being tested".into())
            }
            Command::Pause if self.paused => Some("the run is paused already".into()),
            Command::Resume if !self.paused => Some("the run is not paused".into()),
            Command::Freeze { layers } => self.refused_layers(layers).or_else(|| {
                let already = |name: &&String| self.progress.frozen.contains(name);
                let mut frozen = self.progress.frozen.clone();
                frozen.extend(layers.iter().cloned());
                if layers.iter().all(|name| already(&name)) {
                    Some(format!("{} frozen already", are(layers)))
                } else {
                    self.refused_mask(&frozen)
                }
            }),
            Command::Unfreeze { layers } => self.refused_layers(layers).or_else(|| {
                let thawed = layers.iter().all(|name| !self.progress.frozen.contains(name));
                thawed.then(|| format!("{} not frozen", are(layers)))
            }),
            Command::FrostLine { layer: Some(layer) } => match self.plan.arch.position(layer) {
                None => Some(format!("there is no layer \"{layer}\"")),
                Some(_) => self.refused_mask(&self.below(Some(layer))),
            },
            Command::LearningRate { .. }
                if self.rate() == 0.0 && !self.phase().schedule.warms_up(self.epochs_done()) =>
            {
                Some("the schedule has come to its end, where the rate is 0".into())
            }
            Command::EndPhase | Command::SkipPhase if self.progress.phase_ended.is_some() => {
                Some("the phase is ending already".into())
            }
            Command::SkipPhase if self.progress.phase + 1 == self.phases.len() => {
                Some("there is no phase after this one; `phase end` ends it".into())
            }
            Command::Pin { sample } => self.refused_pin(*sample),
            Command::Unpin { sample } => {
                (!self.pinned().contains(sample)).then(|| format!("image {sample} is not pinned"))
            }
            Command::InsertPhase { phase } => self.plan.phase(phase).err().map(|error| in_words(&error)),
            Command::Pause
            | Command::Resume
            | Command::EndPhase
            | Command::SkipPhase
            | Command::Checkpoint
            | Command::Stop
            | Command::FrostLine { layer: None }
            | Command::LearningRate { .. } => None,
        }
    }

    fn refused_layers(&self, layers: &[String]) -> Option<String> {
        let error = layers.iter().find_map(|layer| check_freezable(&self.plan.arch, layer).err())?;
        Some(in_words(&error.into()))
    }

    fn refused_mask(&self, frozen: &[String]) -> Option<String> {
        check_left_to_train(&self.plan.arch, frozen).err().map(|error| error.to_string())
    }

    /// Names of the layers that have parameters, in order.
    fn weighty(&self) -> impl Iterator<Item = &str> {
        let layers = self.plan.arch.layers().iter();
        layers.filter(|layer| !layer.parameters.is_empty()).map(|layer| layer.name.as_str())
    }

    /// The layers with parameters up to and including `layer`; none for `None`.
    fn below(&self, layer: Option<&str>) -> Vec<String> {
        let line = layer.and_then(|layer| self.plan.arch.position(layer));
        let layers = self.plan.arch.layers().iter().enumerate();
        layers
            .filter(|(index, layer)| !layer.parameters.is_empty() && line.is_some_and(|line| *index <= line))
            .map(|(_, layer)| layer.name.clone())
            .collect()
    }

    fn freeze_exactly(&mut self, frozen: &[String]) -> Result<()> {
        // In the network's order and without repetitions.
        let frozen: Vec<String> =
            self.weighty().filter(|name| frozen.iter().any(|each| each == name)).map(str::to_owned).collect();
        self.stepper.set_frozen(&frozen)?;
        self.progress.frozen = frozen;
        self.keeping.refrozen = true;
        self.say_trainable()
    }

    pub(super) fn say_trainable(&mut self) -> Result<()> {
        let frozen = self.progress.frozen.clone();
        let learned = |layer: &crate::arch::Layer| -> u64 {
            layer.parameters.iter().filter(|parameter| parameter.learned).map(crate::arch::Parameter::count).sum()
        };
        let layers = self.plan.arch.layers();
        let trainable_parameters = layers.iter().filter(|layer| !frozen.contains(&layer.name)).map(learned).sum();
        let total_parameters = self.plan.arch.parameter_count();
        let step = self.progress.step;
        self.record.say(Event::Trainable(Trainable { step, frozen, trainable_parameters, total_parameters }))
    }

    pub(super) fn pause(&mut self) -> Result<()> {
        self.flush()?;
        self.say_layers()?;
        self.paused = true;
        self.record.say(Event::StateChanged { state: State::Paused, step: self.progress.step })
    }

    fn resume(&mut self) -> Result<()> {
        self.paused = false;
        // The time spent paused belongs to no step.
        self.meter = super::Meter::new();
        self.say_doing(self.doing)
    }
}

/// A refusal travels without a hint of its own.
fn in_words(error: &Error) -> String {
    error.hint().map_or_else(|| error.message(), |hint| format!("{}; {hint}", error.message()))
}

fn are(layers: &[String]) -> String {
    format!("{} {}", layers.join(", "), if layers.len() == 1 { "is" } else { "are" })
}
