//! What the loop tells: what it does, what steps and layers come to, and once, not at every turn, files that are left out and caches that
//! fail.

use std::time::Instant;

use super::{Record, Stepper, Trainer};
use crate::{
    data::{Batch, Skipped},
    error::Result,
    event::{Event, Layers, Level, SkippedFile, SplitName, State},
};

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    pub(super) fn say_doing(&mut self, state: State) -> Result<()> {
        self.doing = state;
        self.record.say(Event::StateChanged { state, step: self.progress.step })
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        let rate = self.last_rate.unwrap_or_else(|| self.rate());
        match self.meter.flush(&self.progress, rate) {
            Some(steps) => self.record.say(Event::Steps(steps)),
            None => Ok(()),
        }
    }

    pub(super) fn say_layers(&mut self) -> Result<()> {
        let layers = self.stepper.meters()?;
        self.layers_read = Instant::now();
        self.record.say(Event::Layers(Layers { step: self.progress.step, layers }))
    }

    pub(super) fn say_skipped(&mut self, split: SplitName, batch: &Batch) -> Result<()> {
        self.say_skipped_files(split, &batch.skipped)
    }

    pub(super) fn say_skipped_files(&mut self, split: SplitName, skipped: &[Skipped]) -> Result<()> {
        let told = self.skips_told.entry(split).or_default();
        let new = skipped.iter().filter(|file| told.insert(file.path.clone()));
        let files: Vec<SkippedFile> =
            new.map(|file| SkippedFile { path: file.path.clone(), reason: file.reason.clone() }).collect();
        if files.is_empty() {
            return Ok(());
        }
        let total = told.len() as u64;
        self.record.say(Event::Skipped { split, total, files })
    }

    /// What the loaders keep in files is a matter of speed, so the run goes on.
    pub(super) fn warn_of_cache(&mut self) -> Result<()> {
        let decoded = self.loader.cache_trouble().or_else(|| self.validation.as_ref()?.cache_trouble());
        let decoded = decoded.map(|trouble| format!("decoded images are no longer kept in a file: {trouble}"));
        let features = self.keeping.trouble();
        let features = features.map(|trouble| format!("the frozen layers' outputs are no longer kept: {trouble}"));
        for message in [decoded, features].into_iter().flatten() {
            if self.cache_told.insert(message.clone()) {
                self.record.say(Event::Log { level: Level::Warning, message })?;
            }
        }
        Ok(())
    }
}
