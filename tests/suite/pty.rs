//! `frostline` in a terminal that the test reads.

use std::{
    io::{Read as _, Write},
    num::NonZero,
    sync::{Arc, Mutex},
    thread,
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::acting::{Stage, eventually, forking};

const COLUMNS: NonZero<u16> = NonZero::new(100).unwrap();
const ROWS: NonZero<u16> = NonZero::new(30).unwrap();

/// A terminal that runs `frostline`.
pub struct Screen {
    seen: Arc<Mutex<vt100::Parser>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _pty: Box<dyn MasterPty + Send>,
}

impl Screen {
    pub fn open(stage: &Stage, arguments: &[&str]) -> Self {
        Self::open_with(stage, arguments, &[])
    }

    pub fn open_with(stage: &Stage, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(stage.path("frostline"));
        command.args(arguments);
        command.cwd(stage.path(""));
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("USER", "ada"), ("HOSTNAME", "lab")] {
            command.env(name, value);
        }
        command.env_remove("FROSTLINE_RUNS");
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = {
            let _alone = forking();
            pty.slave.spawn_command(command).unwrap()
        };
        drop(pty.slave);
        let seen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let mut reader = pty.master.try_clone_reader().unwrap();
        let parser = Arc::clone(&seen);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(got @ 1..) = reader.read(&mut chunk) {
                parser.lock().unwrap().process(&chunk[..got]);
            }
        });
        let keys = pty.master.take_writer().unwrap();
        Self { seen, keys, child, _pty: pty.master }
    }

    pub fn await_text(&self, text: &str) {
        let contents = || self.seen.lock().unwrap().screen().contents();
        eventually(&format!("`{text}` on the screen"), || contents().contains(text).then_some(()));
    }

    pub fn press_until(&mut self, keys: &str, text: &str) {
        eventually(&format!("`{text}` on the screen"), || {
            let there = self.seen.lock().unwrap().screen().contents().contains(text);
            if !there {
                self.press(keys);
            }
            there.then_some(())
        });
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub fn exit_code(&mut self) -> u32 {
        self.child.wait().unwrap().exit_code()
    }

    /// The colours of some cells, row by row.
    pub fn colours(&self, rows: std::ops::Range<u16>, columns: std::ops::Range<u16>) -> Vec<(vt100::Color, vt100::Color)> {
        let seen = self.seen.lock().unwrap();
        let screen = seen.screen();
        let cells = rows.flat_map(|row| columns.clone().filter_map(move |column| screen.cell(row, column)));
        cells.map(|cell| (cell.fgcolor(), cell.bgcolor())).collect()
    }

    pub fn shows(&self, text: &str) -> bool {
        self.seen.lock().unwrap().screen().contents().contains(text)
    }
}
