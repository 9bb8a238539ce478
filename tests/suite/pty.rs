//! `frostline` in a terminal that the test reads.

use std::{
    io::{Read as _, Write},
    num::NonZero,
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::acting::{Stage, eventually, forking};

const COLUMNS: NonZero<u16> = NonZero::new(100).unwrap();
const ROWS: NonZero<u16> = NonZero::new(30).unwrap();

/// Which terminal is played, by what it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Kind {
    /// It answers nothing.
    #[default]
    Mute,
    /// It answers, and has no pictures.
    Plain,
    Kitty,
    Sixel,
}

/// Answers what it is asked, so long after.
#[derive(Default)]
struct Answering {
    kind: Kind,
    answers: Vec<u8>,
}

impl vt100::Callbacks for Answering {
    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        first: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        kind: char,
    ) {
        let number = parameters.first().and_then(|p| p.first()).copied().unwrap_or(0);
        let answer: &str = match (first, number, kind, self.kind) {
            (_, _, _, Kind::Mute) => "",
            (None, 0, 'c', Kind::Sixel) => "\x1b[?62;4;22c",
            (None, 0, 'c', _) => "\x1b[?62;22c",
            (None, 16, 't', _) => "\x1b[6;20;10t",
            (None, 5, 'n', _) => "\x1b[0n",
            (Some(b'>'), 0, 'q', Kind::Kitty) => "\x1bP>|kitty(0.41.1)\x1b\\",
            (Some(b'>'), 0, 'q', Kind::Sixel) => "\x1bP>|foot(1.13.1)\x1b\\",
            _ => "",
        };
        self.answers.extend_from_slice(answer.as_bytes());
    }
}

/// What has come out of the program.
struct Seen {
    parser: vt100::Parser<Answering>,
    raw: Vec<u8>,
    /// Up to where kitty's query was looked for: strings never reach the parser's callbacks.
    searched: usize,
}

impl Seen {
    fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.raw.extend_from_slice(bytes);
        self.parser.process(bytes);
        let mut answers = std::mem::take(&mut self.parser.callbacks_mut().answers);
        let asked = find(&self.raw[self.searched..], b",a=q,");
        if asked && self.parser.callbacks().kind == Kind::Kitty {
            self.searched = self.raw.len();
            answers.splice(0..0, *b"\x1b_Gi=31;OK\x1b\\");
        }
        answers
    }
}

fn find(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

/// A terminal that runs a program.
pub struct Screen {
    seen: Arc<Mutex<Seen>>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    child: Box<dyn Child + Send + Sync>,
    pty: Box<dyn MasterPty + Send>,
}

impl Screen {
    pub fn open(stage: &Stage, arguments: &[&str]) -> Self {
        Self::open_with(stage, arguments, &[])
    }

    pub fn open_with(stage: &Stage, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::spawn(Self::frostline(stage, arguments, variables), Kind::Mute, Duration::ZERO)
    }

    /// In a terminal of some kind that takes so long to answer.
    pub fn open_in(kind: Kind, late: Duration, stage: &Stage, arguments: &[&str]) -> Self {
        Self::spawn(Self::frostline(stage, arguments, &[("COLORTERM", "truecolor")]), kind, late)
    }

    fn frostline(stage: &Stage, arguments: &[&str], variables: &[(&str, &str)]) -> CommandBuilder {
        let mut command = CommandBuilder::new(stage.path("frostline"));
        command.args(arguments);
        command.cwd(stage.path(""));
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("USER", "ada"), ("HOSTNAME", "lab")] {
            command.env(name, value);
        }
        for name in ["FROSTLINE_RUNS", "TMUX", "TMUX_PANE", "TERM_PROGRAM", "NO_COLOR"] {
            command.env_remove(name);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        command
    }

    pub fn spawn(command: CommandBuilder, kind: Kind, late: Duration) -> Self {
        let size = PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let child = {
            let _alone = forking();
            pty.slave.spawn_command(command).unwrap()
        };
        drop(pty.slave);
        let answering = Answering { kind, answers: Vec::new() };
        let parser = vt100::Parser::new_with_callbacks(ROWS, COLUMNS, 0, answering);
        let seen = Arc::new(Mutex::new(Seen { parser, raw: Vec::new(), searched: 0 }));
        let keys = Arc::new(Mutex::new(pty.master.take_writer().unwrap()));
        let mut reader = pty.master.try_clone_reader().unwrap();
        let (sees, answers) = (Arc::clone(&seen), Arc::clone(&keys));
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(got @ 1..) = reader.read(&mut chunk) {
                let answer = sees.lock().unwrap().take(&chunk[..got]);
                if !answer.is_empty() {
                    let answers = Arc::clone(&answers);
                    thread::spawn(move || {
                        thread::sleep(late);
                        // The program may have ended meanwhile.
                        let _ = answers.lock().unwrap().write_all(&answer);
                    });
                }
            }
        });
        Self { seen, keys, child, pty: pty.master }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    pub fn await_text(&self, text: &str) {
        eventually(&format!("`{text}` on the screen"), || self.shows(text).then_some(()));
    }

    /// Waits until so many of a sequence have been sent since the beginning.
    pub fn await_sent(&self, what: &str, count: usize) {
        eventually(&format!("{what:?} sent {count} times"), || (self.sent(what) >= count).then_some(()));
    }

    pub fn sent(&self, what: &str) -> usize {
        self.seen().raw.windows(what.len()).filter(|window| *window == what.as_bytes()).count()
    }

    /// The text and the foreground of every cell.
    pub fn cells(&self) -> Vec<(String, vt100::Color)> {
        let seen = self.seen();
        let screen = seen.parser.screen();
        let (rows, columns) = screen.size();
        let places = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
        let cells = places.filter_map(|(row, column)| screen.cell(row, column));
        cells.map(|cell| (cell.contents().to_owned(), cell.fgcolor())).collect()
    }

    pub fn is_the_shells(&self) -> bool {
        let seen = self.seen();
        !seen.parser.screen().alternate_screen() && !seen.parser.screen().hide_cursor()
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        self.pty.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        self.seen().parser.set_size(NonZero::new(rows).unwrap(), NonZero::new(columns).unwrap());
    }

    pub fn press_until(&mut self, keys: &str, text: &str) {
        eventually(&format!("`{text}` on the screen"), || {
            let there = self.shows(text);
            if !there {
                self.press(keys);
            }
            there.then_some(())
        });
    }

    pub fn press(&mut self, keys: &str) {
        let mut writer = self.keys.lock().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    pub fn exit_code(&mut self) -> u32 {
        self.child.wait().unwrap().exit_code()
    }

    /// The colours of some cells, row by row.
    #[cfg(feature = "engine")]
    pub fn colours(
        &self,
        rows: std::ops::Range<u16>,
        columns: std::ops::Range<u16>,
    ) -> Vec<(vt100::Color, vt100::Color)> {
        let seen = self.seen();
        let screen = seen.parser.screen();
        let cells = rows.flat_map(|row| columns.clone().filter_map(move |column| screen.cell(row, column)));
        cells.map(|cell| (cell.fgcolor(), cell.bgcolor())).collect()
    }

    pub fn shows(&self, text: &str) -> bool {
        self.seen().parser.screen().contents().contains(text)
    }
}
