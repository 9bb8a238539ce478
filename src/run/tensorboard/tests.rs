//! The bytes against those of the tensorboard package, and what a resumed run's files hold.

#![allow(clippy::unwrap_used)]

use proto::{Event as Written, What};
use records::record;

use super::*;

fn fixture() -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tensorboard/records.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[test]
fn records_are_those_of_the_tensorboard_package() {
    let fixture = fixture();
    let check = |name: &str, step: i64, what: What| {
        let event = Written { wall_time: 1_750_000_000.25, step, what: Some(what) };
        assert_eq!(hex(&record(&event.encode_to_vec())), fixture[name].as_str().unwrap(), "{name}");
    };
    let summary = |value: Value| What::Summary(proto::Summary { value: vec![value] });
    check("version", 0, What::FileVersion("brain.Event:2".into()));
    check("start", 0, What::SessionLog(proto::SessionLog { status: proto::START }));
    check("scalar", 300, summary(scalar("epoch_loss", 0.25)));
    let image = Image { height: 2, width: 3, colorspace: 3, encoded_image_string: b"png".to_vec() };
    check("image", 7, summary(Value { tag: "a/b".into(), metadata: None, content: Some(Content::Image(image)) }));
    check("text", 0, summary(plugin("config", "text", Vec::new(), tensor(STRING, 1, vec![b"seed = 1".to_vec()]))));
    let hparams = BTreeMap::from([
        ("batch_size".to_owned(), HParam { setting: Some(Setting::Number(32.0)) }),
        ("optimizer".to_owned(), HParam { setting: Some(Setting::Text("adam".into())) }),
    ]);
    let session = SessionStartInfo { hparams, group_name: "run".into(), start_time_secs: 5.5 };
    let data = HParamsPluginData { session_start_info: Some(session) }.encode_to_vec();
    check("hparams", 0, summary(plugin("_hparams_/session_start_info", "hparams", data, tensor(FLOAT, 0, Vec::new()))));
}

/// A run directory with a scenario's journal.
fn run(folder: &Path, scenario: &str) -> RunDir {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(scenario);
    let run = RunDir::create(folder, "a", "seed = 1\n", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
    fs::copy(scenario, run.journal()).unwrap();
    run
}

/// The only event file of a folder, as its messages; checksums are checked.
fn events(folder: &Path) -> Vec<Written> {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let bytes = fs::read(&files[0]).unwrap();
    let mut rest = &bytes[..];
    let mut events = Vec::new();
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let content = &rest[12..12 + length];
        assert_eq!(record(content), rest[..length + 16]);
        events.push(Written::decode(content).unwrap());
        rest = &rest[length + 16..];
    }
    events
}

fn scalars(folder: &Path, tag: &str) -> Vec<(i64, f32)> {
    let of = |event: Written| {
        let Some(What::Summary(summary)) = event.what else { return None };
        let value = summary.value.into_iter().find(|value| value.tag == tag)?;
        let Some(Content::SimpleValue(number)) = value.content else { return None };
        Some((event.step, number))
    };
    events(folder).into_iter().filter_map(of).collect()
}

#[test]
fn a_resumed_run_has_every_step_once_and_nothing_that_was_lost() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "killed.jsonl");
    let logs = folder.path().join("logs");
    let mut board = TensorBoard::write(&run, &logs).unwrap();
    let steps: Vec<i64> = scalars(&logs.join("train"), "batch_loss").into_iter().map(|(step, _)| step).collect();
    assert_eq!(steps, [3, 4, 6]);
    assert_eq!(scalars(&logs.join("train"), "epoch_loss").len(), 1);
    assert_eq!(scalars(&logs.join("validation"), "evaluation_loss_vs_iterations")[0].0, 4);
    // What comes later is added, and a second life's file takes the first one's place.
    let end = crate::event::Metrics { loss: 0.5, accuracy: 0.75 };
    let epoch = EpochEnded {
        epoch: 2,
        step: 8,
        train: end,
        validation: Some(end),
        learning_rate: 0.1,
        train_seconds: 1.0,
        validation_seconds: 1.0,
        images_per_second: 1.0,
        data_wait: 0.0,
    };
    board.follow(&Stamped { seq: 99, at_ms: 5, event: Event::EpochEnded(epoch) }).unwrap();
    assert_eq!(scalars(&logs.join("validation"), "epoch_accuracy").last(), Some(&(1, 0.75)));
    TensorBoard::write(&run, &logs).unwrap();
    assert_eq!(scalars(&logs.join("validation"), "epoch_accuracy").len(), 1);
}
