//! What takes all keys while it is open: the help page, the question before a stop, the line for a learning rate.

use crossterm::event::KeyCode;

use super::{keys::Chord, model::Model, steering, update::Effect};
use crate::command::Command;

#[derive(Clone, Debug, PartialEq)]
pub enum Prompt {
    Help {
        scrolled: u16,
    },
    /// Only `y` stops: an Enter too many must not end a run of two days.
    Stop,
    Rate {
        typed: String,
        before: String,
        error: Option<&'static str>,
    },
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
        Prompt::Stop => {
            model.view.prompt = None;
            // The run may have ended while the question stood.
            if chord == Chord::key('y') && model.refusal().is_none() {
                steering::send(model, Command::Stop)
            } else {
                Vec::new()
            }
        }
        Prompt::Rate { typed, error, .. } => {
            if chord == Chord::code(KeyCode::Esc) {
                model.view.prompt = None;
            } else if chord == Chord::code(KeyCode::Backspace) {
                typed.pop();
                *error = None;
            } else if chord == Chord::control('u') {
                typed.clear();
            } else if chord == Chord::code(KeyCode::Enter) {
                return enter_rate(model);
            } else if let Some(c) =
                chord.typed().filter(|c| matches!(c, '0'..='9' | '.' | 'e' | 'E' | '-' | '+') && typed.len() < 20)
            {
                typed.push(c);
                *error = None;
            }
            Vec::new()
        }
    }
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
            return steering::send(model, Command::LearningRate { rate });
        }
        Ok(_) => *error = Some("it must be greater than zero"),
        Err(_) => *error = Some("that is no number"),
    }
    Vec::new()
}
