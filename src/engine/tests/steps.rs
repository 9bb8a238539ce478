//! The stepper as the training loop uses it: learning, saving, restoring, refusing.

use super::*;
use frostline::data::Mix;
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

#[test]
fn what_does_not_fit_is_named_and_nothing_is_written() {
    let mut stepper = stepper(&small(2), RULES[1]);
    run(&mut stepper, 0..2);
    let good = saved(&stepper);
    let mut bad = good.clone();
    bad.retain(|(name, _)| name != "dense/bias" && name != "optimizer/conv2d/kernel/velocity");
    bad.push(("dense_9/bias".into(), bad[0].1.clone()));
    let (_, kernel) = bad.iter_mut().find(|(name, _)| name == "dense/kernel").unwrap();
    kernel.shape.reverse();
    let error = stepper.restore(&bad).unwrap_err();
    assert_eq!(
        error.message(),
        "the saved tensors do not fit the network: \
         \"optimizer/conv2d/kernel/velocity\" is missing; \
         \"dense/kernel\" is F32 [54, 8] in 1728 bytes, expected F32 [8, 54] in 1728; \
         \"dense/bias\" is missing; \
         \"dense_9/bias\" is unexpected"
    );
    assert_eq!(saved(&stepper), good);
}

#[test]
fn slots_of_another_rule_are_unexpected() {
    let mut adam = stepper(&small(2), RULES[4]);
    run(&mut adam, 0..1);
    let mut sgd = stepper(&small(2), RULES[0]);
    let error = sgd.restore(&saved(&adam)).unwrap_err();
    assert!(error.message().contains("\"optimizer/conv2d/kernel/momentum\" is unexpected"), "{}", error.message());
}

#[test]
fn a_batch_that_the_network_cannot_take_is_refused() {
    let mut stepper = stepper(&small(3), RULES[0]);
    let mut told = |batch: &Batch| stepper.step(batch, Update { step: 0, learning_rate: 0.1 }).unwrap_err().message();
    assert_eq!(told(&batch(0, 2, size(10, 3), 3)), "pictures of 10x10x3 for a network that takes (None, 12, 12, 3)");
    let good = batch(0, 2, size(12, 3), 3);
    assert_eq!(told(&Batch { labels: vec![0, 3], ..good.clone() }), "label 3 for a network with 3 classes");
    let mixed = Some(Mix { labels: vec![-1, 0], weight: 0.6 });
    assert_eq!(told(&Batch { mixed, ..good.clone() }), "label -1 for a network with 3 classes");
    assert_eq!(told(&Batch { count: 3, ..good }), "a batch of 3 pictures holds 864 bytes and 2 labels");
}

#[test]
fn an_empty_batch_changes_nothing() {
    let mut stepper = stepper(&small(2), RULES[2]);
    let before = saved(&stepper);
    let score = stepper.step(&batch(0, 0, size(12, 3), 2), Update { step: 0, learning_rate: 0.1 }).unwrap();
    assert_eq!(score, frostline::trainer::Score::default());
    assert_eq!(saved(&stepper), before);
}

#[test]
fn evaluation_scores_the_batch_without_dropout_and_changes_nothing() {
    for classes in [2, 4] {
        let mut stepper = stepper(&small(classes), RULES[2]);
        let batch = batch(0, 6, size(12, 3), classes as i64);
        let before = saved(&stepper);
        let first = stepper.evaluate(&batch).unwrap();
        assert_eq!(stepper.evaluate(&batch).unwrap(), first);
        assert_eq!(saved(&stepper), before);
        let hits = first.predictions.iter().zip(&batch.labels).filter(|(p, l)| i64::from(**p) == **l).count();
        assert_eq!((first.score.images, first.score.correct), (6, hits as u64));
    }
}

#[test]
fn a_seed_makes_the_same_network_and_another_seed_another() {
    let make = |seed| {
        let arch = small(2);
        saved(&TorchStepper::new(&arch, RULES[0], seed, CPU, Preprocess::default()).unwrap())
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
}

#[test]
fn a_panic_inside_is_an_error() {
    let error = stepper::shielded::<()>(|| panic!("a wrong turn")).unwrap_err();
    assert_eq!(error.message(), "the training step panicked: a wrong turn");
    assert_eq!(error.class(), frostline::error::Class::Internal);
}
