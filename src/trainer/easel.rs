//! Pictures that a layer's filters like, painted while somebody looks: a step of the ascent now and then while the run trains, one
//! after the other while it is paused. Other filters, or nobody looking any more, end the work.

use std::time::{Duration, Instant};

use super::{Painting, Record, Stepper, Trainer, pictures};
use crate::{
    arch::Shape,
    command::{Scene, Watch},
    error::Result,
    event::{
        Event, Painted,
        explain::{ASCENT_STEPS, MOST_FILTERS},
    },
};

/// While the run trains, painting takes one part in so many of the time.
const PRICE: u32 = 10;
/// How often a picture that forms is shown.
const TELL_EVERY: Duration = Duration::from_millis(400);

/// What is being painted.
#[derive(Default)]
pub(super) struct Easel {
    work: Option<Work>,
}

struct Work {
    layer: String,
    channels: usize,
    epoch: u32,
    painting: Painting,
    stepped: Option<(Instant, Duration)>,
    told: Option<Instant>,
    /// It cannot be painted, which was said.
    refused: bool,
    /// It was shown already, of older weights: that stays until this is done.
    again: bool,
}

impl Work {
    fn is_done(&self) -> bool {
        self.refused || self.painting.done >= ASCENT_STEPS
    }

    fn is_due(&self, paused: bool) -> bool {
        !self.is_done() && (paused || self.stepped.is_none_or(|(at, cost)| at.elapsed() >= cost * (PRICE - 1)))
    }
}

impl Easel {
    /// Whether a paused run has something better to do than to wait.
    pub fn is_at_work(&self) -> bool {
        self.work.as_ref().is_some_and(|work| !work.is_done())
    }
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    pub(super) fn paint_if_due(&mut self, watch: Option<&Watch>) -> Result<()> {
        let wanted = watch.and_then(|watch| {
            let Scene::Filters(count) = watch.scene else { return None };
            Some((self.explained_layer(watch.layer.as_deref())?, count.clamp(1, MOST_FILTERS) as usize))
        });
        let Some((layer, count)) = wanted else {
            self.easel.work = None;
            return Ok(());
        };
        let channels = self.plan.arch.position(&layer).map_or(0, |at| match self.plan.arch.layers()[at].output {
            Shape::Map { channels, .. } | Shape::Vector(channels) => channels,
        });
        let filters = count.min(channels);
        let fits = |work: &Work| {
            // Of the weights of another epoch it is painted again.
            let fresh = !work.is_done() || work.epoch == self.progress.epoch;
            work.layer == layer && work.painting.filters == filters && fresh
        };
        let before = self.easel.work.take();
        let again = before.as_ref().is_some_and(|work| work.layer == layer && work.painting.filters == filters);
        let mut work = match before.filter(fits) {
            Some(work) => work,
            None => Work {
                layer,
                channels,
                epoch: self.progress.epoch,
                painting: Painting { filters, ..Painting::default() },
                stepped: None,
                told: None,
                refused: false,
                again,
            },
        };
        if work.is_due(self.paused) {
            let outcome = self.paint(&mut work);
            self.or_give_up(outcome)?;
        }
        self.easel.work = Some(work);
        Ok(())
    }

    fn paint(&mut self, work: &mut Work) -> Result<()> {
        let begun = Instant::now();
        if let Some(reason) = self.stepper.climb(&work.layer, &mut work.painting)? {
            work.refused = true;
            return self.tell_painted(work, Some(reason));
        }
        work.stepped = Some((Instant::now(), begun.elapsed()));
        let forms = !work.again && work.told.is_none_or(|told| told.elapsed() >= TELL_EVERY);
        if work.is_done() || forms {
            work.told = Some(Instant::now());
            self.tell_painted(work, None)?;
        }
        Ok(())
    }

    fn tell_painted(&mut self, work: &Work, refused: Option<String>) -> Result<()> {
        let picture = pictures::filters(&work.painting);
        let blob = self.record.picture(&picture, false)?;
        self.record.say(Event::Painted(Painted {
            step: self.progress.step,
            epoch: self.progress.epoch,
            layer: work.layer.clone(),
            filters: work.painting.filters as u32,
            channels: work.channels as u32,
            done: work.painting.done,
            total: ASCENT_STEPS,
            blob,
            width: picture.width(),
            height: picture.height(),
            refused,
        }))
    }
}
