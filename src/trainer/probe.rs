//! How the layers fare, for those who are looking, and at the end of those epochs of which something is kept. A probe sends a few pictures
//! of the split that is looked at through the network, as many as keep its cost small.

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
/// So long a probe should take, if one picture does not take longer.
const WANTED: Duration = Duration::from_millis(40);
/// A unit that is dead for so many pictures is dead for most others.
const MOST: usize = 32;

/// When it was last probed, and what for.
#[derive(Default)]
pub(super) struct Probing {
    at: Option<Instant>,
    cost: Duration,
    /// Sent through at once; 0 before the first time.
    pictures: usize,
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
        let fitting = pictures as f64 * WANTED.as_secs_f64() / cost.as_secs_f64().max(1e-6);
        self.pictures = (fitting as usize).clamp(1, MOST);
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

    /// All histograms, where the time that is set aside for keeping allows it.
    pub(super) fn keep_probe(&mut self) -> Result<()> {
        if !is_kept(self.progress.epoch) || !self.pins.budget.affords(Buy::Probe) {
            return Ok(());
        }
        let begun = Instant::now();
        self.probe(Histograms::All)?;
        self.pins.budget.spend(Buy::Probe, begun.elapsed().as_secs_f64());
        Ok(())
    }

    fn probe(&mut self, histograms: Histograms<'_>) -> Result<()> {
        let begun = Instant::now();
        let wanted = self.probing.pictures.clamp(1, MOST);
        let (pictures, labels) = self.some_pictures(wanted);
        let measured = self.probing.braced.take().is_some_and(|before| self.progress.step == before + 1);
        if pictures.is_empty() {
            return Ok(());
        }
        let mut layers = self.stepper.probe(&pictures, &labels, histograms)?;
        if !measured {
            for layer in &mut layers {
                layer.update_ratio = None;
            }
        }
        self.probing.learn(pictures.len(), begun.elapsed());
        self.probing.at = Some(Instant::now());
        self.probing.step = self.progress.step;
        let Self { progress, record, .. } = self;
        record.say(Event::Probed(Probed {
            step: progress.step,
            epoch: progress.epoch,
            images: pictures.len() as u32,
            layers,
        }))
    }

    /// Spread over the split that is looked at, so that all classes are among them where they lie class by class.
    fn some_pictures(&self, wanted: usize) -> (Vec<Pixels>, Vec<i64>) {
        let split = self.data.pinned();
        let count = wanted.min(split.len());
        let positions = (0..count).map(|each| each * split.len() / count);
        let load = |position| Some((split.load(position, self.plan.data.size).ok()?, i64::from(split.label(position))));
        positions.filter_map(load).unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_pictures_as_fit_the_time() {
        let mut probing = Probing::default();
        probing.learn(1, Duration::from_millis(4));
        assert_eq!(probing.pictures, 10);
        probing.learn(10, Duration::from_millis(1));
        assert_eq!(probing.pictures, MOST);
        probing.learn(MOST, Duration::from_secs(20));
        assert_eq!(probing.pictures, 1, "one is the least");
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
