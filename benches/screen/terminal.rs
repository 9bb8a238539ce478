//! A terminal of 120 x 40 that knows when how many bytes came. It answers nothing, so pictures are text.

use std::{
    io::{Read as _, Write},
    num::NonZero,
    path::Path,
    sync::{Arc, Mutex},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const COLUMNS: NonZero<u16> = NonZero::new(120).unwrap();
const ROWS: NonZero<u16> = NonZero::new(40).unwrap();
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

struct Seen {
    parser: vt100::Parser,
    bytes: u64,
    /// When the newest came.
    last: Instant,
}

/// Runs the program in it.
pub struct Terminal {
    seen: Arc<Mutex<Seen>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _pty: Box<dyn MasterPty + Send>,
}

impl Terminal {
    pub fn open(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_frostline"));
        command.args(arguments);
        command.cwd(folder);
        for (name, value) in [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        for name in ["FROSTLINE_RUNS", "TMUX", "TMUX_PANE", "TERM_PROGRAM", "NO_COLOR"] {
            command.env_remove(name);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let parser = vt100::Parser::new(ROWS, COLUMNS, 0);
        let seen = Arc::new(Mutex::new(Seen { parser, bytes: 0, last: Instant::now() }));
        let mut reader = pty.master.try_clone_reader().unwrap();
        let sees = Arc::clone(&seen);
        thread::spawn(move || {
            let mut chunk = vec![0; 1 << 16];
            while let Ok(got @ 1..) = reader.read(&mut chunk) {
                let now = Instant::now();
                let mut seen = sees.lock().unwrap();
                (seen.bytes, seen.last) = (seen.bytes + got as u64, now);
                seen.parser.process(&chunk[..got]);
            }
        });
        let keys = pty.master.take_writer().unwrap();
        Self { seen, keys, child, _pty: pty.master }
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// How long a key took to bring the first byte; `None` if it brought none in two seconds.
    pub fn answer_to(&mut self, key: &str) -> Option<Duration> {
        let before = self.seen.lock().unwrap().bytes;
        let pressed = Instant::now();
        self.press(key);
        while pressed.elapsed() < Duration::from_secs(2) {
            let seen = self.seen.lock().unwrap();
            if seen.bytes > before {
                // What came in several pieces began earlier, but a frame is written at once.
                return Some(seen.last.saturating_duration_since(pressed));
            }
            drop(seen);
            sleep(Duration::from_micros(200));
        }
        None
    }

    /// Bytes a second that come in so long.
    pub fn sent_in(&self, span: Duration) -> f64 {
        let (before, begun) = (self.seen.lock().unwrap().bytes, Instant::now());
        sleep(span);
        (self.seen.lock().unwrap().bytes - before) as f64 / begun.elapsed().as_secs_f64()
    }

    /// Curves are braille; so is what turns while something starts, but that is one character.
    pub fn until_curves(&mut self) {
        let braille = |text: &str| text.chars().filter(|c| ('\u{2800}'..='\u{28ff}').contains(c)).count();
        self.until("curves", |text| braille(text) >= 12);
    }

    pub fn until_text(&mut self, words: &str) {
        self.until(words, |text| text.contains(words));
    }

    fn until(&mut self, what: &str, there: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        let mut looked = u64::MAX;
        loop {
            let seen = self.seen.lock().unwrap();
            if seen.bytes != looked {
                looked = seen.bytes;
                let text = seen.parser.screen().contents();
                if there(&text) {
                    return;
                }
                assert!(begun.elapsed() < PATIENCE, "no {what} on\n{text}");
            }
            drop(seen);
            assert!(begun.elapsed() < PATIENCE, "no {what}");
            sleep(Duration::from_millis(1));
        }
    }

    pub fn leave(mut self) {
        self.press("q");
        self.child.wait().unwrap();
    }
}
