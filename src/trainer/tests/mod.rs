//! The loop driven by a fake network: what it does between steps, in milliseconds and without libtorch.
#![allow(clippy::unwrap_used)]

mod commands;
mod endurance;
mod epochs;
mod features;
mod guard;
mod looking;
mod memory;
mod meters;
mod phases;
mod undo;

use std::sync::{
    Arc, Mutex,
    mpsc::{Sender, channel},
};

use image::RgbImage;
use memory::{Memory, Saved};

use super::*;
use crate::{
    command::{Command, HeldOut, Method, Request, Watch},
    data::Pixels,
    event::{Answered, LayerMeters, LayerProbe, NonFinite, Outcome},
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

fn phased(phases: &str) -> Plan {
    Plan::parse(&format!("{CONFIG}{phases}"), "fake", &[]).unwrap()
}

/// Its one weight takes in everything that may influence a step, so that two runs with the same weight did the same things.
struct Fake {
    weight: i64,
    frozen: Vec<String>,
    /// Of the phase: its rule's name, and all of rule and rates.
    rule: [String; 2],
    tuned: String,
    /// Commands to send before the given step is done.
    script: Vec<(u64, Command)>,
    sent: Vec<usize>,
    wire: Sender<Request>,
    validation_loss: Vec<f64>,
    /// Commands to send during the given evaluated batch, counted over the run from 1.
    in_evaluation: Vec<(usize, Command)>,
    evaluated: usize,
    explains: bool,
    /// What it was asked to explain: the step, the layer, the method.
    asked: Asked,
    /// How long an explanation takes, and how long a method of many passes says that it will.
    takes: [Duration; 2],
    steps: u64,
    step_takes: Duration,
    braced: bool,
    /// What it says of each image: one number a class.
    says: Option<fn(u32) -> Vec<f32>>,
    /// The images of each step, and its rate.
    saw: Arc<Mutex<Vec<Vec<u32>>>>,
    rates: Arc<Mutex<Vec<f64>>>,
    /// Steps whose loss is no number, and the losses of others.
    failing: Vec<u64>,
    /// Also when they come again.
    fails_again: bool,
    losses: Vec<(u64, f64)>,
    trouble: Option<Trouble>,
    /// Images that fit into memory.
    memory: usize,
    micro_batch: Option<usize>,
}

/// Of a stand-in for libtorch.
#[derive(Debug, thiserror::Error)]
#[error("out of memory on the computer")]
struct OutOfMemory;

impl crate::error::Explain for OutOfMemory {
    fn class(&self) -> crate::error::Class {
        crate::error::Class::Environment
    }

    fn is_out_of_memory(&self) -> bool {
        true
    }
}

type Asked = Arc<Mutex<Vec<(u64, String, Method)>>>;

impl Stepper for Fake {
    fn step(&mut self, batch: &Batch, update: Update) -> Result<Score> {
        for (id, (step, command)) in self.script.iter().enumerate() {
            // Once, also where a run goes back and comes by again.
            if *step == update.step && !self.sent.contains(&id) {
                self.sent.push(id);
                self.wire.send(Request { id: id as u64, by: "test".into(), command: command.clone() }).unwrap();
            }
        }
        if self.micro_batch.unwrap_or(batch.count).min(batch.count) > self.memory {
            return Err(OutOfMemory.into());
        }
        if self.failing.contains(&update.step) {
            if !self.fails_again {
                self.failing.retain(|step| *step != update.step);
            }
            self.trouble = Some(Trouble { what: NonFinite::Loss, layers: vec!["conv2d".into(), "dense".into()] });
            return Ok(Score { images: batch.count as u64, loss_sum: f64::NAN, correct: 0 });
        }
        let seen = format!("{:?} {update:?} {:?} {} {}", batch.samples, self.frozen, self.rule[1], self.tuned);
        self.weight = seen.bytes().fold(self.weight, |hash, byte| hash.wrapping_mul(31).wrapping_add(i64::from(byte)));
        self.steps = update.step + 1;
        self.saw.lock().unwrap().push(batch.samples.clone());
        self.rates.lock().unwrap().push(update.learning_rate);
        std::thread::sleep(self.step_takes);
        let loss = self.losses.iter().find(|(step, _)| *step == update.step).map_or(1.0, |(_, loss)| *loss);
        Ok(Score { images: batch.count as u64, loss_sum: batch.count as f64 * loss, correct: 1 })
    }

    fn trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    fn set_micro_batch(&mut self, pictures: Option<usize>) {
        self.micro_batch = pictures;
    }

    fn evaluate(&mut self, batch: &Batch) -> Result<Evaluated> {
        if batch.count > self.memory {
            return Err(OutOfMemory.into());
        }
        self.evaluated += 1;
        for (batch, command) in &self.in_evaluation {
            if *batch == self.evaluated {
                self.wire.send(Request { id: 0, by: "test".into(), command: command.clone() }).unwrap();
            }
        }
        let loss =
            if self.validation_loss.len() > 1 { self.validation_loss.remove(0) } else { self.validation_loss[0] };
        let score = Score { images: batch.count as u64, loss_sum: loss * batch.count as f64, correct: 0 };
        let Some(says) = self.says else {
            return Ok(Evaluated { score, predictions: vec![0; batch.count], ..Evaluated::default() });
        };
        let rows: Vec<Vec<f32>> = batch.samples.iter().map(|sample| says(*sample)).collect();
        let losses = rows.iter().zip(&batch.labels).map(|(row, label)| -row[*label as usize].ln()).collect();
        let predictions = rows.iter().map(|row| u32::from(row[1] > row[0])).collect();
        Ok(Evaluated { score, predictions, losses, probabilities: rows.concat() })
    }

    fn begin_phase(&mut self, phase: &Phase) -> Result<()> {
        self.rule = [phase.optimizer.name().to_owned(), format!("{:?} {:?}", phase.optimizer, phase.rate_factors)];
        Ok(())
    }

    fn tune(&mut self, tuning: &Tuning) -> Result<()> {
        self.tuned = format!("{tuning:?}");
        Ok(())
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

    fn brace(&mut self) -> Result<()> {
        self.braced = true;
        Ok(())
    }

    fn probe(&mut self, pictures: &[Pixels], labels: &[i64], histograms: Histograms<'_>) -> Result<Vec<LayerProbe>> {
        assert_eq!(pictures.len(), labels.len());
        let update_ratio = Some(if std::mem::take(&mut self.braced) { 0.5 } else { 0.0 });
        let weights = histograms.wants("conv2d").then(Default::default);
        Ok(vec![LayerProbe { name: "conv2d".into(), update_ratio, weights, ..LayerProbe::default() }])
    }

    fn save(&self) -> Result<Vec<SavedTensor>> {
        let bytes = self.weight.to_le_bytes().to_vec();
        let rule = self.rule[0].clone().into_bytes();
        Ok(vec![
            ("weight".into(), TensorData { shape: vec![], dtype: DType::I64, bytes }),
            ("rule".into(), TensorData { shape: vec![rule.len()], dtype: DType::U8, bytes: rule }),
        ])
    }

    fn restore(&mut self, tensors: &[SavedTensor]) -> Result<()> {
        // An optimiser's slots only fit its own rule.
        assert_eq!(String::from_utf8(tensors[1].1.bytes.clone()).unwrap(), self.rule[0]);
        self.weight = i64::from_le_bytes(tensors[0].1.bytes[..].try_into().unwrap());
        Ok(())
    }

    fn explain(
        &mut self,
        picture: &Pixels,
        question: Question<'_>,
        go_on: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Explanation> {
        if !self.explains {
            return Err(Error::internal("out of memory"));
        }
        self.asked.lock().unwrap().push((self.steps, question.layer.to_owned(), question.method));
        let plane = |channels| Planes { channels, height: 2, width: 2, values: vec![0.5; channels * 4] };
        assert_eq!(picture.size.width, 16);
        let [takes, would_take] = self.takes;
        std::thread::sleep(takes);
        let parts = (would_take.as_secs_f64() / takes.as_secs_f64().max(1e-3)).ceil() as usize;
        let found = !question.method.is_costly() || go_on(1, parts.max(1));
        let class = question.class.unwrap_or(0);
        Ok(Explanation { probabilities: vec![0.5, 0.5], activations: plane(2), heat: found.then(|| plane(1)), class })
    }

    fn climb(&mut self, layer: &str, painting: &mut Painting) -> Result<Option<String>> {
        if layer == "activation" {
            return Ok(Some("too small".into()));
        }
        (painting.height, painting.width, painting.channels) = (2, 2, 1);
        painting.done += 1;
        painting.bytes = vec![painting.done as u8; painting.filters * 4];
        Ok(None)
    }
}

struct Ran {
    ended: Ended,
    events: Vec<Event>,
    progress: Progress,
    /// Of each step.
    rates: Vec<f64>,
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
    let mut trainer = trainer(plan, &data, script, validation_loss, saved, change);
    let ended = trainer.run().unwrap();
    let progress = trainer.progress().clone();
    let (fake, record) = trainer.into_parts();
    let rates = fake.rates.lock().unwrap().clone();
    Ran { ended, events: record.events, progress, rates }
}

/// The error of a run that fails.
fn failed(plan: &Plan, saved: &Saved, change: impl FnOnce(&mut Fake, &mut Memory)) -> Error {
    let data = crate::data::open(&plan.data).unwrap();
    trainer(plan, &data, &[], &[1.0], saved, change).run().unwrap_err()
}

fn trainer<'a>(
    plan: &'a Plan,
    data: &'a Dataset,
    script: &[(u64, Command)],
    validation_loss: &[f64],
    saved: &Saved,
    change: impl FnOnce(&mut Fake, &mut Memory),
) -> Trainer<'a, Fake, Memory> {
    let (wire, requests) = channel();
    let mut fake = Fake {
        weight: 1,
        frozen: Vec::new(),
        rule: Default::default(),
        tuned: String::new(),
        script: script.to_vec(),
        sent: Vec::new(),
        wire,
        validation_loss: validation_loss.to_vec(),
        in_evaluation: Vec::new(),
        evaluated: 0,
        explains: true,
        asked: Asked::default(),
        takes: [Duration::ZERO; 2],
        steps: 0,
        step_takes: Duration::ZERO,
        braced: false,
        says: None,
        saw: Arc::default(),
        rates: Arc::default(),
        failing: Vec::new(),
        fails_again: false,
        losses: Vec::new(),
        trouble: None,
        memory: usize::MAX,
        micro_batch: None,
    };
    let mut record = Memory { saved: Arc::clone(saved), ..Memory::default() };
    change(&mut fake, &mut record);
    let watched = std::mem::take(&mut record.watched);
    let inbox = Inbox::new(requests, move || watched.clone());
    Trainer::new(plan, data, fake, record, inbox, Origin::default()).unwrap()
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

/// The commands with what became of them, one a line.
fn replies(events: &[Event]) -> String {
    let line = |(_, command, outcome): (u64, &Command, &Outcome)| match outcome {
        Outcome::Rejected { reason } => format!("{command}: {reason}"),
        Outcome::Applied => format!("{command}: applied"),
    };
    answers(events).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn layers(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn said(events: &[Event], level: Level) -> Vec<&str> {
    let message = |event| match event {
        &Event::Log { level: at, ref message } if at == level => Some(message.as_str()),
        _ => None,
    };
    events.iter().filter_map(message).collect()
}
