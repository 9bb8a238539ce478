//! Commands: when they take effect, how they are answered, what is refused.

use super::*;

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
    insta::assert_snapshot!(replies(&ran.events));
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
fn a_rate_set_while_warming_up_is_what_the_warm_up_leads_to() {
    let plan = plan(&["train.schedule.kind=constant", "train.schedule.warmup_epochs=1"]);
    let ran = fresh(&plan, &[(1, Command::LearningRate { rate: 0.01 })]);
    assert_eq!(ran.progress.rate_factor, 10.0, "RMSprop's 0.001 became 0.01 at its height");
}
