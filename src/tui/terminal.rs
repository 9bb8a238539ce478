//! The terminal, taken and given back. However the program leaves (normally, by an error, by a panic), the shell gets its screen,
//! its cursor and its line editing again.

use std::{
    io::{self, BufWriter, Stdout, Write},
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};

use crossterm::{
    cursor, execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{
    Frame, Terminal,
    backend::CrosstermBackend,
    layout::{Position, Rect},
};

use crate::error::{Class, Explain};

#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} the terminal")]
pub struct TerminalError {
    doing: &'static str,
    source: io::Error,
}

impl Explain for TerminalError {
    fn class(&self) -> Class {
        Class::Environment
    }

    fn hint(&self) -> Option<String> {
        Some("the dashboard needs a terminal for input and output; without one, `frostline train` prints a line an epoch".into())
    }
}

/// Whether the terminal is ours. The panic hook asks from wherever it runs.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// A frame leaves in one write: over SSH and in tmux a frame in pieces flickers.
type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

pub struct Guarded {
    screen: Screen,
}

impl Guarded {
    /// Raw mode, the alternate screen, no cursor. Until this value is dropped.
    pub fn enter() -> Result<Self, TerminalError> {
        restore_on_panic();
        take().map_err(|source| TerminalError { doing: "set up", source })?;
        let writer = BufWriter::with_capacity(1 << 16, io::stdout());
        match Terminal::new(CrosstermBackend::new(writer)) {
            Ok(screen) => Ok(Self { screen }),
            Err(source) => {
                give_back();
                Err(TerminalError { doing: "measure", source })
            }
        }
    }

    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> Result<(), TerminalError> {
        self.screen.draw(render).map(|_| ()).map_err(|source| TerminalError { doing: "draw on", source })
    }

    /// Columns and rows.
    pub fn size(&self) -> Result<(u16, u16), TerminalError> {
        let size = self.screen.size().map_err(|source| TerminalError { doing: "measure", source })?;
        Ok((size.width, size.height))
    }

    /// Forgets what is on the screen, so that the next frame draws all of it. Not by [`Terminal::clear`], which asks the terminal for its
    /// cursor and waits for an answer among the keys.
    pub fn clear(&mut self) -> Result<(), TerminalError> {
        let cleared = self.screen.size().and_then(|size| self.screen.resize(Rect::from((Position::ORIGIN, size))));
        cleared.map_err(|source| TerminalError { doing: "clear", source })
    }

    /// Takes the terminal once more, after the process was stopped and continued by a shell that used it meanwhile.
    pub fn enter_again(&mut self) -> Result<(), TerminalError> {
        // To crossterm the mode is raw still, and it would leave it as the shell did.
        let _ = disable_raw_mode();
        take().map_err(|source| TerminalError { doing: "set up", source })?;
        self.clear()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    let taken = enable_raw_mode().and_then(|()| execute!(io::stdout(), EnterAlternateScreen, cursor::Hide));
    if taken.is_err() {
        give_back();
    }
    taken
}

/// Does what can be done: on a terminal that is gone nothing is left to mend.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
        let _ = io::stdout().flush();
    }
}

/// The message of a panic goes to the shell's screen, not to one that is about to vanish.
fn restore_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let next = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            next(info);
        }));
    });
}
