//! The log as it is read: which lines are told, by their weight and their words, and how far back.

use super::{model::Model, prompt::Prompt, update::Effect};
use crate::event::{Level, Stamped};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Lines that weigh less are left out; `None` leaves none out.
    pub least: Option<Level>,
    /// Only lines with these words, large or small letters.
    pub words: String,
}

impl Filter {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub fn passes(&self, level: Level, text: &str) -> bool {
        let weighs = self.least.is_none_or(|least| level >= least);
        weighs && (self.words.is_empty() || text.to_lowercase().contains(&self.words.to_lowercase()))
    }
}

/// A line of the log.
pub struct Entry<'a> {
    pub stamped: &'a Stamped,
    pub level: Level,
    pub text: String,
}

/// All, then warnings and errors, then errors.
pub fn next_level(model: &mut Model) -> Vec<Effect> {
    let least = &mut model.view.filter.least;
    *least = match least {
        None => Some(Level::Warning),
        Some(Level::Warning) => Some(Level::Error),
        Some(_) => None,
    };
    model.view.log_back = 0;
    Vec::new()
}

pub fn type_words(model: &mut Model) -> Vec<Effect> {
    model.view.prompt = Some(Prompt::Filter { before: model.view.filter.words.clone() });
    Vec::new()
}
