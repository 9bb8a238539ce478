//! How batches are made: those of training, which a phase and people's settings decide, and those of evaluation.

use std::time::{Duration, Instant};

use super::{Regrouped, Tuning};
use crate::{
    data::{Augment, Batch, Epoch, Loader, LoaderSpec, Split},
    error::Result,
    plan::{Phase, Plan},
};

/// The next batch and how long it was waited for.
pub(super) fn next(batches: &mut Epoch) -> Result<Option<(Batch, Duration)>> {
    let asked = Instant::now();
    match batches.next() {
        None => Ok(None),
        Some(batch) => Ok(Some((batch?, asked.elapsed()))),
    }
}

/// Shuffled, and augmented if the phase is.
pub fn training_loader(plan: &Plan, phase: &Phase, split: Split) -> Loader {
    tuned_loader(plan, phase, &Tuning::default(), split)
}

pub(super) fn tuned_loader(plan: &Plan, phase: &Phase, tuning: &Tuning, split: Split) -> Loader {
    let (batch_size, augment) = batches(plan, phase, tuning);
    loader(plan, split, batch_size, true, augment)
}

/// The size of a phase's training batches, and how their images are varied.
pub(super) fn batches(plan: &Plan, phase: &Phase, tuning: &Tuning) -> (usize, Option<Augment>) {
    let augment = phase.augment.then(|| plan.data.augment.clone());
    let augment = match tuning.augmentation {
        Some(factor) => augment.map(|augment| augment.scaled(factor)),
        None => augment,
    };
    let batch_size = tuning.batch_size.map_or(phase.batch_size, |images| images as usize);
    (batch_size, augment.filter(|augment| !augment.is_none()))
}

/// How many images of an epoch stand before its batch number `batch`.
pub(super) fn images_before(loader: &Loader, regrouped: Option<Regrouped>, batch: u32) -> u64 {
    let from = regrouped.unwrap_or_default();
    let since = u64::from(batch.saturating_sub(from.batch)) * loader.batch_size() as u64;
    (from.images + since).min(loader.images() as u64)
}

/// Evaluation keeps no activations for a backward pass, so its batches can be larger than the step's. They are the same in
/// all phases: a figure should not depend on when it was measured.
pub fn evaluation_loader(plan: &Plan, split: Split) -> Loader {
    loader(plan, split, plan.phases[0].batch_size * 2, false, None)
}

fn loader(plan: &Plan, split: Split, batch_size: usize, shuffle: bool, augment: Option<Augment>) -> Loader {
    let spec = LoaderSpec {
        batch_size,
        shuffle,
        seed: plan.seed,
        workers: plan.loader_threads,
        prefetch: plan.prefetch,
        augment,
        cache: plan.cache,
        cache_bytes: plan.cache_bytes,
    };
    Loader::new(split, plan.data.size, spec)
}
