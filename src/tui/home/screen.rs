//! The event loop of the home screen: keys, news and signals in, frames out, none when nothing changed.

use crossterm::event::{Event as TerminalEvent, EventStream, MouseButton, MouseEventKind};
use futures::StreamExt as _;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use super::{
    list::{Choice, Effect, Home, Listing, Msg, Notice},
    view,
};
use crate::tui::{
    Appearance, Settings,
    app::{Caught, Signals},
    keys::Chord,
    terminal::{Guarded, TerminalError},
};

/// What the home screen is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Tell {
    Listing(Listing),
    /// A run could not be deleted, or the runs not be read.
    Trouble(String),
}

pub struct HomeSession {
    /// What the terminal can show.
    pub appearance: Appearance,
    pub settings: Settings,
    /// What is to be said of the dashboard that was left, and whether it is bad.
    pub said: Option<(String, bool)>,
    /// The run to begin on.
    pub run: Option<String>,
    pub incoming: mpsc::UnboundedReceiver<Tell>,
    /// Names of runs to delete.
    pub delete: mpsc::UnboundedSender<String>,
}

/// How it was left.
#[derive(Clone, Debug, PartialEq)]
pub enum Leaving {
    Open(Choice),
    Asked,
    /// SIGTERM, SIGHUP, SIGINT, or the terminal is gone.
    Signal,
}

/// Shows the home screen until something is chosen or it is left.
pub async fn run(mut session: HomeSession) -> Result<Leaving, TerminalError> {
    let mut signals = Signals::new();
    let mut terminal = Guarded::enter()?;
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    let mut home = Home::new(session.appearance, session.settings, terminal.size()?, zone);
    home.look_for(session.run);
    home.notice = session.said.map(|(text, bad)| Notice { text, bad });
    let mut keys = EventStream::new();
    let mut open = true;
    loop {
        terminal.draw(|frame| view::draw(&home, frame))?;
        let msg = tokio::select! {
            key = keys.next() => match key {
                Some(Ok(TerminalEvent::Key(key))) => match Chord::pressed(key) {
                    Some(chord) => Msg::Key(chord),
                    None => continue,
                },
                Some(Ok(TerminalEvent::Mouse(event))) => match event.kind {
                    MouseEventKind::Down(MouseButton::Left) => Msg::Press(event.column, event.row),
                    MouseEventKind::ScrollUp => Msg::Wheel(-1),
                    MouseEventKind::ScrollDown => Msg::Wheel(1),
                    _ => continue,
                },
                Some(Ok(TerminalEvent::Resize(columns, rows))) => Msg::Resize(columns, rows),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Ok(Leaving::Signal),
            },
            told = session.incoming.recv(), if open => match told {
                Some(Tell::Listing(listing)) => Msg::Listing(listing),
                Some(Tell::Trouble(text)) => Msg::Trouble(text),
                None => {
                    open = false;
                    continue;
                }
            },
            signal = signals.next() => match signal {
                Caught::End => return Ok(Leaving::Signal),
                Caught::Continue => {
                    terminal.enter_again()?;
                    continue;
                }
            },
        };
        match home.update(msg) {
            None => {}
            Some(Effect::Open(choice)) => return Ok(Leaving::Open(choice)),
            Some(Effect::Leave) => return Ok(Leaving::Asked),
            Some(Effect::Redraw) => terminal.clear()?,
            Some(Effect::Delete(name)) => {
                // Where nobody takes it, there is nobody to list runs either.
                let _ = session.delete.send(name);
            }
        }
    }
}
