//! How the layers fare, for those who are looking, and at the end of those epochs of which something is kept. A probe sends a few pictures
//! of the split that is looked at through the network: the same ones each time, so that figures change with the weights alone.

use std::time::{Duration, Instant};

use super::{Histograms, Record, Stepper, Trainer, budget::Buy};
use crate::{
    command::{Scene, Watch},
    data::Pixels,
    error::Result,
    event::{Event, Probed, State, is_kept},
};

const PROBE_EVERY: Duration = Duration::from_secs(2);
/// Between two layers that somebody wants to see.
const NEW_EVERY: Duration = Duration::from_millis(250);
/// A probe may take one part in so many of the time.
const PRICE: u32 = 200;
/// A unit that is dead for so many pictures is dead for most others, and a clock tells one layer from another by them.
const PICTURES: usize = 16;
/// Training is held up no longer than about this: of slow networks there are fewer pictures.
const LONGEST: Duration = Duration::from_millis(300);

/// When it was last probed, and what for.
#[derive(Default)]
pub(super) struct Probing {
    at: Option<Instant>,
    cost: Duration,
    /// Sent through at once; 0 before the first time.
    count: usize,
    /// So many of the split, read once, with their classes.
    pictures: Vec<Pixels>,
    labels: Vec<i64>,
    shown: Vec<Watch>,
    /// Probes so far: viewers of different layers take turns.
    turn: usize,
    step: u64,
    /// The step before which the weights were remembered.
    braced: Option<u64>,
}

impl Probing {
    fn is_due(&self, watched: &[Watch], step: u64) -> bool {
        let rested = self.at.is_none_or(|at| at.elapsed() >= PROBE_EVERY.max(self.cost * PRICE));
        // A cursor that runs over the layers asks for each of them.
        let ready = self.at.is_none_or(|at| at.elapsed() >= NEW_EVERY.max(self.cost * 10));
        (rested && (self.at.is_none() || step != self.step))
            || (ready && watched.iter().any(|watch| !self.shown.contains(watch)))
    }

    /// How many pictures next time, now that so many took so long.
    fn learn(&mut self, pictures: usize, cost: Duration) {
        self.cost = cost;
        let bearable = pictures as f64 * LONGEST.as_secs_f64() / cost.as_secs_f64().max(1e-6);
        let bearable = (bearable as usize).clamp(1, PICTURES);
        // Other pictures give other figures: their number changes where it is far from what it should be, and only there.
        if self.count == 0 || bearable >= 2 * self.count || 2 * bearable <= self.count {
            self.count = bearable;
        }
    }
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// While steps go on, one of them is measured: the weights are remembered before it, and the probe follows it.
    pub(super) fn probe_if_due(&mut self, watched: &[Watch]) -> Result<()> {
        let watched: Vec<Watch> = watched.iter().filter(|watch| watch.scene == Scene::Probe).cloned().collect();
        self.probing.shown.retain(|watch| watched.contains(watch));
        if watched.is_empty() || !self.probing.is_due(&watched, self.progress.step) {
            return Ok(());
        }
        let outcome = self.learn_the_price();
        if self.or_give_up(outcome)?.is_none() {
            return Ok(());
        }
        let steps_go_on = self.doing == State::Running && !self.paused;
        if steps_go_on && self.probing.braced.is_none() {
            self.probing.braced = Some(self.progress.step);
            let outcome = self.stepper.brace();
            self.or_give_up(outcome)?;
            return Ok(());
        }
        let new = watched.iter().find(|watch| !self.probing.shown.contains(watch));
        let wanted = new.unwrap_or(&watched[self.probing.turn % watched.len()]).clone();
        self.probing.turn += 1;
        let outcome = self.probe(Histograms::Of(wanted.layer.as_deref()));
        self.or_give_up(outcome)?;
        if !self.probing.shown.contains(&wanted) {
            self.probing.shown.push(wanted);
        }
        Ok(())
    }

    /// One picture tells how long others will take; what a first time costs besides, nobody is told as a layer's.
    fn learn_the_price(&mut self) -> Result<()> {
        if self.probing.count > 0 {
            return Ok(());
        }
        self.read_pictures(1);
        let begun = Instant::now();
        if !self.probing.pictures.is_empty() {
            self.stepper.probe(&self.probing.pictures, &self.probing.labels, Histograms::Of(None))?;
        }
        self.probing.learn(1, begun.elapsed());
        Ok(())
    }

    /// All histograms, where the time that is set aside for keeping allows it.
    pub(super) fn keep_probe(&mut self) -> Result<()> {
        if !is_kept(self.progress.epoch) || !self.pins.budget.affords(Buy::Probe) {
            return Ok(());
        }
        let begun = Instant::now();
        self.learn_the_price()?;
        self.probe(Histograms::All)?;
        self.pins.budget.spend(Buy::Probe, begun.elapsed().as_secs_f64());
        Ok(())
    }

    fn probe(&mut self, histograms: Histograms<'_>) -> Result<()> {
        let measured = self.probing.braced.take().is_some_and(|before| self.progress.step == before + 1);
        let begun = Instant::now();
        self.read_pictures(self.probing.count);
        let Probing { pictures, labels, .. } = &self.probing;
        if pictures.is_empty() {
            return Ok(());
        }
        let images = pictures.len();
        let mut layers = self.stepper.probe(pictures, labels, histograms)?;
        if !measured {
            for layer in &mut layers {
                layer.update_ratio = None;
            }
        }
        self.probing.learn(images, begun.elapsed());
        self.probing.at = Some(Instant::now());
        self.probing.step = self.progress.step;
        let Self { progress, record, .. } = self;
        record.say(Event::Probed(Probed { step: progress.step, epoch: progress.epoch, images: images as u32, layers }))
    }

    /// Spread over the split that is looked at, so that all classes are among them where they lie class by class.
    fn read_pictures(&mut self, wanted: usize) {
        let split = self.data.pinned();
        let count = wanted.min(split.len());
        if self.probing.pictures.len() == count {
            return;
        }
        let positions = (0..count).map(|each| each * split.len() / count);
        let load = |position| Some((split.load(position, self.plan.data.size).ok()?, i64::from(split.label(position))));
        (self.probing.pictures, self.probing.labels) = positions.filter_map(load).unzip();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_stay_the_same_while_their_price_does_about() {
        let milliseconds = Duration::from_millis;
        let mut probing = Probing::default();
        probing.learn(1, milliseconds(4));
        assert_eq!(probing.count, PICTURES);
        probing.learn(PICTURES, milliseconds(500));
        assert_eq!(probing.count, PICTURES, "a busy moment");
        probing.learn(PICTURES, milliseconds(1200));
        assert_eq!(probing.count, 4);
        probing.learn(4, milliseconds(200));
        assert_eq!(probing.count, 4);
        probing.learn(4, milliseconds(40));
        assert_eq!(probing.count, PICTURES, "the first time was dear, as on a card");
        probing.learn(PICTURES, Duration::from_secs(20));
        assert_eq!(probing.count, 1, "one is the least");
    }

    #[test]
    fn a_dear_probe_waits_and_a_new_viewer_does_not() {
        let watch = |layer: &str| Watch { layer: Some(layer.into()), scene: Scene::Probe, ..Watch::default() };
        let mut probing = Probing { at: Some(Instant::now()), shown: vec![watch("a")], ..Probing::default() };
        assert!(!probing.is_due(&[watch("a"), watch("b")], 5), "the cursor may go on");
        probing.at = Instant::now().checked_sub(Duration::from_millis(300));
        assert!(!probing.is_due(&[watch("a")], 5));
        assert!(probing.is_due(&[watch("a"), watch("b")], 5));
        probing.cost = Duration::from_secs(1);
        probing.at = Instant::now().checked_sub(Duration::from_secs(199));
        assert!(!probing.is_due(&[watch("a")], 5));
        probing.at = Instant::now().checked_sub(Duration::from_secs(201));
        assert!(probing.at.is_none() || probing.is_due(&[watch("a")], 5));
        probing.step = 5;
        assert!(probing.at.is_none() || !probing.is_due(&[watch("a")], 5), "nothing has changed");
    }
}
