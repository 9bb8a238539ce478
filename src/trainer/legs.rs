//! How a run came about, for another one that repeats it: leg by leg, each with the configuration that held and with what was done in it, up
//! to the place where the run was resumed with another one. Says why, where a run cannot be repeated. Pure.

use super::{Scripted, script};
use crate::{
    command::Command,
    error::{Error, Result},
    event::{Alarm, Answered, DeviceReady, Event, Found, Moment, Outcome, Phases, Then},
};

/// From a start, or a resumption with another configuration, to the next one.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    /// Resolved, as TOML; `None` in journals of before it was told.
    pub config: Option<String>,
    /// Where the next one begins, it ends with a `stop`.
    pub script: Vec<Scripted>,
    /// Batches of numbers that are not finite were passed over: by somebody who let the run go on, or by a resumption behind them.
    pub skips: bool,
    /// The run went back to checkpoints by itself, which must be the same ones again.
    pub rolls_back: bool,
}

/// A place between two steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    step: u64,
    epoch: u32,
    interventions: u64,
}

/// What counts of an engine's life, from its beginning.
#[derive(Clone, Debug, PartialEq)]
struct Life {
    from: Place,
    /// From 1; 0 as long as nobody has told.
    phase: u32,
    config: Option<String>,
    device: Option<(String, String)>,
}

/// The time that went back by itself: a stretch of steps that was done, and then done again.
struct Rollback {
    to: u64,
    from: u64,
}

#[derive(Default)]
struct Story {
    lives: Vec<Life>,
    phase: u32,
    rollbacks: Vec<Rollback>,
    /// Steps at which an epoch had ended.
    ends: Vec<u64>,
    skips: bool,
    /// The step that went wrong at which the last engine gave up.
    gave_up: Option<(u64, u32)>,
}

/// From a journal's events, in order.
pub fn legs(events: &[Event]) -> Result<Vec<Leg>> {
    let mut script = script(events.iter().cloned())?;
    for each in script.iter_mut().filter(|each| each.command == Command::Stop) {
        // Whoever repeats a run is neither the clock nor a signal.
        "replay".clone_into(&mut each.by);
    }
    let mut story = Story::default();
    for event in events {
        story.take(event);
    }
    story.check(events)?;
    let Story { lives, phase, skips, gave_up, rollbacks, .. } = story;
    if let Some((step, epoch)) = gave_up.filter(|_| skips) {
        let interventions = script.last().map_or(0, |last| last.moment.interventions + 1);
        let moment = Moment { epoch, phase, evaluating: false, interventions };
        script.push(Scripted { step: step + 1, moment, by: "replay".into(), command: Command::Stop });
    }
    let rolls_back = !rollbacks.is_empty();
    let mut legs: Vec<Leg> = Vec::new();
    for life in lives {
        match legs.last_mut() {
            Some(leg) if leg.config == life.config => continue,
            Some(leg) => {
                let rest = script.split_off(script.partition_point(|each| is_before(each, life.from)));
                leg.script = std::mem::replace(&mut script, rest);
                leg.script.push(stop(life.from, life.phase, leg.script.last()));
            }
            None => {}
        }
        legs.push(Leg { config: life.config, script: Vec::new(), skips, rolls_back });
    }
    match legs.last_mut() {
        Some(leg) => leg.script = script,
        None => legs.push(Leg { config: None, script, skips, rolls_back }),
    }
    Ok(legs)
}

fn is_before(each: &Scripted, place: Place) -> bool {
    match each.command {
        Command::Stop => false,
        _ => each.moment.interventions < place.interventions,
    }
}

fn stop(place: Place, phase: u32, before: Option<&Scripted>) -> Scripted {
    let Place { step, epoch, interventions } = place;
    // What was done in the validation behind these steps comes first.
    let evaluating =
        before.is_some_and(|last| last.step == step && last.moment.epoch == epoch && last.moment.evaluating);
    let moment = Moment { epoch, phase, evaluating, interventions };
    Scripted { step, moment, by: "replay".into(), command: Command::Stop }
}

impl Story {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Branched(_) => *self = Self::default(),
            Event::RunStarted(started) => {
                let first = Place { epoch: 1, ..Place::default() };
                let from = started.resumed.map_or(first, |it| Place {
                    step: it.step,
                    epoch: it.epoch,
                    interventions: it.interventions,
                });
                self.go_back(from);
                self.lives.retain(|life| life.from < from);
                self.skips |= self.gave_up.take().is_some();
                self.lives.push(Life { from, phase: 0, config: None, device: None });
            }
            Event::Configuration { toml } => {
                if let Some(life) = self.lives.last_mut() {
                    life.config = Some(toml.clone());
                }
            }
            Event::DeviceReady(DeviceReady { device, libtorch, .. }) => {
                if let Some(life) = self.lives.last_mut() {
                    life.device = Some((device.clone(), libtorch.clone()));
                }
            }
            Event::Phases(Phases { current, .. }) => {
                self.phase = *current;
                if let Some(life) = self.lives.last_mut().filter(|life| life.phase == 0) {
                    life.phase = *current;
                }
            }
            Event::EpochEnded(ended) => self.ends.push(ended.step),
            Event::Undone(undone) => {
                let place = Place { step: undone.to, epoch: undone.epoch, interventions: undone.interventions };
                self.go_back(place);
                // An earlier life's place is gone on from with the configuration of this one.
                let Some(now) = self.lives.last().cloned() else { return };
                self.lives.retain(|life| life.from < place);
                if self.lives.last().is_none_or(|life| life.config != now.config) {
                    self.lives.push(Life { from: place, phase: 0, ..now });
                }
            }
            Event::Alarm(alarm) => self.alarm(alarm),
            _ => {}
        }
    }

    fn alarm(&mut self, alarm: &Alarm) {
        match (&alarm.found, alarm.then) {
            (_, Then::RolledBack { to, .. }) => self.rollbacks.push(Rollback { to, from: alarm.step + 1 }),
            (Found::NonFinite { .. }, Then::Paused) => self.skips = true,
            (Found::NonFinite { .. }, Then::Stopped) => self.gave_up = Some((alarm.step, alarm.epoch)),
            _ => {}
        }
    }

    /// What came after a place does not count.
    fn go_back(&mut self, place: Place) {
        self.rollbacks.retain(|rollback| rollback.from <= place.step);
    }

    /// Whether the run can be repeated at all.
    fn check(&self, events: &[Event]) -> Result<()> {
        let cannot =
            |why: String, hint: &str| Err(Error::user(format!("the run cannot be repeated to the bit: {why}"), hint));
        for pair in self.lives.windows(2) {
            if let [Life { device: Some(then), .. }, Life { device: Some(now), from, .. }] = pair
                && then != now
            {
                return cannot(
                    format!(
                        "up to step {} it was made on {} with libtorch {}, then on {} with {}",
                        from.step, then.0, then.1, now.0, now.1
                    ),
                    "one engine has one device and one libtorch; `--script JOURNAL` repeats what was done with the present ones",
                );
            }
        }
        for Rollback { to, from } in &self.rollbacks {
            let is_certain = *to == 0 || self.ends.contains(to) || self.lives.iter().any(|life| life.from.step == *to);
            if !is_certain {
                return cannot(
                    format!(
                        "after step {from} it went back by itself to step {to}, to a checkpoint that the clock had made"
                    ),
                    "only the ends of epochs are the same ones again",
                );
            }
            let meddles = |event: &&Event| {
                matches!(event, Event::Answered(Answered { request, step, outcome: Outcome::Applied, .. })
                    if request.intervenes() && (*to..=*from).contains(step))
            };
            if let Some(Event::Answered(answered)) = events.iter().find(meddles) {
                return cannot(
                    format!(
                        "\"{}\" after step {} lies in the steps {to} to {from}, which were done twice, as the run went back by itself",
                        answered.request, answered.step
                    ),
                    "`frostline branch` goes on from a checkpoint instead",
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::event::Undone;

    fn started(resumed: Option<(u64, u32, u64)>, config: &str) -> [Event; 3] {
        let resumed =
            resumed.map(|(step, epoch, interventions)| serde_json::json!({ "step": step, "epoch": epoch, "interventions": interventions }));
        let text = serde_json::json!({
            "event": "run_started", "protocol": 3, "version": "0", "run": "r", "model": "m", "phase": "train", "epochs": 9,
            "batch_size": 1, "layers": [], "loss": "binary_crossentropy", "optimizer": "sgd", "resumed": resumed,
        });
        [
            serde_json::from_value(text).unwrap(),
            Event::Configuration { toml: config.into() },
            Event::Phases(Phases { current: 1, first_step: 0, first_epoch: 1, phases: vec![] }),
        ]
    }

    fn done(command: Command, step: u64, interventions: u64) -> Event {
        let moment = Some(Moment { epoch: 1, phase: 1, evaluating: false, interventions });
        Event::Answered(Answered { id: 0, by: "ada".into(), request: command, step, outcome: Outcome::Applied, moment })
    }

    fn dropout(rate: f64) -> Command {
        Command::Dropout { rate, layers: vec![] }
    }

    fn lines(events: &[Event]) -> Vec<String> {
        let told = |leg: Leg| {
            let script: Vec<String> = leg.script.iter().map(|each| format!("{} {}", each.step, each.command)).collect();
            format!("{}: {}", leg.config.unwrap_or_default(), script.join(", "))
        };
        legs(events).unwrap().into_iter().map(told).collect()
    }

    #[test]
    fn each_configuration_has_its_own_leg_up_to_where_the_next_one_was_resumed() {
        let [first, second, same, third] = [
            started(None, "a"),
            started(Some((5, 1, 1)), "b"),
            started(Some((8, 2, 2)), "b"),
            started(Some((8, 2, 2)), "c"),
        ];
        let mut events = first.to_vec();
        // The second is of an engine that was killed behind its last checkpoint.
        events.extend([done(dropout(0.1), 3, 0), done(dropout(0.2), 7, 1)]);
        assert_eq!(lines(&events), ["a: 3 dropout 0.1, 7 dropout 0.2"]);
        events.extend(second);
        events.extend([done(dropout(0.3), 6, 1)]);
        assert_eq!(lines(&events), ["a: 3 dropout 0.1, 5 stop", "b: 6 dropout 0.3"]);
        events.extend(same);
        assert_eq!(lines(&events), ["a: 3 dropout 0.1, 5 stop", "b: 6 dropout 0.3"]);
        events.extend(third);
        events.extend([done(Command::Stop, 9, 2)]);
        let all = ["a: 3 dropout 0.1, 5 stop", "b: 6 dropout 0.3, 8 stop", "c: 9 stop"];
        assert_eq!(lines(&events), all);
        let undone =
            Undone { from: 9, to: 3, epoch: 1, step_in_epoch: 3, interventions: 0, what: "dropout 0.1".into() };
        events.pop();
        events.push(Event::Undone(undone));
        assert_eq!(lines(&events), ["a: 3 stop", "c: "], "what is undone is gone on from with the last one");
    }

    #[test]
    fn what_cannot_be_repeated_is_said_before_it_is_begun() {
        let alarm = |step: u64, to: u64| {
            let text = serde_json::json!({
                "event": "alarm", "step": step, "epoch": 2, "found": "non_finite", "what": "loss", "loss": 1.0, "layers": [],
                "count": 1, "images": [], "then": "rolled_back", "to": to,
            });
            serde_json::from_value::<Event>(text).unwrap()
        };
        let why = |events: Vec<Event>| legs(&events).unwrap_err().message();
        let with = |rest: Vec<Event>| [started(None, "a").to_vec(), rest].concat();
        assert!(why(with(vec![alarm(8, 5)])).contains("to step 5, to a checkpoint that the clock had made"));
        assert!(legs(&with(vec![alarm(8, 0)])).unwrap()[0].rolls_back);
        let why = why(with(vec![done(dropout(0.1), 3, 0), alarm(8, 0)]));
        assert!(why.contains("\"dropout 0.1\" after step 3 lies in the steps 0 to 9"), "{why}");
    }
}
