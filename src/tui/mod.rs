//! The dashboard: facts folded from events, a view of them that belongs to this terminal, and a pure function that draws both.
//! It speaks to the rest of the program through two channels and knows neither sockets nor engines. No widget holds facts of its own.

mod actions;
mod alarms;
mod album;
mod app;
mod appearance;
mod command_line;
mod curves;
pub mod home;
mod judging;
mod keymap;
mod keys;
mod layout;
mod lens;
mod logbook;
mod metric;
mod model;
mod mouse;
mod page;
mod pending;
pub mod pixels;
mod prompt;
mod settings;
mod steering;
mod symbols;
mod terminal;
mod theme;
mod tree;
mod update;
mod view;
mod viewing;

#[cfg(test)]
mod tests;

pub use self::{
    app::{Left, Session, Why, run},
    appearance::Appearance,
    keys::markdown as keys_markdown,
    model::{Connection, Model},
    settings::Settings,
    terminal::TerminalError,
    update::{Effect, Msg, update},
    view::draw,
};
use crate::{
    command::{Command, Watch},
    event::Stamped,
    state::RunState,
    text::{figures, guard},
};

/// What the dashboard is told.
#[derive(Clone, Debug)]
pub enum Incoming {
    Event(Stamped),
    /// In place of the events until now.
    State(Box<RunState>),
    /// A picture that was asked for; `png` is the file `blobs/<hash>.png`.
    Blob {
        hash: String,
        png: Vec<u8>,
    },
    /// A picture that was asked for is no longer kept.
    NoBlob {
        hash: String,
    },
    /// [`Outgoing::Command`] is on its way; its answer will carry `by` and `id`.
    Sent {
        command: Command,
        by: String,
        id: u64,
    },
    /// [`Connection::Live`] and [`Connection::Replay`] once what happened before has been told: until then nothing is asked for, and no
    /// old command is news.
    Connection(Connection),
    /// Names of the runs beside this one, the newest first.
    Runs(Vec<String>),
    /// [`Outgoing::ReadRun`], read.
    Run {
        name: String,
        run: Box<RunState>,
    },
    /// What was asked for could not be done, in words.
    Trouble(String),
}

/// What the dashboard asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Outgoing {
    Command(Command),
    /// Replaces the watch before; `None` gives it back.
    Watch(Option<Watch>),
    /// A picture's hash.
    Blob(String),
    /// The names of the runs beside this one.
    ListRuns,
    /// One of them, to compare with.
    ReadRun(String),
    /// Start an engine that goes on from the last checkpoint, when there is none; for a run on another machine: connect again.
    Resume,
}
