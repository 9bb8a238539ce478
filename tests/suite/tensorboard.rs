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

/// Two epochs, and a third after the run was taken up again, with a command that is told of the ends.
#[test]
#[cfg(feature = "engine")]
fn a_run_writes_event_files_and_tells_a_command() {
    let here = tempfile::tempdir().unwrap();
    let config = r#"
[data]
source = "critters"
train = 40
validation = 8
test = 8
[model]
input = [32, 32, 3]
layers = [{ type = "conv2d", filters = 2, kernel_size = 3 }, { type = "flatten" }, { type = "dense", units = 1, activation = "sigmoid" }]
[train]
epochs = 2
batch_size = 10
tensorboard = true
[notify]
command = 'echo "$FROSTLINE_EVENT $FROSTLINE_EPOCH $FROSTLINE_MESSAGE" >> told; echo heard'
[engine]
device = "cpu"
threads = 1
"#;
    fs::write(here.path().join("mine.toml"), config).unwrap();
    let trained = frostline(here.path(), "", &["train", "mine.toml", "--headless"]);
    assert_eq!(trained.code, Some(0), "{}", trained.err);
    let resumed = frostline(here.path(), "", &["train", "--resume", "last", "--headless", "--set", "train.epochs=3"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.err);
    let run = frostline::run::list(&here.path().join("runs")).unwrap().remove(0);
    for part in ["train", "validation"] {
        assert_eq!(fs::read_dir(run.tensorboard().join(part)).unwrap().count(), 1, "one life's file");
    }
    let told = crate::acting::eventually("both ends are told", || {
        let told = fs::read_to_string(run.path().join("told")).unwrap_or_default();
        (told.lines().count() == 2).then_some(told)
    });
    assert_eq!(told, "finished 2 completed after epoch 2\nfinished 3 completed after epoch 3\n");
    assert!(fs::read_to_string(run.engine_log()).unwrap().contains("heard"));
    let Some(mut reader) = reader() else { return };
    let read = reader.arg(run.tensorboard()).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
    let history = fs::read_to_string(run.history()).unwrap();
    let mut losses = Vec::new();
    for (row, point) in history.lines().skip(1).zip(told["train"]["scalars"]["epoch_loss"].as_array().unwrap()) {
        let loss: f64 = row.split(',').nth(2).unwrap().parse().unwrap();
        assert!((loss - point[1].as_f64().unwrap()).abs() < 1e-6, "{row} {point}");
        losses.push(point[0].as_u64().unwrap());
    }
    assert_eq!(losses, [0, 1, 2]);
    let pictures = told["validation"]["images"].as_object().unwrap();
    assert!(pictures.keys().any(|tag| tag.contains("/grad-cam/")), "{pictures:?}");
}
