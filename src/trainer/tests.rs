//! The loop driven by a fake network: what it does between steps, in milliseconds and without libtorch.
#![allow(clippy::unwrap_used)]

use std::sync::{
    Arc, Mutex,
    mpsc::{Sender, channel},
};

use image::RgbImage;

use super::*;
use crate::{
    command::{Command, Request},
    data::Pixels,
    event::{Answered, LayerMeters, Outcome},
    run::checkpoint::{DType, TensorData},
};

const CONFIG: &str = r#"
[data]
source = "critters"
train = 24
validation = 8
test = 8
[model]
input = [16, 16, 3]
layers = [
  { type = "conv2d", filters = 2, kernel_size = 3, activation = "relu" },
  { type = "flatten" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 2
batch_size = 4
"#;

/// Six steps an epoch.
fn plan(overrides: &[&str]) -> Plan {
    let overrides: Vec<String> = overrides.iter().map(|&each| each.to_owned()).collect();
    Plan::parse(CONFIG, "fake", &overrides).unwrap()
}

/// Its one weight takes in everything that may influence a step, so that two runs with the same weight did the same things.
struct Fake {
    weight: i64,
    frozen: Vec<String>,
    /// Commands to send before the given step is done.
    script: Vec<(u64, Command)>,
    wire: Sender<Request>,
    validation_loss: Vec<f64>,
    /// Commands to send during the given evaluated batch, counted over the run from 1.
    in_evaluation: Vec<(usize, Command)>,
    evaluated: usize,
    explains: bool,
}

impl Stepper for Fake {
    fn step(&mut self, batch: &Batch, update: Update) -> Result<Score> {
        for (id, (step, command)) in self.script.iter().enumerate() {
            if *step == update.step {
                self.wire.send(Request { id: id as u64, by: "test".into(), command: command.clone() }).unwrap();
            }
        }
        let seen = format!("{:?} {update:?} {:?}", batch.samples, self.frozen);
        self.weight = seen.bytes().fold(self.weight, |hash, byte| hash.wrapping_mul(31).wrapping_add(i64::from(byte)));
        Ok(Score { images: batch.count as u64, loss_sum: batch.count as f64, correct: 1 })
    }

    fn evaluate(&mut self, batch: &Batch) -> Result<Evaluated> {
        self.evaluated += 1;
        for (batch, command) in &self.in_evaluation {
            if *batch == self.evaluated {
                self.wire.send(Request { id: 0, by: "test".into(), command: command.clone() }).unwrap();
            }
        }
        let loss =
            if self.validation_loss.len() > 1 { self.validation_loss.remove(0) } else { self.validation_loss[0] };
        let score = Score { images: batch.count as u64, loss_sum: loss * batch.count as f64, correct: 0 };
        Ok(Evaluated { score, predictions: vec![0; batch.count] })
    }

    fn set_frozen(&mut self, frozen: &[String]) -> Result<()> {
        self.frozen = frozen.to_vec();
        Ok(())
    }

    fn begin_epoch(&mut self) -> Result<()> {
        Ok(())
    }

    fn meters(&mut self) -> Result<Vec<LayerMeters>> {
        Ok(Vec::new())
    }

    fn save(&self) -> Result<Vec<SavedTensor>> {
        let bytes = self.weight.to_le_bytes().to_vec();
        Ok(vec![("weight".into(), TensorData { shape: vec![], dtype: DType::I64, bytes })])
    }

    fn restore(&mut self, tensors: &[SavedTensor]) -> Result<()> {
        self.weight = i64::from_le_bytes(tensors[0].1.bytes[..].try_into().unwrap());
        Ok(())
    }

    fn explain(&mut self, picture: &Pixels, _layer: &str) -> Result<Explanation> {
        if !self.explains {
            return Err(crate::error::Error::internal("out of memory"));
        }
        let plane = |channels| Planes { channels, height: 2, width: 2, values: vec![0.5; channels * 4] };
        assert_eq!(picture.size.width, 16);
        Ok(Explanation { probabilities: vec![0.5, 0.5], activations: plane(2), heat: plane(1), class: 0 })
    }
}

type Saved = Arc<Mutex<Vec<(CheckpointKind, Vec<SavedTensor>, Progress)>>>;

#[derive(Default)]
struct Memory {
    events: Vec<Event>,
    saved: Saved,
    /// The disk is full for so many checkpoints.
    full_for: usize,
}

impl Record for Memory {
    fn say(&mut self, event: Event) -> Result<()> {
        self.events.push(event);
        Ok(())
    }

    fn picture(&mut self, picture: &RgbImage, _lasting: bool) -> Result<String> {
        Ok(format!("{}x{}", picture.width(), picture.height()))
    }

    fn checkpoint(&mut self, kind: CheckpointKind, tensors: &[SavedTensor], progress: &Progress) -> Result<Written> {
        if self.full_for > 0 {
            self.full_for -= 1;
            return Err(crate::error::Error::environment("no space left on device", None));
        }
        // Through the text that a file holds.
        let progress = serde_json::from_str(&serde_json::to_string(progress).unwrap()).unwrap();
        self.saved.lock().unwrap().push((kind, tensors.to_vec(), progress));
        Ok(Written { file: "memory".into(), bytes: 8 })
    }

    fn read_checkpoint(&mut self, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
        let saved = self.saved.lock().unwrap();
        let newest = saved.iter().rev().find(|(written, ..)| *written == kind);
        Ok(newest.map(|(_, tensors, progress)| (tensors.clone(), progress.clone())))
    }
}

struct Ran {
    ended: Ended,
    events: Vec<Event>,
    progress: Progress,
}

fn run(plan: &Plan, script: &[(u64, Command)], validation_loss: &[f64], saved: &Saved) -> Ran {
    run_with(plan, script, validation_loss, saved, |_, _| {})
}

fn run_with(
    plan: &Plan,
    script: &[(u64, Command)],
    validation_loss: &[f64],
    saved: &Saved,
    change: impl FnOnce(&mut Fake, &mut Memory),
) -> Ran {
    let data = crate::data::open(&plan.data).unwrap();
    let (wire, requests) = channel();
    let mut fake = Fake {
        weight: 1,
        frozen: Vec::new(),
        script: script.to_vec(),
        wire,
        validation_loss: validation_loss.to_vec(),
        in_evaluation: Vec::new(),
        evaluated: 0,
        explains: true,
    };
    let mut record = Memory { events: Vec::new(), saved: Arc::clone(saved), full_for: 0 };
    change(&mut fake, &mut record);
    let inbox = Inbox::new(requests, Vec::new);
    let mut trainer = Trainer::new(plan, &data, fake, record, inbox, Origin::default()).unwrap();
    let ended = trainer.run().unwrap();
    let progress = trainer.progress().clone();
    Ran { ended, events: trainer.into_record().events, progress }
}

fn fresh(plan: &Plan, script: &[(u64, Command)]) -> Ran {
    run(plan, script, &[1.0], &Saved::default())
}

/// The tensors of the last checkpoint, and the progress without what clocks measured.
fn end(saved: &Saved) -> (Vec<SavedTensor>, Progress) {
    let saved = saved.lock().unwrap();
    let (_, tensors, progress) = saved.iter().rev().find(|(kind, ..)| *kind == CheckpointKind::Last).unwrap();
    (tensors.clone(), Progress { train_seconds: 0.0, wait_seconds: 0.0, ..progress.clone() })
}

fn answers(events: &[Event]) -> Vec<(u64, &Command, &Outcome)> {
    let answer = |event| match event {
        &Event::Answered(Answered { step, ref request, ref outcome, .. }) => Some((step, request, outcome)),
        _ => None,
    };
    events.iter().filter_map(answer).collect()
}

fn layers(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn a_run_goes_through_every_epoch_validates_tests_and_completes() {
    let ran = fresh(&plan(&[]), &[]);
    assert_eq!(ran.ended, Ended::Completed { early: false });
    assert_eq!(ran.progress.step, 12);
    let ends: Vec<u32> = ran
        .events
        .iter()
        .filter_map(|event| match event {
            Event::EpochEnded(ended) => Some(ended.epoch),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [1, 2]);
    assert!(ran.events.iter().any(|event| matches!(event, Event::Tested(tested) if tested.images == 8)));
    assert!(
        ran.events.iter().any(|event| matches!(event, Event::Explained(explained) if explained.pictures.len() == 3))
    );
}

#[test]
fn a_run_stopped_at_any_step_and_resumed_ends_like_one_that_was_not() {
    let plan = plan(&["train.schedule.kind=cosine"]);
    let whole = Saved::default();
    run(&plan, &[], &[1.0], &whole);
    for stop in 0..12 {
        let saved = Saved::default();
        let first = run(&plan, &[(stop, Command::Stop)], &[1.0], &saved);
        assert_eq!(first.ended, Ended::Stopped { by: "test".into() }, "at step {stop}");
        let second = run(&plan, &[], &[1.0], &saved);
        assert_eq!(second.ended, Ended::Completed { early: false }, "after a stop at step {stop}");
        assert_eq!(end(&saved), end(&whole), "after a stop at step {stop}");
    }
}

#[test]
fn commands_take_effect_between_steps_and_are_answered_with_the_step() {
    let script = [
        (1, Command::Freeze { layers: layers(&["conv2d"]) }),
        (3, Command::LearningRate { rate: 0.5 }),
        (4, Command::Unfreeze { layers: layers(&["conv2d"]) }),
    ];
    let ran = fresh(&plan(&[]), &script);
    assert_eq!(
        answers(&ran.events),
        [
            (2, &script[0].1, &Outcome::Applied),
            (4, &script[1].1, &Outcome::Applied),
            (5, &script[2].1, &Outcome::Applied)
        ]
    );
    let masks: Vec<(u64, Vec<String>, u64)> = ran
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Trainable(mask) => Some((mask.step, mask.frozen.clone(), mask.trainable_parameters)),
            _ => None,
        })
        .collect();
    // conv2d: 3·3·3·2 + 2 = 56; dense: 14·14·2 + 1 = 393.
    assert_eq!(masks, [(0, vec![], 449), (2, layers(&["conv2d"]), 393), (5, vec![], 449)]);
    assert_eq!(ran.progress.rate_factor, 500.0, "RMSprop's 0.001 became 0.5");
}

#[test]
fn a_paused_run_does_nothing_until_it_is_resumed() {
    let script = [(2, Command::Pause), (2, Command::Pause), (2, Command::Checkpoint), (2, Command::Resume)];
    let saved = Saved::default();
    let ran = run(&plan(&[]), &script, &[1.0], &saved);
    let rejected = Outcome::Rejected { reason: "the run is paused already".into() };
    assert_eq!(
        answers(&ran.events),
        [
            (3, &Command::Pause, &Outcome::Applied),
            (3, &Command::Pause, &rejected),
            (3, &Command::Checkpoint, &Outcome::Applied),
            (3, &Command::Resume, &Outcome::Applied),
        ]
    );
    assert_eq!(saved.lock().unwrap()[0].2.step, 3);
    assert_eq!(ran.ended, Ended::Completed { early: false });
}

#[test]
fn what_cannot_be_done_is_refused_with_its_reason() {
    let script: Vec<(u64, Command)> = [
        Command::Resume,
        Command::Freeze { layers: layers(&["conv"]) },
        Command::Freeze { layers: layers(&["flatten"]) },
        Command::Freeze { layers: layers(&["conv2d", "dense"]) },
        Command::Unfreeze { layers: layers(&["dense"]) },
        Command::FrostLine { layer: Some("dense".into()) },
        Command::LearningRate { rate: -1.0 },
        Command::Freeze { layers: vec![] },
    ]
    .map(|command| (1, command))
    .to_vec();
    let ran = fresh(&plan(&[]), &script);
    let reasons: Vec<String> = answers(&ran.events)
        .into_iter()
        .map(|(_, command, outcome)| match outcome {
            Outcome::Rejected { reason } => format!("{command}: {reason}"),
            Outcome::Applied => format!("{command}: applied"),
        })
        .collect();
    insta::assert_snapshot!(reasons.join("\n"));
}

#[test]
fn the_frost_line_freezes_what_lies_below_it_and_thaws_the_rest() {
    let script = [(1, Command::FrostLine { layer: Some("flatten".into()) }), (3, Command::FrostLine { layer: None })];
    let ran = fresh(&plan(&[]), &script);
    let masks: Vec<&[String]> = ran
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Trainable(mask) => Some(&mask.frozen[..]),
            _ => None,
        })
        .collect();
    assert_eq!(masks, [&[][..], &layers(&["conv2d"])[..], &[][..]]);
}

#[test]
fn early_stopping_ends_the_run_and_the_best_checkpoint_is_tested() {
    let plan = plan(&["train.epochs=9", "train.early_stopping.patience=2"]);
    let saved = Saved::default();
    let ran = run(&plan, &[], &[0.9, 0.5, 0.6, 0.7, 0.8], &saved);
    assert_eq!(ran.ended, Ended::Completed { early: true });
    assert_eq!(ran.progress.epoch, 5, "two epochs after the best, the second");
    let best: Vec<u64> = saved
        .lock()
        .unwrap()
        .iter()
        .filter(|(kind, ..)| *kind == CheckpointKind::Best)
        .map(|(.., at)| at.step)
        .collect();
    assert_eq!(best, [6, 12]);
}

#[test]
fn a_plateau_lowers_the_rate() {
    let plan = plan(&[
        "train.epochs=4",
        "train.schedule.kind=reduce_on_plateau",
        "train.schedule.patience=1",
        "train.schedule.min_rate=0.00005",
    ]);
    let ran = run(&plan, &[], &[0.5], &Saved::default());
    let rates: Vec<f64> = ran
        .events
        .iter()
        .filter_map(|event| match event {
            Event::LearningRate { rate, .. } => Some(*rate),
            _ => None,
        })
        .collect();
    assert_eq!(rates.len(), 3);
    assert!((rates[0] - 1e-4).abs() < 1e-12);
    assert!((rates[1] - 5e-5).abs() < 1e-12, "not below min_rate");
}

fn said(events: &[Event], level: Level) -> Vec<&str> {
    let message = |event| match event {
        &Event::Log { level: at, ref message } if at == level => Some(message.as_str()),
        _ => None,
    };
    events.iter().filter_map(message).collect()
}

/// Two epochs of one validation batch of 8 each, then the test: the third evaluated batch.
#[test]
fn the_test_of_the_best_weights_cannot_overwrite_the_last_ones() {
    let saved = Saved::default();
    let ran = run_with(&plan(&[]), &[], &[1.0], &saved, |fake, _| {
        fake.in_evaluation = vec![(3, Command::Checkpoint), (3, Command::Freeze { layers: layers(&["conv2d"]) })];
    });
    let refused = Outcome::Rejected { reason: "training is over and saved; the best weights are being tested".into() };
    assert_eq!(answers(&ran.events).iter().filter(|(.., outcome)| **outcome == refused).count(), 2);
    let lasts = saved.lock().unwrap().iter().filter(|(kind, ..)| *kind == CheckpointKind::Last).count();
    assert_eq!(lasts, 2, "one an epoch");
}

#[test]
fn a_loss_that_is_no_number_can_be_saved_and_resumed() {
    let plan = plan(&[]);
    let saved = Saved::default();
    let stopped = run(&plan, &[(8, Command::Stop)], &[f64::NAN], &saved);
    assert_eq!(stopped.ended, Ended::Stopped { by: "test".into() });
    saved.lock().unwrap().last_mut().unwrap().2.sums.loss = f64::NAN;
    let text = serde_json::to_string(&saved.lock().unwrap().last().unwrap().2).unwrap();
    let back: Progress = serde_json::from_str(&text).unwrap();
    assert!(back.sums.loss.is_nan());
    assert_eq!(back.best, None, "what is no number is no best");
}

#[test]
fn a_full_disk_stops_nothing_and_a_wanted_checkpoint_is_refused_with_the_reason() {
    let saved = Saved::default();
    let script = [(1, Command::Checkpoint)];
    let ran = run_with(&plan(&[]), &script, &[1.0], &saved, |_, record| record.full_for = 3);
    assert_eq!(ran.ended, Ended::Completed { early: false });
    let reason = Outcome::Rejected { reason: "no space left on device".into() };
    assert_eq!(answers(&ran.events), [(2, &Command::Checkpoint, &reason)]);
    assert_eq!(said(&ran.events, Level::Error).len(), 2, "best and last of the first epoch");
    assert_eq!(end(&saved).1.step, 12);
}

#[test]
fn a_run_does_not_end_because_somebody_looked() {
    let ran = run_with(&plan(&[]), &[], &[1.0], &Saved::default(), |fake, _| fake.explains = false);
    assert_eq!(ran.ended, Ended::Completed { early: false });
    assert_eq!(said(&ran.events, Level::Error), ["no more pictures in this run: out of memory"], "told once");
}

#[test]
fn a_rate_set_while_warming_up_is_what_the_warm_up_leads_to() {
    let plan = plan(&["train.schedule.kind=constant", "train.schedule.warmup_epochs=1"]);
    let ran = fresh(&plan, &[(1, Command::LearningRate { rate: 0.01 })]);
    assert_eq!(ran.progress.rate_factor, 10.0, "RMSprop's 0.001 became 0.01 at its height");
}

#[test]
fn a_resume_elsewhere_says_that_it_is_not_bit_by_bit() {
    let plan = plan(&[]);
    let saved = Saved::default();
    run(&plan, &[(3, Command::Stop)], &[1.0], &saved);
    for (.., progress) in saved.lock().unwrap().iter_mut() {
        progress.origin = Origin { device: "cuda:0".into(), threads: 8, ..Origin::default() };
    }
    let ran = run(&plan, &[], &[1.0], &saved);
    assert_eq!(
        said(&ran.events, Level::Warning),
        [
            "the run goes on, but not bit by bit: it was made on cuda:0, this is ; it was made with 8 threads, these are 0"
        ]
    );
}
