//! A run's event files, read by the tensorboard package where there is one (`FROSTLINE_PYTHON` names the interpreter that has it).

use std::{fs, path::Path, process::Command};

use crate::hub::frostline;

fn reader() -> Option<Command> {
    let python = std::env::var_os("FROSTLINE_PYTHON").unwrap_or_else(|| "python3".into());
    let able =
        Command::new(&python).args(["-c", "import tensorboard"]).output().is_ok_and(|done| done.status.success());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tensorboard_records.py");
    able.then(|| {
        let mut command = Command::new(python);
        command.arg(script);
        command
    })
}

#[test]
fn a_run_is_read_back_by_tensorboard() {
    let here = tempfile::tempdir().unwrap();
    let now = jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0);
    let run = frostline::run::RunDir::create(&here.path().join("runs"), "a", "seed = 1\n", now).unwrap();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/killed.jsonl");
    fs::copy(scenario, run.journal()).unwrap();
    let exported = frostline(here.path(), "", &["export", "last", "--format", "tensorboard", "-o", "logs"]);
    assert_eq!((exported.err.as_str(), exported.code), ("", Some(0)), "{}", exported.out);
    assert!(exported.out.contains("tensorboard --logdir logs"), "{}", exported.out);
    let Some(mut reader) = reader() else { return };
    let read = reader.arg(here.path().join("logs")).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let told: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
    let steps = |part: &str, tag: &str| -> Vec<u64> {
        let points = told[part]["scalars"][tag].as_array().unwrap_or_else(|| panic!("no {tag}: {told}"));
        points.iter().map(|point| point[0].as_u64().unwrap()).collect()
    };
    // The journal's, without what the killed engine did after its last checkpoint.
    assert_eq!(steps("train", "batch_loss"), [3, 4, 6]);
    assert_eq!(steps("train", "epoch_loss"), [0]);
    assert_eq!(steps("validation", "epoch_accuracy"), [0]);
    assert_eq!(steps("validation", "evaluation_loss_vs_iterations"), [4]);
    assert_eq!(told["train"]["texts"]["config.toml"], "    seed = 1\n");
    assert_eq!(told["train"]["plugins"], serde_json::json!(["hparams", "text"]));
}
