//! The terminal, taken and given back. However the program leaves (normally, by an error, by a panic), the shell gets its screen,
//! its cursor and its line editing again.

use std::{
    io::{self, BufWriter, Stdout, Write},
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crossterm::{
    cursor, execute,
    style::Print,
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

/// Presses, drags and the wheel, in the form that knows wide screens. Not every movement, as crossterm would have it: on a slow line
/// those are traffic that nobody reads.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1002l\x1b[?1000l";

/// Whether the terminal is ours. The panic hook asks from wherever it runs.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// What is written before the terminal is given back: it takes away what would outlive the screen.
static FAREWELL: Mutex<String> = Mutex::new(String::new());

/// Replaces what is written before the terminal is given back.
pub fn leave_with(sequences: &str) {
    let mut farewell = FAREWELL.lock().unwrap_or_else(PoisonError::into_inner);
    farewell.clear();
    farewell.push_str(sequences);
}

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
        // Questions to the terminal are written by another thread, and not into the middle of a frame.
        let _whole = io::stdout().lock();
        self.screen.draw(render).map(|_| ()).map_err(|source| TerminalError { doing: "draw on", source })
    }

    /// Writes sequences that draw no text, after the frame.
    pub fn send(&mut self, sequences: &str) -> Result<(), TerminalError> {
        let _whole = io::stdout().lock();
        let screen = self.screen.backend_mut();
        let sent = screen.write_all(sequences.as_bytes()).and_then(|()| Write::flush(screen));
        sent.map_err(|source| TerminalError { doing: "draw on", source })
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
    let taken =
        enable_raw_mode().and_then(|()| execute!(io::stdout(), EnterAlternateScreen, cursor::Hide, Print(MOUSE_ON)));
    if taken.is_err() {
        give_back();
    }
    taken
}

/// Does what can be done: on a terminal that is gone nothing is left to mend.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // Not waited for: a panic may have come while it was held.
        if let Ok(mut farewell) = FAREWELL.try_lock() {
            let _ = io::stdout().write_all(std::mem::take(&mut *farewell).as_bytes());
        }
        let _ = execute!(io::stdout(), Print(MOUSE_OFF), LeaveAlternateScreen, cursor::Show);
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
