//! Runs to look at: a small one that trains, and what an engine would have left behind of a million steps.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use frostline::{
    event::{
        Checkpoint, CheckpointKind, DataOpened, DeviceReady, Ended, EpochEnded, Event, Gathered, Histogram, LayerInfo,
        LayerMeters, LayerProbe, Layers, Load, Metrics, PROTOCOL, PhaseInfo, PhaseStarted, Phases, Probed, RunEnded,
        RunStarted, SplitName, Stage, State, Steps, Trainable,
    },
    run::RunDir,
    trainer::{OnDisk, Record as _},
};

const DEMO: &str = include_str!("../../config/demo.toml");
const EPOCHS: u32 = 100;
/// Of `steps` events, of ten steps each.
const EVENTS: u32 = 1_000;

/// A run that trains until this is dropped.
pub struct Small {
    folder: PathBuf,
    child: Child,
}

impl Small {
    /// In a folder that holds no other; it trains when this returns.
    pub fn start(folder: &Path) -> Self {
        // So that a far end's shell finds it.
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_frostline"), folder.join("frostline")).unwrap();
        fs::write(folder.join("small.toml"), DEMO).unwrap();
        let mut train = frostline(folder);
        train.args(["train", "small.toml", "--headless", "--set", "train.epochs=1000"]);
        let child = train.stdout(Stdio::null()).spawn().unwrap();
        let small = Self { folder: folder.to_path_buf(), child };
        // Until steps are done, there is nothing on the page of curves.
        while small.journal().is_none_or(|text| text.matches("\"event\":\"steps\"").count() <= 20) {
            sleep(Duration::from_millis(100));
        }
        small
    }

    fn journal(&self) -> Option<String> {
        let runs = frostline::run::list(&self.folder.join("runs")).ok()?;
        fs::read_to_string(runs.first()?.journal()).ok()
    }

    pub fn ctl(&self, words: &[&str]) {
        let done = frostline(&self.folder).args(["ctl", "last"]).args(words).stdout(Stdio::null()).status().unwrap();
        assert!(done.success(), "ctl {words:?}");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let stopped = frostline(&self.folder).args(["ctl", "last", "abort"]).output();
        if !stopped.is_ok_and(|stopped| stopped.status.success()) {
            let _ = frostline(&self.folder).args(["ctl", "last", "stop"]).output();
        }
        let _ = self.child.wait();
    }
}

/// What trains; it is not built without the feature `engine`.
pub fn engine() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_frostline")).with_file_name("frostline-engine")
}

fn frostline(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frostline"));
    command.current_dir(folder).env_remove("FROSTLINE_RUNS").stdin(Stdio::null());
    command
}

/// An executable shell script.
pub fn script(path: &Path, lines: &str) {
    fs::write(path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The demo's layers: name, kind, shape, parameters.
const LAYERS: [(&str, &str, &str, u64); 10] = [
    ("conv2d", "Conv2D", "(None, 62, 62, 32)", 896),
    ("max_pooling2d", "MaxPooling2D", "(None, 31, 31, 32)", 0),
    ("conv2d_1", "Conv2D", "(None, 29, 29, 64)", 18_496),
    ("max_pooling2d_1", "MaxPooling2D", "(None, 14, 14, 64)", 0),
    ("conv2d_2", "Conv2D", "(None, 12, 12, 64)", 36_928),
    ("max_pooling2d_2", "MaxPooling2D", "(None, 6, 6, 64)", 0),
    ("flatten", "Flatten", "(None, 2304)", 0),
    ("dropout", "Dropout", "(None, 2304)", 0),
    ("dense", "Dense", "(None, 64)", 147_520),
    ("dense_1", "Dense", "(None, 1)", 65),
];

/// The directory of a run of a million steps that is over, written by the engine's own writer.
pub fn million(folder: &Path) -> RunDir {
    let at = jiff::civil::date(2026, 3, 9).at(12, 0, 5, 0);
    let run = RunDir::create(&folder.join("runs"), "million", DEMO, at).unwrap();
    let mut now = 1_772_000_000_000;
    let clock = move || {
        now += 100;
        now
    };
    let mut record = OnDisk::open(&run, clock).unwrap();
    let mut say = |event| record.say(event).unwrap();
    begin(&run, &mut say);
    for epoch in 1..=EPOCHS {
        self::epoch(epoch, &mut say);
    }
    let step = u64::from(EPOCHS * EVENTS * 10);
    say(Event::StateChanged { state: State::Ended, step });
    say(Event::RunEnded(RunEnded {
        how: Ended::Completed { early: false },
        step,
        epoch: EPOCHS,
        seconds: f64::from(EPOCHS * EVENTS) / 10.0,
    }));
    run
}

fn begin(run: &RunDir, say: &mut impl FnMut(Event)) {
    let layers = LAYERS.map(|(name, kind, output, parameters)| LayerInfo {
        name: name.into(),
        kind: kind.into(),
        output: output.into(),
        parameters,
        feature_map: output.matches(',').count() == 3,
    });
    say(Event::RunStarted(RunStarted {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").into(),
        run: run.name(),
        model: "small".into(),
        phase: "train".into(),
        epochs: EPOCHS,
        batch_size: 32,
        layers: layers.into(),
        loss: "binary_crossentropy".into(),
        optimizer: "adam".into(),
        resumed: None,
    }));
    let stage = |stage| Event::Stage { stage, detail: String::new() };
    say(stage(Stage::LoadingLibtorch));
    say(Event::DeviceReady(DeviceReady {
        device: "cpu".into(),
        name: "a processor".into(),
        threads: 2,
        libtorch: "2.11.0".into(),
        precision: "float32".into(),
    }));
    say(stage(Stage::OpeningData));
    say(Event::DataOpened(DataOpened {
        classes: vec!["cat".into(), "dog".into()],
        train: 320_000,
        validation: 500,
        test: 500,
        steps_per_epoch: EVENTS * 10,
        pinned: SplitName::Validation,
    }));
    say(stage(Stage::BuildingNetwork));
    let phase = PhaseInfo {
        name: "train".into(),
        epochs: EPOCHS,
        batch_size: 32,
        optimizer: "adam".into(),
        rates: [1e-3; 2],
        augmented: true,
    };
    say(Event::Phases(Phases { current: 1, first_step: 0, first_epoch: 1, phases: vec![phase] }));
    say(Event::PhaseStarted(PhaseStarted { phase: 1, count: 1, name: "train".into(), step: 0, epoch: 1 }));
    let total = LAYERS.iter().map(|layer| layer.3).sum();
    say(Event::Trainable(Trainable { step: 0, frozen: vec![], trainable_parameters: total, total_parameters: total }));
    say(stage(Stage::FirstBatch));
    say(Event::StateChanged { state: State::Running, step: 0 });
}

fn epoch(epoch: u32, say: &mut impl FnMut(Event)) {
    let first = u64::from((epoch - 1) * EVENTS * 10);
    say(Event::EpochStarted { epoch, step: first });
    for event in 1..=EVENTS {
        let step = first + u64::from(event) * 10;
        say(steps(epoch, event * 10, step));
        if event % 20 == 0 {
            say(meters(step));
        }
        if event % 300 == 0 {
            say(Event::Machine(Box::new(Load { processor: 0.9, cores: vec![90, 91], ..Load::default() })));
        }
    }
    let step = first + u64::from(EVENTS) * 10;
    say(Event::StateChanged { state: State::Evaluating, step });
    for done in [100, 300, 500] {
        say(Event::Evaluating { split: SplitName::Validation, done, total: 500 });
    }
    let loss = 0.7 / (1.0 + f64::from(epoch));
    say(Event::EpochEnded(EpochEnded {
        epoch,
        step,
        train: Metrics { loss, accuracy: 1.0 - loss / 2.0 },
        validation: Some(Metrics { loss: loss * 1.1, accuracy: 1.0 - loss / 1.9 }),
        learning_rate: 1e-3,
        train_seconds: 100.0,
        validation_seconds: 0.5,
        images_per_second: 3_200.0,
        data_wait: 0.01,
    }));
    say(probe(step, epoch));
    let file = format!("last-{step}.safetensors");
    let kind = CheckpointKind::Last;
    say(Event::Checkpoint(Checkpoint { kind, step, epoch, file, bytes: 2_400_000, seconds: 0.02, stalled: 0.001 }));
    say(Event::StateChanged { state: State::Running, step });
}

/// A number in 0–1 that looks like chance, the same in every run.
fn chance(step: u64) -> f64 {
    f64::from((step.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as u32) / f64::from(1 << 24)
}

fn steps(epoch: u32, step_in_epoch: u32, step: u64) -> Event {
    let gathered = |mean: f64, room: f64| Gathered { mean, min: mean - room, max: mean + room, last: mean };
    let loss = 0.7 / (1.0 + step as f64 / 1e5) + 0.1 * chance(step);
    Event::Steps(Steps {
        epoch,
        step,
        step_in_epoch,
        count: 10,
        loss: gathered(loss, 0.05 * chance(step + 1)),
        accuracy: gathered(1.0 - loss / 2.0, 0.05 * chance(step + 2)),
        learning_rate: 1e-3,
        images_per_second: 3_200.0 + 50.0 * chance(step + 3),
        data_wait: 0.01 * chance(step + 4),
    })
}

fn meters(step: u64) -> Event {
    let layers = LAYERS.iter().filter(|layer| layer.3 > 0).map(|(name, ..)| LayerMeters {
        name: (*name).into(),
        gradient_norm: Some(chance(step)),
        weight_change: chance(step + 1),
        frozen_intact: None,
        learning_rate: Some(1e-3),
    });
    Event::Layers(Layers { step, layers: layers.collect() })
}

fn probe(step: u64, epoch: u32) -> Event {
    let histogram = |parameters: u64| {
        (parameters > 0).then(|| Histogram { low: -0.5, high: 0.5, counts: vec![1_234; Histogram::BINS] })
    };
    let layers = LAYERS.iter().map(|(name, _, _, parameters)| LayerProbe {
        name: (*name).into(),
        mean: chance(step),
        deviation: chance(step + 1),
        dead: Some(chance(step + 2)),
        forward_ms: 3.0 * chance(step + 3),
        backward_ms: 5.0 * chance(step + 4),
        update_ratio: Some(1e-3 * chance(step + 5)),
        weights: histogram(*parameters),
        gradients: histogram(*parameters),
    });
    Event::Probed(Probed { step, epoch, images: 8, layers: layers.collect() })
}
