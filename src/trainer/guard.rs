//! What the loop does about a step that went wrong: numbers that are not finite, a loss that leaps, a batch that does not fit into
//! memory. The weights are those from before the step in the first and the last case.

use std::{ops::Range, time::Instant};

use super::{
    Evaluated, Meter, Progress, Record, SavedTensor, Score, Stepper, Trainer, Trouble, Tuning, Update, pictures,
    spike::Spikes,
};
use crate::{
    command::Command,
    data::{Batch, Pixels},
    error::{Error, Result},
    event::{Alarm, CheckpointKind, Event, Found, Level, Suspect, Then},
    plan::{LossSpike, OnNonFinite, OnSpike},
};

/// Of a batch that went wrong so many images are kept.
const SUSPECTS: usize = 16;
/// Batches skipped one after another; when as many fail it is not the batches.
const SKIPS: u32 = 10;
/// Times that an epoch may be taken back.
const ROLLBACKS: u32 = 4;

/// Of the step that was just done: the steps before it, its epoch and its rate.
#[derive(Clone, Copy)]
struct At {
    step: u64,
    epoch: u32,
    rate: Option<f64>,
}

pub(super) struct Guard {
    skipped_in_a_row: u32,
    spikes: Spikes,
    /// Images that an evaluation takes at once, where it cannot take a whole batch.
    evaluates: Option<usize>,
    /// The batches that were loaded ahead are those of another place in the run.
    pub moved: bool,
}

impl Guard {
    pub fn new(spike: LossSpike) -> Self {
        let spikes = Spikes::new(spike.window as usize, spike.z);
        Self { skipped_in_a_row: 0, spikes, evaluates: None, moved: false }
    }
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// A step, in smaller parts if it does not fit into memory.
    pub(super) fn learn(&mut self, batch: &Batch, update: Update) -> Result<Score> {
        loop {
            match self.stepper.step(batch, update) {
                Err(error) if error.is_out_of_memory() => self.halve(batch.count, error)?,
                other => return other,
            }
        }
    }

    /// In the checkpoint, because the parts of a batch give another rounding, and batch normalisation other statistics.
    fn halve(&mut self, images: usize, error: Error) -> Result<()> {
        let before = self.progress.micro_batch.map_or(images, |most| images.min(most as usize));
        if before <= 1 {
            return Err(error);
        }
        let half = before.div_ceil(2);
        // As if somebody had asked for it, so that a run that repeats this one does it at the same place.
        self.say_done("out of memory".into(), Command::MicroBatch { images: half as u32 })?;
        self.progress.interventions += 1;
        self.progress.micro_batch = Some(half as u32);
        self.stepper.set_micro_batch(Some(half));
        let message = format!(
            "{}: from here on {half} of a batch's images go through the network at once, not {before}, and their gradients are added \
             up: the same update, but that batch normalisation sees {half}",
            error.message()
        );
        self.record.say(Event::Log { level: Level::Warning, message })
    }

    /// Evaluates a batch, in parts where it does not fit into memory: nothing but the speed changes.
    pub(super) fn judge(&mut self, batch: &Batch) -> Result<Evaluated> {
        loop {
            let most = self.guard.evaluates.unwrap_or(batch.count).min(batch.count).max(1);
            match self.judge_in_parts(batch, most) {
                Err(error) if error.is_out_of_memory() && most > 1 => {
                    let half = most.div_ceil(2);
                    self.guard.evaluates = Some(half);
                    let message = format!("{}: evaluating {half} images at once from here on", error.message());
                    self.record.say(Event::Log { level: Level::Warning, message })?;
                }
                other => return other,
            }
        }
    }

    fn judge_in_parts(&mut self, batch: &Batch, most: usize) -> Result<Evaluated> {
        if most >= batch.count {
            return self.stepper.evaluate(batch);
        }
        let mut whole = Evaluated::default();
        let parts =
            (0..batch.count).step_by(most).map(|first| -> Range<usize> { first..batch.count.min(first + most) });
        for part in parts {
            let Evaluated { score, predictions, losses, probabilities } = self.stepper.evaluate(&batch.part(part))?;
            whole.score.images += score.images;
            whole.score.loss_sum += score.loss_sum;
            whole.score.correct += score.correct;
            whole.predictions.extend(predictions);
            whole.losses.extend(losses);
            whole.probabilities.extend(probabilities);
        }
        Ok(whole)
    }

    /// After a step that updated nothing, which counts as done.
    pub(super) fn answer_trouble(&mut self, batch: &Batch, score: Score, trouble: Trouble) -> Result<()> {
        self.guard.skipped_in_a_row += 1;
        let at = self.last_step();
        let wanted = self.plan.survival.on_nonfinite;
        let hopeless = self.guard.skipped_in_a_row >= SKIPS;
        let then = match wanted {
            OnNonFinite::Skip if !hopeless => Then::Skipped,
            OnNonFinite::Pause if self.is_watched() => Then::Paused,
            OnNonFinite::Rollback => self.roll_back()?.unwrap_or(Then::Stopped),
            OnNonFinite::Skip | OnNonFinite::Pause | OnNonFinite::Stop => Then::Stopped,
        };
        let found = Found::NonFinite { what: trouble.what };
        self.alarm(at, batch, score, (found, trouble.layers), then)
    }

    /// After a step that is done.
    pub(super) fn look_for_spike(&mut self, batch: &Batch, score: Score) -> Result<()> {
        self.guard.skipped_in_a_row = 0;
        let loss = score.loss_sum / (score.images as f64).max(1.0);
        let Some((z, median)) = self.guard.spikes.look(loss) else { return Ok(()) };
        let at = self.last_step();
        let then = match self.plan.survival.loss_spike.then {
            OnSpike::Pause if self.is_watched() => Then::Paused,
            OnSpike::Rollback => self.roll_back()?.unwrap_or(Then::Warned),
            OnSpike::Pause | OnSpike::Warn => Then::Warned,
        };
        self.alarm(at, batch, score, (Found::Spike { z, median }, Vec::new()), then)
    }

    fn last_step(&self) -> At {
        At { step: self.progress.step - 1, epoch: self.progress.epoch, rate: self.last_rate }
    }

    /// Whether somebody looks on who can be waited for.
    fn is_watched(&self) -> bool {
        !self.inbox.watched().is_empty()
    }

    fn alarm(
        &mut self,
        at: At,
        batch: &Batch,
        score: Score,
        (found, layers): (Found, Vec<String>),
        then: Then,
    ) -> Result<()> {
        let At { step, epoch, rate: learning_rate } = at;
        let images = self.suspects(batch)?;
        let loss = score.loss_sum / (score.images as f64).max(1.0);
        let alarm = Alarm { step, epoch, found, loss, learning_rate, layers, count: batch.count as u32, images, then };
        let message = alarm.told();
        self.flush()?;
        self.record.say(Event::Alarm(alarm))?;
        match then {
            Then::Paused => self.pause(),
            Then::Stopped => {
                self.checkpoint(CheckpointKind::Last)?;
                self.settle(true)?;
                let hint = "a lower learning rate, a warm-up or other initial weights may help; resume goes on after this batch";
                Err(Error::user(message, hint))
            }
            Then::RolledBack { .. } => self.checkpoint_or_warn(CheckpointKind::Last),
            Then::Warned | Then::Skipped => Ok(()),
        }
    }

    /// The batch's first images as the network saw them; as they lie in the data where it saw what frozen layers had made of them.
    fn suspects(&mut self, batch: &Batch) -> Result<Vec<Suspect>> {
        let one = batch.size.bytes();
        let mut suspects = Vec::new();
        for (place, &sample) in batch.samples.iter().enumerate().take(SUSPECTS) {
            let pixels = match &batch.features {
                None => Ok(Pixels { size: batch.size, bytes: batch.images[place * one..][..one].to_vec() }),
                Some(_) => self.data.train.load(sample as usize, batch.size),
            };
            // A file that has gone since is named all the same.
            let blob = match pixels {
                // Many stand on a screen at once, and a line may be slow.
                Ok(pixels) => self.record.picture(&pictures::thumbnail(&pictures::rgb(&pixels)), true)?,
                Err(_) => String::new(),
            };
            let label = batch.labels.get(place).map(|label| *label as u32);
            suspects.push(Suspect { sample, name: self.data.train.name(sample as usize), label, blob });
        }
        Ok(suspects)
    }

    /// To the last checkpoint, at half the rate. `None` where there is none, or it did not help before.
    fn roll_back(&mut self) -> Result<Option<Then>> {
        let rollbacks = self.progress.rollbacks + 1;
        if rollbacks > ROLLBACKS {
            return Ok(None);
        }
        let Some((tensors, progress)) = self.record.read_checkpoint(CheckpointKind::Last)? else { return Ok(None) };
        // The last readings of what is given up belong to it.
        self.flush()?;
        let tuning = Tuning { rate: progress.tuning.rate.map(|held| held / 2.0), ..progress.tuning.clone() };
        let (rate_factor, micro_batch) = (progress.rate_factor / 2.0, self.progress.micro_batch);
        self.stand_at(&tensors, Progress { tuning, rate_factor, micro_batch, rollbacks, ..progress })?;
        self.guard.moved = true;
        let Progress { step: to, epoch, step_in_epoch, .. } = self.progress;
        Ok(Some(Then::RolledBack { to, epoch, step_in_epoch }))
    }

    /// Takes up another place in the run, with everything that stood there.
    pub(super) fn stand_at(&mut self, tensors: &[SavedTensor], progress: Progress) -> Result<()> {
        let phases = progress.phases(self.plan)?;
        self.stepper.begin_phase(&phases[progress.phase])?;
        self.stepper.restore(tensors)?;
        self.stepper.set_frozen(&progress.frozen)?;
        self.stepper.tune(&progress.tuning)?;
        self.stepper.set_micro_batch(progress.micro_batch.map(|images| images as usize));
        self.progress = Progress { origin: self.progress.origin.clone(), ..progress };
        self.phases = phases;
        self.rearrange();
        self.meter = Meter::new();
        self.last_rate = None;
        self.saved = Instant::now();
        self.guard.spikes.forget();
        Ok(())
    }
}
