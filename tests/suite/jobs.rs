//! Runs as a job scheduler has them: started again and again by the same command, ended by signals and by the clock.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use frostline::{
    event::{CheckpointKind, Ended, Event, Stage},
    run::{RunDir, Tail},
    trainer::read_checkpoint,
};

use crate::acting::{Said, eventually, said};

/// Ends by the clock, long before its last epoch.
pub const CONFIG: &str = r#"
[data]
source = "critters"
train = 48
validation = 8
test = 8
[model]
input = [16, 16, 3]
layers = [
  { type = "conv2d", filters = 4, kernel_size = 3, activation = "relu" },
  { type = "flatten" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 60
batch_size = 8
max_time = "100ms"
[explain]
pinned = 0
[engine]
device = "cpu"
threads = 1
"#;

fn train(folder: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frostline"));
    command.args(["train", "mine.toml", "--headless", "--run-dir", "deep/down/mine"]).args(arguments);
    command.current_dir(folder).env_remove("FROSTLINE_RUNS");
    said(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
}

#[test]
fn the_same_command_goes_on_until_nothing_is_left_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("mine.toml"), CONFIG).unwrap();
    let mut codes = Vec::new();
    while codes.last() != Some(&Some(0)) {
        let said = train(here, &[]);
        codes.push(said.code);
        assert!(codes.len() < 60 && matches!(said.code, Some(0 | 75)), "{codes:?} {}", said.err);
    }
    assert!(codes.len() > 1, "its time was never up");
    let run = RunDir::open(&here.join("deep/down/mine")).unwrap();
    assert_eq!(std::fs::read_to_string(run.history()).unwrap().lines().count(), 1 + 60);
    let again = train(here, &[]);
    assert_eq!((again.code, again.out.trim_end()), (Some(0), "deep/down/mine is complete"));
    let other = train(here, &["--set", "train.batch_size=4"]);
    assert_eq!(other.code, Some(2));
    assert!(other.err.contains("deep/down/mine was made with another configuration"), "{}", other.err);
}

fn engine(run: &RunDir) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frostline-engine"));
    command.arg("train").arg(run.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn signal(child: &std::process::Child, signal: i32) {
    // SAFETY: the number is that of a child that was not waited for.
    unsafe { libc::kill(child.id() as libc::pid_t, signal) };
}

fn events(run: &RunDir) -> Vec<Event> {
    let Ok(tail) = Tail::open(&run.journal()) else { return Vec::new() };
    tail.events().map(|stamped| stamped.unwrap().event).collect()
}

fn made(folder: &Path, name: &str, overrides: &[&str]) -> RunDir {
    let overrides: Vec<String> = overrides.iter().map(|&each| each.to_owned()).collect();
    let plan = frostline::plan::Plan::parse(CONFIG, "jobs", &overrides).unwrap();
    RunDir::create_at(&folder.join(name), &plan.to_toml()).unwrap()
}

/// An engine at a network that takes its time to be built: nothing is obeyed meanwhile.
fn building(folder: &Path, name: &str, overrides: &[&str]) -> (RunDir, std::process::Child) {
    let run = made(folder, name, overrides);
    let config = std::fs::read_to_string(run.config()).unwrap().replace("filters = 4", "filters = 3000");
    std::fs::write(run.config(), config).unwrap();
    let child = engine(&run);
    let is_building = |event: &Event| matches!(event, Event::Stage { stage: Stage::BuildingNetwork, .. });
    eventually("the network", || events(&run).iter().any(is_building).then_some(()));
    (run, child)
}

#[test]
fn signals_save_end_and_end_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let long = ["train.max_time=1h", "train.epochs=100000", "train.checkpoint_minutes=0"];

    let run = made(folder.path(), "saved", &long);
    let mut child = engine(&run);
    let is_training = |run: &RunDir| events(run).iter().any(|event| matches!(event, Event::Steps(_)));
    eventually("steps", || is_training(&run).then_some(()));
    let before = events(&run).len();
    signal(&child, libc::SIGUSR1);
    eventually("the checkpoint that was asked for", || {
        events(&run)[before..]
            .iter()
            .any(|event| matches!(event, Event::Answered(answer) if answer.by == "SIGUSR1"))
            .then_some(())
    });
    signal(&child, libc::SIGHUP);
    assert_eq!(child.wait().unwrap().code(), Some(75));
    let Some(Event::RunEnded(ended)) = events(&run).pop() else { panic!("no last word") };
    assert_eq!(ended.how, Ended::Stopped { by: "SIGHUP".into() });
    let (_, progress) = read_checkpoint(&run, CheckpointKind::Last).unwrap().unwrap();
    assert_eq!(progress.step, ended.step, "it is saved where it ended");

    let slow: Vec<&str> = long.iter().copied().chain(["model.input=[64, 64, 3]"]).collect();
    let (run, mut child) = building(folder.path(), "interrupted", &slow);
    signal(&child, libc::SIGINT);
    std::thread::sleep(Duration::from_millis(50));
    signal(&child, libc::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!events(&run).iter().any(|event| matches!(event, Event::RunEnded(_))), "it took the time to save");
}

#[test]
fn what_cannot_be_saved_in_time_ends_without() {
    let folder = tempfile::tempdir().unwrap();
    let overrides = ["train.max_time=1h", "train.grace=0s", "train.epochs=100000", "model.input=[64, 64, 3]"];
    let (run, mut child) = building(folder.path(), "late", &overrides);
    signal(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(75));
    let told =
        events(&run).iter().any(|event| matches!(event, Event::Log { message, .. } if message.contains("train.grace")));
    assert!(told, "{:?}", events(&run).last());
}
