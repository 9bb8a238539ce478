//! The images of which something stays with the run: at the end of each epoch their activations and heat at the default layer, and heat
//! at the ends of the other blocks, as far as the time that is set aside for it goes.

use std::time::Instant;

use super::{
    Question, Record, Stepper, Trainer,
    budget::{Budget, Buy},
    look::Subject,
};
use crate::{
    command::Method,
    data::Split,
    error::Result,
    event::{Event, Explained, Level, Pin, is_kept},
    plan::Explain,
};

/// A person pins a few.
pub(super) const MOST: usize = 16;

pub(super) struct Pins {
    pub(super) budget: Budget,
    /// Of how many images it was told that some are left out.
    told: Option<usize>,
}

impl Pins {
    pub fn new(explain: &Explain) -> Self {
        Self { budget: Budget::new(explain.time_share), told: None }
    }
}

/// Positions of the first image of each class, then of the second of each, and so on.
fn one_of_each(split: &Split, count: usize) -> Vec<u32> {
    let mut seen: Vec<u32> = Vec::new();
    let mut ranked: Vec<(u32, u32, u32)> = Vec::new();
    for position in 0..split.len() {
        let label = split.label(position);
        if seen.len() <= label as usize {
            seen.resize(label as usize + 1, 0);
        }
        let rank = &mut seen[label as usize];
        if (*rank as usize) < count {
            ranked.push((*rank, label, position as u32));
        }
        *rank += 1;
    }
    ranked.sort_unstable();
    ranked.into_iter().take(count).map(|(.., position)| position).collect()
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// Positions in the split that is looked at, in the order in which they are kept.
    pub(super) fn pinned(&self) -> Vec<u32> {
        let default = || one_of_each(self.data.pinned(), (self.plan.explain.pinned as usize).min(MOST));
        let mut pinned = self.progress.pinned.clone().unwrap_or_else(default);
        // Of a resumed run the split may have become smaller.
        pinned.retain(|sample| (*sample as usize) < self.data.pinned().len());
        pinned
    }

    pub(super) fn say_pinned(&mut self) -> Result<()> {
        let split = self.data.pinned();
        let pin = |sample: u32| {
            let position = sample as usize;
            Pin { sample, name: split.name(position), label: split.label(position) }
        };
        let images = self.pinned().into_iter().map(pin).collect();
        self.record.say(Event::Pinned { images })
    }

    pub(super) fn pin(&mut self, sample: u32) -> Result<()> {
        let mut pinned = self.pinned();
        pinned.push(sample);
        self.progress.pinned = Some(pinned);
        self.say_pinned()
    }

    pub(super) fn unpin(&mut self, sample: u32) -> Result<()> {
        let mut pinned = self.pinned();
        pinned.retain(|other| *other != sample);
        self.progress.pinned = Some(pinned);
        self.say_pinned()
    }

    pub(super) fn refused_pin(&self, sample: u32) -> Option<String> {
        let (images, pinned) = (self.data.pinned().len(), self.pinned());
        if sample as usize >= images {
            Some(format!("there is no image {sample}: there are {images}, counted from 0"))
        } else if pinned.contains(&sample) {
            Some(format!("image {sample} is pinned already"))
        } else if pinned.len() >= MOST {
            Some(format!("{MOST} images are pinned, which is the most; unpin one first"))
        } else {
            None
        }
    }

    /// What is kept of an epoch.
    pub(super) fn look_after_epoch(&mut self) -> Result<()> {
        if self.look.has_given_up() {
            return Ok(());
        }
        let outcome = self.keep_pinned();
        self.or_give_up(outcome)?;
        Ok(())
    }

    fn keep_pinned(&mut self) -> Result<()> {
        let Some(layer) = self.explained_layer(None) else { return Ok(()) };
        let pinned = self.pinned();
        let mut kept: Vec<(Subject, Explained)> = Vec::new();
        let mut left_out = 0;
        for &sample in &pinned {
            if !self.pins.budget.affords(Buy::Image) {
                left_out += 1;
                continue;
            }
            let begun = Instant::now();
            let Some(subject) = self.subject(sample) else { continue };
            let explained = self.kept(&subject, &layer)?;
            kept.push((subject, explained));
            self.pins.budget.spend(Buy::Image, begun.elapsed().as_secs_f64());
        }
        self.keep_probe()?;
        // All images at one layer come before one image at all layers.
        let ends: Vec<String> =
            self.plan.arch.block_ends().into_iter().map(|index| self.plan.arch.layers()[index].name.clone()).collect();
        for (subject, explained) in &mut kept {
            for end in ends.iter().filter(|end| **end != layer) {
                if self.pins.budget.affords(Buy::Block) {
                    let begun = Instant::now();
                    self.keep_block(subject, explained, end)?;
                    self.pins.budget.spend(Buy::Block, begun.elapsed().as_secs_f64());
                }
            }
        }
        for (_, explained) in kept {
            self.record.say(Event::Explained(explained))?;
        }
        self.tell_left_out(left_out, pinned.len())
    }

    /// At the default layer, for the predicted class, and for the true one where it is another.
    fn kept(&mut self, subject: &Subject, layer: &str) -> Result<Explained> {
        let lasting = is_kept(self.progress.epoch);
        let question = Question { layer, method: Method::GradCam, class: None };
        let seen = self.stepper.explain(&subject.pixels, question, &mut |_, _| true)?;
        let mut explained = self.explained(subject, &seen, lasting)?;
        explained.pictures.push(self.activations(layer, &seen, lasting)?);
        explained.pictures.push(self.heat(layer, question.method, &seen, lasting)?);
        if seen.class != subject.label {
            let question = Question { class: Some(subject.label), ..question };
            let seen = self.stepper.explain(&subject.pixels, question, &mut |_, _| true)?;
            explained.pictures.push(self.heat(layer, question.method, &seen, lasting)?);
        }
        Ok(explained)
    }

    fn keep_block(&mut self, subject: &Subject, explained: &mut Explained, layer: &str) -> Result<()> {
        let question = Question { layer, method: Method::GradCam, class: None };
        let seen = self.stepper.explain(&subject.pixels, question, &mut |_, _| true)?;
        explained.pictures.push(self.heat(layer, question.method, &seen, explained.kept)?);
        Ok(())
    }

    /// Once for so many images: how many of them an epoch affords may change with each.
    fn tell_left_out(&mut self, left_out: usize, of: usize) -> Result<()> {
        if left_out == 0 || self.pins.told == Some(of) {
            return Ok(());
        }
        self.pins.told = Some(of);
        let percent = self.plan.explain.time_share * 100.0;
        let message = format!(
            "{left_out} of {of} pinned images were left out at the end of epoch {}, and may be again: more would take over {percent} % \
             of the time (explain.time_share)",
            self.progress.epoch
        );
        self.record.say(Event::Log { level: Level::Info, message })
    }
}
