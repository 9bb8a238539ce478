//! The page of steps that went wrong: which of them is shown, the image under its cursor, and what a person can do about it now. Keys are
//! taken from the table of actions, so that the page names those that hold.

use super::{
    actions::ACTIONS,
    figures,
    model::{Connection, Model, Tone},
    page::Page,
    update::Effect,
    view, viewing,
};
use crate::event::{Alarm, Found, NonFinite, State, Then};

#[derive(Clone, Copy, Debug, Default)]
pub struct Alarms {
    /// How many came after the one that is shown; 0 follows the newest.
    pub back: usize,
    /// The image under the cursor.
    pub image: usize,
    /// It has all the room.
    pub alone: bool,
}

/// A key and what it does about an alarm.
pub type Remedy = (String, String);

impl Model {
    /// The one that the page shows, and its number from 1 among those that are kept.
    pub fn alarm(&self) -> Option<(&Alarm, usize)> {
        let last = self.run.alarms.len().checked_sub(1)?;
        let at = last - self.view.alarms.back.min(last);
        Some((&self.run.alarms[at], at + 1))
    }

    /// Whether it began in this layer: in the one that the page shows, elsewhere in one that training has not gone on past.
    pub fn suspects(&self, layer: &str) -> bool {
        let here = self.view.page == Page::Alarms || self.view.alarms.back > 0;
        let alarm = if here { self.alarm().map(|(alarm, _)| alarm) } else { self.run.alarm_in_force() };
        alarm.is_some_and(|alarm| alarm.layers.iter().any(|name| name == layer))
    }

    /// Pictures on the page, the first to be looked at last: so they are asked for.
    pub fn alarm_blobs(&self) -> Vec<String> {
        let Some((alarm, _)) = self.alarm() else { return Vec::new() };
        let shown = view::suspects_shown(self).into_iter().rev().filter_map(|(at, _)| alarm.images.get(at));
        shown.filter(|image| !image.blob.is_empty()).map(|image| image.blob.clone()).collect()
    }

    /// What keys do about the alarm that is shown, the most likely first.
    pub fn remedies(&self) -> Vec<Remedy> {
        let Some((alarm, _)) = self.alarm() else { return Vec::new() };
        let weights = alarm.found == Found::NonFinite { what: NonFinite::Weights };
        // Not by comparing them: a loss that is no number is equal to none.
        let at_it = self.view.alarms.back == 0 && self.run.alarm_in_force().is_some();
        let rate = self.learning_rate().map_or_else(String::new, |rate| format!(", now {}", figures::rate(rate)));
        let go_on = match &alarm.found {
            _ if !at_it => "goes on",
            Found::Spike { .. } => "goes on: the step was made",
            Found::NonFinite { what: NonFinite::Weights } => "goes on, and fails again: the weights are what is wrong",
            Found::NonFinite { .. } => "goes on with the next batch, without this one",
        };
        let undo = self
            .run
            .last_intervention()
            .map(|(step, command)| format!("goes back to step {}, to before {command}", figures::count(step)));
        let mut all = vec![
            ("halve-rate", format!("halves the learning rate{rate}")),
            ("set-rate", "sets another rate".to_owned()),
            ("pause", (if self.is_pausing() { go_on } else { "pauses" }).to_owned()),
            ("step", "makes one step and pauses again".to_owned()),
        ];
        if let Some(undo) = undo {
            // Nothing else helps weights that are lost already.
            all.insert(if weights { 0 } else { 2 }, ("undo", undo));
        }
        all.push(("stop", "saves, and ends the run".to_owned()));
        all.push(("resume", "starts an engine that goes on behind the batch".to_owned()));
        all.into_iter().filter_map(|(name, does)| Some((key(self, name)?, does))).collect()
    }
}

/// The key of an action that applies now.
pub fn key(model: &Model, name: &str) -> Option<String> {
    let action = ACTIONS.iter().find(|action| action.name == name && action.when.holds(model).is_ok())?;
    model.view.settings.keymap.of(action).first().map(ToString::to_string)
}

/// What was done about it, in a sentence.
pub fn done(alarm: &Alarm) -> String {
    let unharmed = match alarm.found {
        Found::NonFinite { .. } => "nothing was updated",
        Found::Spike { .. } => "the update was made",
    };
    match alarm.then {
        Then::Warned => format!("told, no more: {unharmed}, and training went on"),
        Then::Skipped => format!("skipped: {unharmed}, and the next batch followed"),
        Then::Paused => format!("paused after it: {unharmed}"),
        Then::RolledBack { to, .. } => {
            format!("went back to the checkpoint of step {}, and on from there at half the rate", figures::count(to))
        }
        Then::Stopped => format!("saved and ended: {unharmed}"),
    }
}

/// Opens the page, or goes back from it.
pub fn open(model: &mut Model) -> Vec<Effect> {
    if model.view.page == Page::Alarms {
        return viewing::page_before(model);
    }
    // A box about the run's end would lie over what led to it.
    model.view.dismissed = true;
    viewing::go_to(model, Page::Alarms)
}

/// Earlier ones, or later.
pub fn step(model: &mut Model, by: isize) -> Vec<Effect> {
    let last = model.run.alarms.len().saturating_sub(1);
    let back = model.view.alarms.back.min(last).saturating_add_signed(by).min(last);
    if back != model.view.alarms.back {
        model.view.alarms = Alarms { back, ..Alarms::default() };
    }
    Vec::new()
}

/// Another image.
pub fn choose(model: &mut Model, by: isize) {
    let last = model.alarm().map_or(0, |(alarm, _)| alarm.images.len().saturating_sub(1));
    let now = model.view.alarms.image.min(last) as isize;
    model.view.alarms.image = now.saturating_add(by).clamp(0, last as isize) as usize;
}

pub fn alone(model: &mut Model) -> Vec<Effect> {
    model.view.alarms.alone ^= true;
    Vec::new()
}

/// One more, just now or in a journal that is read.
pub fn came(model: &mut Model, alarm: &Alarm) {
    let live = model.is_live();
    if live && alarm.then == Then::Paused {
        model.view.alarms = Alarms::default();
        return viewing::turn_to(model, Page::Alarms);
    }
    if model.view.alarms.back > 0 {
        // Who looks at an earlier one goes on looking.
        model.view.alarms.back += 1;
    } else {
        model.view.alarms.image = 0;
    }
    if live && model.view.page != Page::Alarms {
        let look = key(model, "alarms").map(|key| format!("; {key} shows it")).unwrap_or_default();
        model.notify(Tone::Bad, format!("{} in step {}{look}", alarm.what(), figures::count(alarm.step + 1)));
    }
}

/// A run that waits at one is joined there.
pub fn found(model: &mut Model) {
    let waits = model.connection == Connection::Live && model.run.state == Some(State::Paused);
    if waits && model.run.alarm_in_force().is_some_and(|alarm| alarm.then == Then::Paused) {
        model.view.alarms = Alarms::default();
        viewing::turn_to(model, Page::Alarms);
    }
}
