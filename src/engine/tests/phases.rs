//! What a phase changes in the engine: rates by layer against PyTorch's parameter groups, what an optimiser keeps, what stays frozen
//! through an epoch of the real loop, and a resume in the second phase.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use tch::Tensor;

use super::formula::floats;
use super::*;
use crate::optimizer::{Gradient, Optimizer};
use crate::weights::Weights;
use frostline::command::{Command, Request};
use frostline::error::Result;
use frostline::event::{CheckpointKind, Ended, Event};
use frostline::plan::Plan;
use frostline::trainer::{
    Inbox, LayerRate, Origin, Progress, Record, SavedTensor, Settled, Stepper, Trainer, Tuning, Update,
};

fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.detach().contiguous().reshape([-1])).unwrap()
}

#[test]
fn rates_by_layer_are_pytorchs_parameter_groups() {
    let figures: BTreeMap<String, BTreeMap<String, Vec<f64>>> =
        serde_json::from_str(include_str!("../../../tests/fixtures/torch/groups.json")).unwrap();
    let small = 1e-12;
    let rules = [
        plan::Optimizer::Sgd { momentum: 0.0, nesterov: false },
        plan::Optimizer::Rmsprop { rho: 0.9, momentum: 0.0, epsilon: small * small },
        plan::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: small },
        plan::Optimizer::Adamw { beta_1: 0.9, beta_2: 0.999, epsilon: small, weight_decay: 0.004 },
    ];
    let layers = [conv(4, Activation::Relu), layer(Op::Flatten), dense(1, Activation::Sigmoid)];
    let arch = Arch::new("two", Shape::Map { height: 4, width: 4, channels: 3 }, &layers).unwrap();
    for rule in rules {
        let weights = Weights::new(&arch, 3, Device::Cpu).unwrap();
        let given = |word: &str, name: &str, tensor: &Tensor, scale| {
            Tensor::from_slice(&floats(&format!("{word} {name}"), tensor.numel(), scale)).reshape(tensor.size())
        };
        for weight in weights.all() {
            tch::no_grad(|| weight.tensor.shallow_clone().copy_(&given("weight", &weight.name, &weight.tensor, 0.5)));
        }
        let mut optimizer = Optimizer::new(rule, &weights);
        // A tenth of 0.01 for the convolution, 0.02 for the dense layer.
        optimizer.begin(rule, &[0.1, 1.0, 2.0], &weights);
        for step in 0..6 {
            let of = |(index, weight): (usize, &crate::weights::Weight)| -> Gradient {
                (index, given("gradient", &format!("{} {step}", weight.name), &weight.tensor, 0.1))
            };
            let gradients: Vec<Gradient> = weights.all().iter().enumerate().map(of).collect();
            optimizer.step(&weights, &gradients, if step < 3 { 0.01 } else { 0.005 }).unwrap();
        }
        for weight in weights.all() {
            let torch = &figures[rule.name()][&weight.name];
            let ours = values(&weight.tensor);
            assert_eq!(ours.len(), torch.len());
            let worst = ours.iter().zip(torch).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
            // Six roundings of a number below 1, at 6e-8 each at most.
            assert!(worst < 4e-7, "{} under {}: off by {worst:e}", weight.name, rule.name());
        }
    }
}

/// A plan over small drawings. Its network has a normalisation, dropout and momentum: all that has a state or a chance in it.
fn phased() -> Plan {
    let text = r#"
[data]
source = "critters"
train = 24
validation = 8
test = 0
augment = { horizontal_flip = true }
[model]
input = [16, 16, 3]
layers = [
  { type = "conv2d", filters = 4, kernel_size = 3, use_bias = false },
  { type = "batch_normalization" },
  { type = "activation", activation = "relu" },
  { type = "max_pooling2d" },
  { type = "flatten" },
  { type = "dropout", rate = 0.3 },
  { type = "dense", units = 4, activation = "relu" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
batch_size = 4
learning_rate = 0.01
[[phase]]
name = "head"
train = { from = "dense" }
epochs = 1
augment = false
optimizer = { kind = "adamw", weight_decay = 0.1 }
[[phase]]
train = "all"
epochs = 2
optimizer = { kind = "sgd", momentum = 0.9 }
groups = [{ layers = { from = "dense" }, multiplier = 0.5 }]
[engine]
threads = 1
loader_threads = 1
"#;
    Plan::parse(text, "phased", &[]).unwrap()
}

type Kept = Arc<Mutex<Vec<(CheckpointKind, Vec<SavedTensor>, Progress)>>>;

struct Memory {
    kept: Kept,
}

impl Record for Memory {
    fn say(&mut self, _: Event) -> Result<()> {
        Ok(())
    }

    fn picture(&mut self, _: &image::RgbImage, _: bool) -> Result<String> {
        Ok(String::new())
    }

    fn checkpoint(&mut self, kind: CheckpointKind, tensors: Arc<Vec<SavedTensor>>, progress: &Progress) -> Result<()> {
        self.kept.lock().unwrap().push((kind, tensors.to_vec(), progress.clone()));
        Ok(())
    }

    fn settled(&mut self, _: bool) -> Vec<Settled> {
        Vec::new()
    }

    fn go_back(&mut self, undo: u32) -> Result<()> {
        let mut kept = self.kept.lock().unwrap();
        let at = kept.iter().rposition(|(kind, ..)| *kind == CheckpointKind::Undo(undo)).unwrap();
        let best = kept[..at].iter().rfind(|(kind, ..)| *kind == CheckpointKind::Best).cloned();
        kept.retain(|(kind, ..)| *kind != CheckpointKind::Best);
        kept.extend(best);
        Ok(())
    }

    fn forget(&mut self, undo: u32) {
        self.kept.lock().unwrap().retain(|(kind, ..)| *kind != CheckpointKind::Undo(undo));
    }

    fn read_checkpoint(&mut self, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
        let kept = self.kept.lock().unwrap();
        let newest = kept.iter().rfind(|(each, ..)| *each == kind);
        Ok(newest.map(|(_, tensors, progress)| (tensors.clone(), progress.clone())))
    }
}

/// The loop asks what viewers look at after each step and each batch of validation; so many times later it is asked to stop.
fn train(plan: &Plan, kept: &Kept, stop_after: usize) -> Ended {
    let data = frostline::data::open(&plan.data).unwrap();
    let (wire, requests) = channel();
    let record = Memory { kept: Arc::clone(kept) };
    let stepper = stepper(&plan.arch, plan.phases[0].optimizer);
    let asked = AtomicUsize::new(0);
    let inbox = Inbox::new(requests, move || {
        if asked.fetch_add(1, Ordering::Relaxed) + 1 == stop_after {
            wire.send(Request { id: 0, by: "test".into(), command: Command::Stop }).unwrap();
        }
        Vec::new()
    });
    Trainer::new(plan, &data, stepper, record, inbox, Origin::default()).unwrap().run().unwrap()
}

/// Of the layers below the head, weights and statistics.
fn base(tensors: &[SavedTensor]) -> Vec<&SavedTensor> {
    let own = |name: &str| name.starts_with("conv2d/") || name.starts_with("batch_normalization/");
    tensors.iter().filter(|(name, _)| own(name)).collect()
}

#[test]
fn an_epoch_above_a_frozen_base_moves_no_bit_of_it_and_the_next_phase_does() {
    let plan = phased();
    let before = stepper(&plan.arch, plan.phases[0].optimizer).save().unwrap();
    let kept = Kept::default();
    assert_eq!(train(&plan, &kept, usize::MAX), Ended::Completed { early: false });
    let kept = kept.lock().unwrap();
    let after = |phase| {
        let last = |(kind, _, at): &&(CheckpointKind, Vec<SavedTensor>, Progress)| {
            *kind == CheckpointKind::Last && at.phase == phase
        };
        &kept.iter().rev().find(last).unwrap().1
    };
    // AdamW's decay would have shrunk every weight that takes part; batch statistics would have gone into the moving ones.
    assert_eq!(base(after(0)), base(&before));
    assert_ne!(after(0), &before, "the head has learned");
    let changed = |name: &str| {
        let of = |tensors: &[SavedTensor]| tensors.iter().find(|(each, _)| each == name).unwrap().1.clone();
        of(after(1)) != of(&before)
    };
    assert!(changed("conv2d/kernel") && changed("batch_normalization/moving_mean"));
}

#[test]
fn a_run_stopped_in_its_second_phase_goes_on_bit_by_bit() {
    let plan = phased();
    let whole = Kept::default();
    train(&plan, &whole, usize::MAX);
    // Six steps and a batch of validation, then two steps of the second phase.
    let kept = Kept::default();
    assert_eq!(train(&plan, &kept, 9), Ended::Stopped { by: "test".into() });
    let stopped = kept.lock().unwrap().last().unwrap().2.clone();
    assert_eq!((stopped.phase, stopped.step, stopped.step_in_epoch), (1, 8, 2));
    train(&plan, &kept, usize::MAX);
    let last = |kept: &Kept| {
        let kept = kept.lock().unwrap();
        let (_, tensors, progress) = kept.iter().rfind(|(kind, ..)| *kind == CheckpointKind::Last).unwrap();
        (tensors.clone(), progress.step, progress.phase, progress.best)
    };
    assert_eq!(last(&kept), last(&whole));
}

#[test]
fn slots_are_kept_under_a_rule_of_the_same_kind_and_forgotten_under_another() {
    let plan = phased();
    let phase = |optimizer| plan::Phase { optimizer, ..plan.phases[1].clone() };
    let arch = small(2);
    let rule = plan::Optimizer::Rmsprop { rho: 0.9, momentum: 0.0, epsilon: 1e-7 };
    let mut stepper = stepper(&arch, rule);
    for step in 0..3 {
        stepper.step(&batch(step as usize, 5, size(12, 3), 2), Update { step, learning_rate: 0.01 }).unwrap();
    }
    let slots = |stepper: &TorchStepper| -> Vec<String> {
        let is_slot = |name: &String| name.starts_with("optimizer/") && name.ends_with("variance");
        stepper.save().unwrap().into_iter().map(|(name, _)| name).filter(is_slot).collect()
    };
    let gathered = stepper.save().unwrap();
    stepper.begin_phase(&phase(plan::Optimizer::Rmsprop { rho: 0.99, momentum: 0.0, epsilon: 1e-7 })).unwrap();
    assert_eq!(stepper.save().unwrap(), gathered);
    for other in [plan::Optimizer::Rmsprop { rho: 0.9, momentum: 0.5, epsilon: 1e-7 }, RULES[4], RULES[5], rule] {
        stepper.begin_phase(&phase(other)).unwrap();
        assert_eq!(slots(&stepper), [""; 0], "before the first step under {}", other.name());
        let step = Update { step: 9, learning_rate: 0.01 };
        stepper.step(&batch(0, 5, size(12, 3), 2), step).unwrap();
        assert_eq!(slots(&stepper).len(), 10, "under {}", other.name());
    }
}

#[test]
fn what_people_tune_counts_under_every_rule() {
    let layers = [conv(2, Activation::Relu), layer(Op::Flatten), dense(1, Activation::Sigmoid)];
    let arch = Arch::new("two", Shape::Map { height: 4, width: 4, channels: 3 }, &layers).unwrap();
    let weights = Weights::new(&arch, 3, Device::Cpu).unwrap();
    let rule = plan::Optimizer::Sgd { momentum: 0.0, nesterov: false };
    let mut optimizer = Optimizer::new(rule, &weights);
    optimizer.begin(rule, &[0.5, 1.0, 1.0], &weights);
    optimizer.tune(&weights, |layer| (layer == 2).then_some(LayerRate::Held(0.25)), Some(0.1));
    let before: Vec<Vec<f32>> = weights.all().iter().map(|weight| values(&weight.tensor)).collect();
    let ones = |(index, weight): (usize, &crate::weights::Weight)| (index, weight.tensor.ones_like().detach());
    let gradients: Vec<Gradient> = weights.all().iter().enumerate().map(ones).collect();
    optimizer.step(&weights, &gradients, 0.2).unwrap();
    for (weight, before) in weights.all().iter().zip(before) {
        // Decoupled: w - rate · decay · w - rate · g.
        let rate = if weight.layer == 2 { 0.25 } else { 0.5 * 0.2 };
        for (after, before) in values(&weight.tensor).into_iter().zip(before) {
            let expected = f64::from(before) * (1.0 - rate * 0.1) - rate;
            assert!((f64::from(after) - expected).abs() < 1e-6, "{}: {after}, not {expected}", weight.name);
        }
    }
}

#[test]
fn dropout_is_what_people_set_it_to_until_they_give_it_back() {
    let arch = small(2);
    let learned = |rates: &[Option<f64>]| {
        let mut stepper = stepper(&arch, RULES[0]);
        for (step, rate) in rates.iter().enumerate() {
            let dropout = rate.map(|rate| ("dropout".to_owned(), rate)).into_iter().collect();
            stepper.tune(&Tuning { dropout, ..Tuning::default() }).unwrap();
            let update = Update { step: step as u64, learning_rate: 0.01 };
            stepper.step(&batch(step, 5, size(12, 3), 2), update).unwrap();
        }
        stepper.save().unwrap()
    };
    assert_eq!(learned(&[Some(0.3), Some(0.3)]), learned(&[None, None]), "0.3 is what the network says");
    assert_ne!(learned(&[Some(0.6), None]), learned(&[None, None]));
    assert_ne!(learned(&[Some(0.0), None]), learned(&[Some(0.6), None]));
}

#[test]
fn a_run_goes_on_bit_by_bit_wherever_it_was_stopped_with_any_number_of_loaders() {
    let mut plan = phased();
    for phase in &mut plan.phases {
        let schedule = plan::Schedule::ReduceOnPlateau {
            factor: 0.5,
            patience: 1,
            min_delta: 0.5,
            cooldown: 0,
            min_rate: 0.0,
            monitor: plan::Monitor::ValLoss,
            warmup_epochs: 0.5,
        };
        phase.schedule = plan::RateSchedule::new(schedule, phase.learning_rate, 4).unwrap();
        phase.epochs = 4;
        phase.early_stopping =
            Some(plan::EarlyStopping { monitor: plan::Monitor::ValLoss, patience: 3, min_delta: 0.5 });
    }
    let end = |kept: &Kept| {
        let kept = kept.lock().unwrap();
        let (_, tensors, at) = kept.iter().rfind(|(kind, ..)| *kind == CheckpointKind::Last).unwrap();
        (tensors.clone(), Progress { train_seconds: 0.0, wait_seconds: 0.0, ..at.clone() })
    };
    let whole = Kept::default();
    train(&plan, &whole, usize::MAX);
    assert!(end(&whole).1.phase == 1 && end(&whole).1.rate_factor < 1.0, "the plateau has lowered the rate");
    // In the middle of an epoch, behind its last step, in its validation, in the second phase.
    for (workers, stop_after) in [(0, 3), (1, 6), (3, 7), (1, 17), (0, 34), (3, 40)] {
        plan.loader_threads = workers;
        let kept = Kept::default();
        let stopped = train(&plan, &kept, stop_after);
        assert_eq!(stopped, Ended::Stopped { by: "test".into() }, "after {stop_after}");
        train(&plan, &kept, usize::MAX);
        assert_eq!(end(&kept), end(&whole), "{workers} loaders, stopped after {stop_after}");
    }
}
