//! Commands on their way: sent, and not answered yet. The screen says so until the engine has spoken.

use super::model::same;
use crate::{command::Command, event::Answered};

#[derive(Debug, Default)]
pub struct Pending(Vec<Command>);

impl Pending {
    pub fn sent(&mut self, command: Command) {
        self.0.push(command);
    }

    /// Whether `answered` answers one of this viewer's; it is no longer pending then.
    pub fn answered(&mut self, answered: &Answered) -> bool {
        let Some(at) = self.0.iter().position(|c| same(c, &answered.request)) else { return false };
        self.0.remove(at);
        true
    }

    /// The connection is gone, and the answers with it.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn newest(&self) -> Option<&Command> {
        self.0.last()
    }

    /// Whether the run is about to pause (true) or to go on (false).
    pub fn pausing(&self) -> Option<bool> {
        self.0.iter().rev().find_map(|c| match c {
            Command::Pause => Some(true),
            Command::Resume => Some(false),
            _ => None,
        })
    }

    pub fn stopping(&self) -> bool {
        self.0.contains(&Command::Stop)
    }

    pub fn learning_rate(&self) -> Option<f64> {
        self.0.iter().rev().find_map(|c| if let Command::LearningRate { rate } = c { Some(*rate) } else { None })
    }

    /// Whether `layer`'s freezing is about to change.
    pub fn touches(&self, layer: &str) -> bool {
        self.0.iter().any(|c| match c {
            Command::Freeze { layers } | Command::Unfreeze { layers } => layers.iter().any(|l| l == layer),
            Command::FrostLine { layer: line } => line.as_deref() == Some(layer),
            _ => false,
        })
    }
}
