//! What a validation got wrong, told at the end of its epoch: the confusion, and the images that tell most, with thumbnails as far as the
//! time goes that is set aside for pictures. It costs no pass of its own.

use std::time::Instant;

use super::{Evaluated, Record, Stepper, Trainer, budget::Buy, pictures};
use crate::{
    data::Batch,
    error::Result,
    event::{ConfusedPair, Event, Mistake, Mistakes, PictureKind, Shown},
    metrics::{Case, Telling},
};

/// In each list.
const LISTED: usize = 48;
/// Thumbnails of an epoch.
const THUMBNAILS: usize = 48;

/// What was said of each image of a pass.
#[derive(Default)]
pub(super) struct Said {
    samples: Vec<u32>,
    cases: Vec<Case>,
}

impl Said {
    pub fn add(&mut self, batch: &Batch, evaluated: &Evaluated) {
        let classes = (evaluated.probabilities.len() / batch.count.max(1)).max(1);
        let rows = evaluated.probabilities.chunks_exact(classes).zip(&evaluated.losses).zip(&evaluated.predictions);
        for ((&sample, &label), ((row, &loss), &predicted)) in batch.samples.iter().zip(&batch.labels).zip(rows) {
            self.samples.push(sample);
            self.cases.push(Case::of(label as u32, predicted, f64::from(loss), row));
        }
    }
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    pub(super) fn say_mistakes(&mut self, confusion: &[Vec<u64>], said: &Said) -> Result<()> {
        let telling = Telling::of(&said.cases, confusion.len(), LISTED);
        // The first of each list before the second of any: there may not be time for all.
        let lists = [&telling.worst, &telling.confidently_wrong, &telling.confused];
        let mut order: Vec<usize> = Vec::new();
        for rank in 0..LISTED {
            for at in lists.iter().filter_map(|list| list.get(rank)) {
                if !order.contains(at) {
                    order.push(*at);
                }
            }
        }
        let place = |at: &usize| order.iter().position(|other| other == at).unwrap_or(0) as u32;
        let places = |list: &[usize]| list.iter().map(place).collect::<Vec<_>>();
        let pairs = telling.confused.iter().map(|at| {
            let Case { truth, predicted, .. } = said.cases[*at];
            let images = confusion[truth as usize][predicted as usize];
            ConfusedPair { truth, predicted, images, example: place(at) }
        });
        let mistakes = Mistakes {
            step: self.progress.step,
            epoch: self.progress.epoch,
            confusion: Shown::of(confusion),
            worst: places(&telling.worst),
            confident: places(&telling.confidently_wrong),
            pairs: pairs.collect(),
            cases: Vec::new(),
        };
        let mut cases = Vec::with_capacity(order.len());
        let mut thumbnails = 0;
        for at in order {
            let mut mistake = self.mistake(said.samples[at], said.cases[at]);
            if thumbnails < THUMBNAILS && !self.look.has_given_up() && self.pins.budget.affords(Buy::Thumbnail) {
                let begun = Instant::now();
                self.illustrate(&mut mistake)?;
                thumbnails += 1;
                self.pins.budget.spend(Buy::Thumbnail, begun.elapsed().as_secs_f64());
            }
            cases.push(mistake);
        }
        self.record.say(Event::Mistakes(Mistakes { cases, ..mistakes }))
    }

    fn mistake(&self, sample: u32, case: Case) -> Mistake {
        Mistake {
            sample,
            name: self.data.pinned().name(sample as usize),
            truth: case.truth,
            predicted: case.predicted,
            probability: case.confidence,
            loss: case.loss,
            picture: None,
        }
    }

    fn illustrate(&mut self, mistake: &mut Mistake) -> Result<()> {
        let Some(subject) = self.subject(mistake.sample) else { return Ok(()) };
        let thumbnail = pictures::thumbnail(&pictures::rgb(&subject.pixels));
        mistake.picture = Some(self.picture(PictureKind::Sample, &thumbnail, false)?);
        Ok(())
    }
}
