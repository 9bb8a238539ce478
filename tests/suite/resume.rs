//! A run that is ended by a signal, or killed, and resumed leaves the same weights and optimiser slots as one that was left alone,
//! bit by bit.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use frostline::{
    event::{CheckpointKind, Ended, Event},
    run::{EngineLock, RunDir, Tail, list},
    trainer::{SavedTensor, read_checkpoint},
};

use crate::acting::eventually;

/// With dropout, momentum, batch statistics and augmentation: all that has a state or a chance in it.
const CONFIG: &str = r#"
[data]
source = "critters"
train = 96
validation = 16
test = 16
augment = { horizontal_flip = true, width_shift_range = 0.2 }
[model]
input = [24, 24, 3]
layers = [
  { type = "conv2d", filters = 8, kernel_size = 3, use_bias = false },
  { type = "batch_normalization" },
  { type = "activation", activation = "relu" },
  { type = "max_pooling2d" },
  { type = "flatten" },
  { type = "dropout", rate = 0.3 },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 12
batch_size = 8
optimizer = { kind = "sgd", momentum = 0.9 }
schedule = { kind = "cosine" }
[engine]
device = "cpu"
threads = 1
"#;

fn frostline(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frostline"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn start(folder: &Path, name: &str) -> Child {
    frostline(folder, &["train", "mine.toml", "--headless", "--name", name]).spawn().unwrap()
}

fn events(run: &RunDir) -> Vec<Event> {
    let Ok(tail) = Tail::open(&run.journal()) else { return Vec::new() };
    tail.events().map(|stamped| stamped.unwrap().event).collect()
}

fn run_called(folder: &Path, name: &str) -> RunDir {
    eventually("the run's directory", || {
        list(&folder.join("runs")).unwrap().into_iter().find(|run| run.name().ends_with(name))
    })
}

/// Waits until the run is in its third epoch, and sends `signal` to its engine.
fn interrupt(folder: &Path, name: &str, signal: i32) -> RunDir {
    let run = run_called(folder, name);
    eventually("the third epoch", || {
        events(&run).iter().any(|event| matches!(event, Event::EpochStarted { epoch: 3.., .. })).then_some(())
    });
    let pid = EngineLock::holder(&run).unwrap().and_then(|holder| holder.pid).expect("the engine is at work");
    // SAFETY: the number is that of the engine of the test's own run.
    unsafe { libc::kill(pid as libc::pid_t, signal) };
    run
}

fn last(run: &RunDir) -> Vec<SavedTensor> {
    read_checkpoint(run, CheckpointKind::Last).unwrap().expect("a checkpoint").0
}

fn ends(run: &RunDir) -> Vec<Ended> {
    events(run)
        .into_iter()
        .filter_map(|event| if let Event::RunEnded(end) = event { Some(end.how) } else { None })
        .collect()
}

/// Each with a rule, rates and a mask of its own; the second begins with the first one's best weights.
const PHASES: &str = r#"
[[phase]]
train = ["dense"]
epochs = 2
batch_size = 16
augment = false
restore_best = true
optimizer = { kind = "adam" }
[[phase]]
train = "all"
epochs = 6
groups = [{ layers = ["conv2d"], multiplier = 0.1 }]
[engine]
"#;

#[test]
fn a_run_of_phases_that_was_killed_in_its_second_ends_like_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("mine.toml"), CONFIG.replace("[engine]\n", PHASES)).unwrap();
    assert!(start(here, "whole").wait().unwrap().success());
    let whole = last(&run_called(here, "whole"));

    let mut killed = start(here, "killed");
    let run = interrupt(here, "killed", libc::SIGKILL);
    assert_eq!(killed.wait().unwrap().code(), Some(3));
    assert!(frostline(here, &["train", "--resume", "killed", "--headless"]).status().unwrap().success());
    assert!(last(&run) == whole, "other weights after SIGKILL and a resume");
    assert_eq!(std::fs::read_to_string(run.history()).unwrap().lines().count(), 1 + 8);
}

#[test]
fn a_run_that_was_stopped_or_killed_ends_like_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("mine.toml"), CONFIG).unwrap();
    assert!(start(here, "whole").wait().unwrap().success());
    let whole = last(&run_called(here, "whole"));

    let mut stopped = start(here, "stopped");
    let run = interrupt(here, "stopped", libc::SIGTERM);
    stopped.wait().unwrap();
    assert_eq!(ends(&run), [Ended::Stopped { by: "SIGTERM".into() }]);
    assert!(frostline(here, &["train", "--resume", "stopped", "--headless"]).status().unwrap().success());
    assert!(last(&run) == whole, "other weights after SIGTERM and a resume");

    let mut killed = start(here, "killed");
    let run = interrupt(here, "killed", libc::SIGKILL);
    assert_eq!(killed.wait().unwrap().code(), Some(3), "the engine is gone: the machine's trouble");
    assert_eq!(ends(&run), []);
    assert!(frostline(here, &["train", "--resume", "killed", "--headless"]).status().unwrap().success());
    assert!(last(&run) == whole, "other weights after SIGKILL and a resume");

    let history = std::fs::read_to_string(run.history()).unwrap();
    assert_eq!(history.lines().count(), 1 + 12, "one line an epoch, repeated ones replaced");
}
