//! A real pseudo-terminal around this very test program: what is taken from the shell is given back, whatever happens.

use std::{
    io::Read,
    num::NonZeroU16,
    sync::mpsc,
    time::{Duration, Instant},
};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use tokio::sync::mpsc as messages;

use super::COLOURS;
use crate::tui::{Connection, Incoming, Session, Settings, Why, run, terminal::Guarded};

/// Says to the tests below, which run in a child, what they are to do.
const ACT: &str = "FROSTLINE_TEST_ACT";

/// A child and what it has written so far.
struct Child {
    process: Box<dyn portable_pty::Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    bytes: mpsc::Receiver<Vec<u8>>,
    vt: vt100::Parser,
    began: Instant,
}

impl Child {
    fn start(act: &str) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["--exact", "tui::tests::terminal::in_a_child", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(ACT, act);
        command.env("TERM", "xterm-256color");
        let began = Instant::now();
        let process = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, bytes) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let cells = |n| NonZeroU16::new(n).unwrap();
        Self { process, master: pair.master, bytes, vt: vt100::Parser::new(cells(24), cells(80), 0), began }
    }

    /// Reads on until the screen is as wanted.
    #[track_caller]
    fn wait(&mut self, what: &str, seen: impl Fn(&vt100::Screen) -> bool) {
        while !seen(self.vt.screen()) {
            assert!(
                self.began.elapsed() < Duration::from_secs(20),
                "{what} never came:\n{}",
                self.vt.screen().contents()
            );
            if let Ok(bytes) = self.bytes.recv_timeout(Duration::from_millis(20)) {
                self.vt.process(&bytes);
            }
        }
    }

    #[track_caller]
    fn wait_for_the_shell(&mut self) {
        self.wait("the shell's screen", |s| !s.alternate_screen() && !s.hide_cursor());
    }

    fn signal(&self, name: &str) {
        let process = self.process.process_id().unwrap().to_string();
        std::process::Command::new("kill").args([&format!("-{name}"), &process]).status().unwrap();
    }

    fn keys(&self, keys: &str) {
        use std::io::Write;
        self.master.take_writer().unwrap().write_all(keys.as_bytes()).unwrap();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn dashboard(screen: &vt100::Screen) -> bool {
    screen.alternate_screen() && screen.hide_cursor() && screen.contents().contains("starting the engine")
}

#[test]
fn the_first_frame_stands_before_anything_arrives() {
    let mut child = Child::start("show");
    child.wait("the first frame", dashboard);
}

#[test]
fn a_key_leaves_and_the_shell_is_as_it_was() {
    let mut child = Child::start("show");
    child.wait("the dashboard", dashboard);
    child.keys("q");
    child.wait_for_the_shell();
    child.wait("the word after it", |s| s.contents().contains("left: Asked"));
}

#[test]
fn signals_leave_too() {
    for name in ["TERM", "HUP", "INT"] {
        let mut child = Child::start("show");
        child.wait("the dashboard", dashboard);
        child.signal(name);
        child.wait_for_the_shell();
        child.wait("the word after it", |s| s.contents().contains("left: Signal"));
    }
}

#[test]
fn a_stopped_dashboard_draws_itself_again_when_it_goes_on() {
    let mut child = Child::start("show");
    child.wait("the dashboard", dashboard);
    child.signal("STOP");
    // A shell would have used the screen meanwhile.
    child.vt.process(b"\x1b[?1049l\x1b[?25h\x1b[2J");
    child.signal("CONT");
    child.wait("the dashboard again", dashboard);
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_readable() {
    let mut child = Child::start("panic");
    child.wait_for_the_shell();
    child.wait("the message", |s| s.contents().contains("the roof fell in"));
}

/// Not a test of its own: the part of the child.
#[test]
#[ignore = "runs inside the other tests' pseudo-terminal"]
#[allow(clippy::print_stdout)]
fn in_a_child() {
    match std::env::var(ACT).as_deref() {
        Ok("show") => {
            let (_tell, incoming) = messages::channel::<Incoming>(1);
            let (outgoing, _asked) = messages::unbounded_channel();
            let connection = Connection::Connecting { what: "starting the engine".into() };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let left = runtime
                .block_on(run(Session {
                    appearance: COLOURS,
                    settings: Settings::default(),
                    connection,
                    host: None,
                    incoming,
                    outgoing,
                }))
                .unwrap();
            assert!(matches!(left.why, Why::Asked | Why::Signal));
            println!("left: {:?}", left.why);
        }
        Ok("panic") => {
            let mut terminal = Guarded::enter().unwrap();
            terminal.draw(|_| {}).unwrap();
            panic!("the roof fell in");
        }
        other => panic!("nothing to do: {other:?}"),
    }
}
