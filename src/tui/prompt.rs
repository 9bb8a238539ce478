//! What takes all keys while it is open: the help page, the questions before a stop and the end of a phase, the lines for a learning
//! rate, for a phase and for words in the log.

use crossterm::event::KeyCode;

use super::{
    command_line::{self, CommandLine},
    curves,
    keys::Chord,
    model::Model,
    steering,
    update::Effect,
};
use crate::{command::Command, state::Metric};

#[derive(Clone, Debug, PartialEq)]
pub enum Prompt {
    Help {
        scrolled: u16,
    },
    /// Only `y` stops: an Enter too many must not end a run of two days.
    Stop,
    /// Only `y` aborts.
    Abort,
    /// Only `y` undoes: steps are thrown away.
    Undo,
    /// How to end the phase under way.
    EndPhase,
    /// A phase to put behind the one under way.
    Phase {
        typed: String,
        error: Option<&'static str>,
    },
    Rate {
        typed: String,
        before: String,
        error: Option<&'static str>,
    },
    /// Words that lines of the log must have. They count as they are typed; `before` is what Esc goes back to.
    Filter {
        before: String,
    },
    /// A line of words.
    Command(CommandLine),
    /// A list to choose several things from.
    Pick {
        what: Choice,
        cursor: usize,
    },
}

/// What there is to choose from.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// Charts on the page of curves.
    Metrics,
    /// Runs to compare with, by name.
    Runs(Vec<String>),
}

impl Choice {
    pub fn title(&self) -> &'static str {
        match self {
            Self::Metrics => "charts",
            Self::Runs(_) => "runs to compare with",
        }
    }

    /// Names, and whether they are chosen.
    pub fn items(&self, model: &Model) -> Vec<(String, bool)> {
        let curves = &model.view.curves;
        match self {
            Self::Metrics => Metric::ALL.map(|each| (each.name().to_owned(), curves.metrics.contains(&each))).into(),
            Self::Runs(names) => {
                let shown = |name: &str| curves.others.iter().any(|other| other.name == name);
                names.iter().map(|name| (name.clone(), shown(name))).collect()
            }
        }
    }

    fn toggle(&self, model: &mut Model, at: usize) -> Vec<Effect> {
        match self {
            Self::Metrics => {
                if let Some(metric) = Metric::ALL.get(at) {
                    curves::toggle_metric(model, *metric);
                }
                Vec::new()
            }
            Self::Runs(names) => names.get(at).map_or_else(Vec::new, |name| curves::toggle_run(model, name)),
        }
    }
}

/// Feeds a key to the prompt that is open.
pub fn press(model: &mut Model, chord: Chord) -> Vec<Effect> {
    if chord == Chord::control('c') {
        model.view.prompt = None;
        return Vec::new();
    }
    let Some(prompt) = &mut model.view.prompt else { return Vec::new() };
    match prompt {
        Prompt::Help { scrolled } => {
            if chord == Chord::key('j') || chord == Chord::code(KeyCode::Down) {
                *scrolled = scrolled.saturating_add(1);
            } else if chord == Chord::key('k') || chord == Chord::code(KeyCode::Up) {
                *scrolled = scrolled.saturating_sub(1);
            } else {
                model.view.prompt = None;
            }
            Vec::new()
        }
        Prompt::Command(_) => command_line::press(model, chord),
        Prompt::Filter { before } => {
            let before = std::mem::take(before);
            match edit(chord, &mut model.view.filter.words, &mut None::<&str>, 60, |c| !c.is_control()) {
                Edited::Left => (model.view.filter.words, model.view.prompt) = (before, None),
                Edited::Entered => model.view.prompt = None,
                Edited::Typed => model.view.prompt = Some(Prompt::Filter { before }),
            }
            model.view.log_back = 0;
            Vec::new()
        }
        Prompt::Pick { what, cursor } => {
            let (what, at) = (what.clone(), *cursor);
            let most = what.items(model).len().saturating_sub(1);
            let mut go = |to: usize| {
                model.view.prompt = Some(Prompt::Pick { what: what.clone(), cursor: to.min(most) });
                Vec::new()
            };
            match chord {
                _ if chord == Chord::key('j') || chord == Chord::code(KeyCode::Down) => go(at + 1),
                _ if chord == Chord::key('k') || chord == Chord::code(KeyCode::Up) => go(at.saturating_sub(1)),
                _ if chord == Chord::key(' ') || chord == Chord::code(KeyCode::Enter) => what.toggle(model, at),
                _ => {
                    model.view.prompt = None;
                    Vec::new()
                }
            }
        }
        Prompt::Stop => {
            model.view.prompt = None;
            // The run may have ended while the question stood.
            if chord == Chord::key('y') && model.refusal().is_none() {
                steering::send(model, Command::Stop)
            } else {
                Vec::new()
            }
        }
        prompt @ (Prompt::Abort | Prompt::Undo) => {
            let command = if *prompt == Prompt::Abort { Command::Abort } else { Command::Undo };
            model.view.prompt = None;
            if chord == Chord::key('y') && model.refusal().is_none() {
                steering::send(model, command)
            } else {
                Vec::new()
            }
        }
        Prompt::EndPhase => {
            model.view.prompt = None;
            let command = match chord {
                _ if model.refusal().is_some() => return Vec::new(),
                chord if chord == Chord::key('e') => Command::EndPhase,
                chord if chord == Chord::key('s') => Command::SkipPhase,
                _ => return Vec::new(),
            };
            steering::send(model, command)
        }
        Prompt::Rate { typed, error, .. } => {
            let fits = |c| matches!(c, '0'..='9' | '.' | 'e' | 'E' | '-' | '+');
            match edit(chord, typed, error, 20, fits) {
                Edited::Left => model.view.prompt = None,
                Edited::Entered => return enter_rate(model),
                Edited::Typed => {}
            }
            Vec::new()
        }
        Prompt::Phase { typed, error } => {
            match edit(chord, typed, error, 400, |c| !c.is_control()) {
                Edited::Left => model.view.prompt = None,
                Edited::Entered => return enter_phase(model),
                Edited::Typed => {}
            }
            Vec::new()
        }
    }
}

pub(super) enum Edited {
    Typed,
    Entered,
    Left,
}

/// A key in a line that is typed.
pub(super) fn edit<E>(
    chord: Chord,
    typed: &mut String,
    error: &mut Option<E>,
    most: usize,
    fits: impl Fn(char) -> bool,
) -> Edited {
    if chord == Chord::code(KeyCode::Esc) {
        return Edited::Left;
    }
    if chord == Chord::code(KeyCode::Enter) {
        return Edited::Entered;
    }
    if chord == Chord::code(KeyCode::Backspace) {
        typed.pop();
        *error = None;
    } else if chord == Chord::control('u') {
        typed.clear();
    } else if let Some(c) = chord.typed().filter(|&c| fits(c) && typed.len() < most) {
        typed.push(c);
        *error = None;
    }
    Edited::Typed
}

/// The engine knows best whether it is a phase; its refusal says why not.
fn enter_phase(model: &mut Model) -> Vec<Effect> {
    let refused = model.refusal();
    let Some(Prompt::Phase { typed, error }) = &mut model.view.prompt else { return Vec::new() };
    if refused.is_some() {
        *error = refused;
        return Vec::new();
    }
    let phase = typed.trim().to_owned();
    model.view.prompt = None;
    if phase.is_empty() { Vec::new() } else { steering::send(model, Command::InsertPhase { phase }) }
}

fn enter_rate(model: &mut Model) -> Vec<Effect> {
    let refused = model.refusal();
    let Some(Prompt::Rate { typed, error, .. }) = &mut model.view.prompt else { return Vec::new() };
    if typed.is_empty() {
        model.view.prompt = None;
        return Vec::new();
    }
    match typed.parse::<f64>() {
        _ if refused.is_some() => *error = refused,
        Ok(rate) if rate > 0.0 && rate.is_finite() => {
            model.view.prompt = None;
            return steering::send(model, Command::LearningRate { rate, layers: Vec::new() });
        }
        Ok(_) => *error = Some("it must be greater than zero"),
        Err(_) => *error = Some("that is no number"),
    }
    Vec::new()
}
