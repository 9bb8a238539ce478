//! Commands on their way: sent, and not answered yet. The screen says so until the engine has spoken.

use crate::{
    command::{Command, means},
    event::Answered,
};

#[derive(Debug, Default)]
pub struct Pending(Vec<Asked>);

#[derive(Debug)]
struct Asked {
    command: Command,
    /// Who asks and the request's number, once it is on its way: the same as in the answer, whoever else asks for the same.
    request: Option<(String, u64)>,
}

impl Pending {
    pub fn asked(&mut self, command: Command) {
        self.0.push(Asked { command, request: None });
    }

    /// The oldest such command that was not on its way yet is so now.
    pub fn sent(&mut self, command: &Command, by: String, id: u64) {
        if let Some(asked) = self.0.iter_mut().find(|a| a.request.is_none() && a.command == *command) {
            asked.request = Some((by, id));
        }
    }

    /// Whether `answered` answers one of this viewer's; it is no longer pending then.
    pub fn answered(&mut self, answered: &Answered) -> bool {
        let own = |a: &Asked| a.request.as_ref().is_some_and(|(by, id)| *by == answered.by && *id == answered.id);
        let Some(at) = self.0.iter().position(own) else { return false };
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

    fn commands(&self) -> impl DoubleEndedIterator<Item = &Command> {
        self.0.iter().map(|a| &a.command)
    }

    pub fn newest(&self) -> Option<&Command> {
        self.0.last().map(|a| &a.command)
    }

    /// Whether the run is about to pause (true) or to go on (false).
    pub fn pausing(&self) -> Option<bool> {
        self.commands().rev().find_map(|c| match c {
            Command::Pause => Some(true),
            Command::Resume => Some(false),
            _ => None,
        })
    }

    pub fn stopping(&self) -> bool {
        self.commands().any(|c| matches!(c, Command::Stop | Command::Abort))
    }

    pub fn learning_rate(&self) -> Option<f64> {
        self.commands().rev().find_map(|c| match c {
            Command::LearningRate { rate, layers } if layers.is_empty() => Some(*rate),
            _ => None,
        })
    }

    /// Whether `layer`'s freezing is about to change.
    pub fn touches(&self, layer: &str) -> bool {
        self.commands().any(|c| match c {
            Command::Freeze { layers } | Command::Unfreeze { layers } => layers.iter().any(|l| means(l, layer)),
            Command::FrostLine { layer: line } => line.as_deref() == Some(layer),
            _ => false,
        })
    }
}
