//! A run from its first epoch to its end, and what watches over it.

use super::*;

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
