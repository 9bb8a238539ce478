//! What happens when the steps of an epoch are done: validation and the watchers' decisions; and the test at the end.

use std::{
    ops::ControlFlow::{self, Break, Continue},
    time::{Duration, Instant},
};

use super::{Leave, Record, Stepper, Sums, Trainer, evaluation_loader, mistakes::Said, next, progress::figure};
use crate::{
    data::{Loader, Split},
    error::{Error, Result},
    event::{CheckpointKind, Ended, EpochEnded, Event, Level, Metrics, PhaseEnd, SplitName, State, Tested},
    plan::{Monitor, Reduction, Watcher},
};

/// How often a pass over a split tells how far it is.
const EVALUATING_EVERY: Duration = Duration::from_millis(200);

/// What a pass over a split found.
struct Evaluation {
    metrics: Metrics,
    images: u64,
    /// `[truth][prediction]`.
    confusion: Vec<Vec<u64>>,
    said: Said,
}

/// What the end of an epoch knows of its validation.
pub(super) struct Validation {
    metrics: Option<Metrics>,
    seconds: f64,
    /// The confusion, and what was said of each image.
    found: Option<(Vec<Vec<u64>>, Said)>,
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// Breaks when the run is to end.
    pub(super) fn validate(&mut self) -> Result<ControlFlow<Leave, Validation>> {
        self.flush()?;
        self.say_layers()?;
        let Some(validation) = self.validation.take() else {
            return Ok(Continue(Validation { metrics: None, seconds: 0.0, found: None }));
        };
        let (begun, paused) = (Instant::now(), self.paused_for);
        let outcome = self.evaluate(&validation, SplitName::Validation);
        self.validation = Some(validation);
        Ok(match outcome? {
            Break(leave) => Break(leave),
            Continue(evaluation) => {
                let seconds = begun.elapsed().saturating_sub(self.paused_for.saturating_sub(paused)).as_secs_f64();
                let Evaluation { metrics, confusion, said, .. } = evaluation;
                Continue(Validation { metrics: Some(metrics), seconds, found: Some((confusion, said)) })
            }
        })
    }

    pub(super) fn end_epoch(&mut self, validation: Validation) -> Result<()> {
        self.warn_of_cache()?;
        self.say_features()?;
        let train = self.progress.sums.metrics();
        let monitor = self.phase().early_stopping.map_or(Monitor::default(), |stop| stop.monitor);
        let metrics = validation.metrics;
        let figure_of = |monitor| figure(monitor, train, metrics);
        self.record.say(Event::EpochEnded(EpochEnded {
            epoch: self.progress.epoch,
            step: self.progress.step,
            train,
            validation: validation.metrics,
            learning_rate: self.last_rate.unwrap_or_else(|| self.rate()),
            train_seconds: self.progress.train_seconds,
            validation_seconds: validation.seconds,
            images_per_second: self.progress.sums.images as f64 / self.progress.train_seconds.max(1e-9),
            data_wait: (self.progress.wait_seconds / self.progress.train_seconds.max(1e-9)).min(1.0),
        }))?;
        let best = Watcher::better(monitor, figure_of(monitor), self.progress.best);
        if best {
            self.progress.best = Some(figure_of(monitor));
        }
        if let Some((_, reduction)) = self.phase().schedule.plateau() {
            self.watch_plateau(figure_of, reduction)?;
        }
        if let Some(stopping) = &mut self.progress.stopping
            && stopping.gives_up(figure_of(stopping.monitor))
        {
            self.progress.phase_ended.get_or_insert(PhaseEnd::Early);
        }
        self.pins.budget.earn(self.progress.train_seconds + validation.seconds);
        if let Some((confusion, said)) = validation.found {
            self.say_mistakes(&confusion, &said)?;
        }
        self.look_after_epoch()?;
        self.progress.next_epoch();
        let kinds = [CheckpointKind::Best, CheckpointKind::Last];
        self.checkpoints_or_warn(if best { &kinds } else { &kinds[1..] })
    }

    fn watch_plateau(&mut self, figure_of: impl Fn(Monitor) -> f64, reduction: Reduction) -> Result<()> {
        let Some(plateau) = &mut self.progress.plateau else { return Ok(()) };
        if !plateau.gives_up(figure_of(plateau.monitor)) {
            return Ok(());
        }
        plateau.rest(reduction.cooldown);
        let floor = reduction.min_rate / self.scheduled_rate().max(f64::MIN_POSITIVE);
        self.progress.rate_factor *= reduction.factor.max(floor.min(1.0));
        // A rate that somebody holds stays; the schedule comes back lower.
        if self.progress.tuning.rate.is_some() {
            return Ok(());
        }
        let (step, rate) = (self.progress.step, self.rate());
        self.record.say(Event::LearningRate { step, rate, why: "plateau".into(), layers: Vec::new() })
    }

    /// Evaluates the last phase's best checkpoint on the test split, where there is one.
    pub(super) fn test(&mut self) -> Result<Ended> {
        let completed = Ended::Completed { early: self.progress.phase_ended == Some(PhaseEnd::Early) };
        if self.data.test.as_ref().is_none_or(Split::is_empty) {
            return Ok(completed);
        }
        // Or the weights of this moment, where none of the phase's epochs has left any.
        let checkpoint = if self.restore_best()? { CheckpointKind::Best } else { CheckpointKind::Last };
        self.testing = true;
        match self.tested(SplitName::Test, checkpoint)? {
            Break(Leave::Stopped { by }) => Ok(Ended::Stopped { by }),
            Break(Leave::Aborted { by }) => Ok(Ended::Aborted { by }),
            Break(Leave::Moved) => Err(Error::internal("nothing can be undone while the best weights are tested")),
            Continue(tested) => {
                self.record.say(Event::Tested(tested))?;
                Ok(completed)
            }
        }
    }

    /// Evaluates the present weights, which are those of `checkpoint`, on a split.
    pub fn tested(&mut self, split: SplitName, checkpoint: CheckpointKind) -> Result<ControlFlow<Leave, Tested>> {
        let images = match split {
            SplitName::Train => Some(&self.data.train),
            SplitName::Validation => self.data.validation.as_ref(),
            SplitName::Test => self.data.test.as_ref(),
        };
        let images = images.filter(|split| !split.is_empty()).cloned().ok_or_else(|| {
            let word = format!("{split:?}").to_lowercase();
            Error::user(format!("the data has no {word} split"), "choose another one with --split".to_owned())
        })?;
        let skipped = match split {
            SplitName::Train => &self.data.skipped.train,
            SplitName::Validation => &self.data.skipped.validation,
            SplitName::Test => &self.data.skipped.test,
        };
        self.say_skipped_files(split, skipped)?;
        let loader = evaluation_loader(self.plan, images);
        Ok(match self.evaluate(&loader, split)? {
            Break(leave) => Break(leave),
            Continue(Evaluation { metrics, images, confusion, .. }) => {
                Continue(Tested { metrics, images, checkpoint, confusion })
            }
        })
    }

    /// A pass over a split in inference mode. Commands are obeyed between its batches.
    fn evaluate(&mut self, loader: &Loader, split: SplitName) -> Result<ControlFlow<Leave, Evaluation>> {
        self.say_doing(State::Evaluating)?;
        let classes = self.plan.head.classes();
        let mut sums = Sums::default();
        let mut confusion = vec![vec![0; classes]; classes];
        let mut said = Said::default();
        let total = loader.images() as u64;
        let mut told = Instant::now();
        self.serve_features(loader, split, false)?;
        self.keeping.refrozen = false;
        let mut batches = loader.epoch(0, 0);
        let mut taken = 0;
        loop {
            if let Break(leave) = self.obey()? {
                return Ok(Break(leave));
            }
            if std::mem::take(&mut self.keeping.refrozen) && self.serve_features(loader, split, false)? {
                batches = loader.epoch(0, taken);
            }
            let Some((batch, _)) = next(&mut batches)? else { break };
            taken += 1;
            self.say_skipped(split, &batch)?;
            if batch.count == 0 {
                continue;
            }
            let evaluated = self.judge(&batch)?;
            self.record.judged(&batch, &evaluated)?;
            self.look_if_due()?;
            sums.add(evaluated.score);
            said.add(&batch, &evaluated);
            for (&truth, &prediction) in batch.labels.iter().zip(&evaluated.predictions) {
                confusion[truth as usize][prediction as usize] += 1;
            }
            if told.elapsed() >= EVALUATING_EVERY {
                told = Instant::now();
                self.record.say(Event::Evaluating { split, done: sums.images, total })?;
            }
        }
        if sums.images == 0 {
            let message = format!("the {split:?} split has no readable image").to_lowercase();
            self.record.say(Event::Log { level: Level::Warning, message })?;
        }
        Ok(Continue(Evaluation { metrics: sums.metrics(), images: sums.images, confusion, said }))
    }
}
