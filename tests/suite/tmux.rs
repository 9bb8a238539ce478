//! The whole path in a real tmux over a real engine: start, pause, freeze, see it on the screen, resume, detach, attach, stop, and from
//! phase to phase; and the journal says the same.

use std::{
    path::{Path, PathBuf},
    process::{Command as Process, Stdio},
    time::{Duration, Instant},
};

use frostline::{
    command::Command,
    event::{Answered, CheckpointKind, Ended, Event, Outcome, PhaseEnd, State},
    run::{EngineLock, RunDir, Tail},
};

use crate::acting::only_run;

/// Small enough for a busy machine, long enough never to end by itself.
const CONFIG: &str = r#"
[data]
source = "critters"
train = 64
validation = 16
test = 16
[model]
input = [32, 32, 3]
layers = [
  { type = "conv2d", filters = 8, kernel_size = 3, activation = "relu" },
  { type = "max_pooling2d" },
  { type = "conv2d", filters = 8, kernel_size = 3, activation = "relu" },
  { type = "flatten" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 1000000
batch_size = 16
[engine]
device = "cpu"
"#;

/// A tmux server of its own, gone with the test.
struct Tmux {
    socket: PathBuf,
}

impl Tmux {
    fn start(folder: &Path) -> Self {
        let tmux = Self { socket: folder.join("tmux") };
        let config = folder.join("tmux.conf");
        std::fs::write(&config, "set -g default-terminal tmux-256color\nset -g remain-on-exit on\n").unwrap();
        let mut server =
            tmux.command(&["-f", config.to_str().unwrap(), "new-session", "-d", "-s", "main", "-x", "120", "-y", "40"]);
        server.arg("sleep 1000").current_dir(folder);
        for name in ["TMUX", "TMUX_PANE", "TERM_PROGRAM", "NO_COLOR", "COLORTERM"] {
            server.env_remove(name);
        }
        server.env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color");
        assert!(server.status().expect("tmux is installed").success());
        tmux
    }

    fn command(&self, arguments: &[&str]) -> Process {
        let mut tmux = Process::new("tmux");
        tmux.arg("-S").arg(&self.socket).args(arguments).stdin(Stdio::null());
        tmux
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn window(&self, name: &str, program: &[&str]) {
        let line = program.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        assert!(self.command(&["new-window", "-d", "-t", "main:", "-n", name, &line]).status().unwrap().success());
    }

    fn press(&self, window: &str, keys: &[&str]) {
        let target = format!("main:{window}");
        let arguments = [&["send-keys", "-t", &target], keys].concat();
        assert!(self.command(&arguments).status().unwrap().success());
    }

    fn screen(&self, window: &str) -> String {
        self.ask(&["capture-pane", "-p", "-t", &format!("main:{window}")])
    }

    /// The process in the window; `None` once it has ended.
    fn process(&self, window: &str) -> Option<i32> {
        let pane = self.ask(&["display", "-p", "-t", &format!("main:{window}"), "#{pane_dead} #{pane_pid}"]);
        let (dead, pid) = pane.trim().split_once(' ')?;
        if dead == "0" { pid.parse().ok() } else { None }
    }

    fn wait_for(&self, window: &str, what: &str, seen: impl Fn(&str) -> bool) -> String {
        wait(what, || Some(self.screen(window)).filter(|screen| seen(screen)), || self.screen(window))
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).status();
    }
}

fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>, last: impl Fn() -> String) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "never seen: {what}\n{}", last());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn events(run: &RunDir) -> Vec<Event> {
    Tail::open(&run.journal()).unwrap().events().map(|stamped| stamped.unwrap().event).collect()
}

fn wait_for_event<T>(run: &RunDir, what: &str, find: impl Fn(&[Event]) -> Option<T>) -> T {
    wait(what, || find(&events(run)), || format!("{:#?}", events(run).iter().rev().take(5).collect::<Vec<_>>()))
}

fn steps(events: &[Event]) -> u64 {
    let step = |event: &Event| match event {
        Event::Steps(steps) => Some(steps.step),
        _ => None,
    };
    events.iter().rev().find_map(step).unwrap_or(0)
}

fn is_frozen_in_list(screen: &str, layer: &str) -> bool {
    screen.lines().any(|line| line.contains('❄') && line.split_whitespace().any(|word| word == layer))
}

#[test]
fn a_run_is_steered_from_tmux_and_outlives_its_viewers() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("small.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let runs = folder.path().join("runs");
    let (config, runs_word) = (config.to_str().unwrap(), runs.to_str().unwrap());
    let frostline = env!("CARGO_BIN_EXE_frostline");
    let tmux = Tmux::start(folder.path());

    tmux.window("first", &[frostline, "train", config, "--runs", runs_word]);
    tmux.wait_for("first", "a running dashboard", |screen| screen.contains("RUNNING"));
    let run = only_run(&runs);

    tmux.press("first", &["p"]);
    tmux.wait_for("first", "paused on the screen", |screen| screen.contains("PAUSED"));
    let paused_at = wait_for_event(&run, "the pause in the journal", |events| {
        events.iter().find_map(|event| match event {
            Event::StateChanged { state: State::Paused, step } => Some(*step),
            _ => None,
        })
    });

    tmux.press("first", &["f"]);
    tmux.wait_for("first", "conv2d frozen in the list", |screen| is_frozen_in_list(screen, "conv2d"));
    wait_for_event(&run, "the freeze mask in the journal", |events| {
        events.iter().rev().find_map(|event| match event {
            Event::Trainable(mask) => (mask.frozen == ["conv2d"] && mask.step == paused_at).then_some(()),
            _ => None,
        })
    });

    tmux.press("first", &["p"]);
    tmux.wait_for("first", "running again", |screen| screen.contains("RUNNING"));
    wait_for_event(&run, "steps after the pause", |events| (steps(events) > paused_at).then_some(()));

    tmux.press("first", &["q"]);
    wait("the dashboard has left", || tmux.process("first").is_none().then_some(()), || tmux.screen("first"));
    assert!(EngineLock::holder(&run).unwrap().is_some(), "the engine goes on");
    let before = steps(&events(&run));
    wait_for_event(&run, "steps without a viewer", |events| (steps(events) > before).then_some(()));

    // Two viewers see the same; one of them is killed, and nothing happens.
    for window in ["second", "third"] {
        tmux.window(window, &[frostline, "attach", &run.name(), "--runs", runs_word]);
        tmux.wait_for(window, "what was done before", |screen| {
            screen.contains("RUNNING") && is_frozen_in_list(screen, "conv2d")
        });
    }
    let killed = tmux.process("third").expect("the third viewer runs");
    // SAFETY: the number is that of a child of the test's own tmux server.
    unsafe { libc::kill(killed, libc::SIGKILL) };
    wait("the third viewer is gone", || tmux.process("third").is_none().then_some(()), String::new);
    let before = steps(&events(&run));
    wait_for_event(&run, "steps after a viewer was killed", |events| (steps(events) > before).then_some(()));

    tmux.press("second", &["x"]);
    tmux.wait_for("second", "a question before the end", |screen| screen.to_lowercase().contains("stop"));
    tmux.press("second", &["y"]);
    tmux.wait_for("second", "the end on the screen", |screen| screen.contains("STOPPED"));

    let journal = events(&run);
    let applied: Vec<&Command> = journal
        .iter()
        .filter_map(|event| match event {
            Event::Answered(Answered { request, outcome: Outcome::Applied, .. }) => Some(request),
            _ => None,
        })
        .collect();
    let freeze = Command::Freeze { layers: vec!["conv2d".into()] };
    assert_eq!(applied, [&Command::Pause, &freeze, &Command::Resume, &Command::Stop]);
    let Some(Event::RunEnded(ended)) = journal.last() else { panic!("the journal ends with {:?}", journal.last()) };
    assert!(matches!(ended.how, Ended::Stopped { .. }), "{:?}", ended.how);
    assert!(run.checkpoint(CheckpointKind::Last).exists(), "stopping saves");
}

/// Neither ends by itself.
const PHASES: &str = r#"
[[phase]]
name = "head"
train = ["dense"]
epochs = 100000
[[phase]]
name = "rest"
train = "all"
epochs = 100000
[engine]
"#;

#[test]
fn phases_are_inserted_ended_and_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("small.toml");
    std::fs::write(&config, CONFIG.replace("[engine]\n", PHASES)).unwrap();
    let runs = folder.path().join("runs");
    let (config, runs_word) = (config.to_str().unwrap(), runs.to_str().unwrap());
    let frostline = env!("CARGO_BIN_EXE_frostline");
    let tmux = Tmux::start(folder.path());

    tmux.window("first", &[frostline, "train", config, "--runs", runs_word]);
    tmux.wait_for("first", "the first phase", |screen| screen.contains("phase 1 of 2") && screen.contains("head"));
    tmux.wait_for("first", "the frozen base", |screen| is_frozen_in_list(screen, "conv2d_1"));
    let run = only_run(&runs);

    tmux.press("first", &["i"]);
    tmux.press("first", &["-l", "name=middle train={from=\"conv2d_1\"} epochs=100000 learning_rate=1e-5"]);
    tmux.press("first", &["Enter"]);
    tmux.wait_for("first", "a third phase", |screen| screen.contains("phase 1 of 3"));
    tmux.press("first", &["e"]);
    tmux.wait_for("first", "a question before the end", |screen| screen.contains("End phase 1 of 3, head?"));
    tmux.press("first", &["e"]);
    tmux.wait_for("first", "the phase that was put in", |screen| {
        screen.contains("phase 2 of 3") && screen.contains("middle") && !is_frozen_in_list(screen, "conv2d_1")
    });

    let ctl = |words: &[&str]| {
        let mut command = Process::new(frostline);
        command
            .args(["ctl", &run.name()])
            .args(words)
            .args(["--runs", runs_word])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let skipped = ctl(&["phase", "skip"]);
    assert!(skipped.status.success(), "{skipped:?}");
    tmux.wait_for("first", "the last phase", |screen| screen.contains("phase 3 of 3") && screen.contains("rest"));
    let refused = ctl(&["phase", "skip"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there is no phase after this one"), "{refused:?}");
    let mistaken = ctl(&["phase", "insert", "epoch=2"]);
    assert!(String::from_utf8_lossy(&mistaken.stderr).contains("unknown field `epoch`"), "{mistaken:?}");
    assert!(ctl(&["phase", "end"]).status.success());
    tmux.wait_for("first", "the end of the run", |screen| screen.contains("COMPLETED"));

    let ends: Vec<(String, PhaseEnd)> = events(&run)
        .into_iter()
        .filter_map(|event| if let Event::PhaseEnded(ended) = event { Some((ended.name, ended.how)) } else { None })
        .collect();
    let wanted = [("head", PhaseEnd::Ended), ("middle", PhaseEnd::Skipped), ("rest", PhaseEnd::Ended)];
    assert_eq!(ends, wanted.map(|(name, how)| (name.to_owned(), how)));
    assert!(
        matches!(events(&run).last(), Some(Event::RunEnded(ended)) if ended.how == Ended::Completed { early: false })
    );
}
