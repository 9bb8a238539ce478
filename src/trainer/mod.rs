//! The training loop: take commands, step, report, and at the end of an epoch evaluate, explain, checkpoint; phase after phase.
//! It knows neither libtorch nor viewers: a [`Stepper`] does the arithmetic, an [`Inbox`] brings requests, a [`Record`] keeps
//! what is said. It never waits for a viewer; it may wait for the disk.

mod budget;
mod easel;
mod epoch;
mod features;
mod guard;
mod inbox;
mod legs;
mod loading;
mod look;
mod mask;
mod measure;
mod meter;
mod mistakes;
mod notices;
mod obey;
mod on_disk;
mod pace;
mod phase;
mod pictures;
mod pins;
mod probe;
mod progress;
mod rates;
mod record;
mod refusal;
mod saving;
mod scribe;
mod script;
mod spike;
mod stepper;
mod telling;
mod tuning;
mod undo;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    ops::ControlFlow::{self, Break, Continue},
    time::{Duration, Instant},
};

pub use inbox::Inbox;
pub use legs::{Leg, legs};
use loading::{batches, images_before, next, tuned_loader};
pub use loading::{evaluation_loader, training_loader};
use look::Look;
use meter::Meter;
pub use notices::Notices;
use obey::Hold;
pub use obey::Leave;
pub use on_disk::{Follower, OnDisk, Reached, read_checkpoint};
pub use pace::{Measure, Pace, Paces};
pub use progress::{Inserted, Origin, Progress, Sums};
pub use record::{Record, Settled, Written};
pub use script::{Scripted, script};
pub use stepper::{
    Evaluated, Explanation, Histograms, Painting, Planes, Question, SavedTensor, Score, Stepper, Trouble, Update,
};
pub use tuning::{LayerRate, Regrouped, Tuning};
pub use undo::UndoPoint;

use crate::{
    command::Request,
    data::{Batch, Dataset, Epoch, Loader},
    error::{Error, Result},
    event::{CheckpointKind, Ended, Event, Level, SplitName, Stage, State},
    plan::{Phase, Plan},
};

/// Meters of single layers are read so often while steps go on.
const LAYERS_EVERY: Duration = Duration::from_secs(2);

/// One run of one plan over one data set.
#[allow(clippy::struct_excessive_bools, reason = "each is a circumstance of its own; any of them may hold together")]
pub struct Trainer<'a, S, R> {
    plan: &'a Plan,
    data: &'a Dataset,
    stepper: S,
    record: R,
    inbox: Inbox,
    loader: Loader,
    validation: Option<Loader>,
    /// The plan's, and those that somebody has put in.
    phases: Vec<Phase>,
    progress: Progress,
    meter: Meter,
    look: Look,
    pins: pins::Pins,
    easel: easel::Easel,
    probing: probe::Probing,
    keeping: features::Keeping,
    /// Running or evaluating: what a resumed run goes back to.
    doing: State,
    paused: bool,
    /// Where it is to pause by itself.
    hold: Option<Hold>,
    /// A pass that somebody asked for is under way; requests that came meanwhile wait.
    measuring: bool,
    deferred: VecDeque<Request>,
    /// What is to be repeated of another run.
    script: VecDeque<Scripted>,
    /// The batches that were loaded ahead are no longer those that are wanted.
    reload: bool,
    /// Time spent paused since the run began; it belongs to no step and no pass.
    paused_for: Duration,
    /// All phases are done and the weights are those of the best checkpoint.
    testing: bool,
    /// The rate of the last step.
    last_rate: Option<f64>,
    layers_read: Instant,
    saved: Instant,
    /// Who waits for a checkpoint to be on the disk, with the step at which it was asked for.
    asked: Vec<(Request, u64)>,
    /// For how long the last checkpoint kept the next step waiting, in seconds.
    stalled: f64,
    /// That the disk has little room left.
    room_told: bool,
    guard: guard::Guard,
    begun: Instant,
    /// When this engine's time is up.
    deadline: Option<Instant>,
    /// The troubles with caches that were told.
    cache_told: HashSet<String>,
    /// Unreadable files that were told already, by split: every epoch meets them again.
    skips_told: HashMap<SplitName, HashSet<String>>,
}

impl<'a, S: Stepper, R: Record> Trainer<'a, S, R> {
    /// Goes on from the last checkpoint of `record`, or from the beginning if there is none.
    pub fn new(
        plan: &'a Plan,
        data: &'a Dataset,
        mut stepper: S,
        mut record: R,
        inbox: Inbox,
        origin: Origin,
    ) -> Result<Self> {
        let saved = record.read_checkpoint(CheckpointKind::Last)?;
        let progress = saved.as_ref().map_or_else(|| Progress::new(plan, origin.clone()), |(_, saved)| saved.clone());
        let phases = progress.phases(plan)?;
        // Before anything is restored: what an optimiser has gathered only fits its own rule.
        stepper.begin_phase(&phases[progress.phase])?;
        if let Some((tensors, _)) = saved {
            record.say(Event::Stage { stage: Stage::Restoring, detail: format!("step {}", progress.step) })?;
            stepper.restore(&tensors)?;
            let differences = progress.origin.differences(&origin);
            if !differences.is_empty() {
                let message = format!("the run goes on, but not bit by bit: {}", differences.join("; "));
                record.say(Event::Log { level: Level::Warning, message })?;
            }
        }
        let progress = Progress { origin, ..progress };
        stepper.set_frozen(&progress.frozen)?;
        stepper.set_micro_batch(progress.micro_batch.map(|images| images as usize));
        stepper.tune(&progress.tuning)?;
        Ok(Self {
            loader: tuned_loader(plan, &phases[progress.phase], &progress.tuning, data.train.clone()),
            validation: data.validation.clone().map(|split| evaluation_loader(plan, split)),
            plan,
            data,
            stepper,
            record,
            inbox,
            phases,
            progress,
            meter: Meter::new(),
            look: Look::new(),
            pins: pins::Pins::new(&plan.explain),
            easel: easel::Easel::default(),
            probing: probe::Probing::default(),
            keeping: features::Keeping::new(),
            doing: State::Starting,
            paused: false,
            hold: None,
            measuring: false,
            deferred: VecDeque::new(),
            script: VecDeque::new(),
            reload: false,
            paused_for: Duration::ZERO,
            testing: false,
            last_rate: None,
            layers_read: Instant::now(),
            saved: Instant::now(),
            asked: Vec::new(),
            stalled: 0.0,
            room_told: false,
            guard: guard::Guard::new(plan.survival.loss_spike),
            begun: Instant::now(),
            deadline: None,
            cache_told: HashSet::new(),
            skips_told: HashMap::new(),
        })
    }

    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The network and the record, for what is to be looked at or said after the end.
    pub fn into_parts(self) -> (S, R) {
        (self.stepper, self.record)
    }

    /// Trains to the end of the plan, or until somebody stops it. Whatever was to be saved is on the disk then.
    pub fn run(&mut self) -> Result<Ended> {
        let ended = self.train()?;
        self.warn_of_rest()?;
        self.settle(true)?;
        Ok(ended)
    }

    fn train(&mut self) -> Result<Ended> {
        self.deadline = self.plan.survival.max_time.and_then(|time| self.begun.checked_add(time));
        self.open()?;
        loop {
            if let Break(leave) = self.train_phase()? {
                return self.leave(leave);
            }
            if !self.next_phase()? {
                return self.test();
            }
        }
    }

    /// The epochs that are left of the phase under way. Breaks when the run is to end.
    fn train_phase(&mut self) -> Result<ControlFlow<Leave>> {
        while self.has_epoch_left() {
            match self.train_epoch()? {
                Break(Leave::Moved) => continue,
                Break(leave) => return Ok(Break(leave)),
                Continue(()) => {}
            }
            // Ended or skipped before a step was done that could be validated.
            if self.progress.step_in_epoch == 0 && self.progress.phase_ended.is_some() {
                break;
            }
            match self.validate()? {
                Break(Leave::Moved) => continue,
                Break(leave) => return Ok(Break(leave)),
                Continue(validation) => self.end_epoch(validation)?,
            }
            // Behind the last epoch of a phase no step would come to ask.
            if (self.is_held_here() || self.is_due_here())
                && let Break(leave) = self.obey()?
                && leave != Leave::Moved
            {
                return Ok(Break(leave));
            }
        }
        Ok(Continue(()))
    }

    /// The steps that are left of an epoch.
    fn train_epoch(&mut self) -> Result<ControlFlow<Leave>> {
        let mut batches = self.begin_epoch()?;
        loop {
            if let Break(leave) = self.obey()? {
                return Ok(Break(leave));
            }
            if self.progress.phase_ended.is_some() {
                break;
            }
            if let Some(anew) = self.reloaded()? {
                batches = anew;
            }
            let Some((batch, waited)) = next(&mut batches)? else { break };
            self.step(&batch, waited)?;
            if std::mem::take(&mut self.guard.moved) {
                return Ok(Break(Leave::Moved));
            }
            self.look_if_due()?;
        }
        Ok(Continue(()))
    }

    fn open(&mut self) -> Result<()> {
        let data = self.data;
        for (split, skipped) in [
            (SplitName::Train, &data.skipped.train),
            (SplitName::Validation, &data.skipped.validation),
            (SplitName::Test, &data.skipped.test),
        ] {
            self.say_skipped_files(split, skipped)?;
        }
        self.warn_of_cache()?;
        self.open_phase()?;
        self.say_trainable()?;
        self.say_pinned()?;
        self.record.say(Event::Stage { stage: Stage::FirstBatch, detail: String::new() })
    }

    fn begin_epoch(&mut self) -> Result<Epoch> {
        let Progress { epoch, step, .. } = self.progress;
        self.stepper.begin_epoch()?;
        self.say_doing(State::Running)?;
        if self.paused {
            // It went back to another place, and waits there.
            self.record.say(Event::StateChanged { state: State::Paused, step })?;
        }
        self.record.say(Event::EpochStarted { epoch, step })?;
        self.meter = Meter::new();
        let loader = self.loader.clone();
        self.serve_features(&loader, SplitName::Train, true)?;
        (self.keeping.refrozen, self.reload) = (false, false);
        Ok(self.batches_left())
    }

    fn batches_left(&self) -> Epoch {
        let Progress { epoch, step_in_epoch, regrouped, .. } = self.progress;
        let from = regrouped.map(|regrouped| (regrouped.batch as usize, regrouped.images as usize));
        self.loader.epoch_from(u64::from(epoch), step_in_epoch as usize, from.unwrap_or_default())
    }

    /// The rest of the epoch, if the batches that were loaded ahead are of another size or varied otherwise than they are to be now, or
    /// hold what layers made that are frozen no longer, or lack it.
    fn reloaded(&mut self) -> Result<Option<Epoch>> {
        let reload = std::mem::take(&mut self.reload);
        if !std::mem::take(&mut self.keeping.refrozen) && !reload {
            return Ok(None);
        }
        let loader = self.loader.clone();
        let changed = self.serve_features(&loader, SplitName::Train, true)?;
        Ok((changed || reload).then(|| self.batches_left()))
    }

    fn step(&mut self, batch: &Batch, waited: Duration) -> Result<()> {
        let begun = Instant::now();
        self.say_skipped(SplitName::Train, batch)?;
        if batch.count > 0 {
            let learning_rate = self.rate();
            let update = Update { step: self.progress.step, learning_rate };
            self.last_rate = Some(learning_rate);
            let score = self.learn(batch, update)?;
            let trouble = self.stepper.trouble();
            if trouble.is_none() {
                self.progress.sums.add(score);
                self.meter.add(score, waited);
            }
            self.count(waited, begun);
            match trouble {
                Some(trouble) => self.answer_trouble(batch, score, trouble)?,
                None => self.look_for_spike(batch, score)?,
            }
            if self.guard.moved {
                return Ok(());
            }
        } else {
            self.count(waited, begun);
        }
        if self.meter.is_due() {
            self.flush()?;
        }
        if self.layers_read.elapsed() >= LAYERS_EVERY {
            self.say_layers()?;
        }
        let minutes = self.saved.elapsed().as_secs_f64() / 60.0;
        if self.plan.checkpoint_minutes > 0.0 && minutes >= self.plan.checkpoint_minutes {
            self.checkpoint_or_warn(CheckpointKind::Last)?;
        }
        Ok(())
    }

    fn count(&mut self, waited: Duration, begun: Instant) {
        self.progress.step += 1;
        self.progress.step_in_epoch += 1;
        self.progress.wait_seconds += waited.as_secs_f64();
        self.progress.train_seconds += (waited + begun.elapsed()).as_secs_f64();
    }

    /// Of the phase under way, with fractions.
    fn epochs_done(&self) -> f64 {
        let Progress { step_in_epoch, regrouped, .. } = self.progress;
        let done = match regrouped {
            None => f64::from(step_in_epoch) / self.loader.batches_per_epoch().max(1) as f64,
            // Batches of several sizes count by their images.
            Some(_) => {
                images_before(&self.loader, regrouped, step_in_epoch) as f64 / self.loader.images().max(1) as f64
            }
        };
        f64::from(self.progress.epochs_in_phase()) + done
    }

    fn leave(&mut self, leave: Leave) -> Result<Ended> {
        self.flush()?;
        match leave {
            Leave::Stopped { by } => {
                self.checkpoint(CheckpointKind::Last)?;
                Ok(Ended::Stopped { by })
            }
            Leave::Aborted { by } => Ok(Ended::Aborted { by }),
            Leave::Moved => Err(Error::internal("the loop was left for another place in the run")),
        }
    }
}

#[cfg(test)]
mod tests;
