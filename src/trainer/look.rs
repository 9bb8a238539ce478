//! What the network makes of one validation image, for those who are looking: the image, a layer's activations, what speaks for a class.
//! Computed while a viewer watches, at a price that stays small against training. What would hold up training for long is refused
//! until the run is paused.

use std::time::{Duration, Instant};

use super::{Explanation, Question, Record, Stepper, Trainer, pictures};
use crate::{
    arch::Shape,
    command::{Method, Scene, Watch, Whose},
    data::Pixels,
    error::Result,
    event::{Event, Explained, Level, Picture, PictureKind, Refused},
};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looking may take one part in so many of the time.
const PRICE: u32 = 200;
/// Training is held up at most so long for what somebody asks for.
const LONGEST: Duration = Duration::from_secs(2);

/// When somebody was last shown something, and what.
pub(super) struct Look {
    at: Option<Instant>,
    cost: Duration,
    step: u64,
    shown: Vec<Watch>,
    /// Those that have to wait for a pause.
    refused: Vec<Watch>,
    /// It went wrong once: no run is to end because somebody looked.
    given_up: bool,
}

impl Look {
    pub(super) fn new() -> Self {
        Self { at: None, cost: Duration::ZERO, step: 0, shown: Vec::new(), refused: Vec::new(), given_up: false }
    }

    pub(super) fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// Which are to be computed now: something new to look at at once, new weights every now and then.
    fn due(&self, watched: &[Watch], step: u64, paused: bool) -> Vec<Watch> {
        let rested = self.at.is_none_or(|at| at.elapsed() >= LOOK_EVERY.max(self.cost * PRICE));
        if rested && step != self.step {
            let waits = |watch: &&Watch| paused || !self.refused.contains(watch);
            return watched.iter().filter(waits).cloned().collect();
        }
        let new = |watch: &&Watch| !self.shown.contains(watch) || (paused && self.refused.contains(watch));
        watched.iter().filter(new).cloned().collect()
    }

    /// Forgets what is no longer on any screen.
    fn keep_only(&mut self, watched: &[Watch]) {
        self.shown.retain(|watch| watched.contains(watch));
        self.refused.retain(|watch| watched.contains(watch));
    }
}

/// What came of a question.
enum Answer {
    Seen(Explanation),
    /// It would hold up training for so many seconds.
    TooLong {
        layer: String,
        seconds: f64,
    },
    /// Something else is wanted now.
    Interrupted,
}

/// A picture of the split that is looked at, by its position.
pub(super) struct Subject {
    pub sample: u32,
    pub pixels: Pixels,
    pub name: String,
    pub label: u32,
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    pub(super) fn look_if_due(&mut self) -> Result<()> {
        if self.look.given_up {
            return Ok(());
        }
        let mut watched = self.inbox.watched();
        let painted = watched.iter().find(|watch| matches!(watch.scene, Scene::Filters(_))).cloned();
        self.paint_if_due(painted.as_ref())?;
        self.probe_if_due(&watched)?;
        watched.retain(|watch| watch.scene.is_of_an_image());
        self.look.keep_only(&watched);
        let due = self.look.due(&watched, self.progress.step, self.paused);
        if due.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        for watch in due {
            let outcome = self.look_at(&watch);
            match self.or_give_up(outcome)? {
                Some(true) => {}
                // What interrupted it is seen to first.
                Some(false) | None => return Ok(()),
            }
        }
        self.look.at = Some(Instant::now());
        self.look.cost = begun.elapsed();
        self.look.step = self.progress.step;
        Ok(())
    }

    /// After an error nothing is looked at any more: out of memory it may have been, and the next step needs that.
    pub(super) fn or_give_up<T>(&mut self, outcome: Result<T>) -> Result<Option<T>> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.look.given_up = true;
                let message = format!("no more pictures in this run: {}", error.message());
                self.record.say(Event::Log { level: Level::Error, message })?;
                Ok(None)
            }
        }
    }

    /// Says what one screen wants to know; false if something else came between.
    fn look_at(&mut self, watch: &Watch) -> Result<bool> {
        let layers = self.layers_of(watch);
        let Some(subject) = self.subject(watch.sample) else { return Ok(true) };
        let class = match watch.class {
            _ if watch.scene == Scene::Verdict => None,
            Whose::Predicted => None,
            Whose::True => Some(subject.label),
            Whose::Class(class) => Some(class),
        };
        let mut seen = None;
        let mut refused = None;
        for layer in layers {
            match self.ask(watch, &subject, Question { layer: &layer, method: watch.method, class })? {
                Answer::Interrupted => return Ok(false),
                Answer::TooLong { layer, seconds } => {
                    let what = watch.method.title();
                    let reason = format!(
                        "{what} at {layer} would hold up training for {seconds:.0} s; it is computed while the run is paused"
                    );
                    refused = Some(Refused { method: watch.method, layer, reason });
                    break;
                }
                Answer::Seen(explanation) => {
                    let explained = match &mut seen {
                        None => seen.insert(self.explained(&subject, &explanation, false)?),
                        Some(explained) => explained,
                    };
                    if watch.scene == Scene::Layer {
                        explained.pictures.push(self.activations(&layer, &explanation, false)?);
                    }
                    explained.pictures.push(self.heat(&layer, watch.method, &explanation, false)?);
                    if watch.scene == Scene::Verdict && explanation.class != subject.label {
                        let question = Question { layer: &layer, method: watch.method, class: Some(subject.label) };
                        if let Answer::Seen(own) = self.ask(watch, &subject, question)? {
                            explained.pictures.push(self.heat(&layer, watch.method, &own, false)?);
                        }
                    }
                }
            }
        }
        if !self.look.shown.contains(watch) {
            self.look.shown.push(watch.clone());
        }
        self.look.refused.retain(|other| other != watch);
        if refused.is_some() {
            self.look.refused.push(watch.clone());
            if seen.is_none() {
                seen = self.without_heat(&subject, watch)?;
            }
        }
        if let Some(explained) = seen {
            self.record.say(Event::Explained(Explained { refused, ..explained }))?;
        }
        Ok(true)
    }

    /// What does not cost much of an image whose heat would.
    fn without_heat(&mut self, subject: &Subject, watch: &Watch) -> Result<Option<Explained>> {
        let Some(layer) = self.layers_of(watch).into_iter().next() else { return Ok(None) };
        let question = Question { layer: &layer, method: Method::GradCam, class: None };
        let explanation = self.stepper.explain(&subject.pixels, question, &mut |_, _| true)?;
        let mut explained = self.explained(subject, &explanation, false)?;
        if watch.scene == Scene::Layer {
            explained.pictures.push(self.activations(&layer, &explanation, false)?);
        }
        Ok(Some(explained))
    }

    /// Training waits for an answer no longer than [`LONGEST`]; while the run is paused, until there is something else to do.
    fn ask(&mut self, watch: &Watch, subject: &Subject, question: Question<'_>) -> Result<Answer> {
        let begun = Instant::now();
        let (inbox, paused) = (&self.inbox, self.paused);
        let mut expected = 0.0;
        let mut go_on = |done: usize, total: usize| {
            if paused {
                return !inbox.has_request() && inbox.watched().contains(watch);
            }
            expected = begun.elapsed().as_secs_f64() * total as f64 / done.max(1) as f64;
            expected <= LONGEST.as_secs_f64()
        };
        let explanation = self.stepper.explain(&subject.pixels, question, &mut go_on)?;
        Ok(match explanation.heat {
            Some(_) => Answer::Seen(explanation),
            None if paused => Answer::Interrupted,
            None => Answer::TooLong { layer: question.layer.to_owned(), seconds: expected },
        })
    }

    /// Where a screen wants heat; none if the network has no feature map.
    fn layers_of(&self, watch: &Watch) -> Vec<String> {
        let ends = if watch.scene == Scene::Sweep && watch.method.looks_at_a_layer() {
            self.plan.arch.block_ends()
        } else {
            Vec::new()
        };
        if ends.is_empty() {
            return self.explained_layer(watch.layer.as_deref()).into_iter().collect();
        }
        ends.into_iter().map(|index| self.plan.arch.layers()[index].name.clone()).collect()
    }

    /// An image of the split that is looked at. An unreadable one is listed by the pass that meets it; here there is just nothing to show.
    pub(super) fn subject(&self, sample: u32) -> Option<Subject> {
        let split = self.data.pinned();
        if split.is_empty() {
            return None;
        }
        let position = sample as usize % split.len();
        let pixels = split.load(position, self.plan.data.size).ok()?;
        let sample = position as u32;
        Some(Subject { sample, pixels, name: split.name(position), label: split.label(position) })
    }

    /// The image and what it is taken for, no heat yet.
    pub(super) fn explained(
        &mut self,
        subject: &Subject,
        explanation: &Explanation,
        lasting: bool,
    ) -> Result<Explained> {
        let image = self.picture(PictureKind::Sample, &pictures::rgb(&subject.pixels), lasting)?;
        Ok(Explained {
            step: self.progress.step,
            epoch: self.progress.epoch,
            sample: subject.sample,
            name: subject.name.clone(),
            label: subject.label,
            probabilities: explanation.probabilities.clone(),
            pictures: vec![image],
            kept: lasting,
            refused: None,
        })
    }

    pub(super) fn activations(&mut self, layer: &str, seen: &Explanation, lasting: bool) -> Result<Picture> {
        let kind = PictureKind::Activations { layer: layer.to_owned(), channels: seen.activations.channels as u32 };
        self.picture(kind, &pictures::channels(&seen.activations), lasting)
    }

    pub(super) fn heat(&mut self, layer: &str, method: Method, seen: &Explanation, lasting: bool) -> Result<Picture> {
        let heat = seen.heat.as_ref();
        let empty = heat.is_none_or(|heat| heat.values.iter().all(|&value| value == 0.0));
        let kind = PictureKind::Heat { method, layer: layer.to_owned(), class: seen.class, empty };
        self.picture(kind, &pictures::levels(heat), lasting)
    }

    pub(super) fn picture(&mut self, kind: PictureKind, image: &image::RgbImage, lasting: bool) -> Result<Picture> {
        let blob = self.record.picture(image, lasting)?;
        Ok(Picture { kind, blob, width: image.width(), height: image.height() })
    }

    /// The named layer if it has a feature map, else the nearest one below it that has; by default the deepest.
    pub(super) fn explained_layer(&self, wanted: Option<&str>) -> Option<String> {
        let arch = &self.plan.arch;
        let index = match wanted.and_then(|name| arch.position(name)) {
            Some(position) => {
                (0..=position).rev().find(|&index| matches!(arch.layers()[index].output, Shape::Map { .. }))
            }
            None => arch.last_feature_map(),
        };
        index.map(|index| arch.layers()[index].name.clone())
    }
}
