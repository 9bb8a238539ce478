//! Asks the terminal what it can do, and reads until it has answered or the time is up. Needs raw mode, and nobody else who reads keys.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    answers::{Answers, Reader},
    protocol::{Able, Between, Brand, Refusal, decide},
    tmux::{Sight, wrap},
};
use crate::picture::Glyphs;

/// For a line with a round trip of 300 ms three times over. A terminal that answers ends it at once.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// Kitty's query, the terminal's name and version, pixels of a cell and of all of them, its attributes. The status comes last: tmux may
/// keep the answer about attributes to itself.
const QUESTIONS: &str = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q\x1b[16t\x1b[14t\x1b[c\x1b[5n";

/// What came of it.
#[derive(Clone, Debug)]
pub struct Probe {
    pub answers: Answers,
    pub between: Between,
    pub able: Result<Able, Refusal>,
    /// Bytes that are no answers.
    pub typed: Vec<u8>,
}

impl Probe {
    /// Whether everything that was asked has been answered.
    pub fn is_answered(&self) -> bool {
        self.answers.done
    }

    /// For pictures without pixels. Nothing where the terminal did not say what it is.
    pub fn glyphs(&self) -> Option<Glyphs> {
        Brand::of(&self.answers).map(|brand| brand.glyphs())
    }
}

/// Asks the terminal of `size` cells; in tmux, `sight` is what tmux said. Ends early when `give_up` becomes true.
pub fn probe(sight: Option<&Sight>, size: (u16, u16), patience: Duration, give_up: &AtomicBool) -> io::Result<Probe> {
    let Some(sight) = sight else {
        let (answers, typed) = ask(QUESTIONS, patience, give_up)?;
        let able = decide(&answers, &Between::Nothing, size);
        return Ok(Probe { answers, between: Between::Nothing, able, typed });
    };
    let nothing = || (Answers { done: true, ..Answers::default() }, Vec::new());
    // Without passthrough the terminal would never see the question.
    let (answers, mut typed) = if sight.passthrough { ask(&wrap(QUESTIONS), patience, give_up)? } else { nothing() };
    let (own, more) = if sight.sixel { ask("\x1b[16t\x1b[c\x1b[5n", patience, give_up)? } else { nothing() };
    typed.extend(more);
    let between = Between::Tmux { passthrough: sight.passthrough, sixel: sight.sixel, own };
    let able = decide(&answers, &between, size);
    Ok(Probe { answers, between, able, typed })
}

/// Writes `questions`, which end in `CSI 5 n`, and reads until its answer.
pub fn ask(questions: &str, patience: Duration, give_up: &AtomicBool) -> io::Result<(Answers, Vec<u8>)> {
    /// How long giving up may take to be noticed.
    const SLICE: Duration = Duration::from_millis(20);
    let terminal = Terminal::open()?;
    let mut out = io::stdout().lock();
    out.write_all(questions.as_bytes())?;
    out.flush()?;
    drop(out);
    let begun = Instant::now();
    let mut reader = Reader::default();
    let mut buffer = [0; 1024];
    while !reader.answers.done && !give_up.load(Ordering::Relaxed) {
        let Some(left) = patience.checked_sub(begun.elapsed()) else { break };
        let slice = Timespec { tv_sec: 0, tv_nsec: left.min(SLICE).as_nanos() as _ };
        let mut fds = [PollFd::from_borrowed_fd(terminal.fd(), PollFlags::IN)];
        match poll(&mut fds, Some(&slice)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        match rustix::io::read(terminal.fd(), &mut buffer) {
            // The terminal is gone; whoever reads keys next will find out.
            Ok(0) => break,
            Ok(count) => reader.push(&buffer[..count]),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(reader.finish())
}

/// Where crossterm reads keys too: stdin, or where that is none the controlling terminal.
enum Terminal {
    Stdin(io::Stdin),
    Other(File),
}

impl Terminal {
    fn open() -> io::Result<Self> {
        let stdin = io::stdin();
        if rustix::termios::isatty(&stdin) {
            return Ok(Self::Stdin(stdin));
        }
        OpenOptions::new().read(true).write(true).open("/dev/tty").map(Self::Other)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stdin(stdin) => stdin.as_fd(),
            Self::Other(file) => file.as_fd(),
        }
    }
}
