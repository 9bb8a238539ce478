//! A run on a frozen base, end to end: what is kept of the base changes no bit of the weights, is found again by a resumed run and by
//! another, and can be listed and cleared.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use frostline::{
    event::{CheckpointKind, Event},
    run::{RunDir, Tail, list},
    trainer::{SavedTensor, read_checkpoint},
};

const CONFIG: &str = r#"
[data]
source = "critters"
train = 48
validation = 16
test = 16
[model]
input = [32, 32, 3]
layers = [
  { type = "conv2d", filters = 64, kernel_size = 3, activation = "relu" },
  { type = "conv2d", filters = 64, kernel_size = 3, activation = "relu" },
  { type = "max_pooling2d" },
  { type = "flatten" },
  { type = "dense", units = 8, activation = "relu" },
  { type = "dropout", rate = 0.5 },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 3
batch_size = 10
freeze = ["conv2d", "conv2d_1"]
[engine]
device = "cpu"
threads = 2
"#;

fn frostline(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frostline"));
    command.args(arguments).current_dir(folder).env("FROSTLINE_CACHE", folder.join("kept"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn train(folder: &Path, name: &str, set: &[&str]) -> RunDir {
    let mut arguments = vec!["train", "mine.toml", "--headless", "--name", name];
    for assignment in set {
        arguments.extend(["--set", assignment]);
    }
    assert!(frostline(folder, &arguments).status().unwrap().success(), "{name}");
    list(&folder.join("runs")).unwrap().into_iter().find(|run| run.name().ends_with(name)).unwrap()
}

fn last(run: &RunDir) -> Vec<SavedTensor> {
    read_checkpoint(run, CheckpointKind::Last).unwrap().expect("a checkpoint").0
}

/// What the log says of where outputs came from, epoch by epoch.
fn told(run: &RunDir) -> Vec<String> {
    let messages = Tail::open(&run.journal()).unwrap().events().filter_map(|stamped| match stamped.unwrap().event {
        Event::Log { message, .. } if message.starts_with("epoch ") => Some(message),
        _ => None,
    });
    messages.collect()
}

fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = frostline(folder, arguments).stdout(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_frozen_base_is_computed_once_and_changes_nothing() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let here = folder.path();
    std::fs::write(here.join("mine.toml"), CONFIG).unwrap();
    let plain = train(here, "plain", &["engine.features_mib=0"]);
    assert_eq!(told(&plain), [""; 0]);
    assert_eq!(said(here, &["cache", "list"]), "nothing is kept between runs\n");

    let kept = train(here, "kept", &[]);
    assert!(last(&kept) == last(&plain), "other weights from what was kept");
    let computed = "the frozen layers' outputs of 0 images were read, of 48 computed";
    let read = "the frozen layers' outputs of 48 images were read, of 0 computed";
    assert_eq!(told(&kept), [format!("epoch 1: {computed}"), format!("epoch 2: {read}")]);

    // Two epochs, and the third in another process.
    let resumed = train(here, "resumed", &["train.epochs=2"]);
    let again = ["train", "--resume", "resumed", "--headless", "--set", "train.epochs=3"];
    assert!(frostline(here, &again).status().unwrap().success());
    assert!(last(&resumed) == last(&plain), "other weights after a resume");
    assert_eq!(told(&resumed), [format!("epoch 1: {read}"), format!("epoch 3: {read}")]);

    let lines = said(here, &["cache", "list", "--json"]);
    let entries: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut filled: Vec<_> = entries.iter().map(|entry| entry["filled"].as_u64().unwrap()).collect();
    filled.sort_unstable();
    assert_eq!(filled, [16, 16, 48], "test, validation and train: {lines}");
    assert!(entries.iter().all(|entry| entry["record_bytes"] == 14 * 14 * 64 * 4), "{lines}");
    assert!(entries.iter().all(|entry| entry["content"] == "features"), "{lines}");
    let table = said(here, &["cache", "list"]);
    assert!(table.contains("kept up to flatten: train #0 and 47 more"), "{table}");
    assert_eq!(said(here, &["cache", "clear", "--only", "decoded"]), "nothing to remove\n");
    assert_eq!(said(here, &["cache", "clear", "--unused-for", "1"]), "nothing to remove\n");
    assert!(said(here, &["cache", "clear"]).starts_with("3 files removed, "));
    assert_eq!(said(here, &["cache", "list"]), "nothing is kept between runs\n");
}
