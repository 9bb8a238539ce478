//! The stepper as the training loop uses it: learning, saving, restoring, refusing.

use super::*;
use frostline::trainer::{SavedTensor, Stepper, Update};

fn run(stepper: &mut TorchStepper, steps: std::ops::Range<u64>) -> Vec<f64> {
    let step = |step| {
        let batch = batch(step as usize % 3, 5, size(12, 3), 2);
        stepper.step(&batch, Update { step, learning_rate: 0.01 }).unwrap().loss_sum
    };
    steps.map(step).collect()
}

fn saved(stepper: &TorchStepper) -> Vec<SavedTensor> {
    stepper.save().unwrap()
}

#[test]
fn loss_falls_on_batches_that_repeat() {
    let mut stepper = stepper(&small(2), plan::Optimizer::default());
    let losses = run(&mut stepper, 0..60);
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    assert!(mean(&losses[54..]) < 0.5 * mean(&losses[..6]), "{losses:?}");
}

#[test]
fn twenty_steps_are_ten_and_a_restore_and_ten() {
    for rule in RULES {
        let mut whole = stepper(&small(2), rule);
        let losses = run(&mut whole, 0..20);

        let mut first = stepper(&small(2), rule);
        run(&mut first, 0..10);
        // Another seed: every weight must come from the checkpoint. Dropout's seed is the run's own.
        let mut second = stepper(&small(2), rule);
        run(&mut second, 0..3);
        second.restore(&saved(&first)).unwrap();
        assert_eq!(run(&mut second, 10..20), losses[10..], "{}", rule.name());
        assert_eq!(saved(&second), saved(&whole), "{}", rule.name());
    }
}
