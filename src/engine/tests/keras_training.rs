//! Twenty steps under every update rule against Keras, through the stepper: `tests/reference/keras_training.py`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::formula::{bytes, floats, from_keras_parameter, to_keras_parameter};
use super::*;
use frostline::plan::Plan;
use frostline::run::checkpoint::TensorData;
use frostline::trainer::{Stepper, Update};

#[derive(Deserialize)]
struct Figures {
    runs: BTreeMap<String, Run>,
}

#[derive(Deserialize)]
struct Run {
    salt: usize,
    optimizer: plan::Optimizer,
    rate: f64,
    /// Keras's in float64.
    losses: Vec<f64>,
    /// How far Keras's own float32 runs stray from them.
    worst_loss: f64,
    weights: BTreeMap<String, Stray>,
}

/// After the last step: the float64 run's norm, and how far Keras's float32 runs stray from its elements.
#[derive(Deserialize)]
struct Stray {
    norm: f64,
    worst: f64,
    rms: f64,
}

const STEPS: u64 = 20;
const BATCH: usize = 8;
const CLASSES: usize = 10;
const EVERY: usize = 8;

/// Another implementation in float32 may stray as far as Keras's does; Keras's four runs are only four draws of that, hence the
/// room. A wrong formula, a slot in the wrong place or a rate at the wrong step shows at a hundred times it.
const ROOM: f64 = 4.0;

/// Half a unit in the last place of a loss around 2.3, and of a weight around 0.1: also Keras rounds only that well.
const LOSS_UNIT: f64 = 1.2e-7;
const WEIGHT_UNIT: f64 = 3.7e-9;

fn convnet() -> Arch {
    let text = include_str!("../../../config/mnist.toml");
    let mut table: toml::Table = text.parse().unwrap();
    let data: toml::Table = "source = 'critters'".parse().unwrap();
    table.insert("data".into(), data.into());
    Plan::parse(&toml::to_string(&table).unwrap(), "mnist", &[]).unwrap().arch
}

fn pictures(salt: usize, step: u64) -> Batch {
    let labels: Vec<usize> =
        bytes(&format!("labels/{salt}/{step}"), BATCH).iter().map(|&byte| usize::from(byte) % CLASSES).collect();
    let patterns = bytes("patterns", CLASSES * 49);
    let mut images = bytes(&format!("noise/{salt}/{step}"), BATCH * 784);
    for (index, byte) in images.iter_mut().enumerate() {
        let (image, row, column) = (index / 784, index / 28 % 28, index % 28);
        let pattern = patterns[labels[image] * 49 + row / 4 * 7 + column / 4];
        *byte = pattern / 4 * 3 + *byte / 4;
    }
    Batch {
        index: step as usize,
        size: size(28, 1),
        count: BATCH,
        images,
        labels: labels.iter().map(|&label| label as i64).collect(),
        samples: (0..BATCH as u32).collect(),
        mixed: None,
        features: None,
        skipped: Vec::new(),
    }
}

/// Keras's initial weights, through the way in which a checkpoint comes back.
fn begin(arch: &Arch, rule: plan::Optimizer) -> TorchStepper {
    let mut stepper = stepper(arch, rule);
    let mut tensors = stepper.save().unwrap();
    for (name, data) in
        tensors.iter_mut().filter(|(name, _)| !name.starts_with("optimizer/") && name.ends_with("kernel"))
    {
        let shape: Vec<i64> = data.shape.iter().map(|&side| side as i64).collect();
        let field: usize = data.shape[2..].iter().product();
        let limit = (6.0 / (field * (data.shape[0] + data.shape[1])) as f64).sqrt() as f32;
        let values = floats(name, data.shape.iter().product(), limit);
        data.bytes =
            little_endian(&Vec::try_from(from_keras_parameter(&values, &shape).contiguous().reshape([-1])).unwrap());
    }
    stepper.restore(&tensors).unwrap();
    stepper
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn numbers(data: &[u8]) -> Vec<f32> {
    data.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

fn in_keras_order(data: &TensorData) -> Vec<f32> {
    let shape: Vec<i64> = data.shape.iter().map(|&side| side as i64).collect();
    to_keras_parameter(&tch::Tensor::from_slice(&numbers(&data.bytes)).reshape(&shape))
}

#[test]
fn twenty_steps_under_every_rule_agree_with_keras_to_float32s_accuracy() {
    let figures: Figures = serde_json::from_str(include_str!("../../../tests/fixtures/keras/training.json")).unwrap();
    let reference = include_bytes!("../../../tests/fixtures/keras/training.safetensors");
    let reference = safetensors::SafeTensors::deserialize(reference).unwrap();
    let arch = convnet();
    assert_eq!(figures.runs.len(), 8);
    for (name, run) in &figures.runs {
        let mut stepper = begin(&arch, run.optimizer);
        for (step, keras) in (0..STEPS).zip(&run.losses) {
            let learning_rate = if step < STEPS / 2 { run.rate } else { run.rate / 2.0 };
            let score = stepper.step(&pictures(run.salt, step), Update { step, learning_rate }).unwrap();
            let loss = score.loss_sum / BATCH as f64;
            let off = (loss - keras).abs();
            assert!(
                off <= ROOM * run.worst_loss.max(LOSS_UNIT),
                "{name}, step {step}: loss {loss}, in Keras {keras}, off by {off:e}, room {:e}",
                ROOM * run.worst_loss
            );
        }
        for (parameter, data) in stepper.save().unwrap().iter().filter(|(name, _)| !name.starts_with("optimizer/")) {
            let stray = &run.weights[parameter];
            let ours = in_keras_order(data);
            let norm = ours.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
            // Of all elements, where the figures keep every eighth: ‖a‖ − ‖b‖ is at most ‖a − b‖.
            let room = ROOM * stray.rms.max(WEIGHT_UNIT) * (ours.len() as f64).sqrt();
            assert!((norm - stray.norm).abs() <= room, "{name}: norm of {parameter}: {norm}, in Keras {}", stray.norm);
            let keras = numbers(reference.tensor(&format!("{name}/{parameter}")).unwrap().data());
            let off: Vec<f64> = ours.iter().step_by(EVERY).zip(&keras).map(|(a, b)| f64::from((a - b).abs())).collect();
            assert_eq!(off.len(), keras.len());
            let worst = off.iter().fold(0.0_f64, |worst, &off| worst.max(off));
            let rms = (off.iter().map(|off| off * off).sum::<f64>() / off.len() as f64).sqrt();
            assert!(
                worst <= ROOM * stray.worst.max(WEIGHT_UNIT) && rms <= ROOM * stray.rms.max(WEIGHT_UNIT),
                "{name}: {parameter} is off by {worst:e} at most and {rms:e} on average, Keras in float32 by {:e} and {:e}",
                stray.worst,
                stray.rms
            );
        }
    }
}
