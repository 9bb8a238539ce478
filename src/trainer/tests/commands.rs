//! Commands: when they take effect, how they are answered, what is refused.

use super::*;

#[test]
fn commands_take_effect_between_steps_and_are_answered_with_the_step() {
    let script = [
        (1, Command::Freeze { layers: layers(&["conv2d"]) }),
        (3, Command::LearningRate { rate: 0.5, layers: vec![] }),
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
    assert_eq!(ran.progress.tuning.rate, Some(0.5));
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
        Command::LearningRate { rate: -1.0, layers: vec![] },
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
fn a_rate_is_held_scaled_and_given_back_to_the_schedule() {
    let plan = plan(&["train.schedule.kind=constant", "train.schedule.warmup_epochs=1"]);
    let none: Vec<String> = vec![];
    let script = [
        (1, Command::ScaleRate { factor: 10.0, layers: none.clone() }),
        (5, Command::LearningRate { rate: 0.25, layers: none.clone() }),
        (7, Command::ScaleRate { factor: 0.5, layers: none.clone() }),
        (9, Command::Schedule { layers: none }),
    ];
    // RMSprop's 0.001 is reached after the six steps of an epoch.
    let sixth = 0.001 / 6.0;
    let expected =
        [0.0, sixth, 20.0 * sixth, 30.0 * sixth, 40.0 * sixth, 50.0 * sixth, 0.25, 0.25, 0.125, 0.125, 0.001, 0.001];
    let rates = fresh(&plan, &script).rates;
    assert_eq!(rates.len(), 12);
    assert!(rates.iter().zip(expected).all(|(rate, expected)| (rate - expected).abs() < 1e-12), "{rates:?}");
}

#[test]
fn layers_get_rates_of_their_own_until_they_are_given_back() {
    let dense = || layers(&["dense"]);
    let script = [
        (1, Command::LearningRate { rate: 0.5, layers: layers(&["conv*"]) }),
        (2, Command::ScaleRate { factor: 0.5, layers: dense() }),
        (3, Command::ScaleRate { factor: 0.5, layers: layers(&["dense", "conv2d"]) }),
        (4, Command::Schedule { layers: dense() }),
    ];
    let ran = fresh(&plan(&["train.epochs=1"]), &script);
    let told: Vec<(f64, Vec<String>)> = ran
        .events
        .iter()
        .filter_map(|event| match event {
            Event::LearningRate { rate, layers, .. } => Some((*rate, layers.clone())),
            _ => None,
        })
        .collect();
    let conv = || layers(&["conv2d"]);
    let both = layers(&["conv2d", "dense"]);
    assert_eq!(told, [(0.5, conv()), (0.0005, dense()), (0.25, both), (0.001, dense())]);
    let kept = &ran.progress.tuning.layer_rates;
    assert_eq!(kept.iter().collect::<Vec<_>>(), [(&"conv2d".to_owned(), &LayerRate::Held(0.25))]);
}

#[test]
fn a_run_pauses_where_it_was_told_to() {
    // Behind the last step of all, and behind an epoch's validation; each time somebody lets it go on.
    let plan = plan(&[]);
    let (paused, wire) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(None::<Sender<Request>>)));
    let script = [(0, Command::Step { steps: 2 }), (4, Command::Epoch), (8, Command::Step { steps: 3 })];
    let ran = run_with(&plan, &script, &[1.0], &Saved::default(), |fake, record| {
        *wire.lock().unwrap() = Some(fake.wire.clone());
        let (paused, wire) = (Arc::clone(&paused), Arc::clone(&wire));
        record.hears = Some(Box::new(move |event| {
            if let Event::StateChanged { state: State::Paused, step } = event {
                paused.lock().unwrap().push(*step);
                let request = Request { id: 50, by: "test".into(), command: Command::Resume };
                wire.lock().unwrap().as_ref().unwrap().send(request).unwrap();
            }
        }));
    });
    assert_eq!(ran.ended, Ended::Completed { early: false });
    assert_eq!(*paused.lock().unwrap(), [3, 6, 12]);
    let validated = ran.events.iter().position(|event| matches!(event, Event::EpochEnded(_))).unwrap();
    let held = |event: &&Event| matches!(event, Event::StateChanged { state: State::Paused, step: 6 });
    assert!(ran.events.iter().skip(validated).any(|event| held(&event)), "the epoch is validated first");
}

#[test]
fn a_measurement_disturbs_nothing_and_what_is_asked_meanwhile_waits() {
    let (alone, measured) = (Saved::default(), Saved::default());
    let freeze = Command::Freeze { layers: layers(&["conv2d"]) };
    run(&plan(&[]), &[(3, freeze.clone())], &[1.0], &alone);
    let script =
        [(3, Command::Evaluate { split: HeldOut::Test }), (3, Command::Evaluate { split: HeldOut::Validation })];
    let ran = run_with(&plan(&[]), &script, &[1.0], &measured, |fake, _| fake.in_evaluation = vec![(1, freeze)]);
    assert_eq!(end(&alone), end(&measured));
    let figures: Vec<(SplitName, u64, u64)> = ran
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Measured(measured) => Some((measured.split, measured.step, measured.images)),
            _ => None,
        })
        .collect();
    assert_eq!(figures, [(SplitName::Test, 4, 8), (SplitName::Validation, 4, 8)]);
    let order: Vec<String> = answers(&ran.events).iter().map(|(_, command, _)| command.to_string()).collect();
    assert_eq!(order, ["evaluate test", "evaluate validation", "freeze conv2d"]);
}

#[test]
fn an_aborted_run_saves_nothing() {
    let saved = Saved::default();
    let ran = run(&plan(&[]), &[(8, Command::Abort)], &[1.0], &saved);
    assert_eq!(ran.ended, Ended::Aborted { by: "test".into() });
    let newest = saved.lock().unwrap().iter().map(|(.., at)| at.step).max();
    assert_eq!(newest, Some(6), "of the first epoch");
}

#[test]
fn batches_of_another_size_go_on_behind_those_that_are_done() {
    let script = [
        (1, Command::BatchSize { images: 8 }),
        (2, Command::BatchSize { images: 3 }),
        (9, Command::BatchSize { images: 6 }),
    ];
    let samples = Arc::new(Mutex::new(Vec::new()));
    let ran = run_with(&plan(&[]), &script, &[1.0], &Saved::default(), |fake, _| fake.saw = Arc::clone(&samples));
    let sizes: Vec<usize> = samples.lock().unwrap().iter().map(Vec::len).collect();
    // 24 images an epoch: 4 + 4 + 8 + 3 + 3 + 2; then in threes until step 9, the fourth of its epoch.
    assert_eq!(sizes, [4, 4, 8, 3, 3, 2, 3, 3, 3, 3, 6, 6]);
    for epoch in [0..6, 6..12] {
        let mut all = samples.lock().unwrap()[epoch].concat();
        all.sort_unstable();
        assert_eq!(all, (0..24).collect::<Vec<u32>>(), "each image once");
    }
    assert_eq!(ran.progress.step, 12);
}

#[test]
fn what_was_tuned_by_hand_survives_a_resume_and_ends_with_the_phase() {
    let phases = "augment = { horizontal_flip = true, rotation_range = 20 }";
    let plan = phased(&format!(
        "[[phase]]\nname = \"a\"\nepochs = 2\n[[phase]]\nname = \"b\"\nepochs = 1\n[data.augment]\n{}\n",
        &phases["augment = { ".len()..phases.len() - 2].replace(", ", "\n")
    ));
    let script = [
        (1, Command::Augmentation { factor: 0.5 }),
        (2, Command::BatchSize { images: 5 }),
        (3, Command::LearningRate { rate: 0.1, layers: layers(&["dense"]) }),
        (3, Command::WeightDecay { decay: 0.01 }),
    ];
    let whole = Saved::default();
    run(&plan, &script, &[1.0], &whole);
    for stop in [4, 5, 8] {
        let saved = Saved::default();
        let stopped = [&script[..], &[(stop, Command::Stop)]].concat();
        run(&plan, &stopped, &[1.0], &saved);
        let tuned = saved.lock().unwrap().last().unwrap().2.tuning.clone();
        assert_eq!((tuned.augmentation, tuned.batch_size, tuned.weight_decay), (Some(0.5), Some(5), Some(0.01)));
        run(&plan, &[], &[1.0], &saved);
        assert_eq!(end(&saved), end(&whole), "stopped after step {stop}");
    }
    assert_eq!(end(&whole).1.tuning, Tuning::default(), "the second phase has its own");
}

#[test]
fn rates_stay_within_bounds_however_often_they_are_scaled_and_for_whom() {
    let layers = layers(&["conv2d"]);
    let script = [
        (1, Command::ScaleRate { factor: 1000.0, layers: vec![] }),
        (1, Command::ScaleRate { factor: 1000.0, layers: vec![] }),
        (1, Command::ScaleRate { factor: 1000.0, layers: vec![] }),
        (2, Command::ScaleRate { factor: 1e-20, layers: layers.clone() }),
        (2, Command::ScaleRate { factor: 1e-20, layers: layers.clone() }),
        (3, Command::LearningRate { rate: 1e-20, layers: vec![] }),
        (3, Command::LearningRate { rate: f64::NAN, layers }),
    ];
    insta::assert_snapshot!(replies(&fresh(&plan(&[]), &script).events), @r"
    scale-rate 1000: applied
    scale-rate 1000: applied
    scale-rate 1000: the learning rate of conv2d would be 1e6; it must be from 1e-30 to 1000
    scale-rate 0.00000000000000000001 --layers conv2d: applied
    scale-rate 0.00000000000000000001 --layers conv2d: the learning rate of conv2d would be 1e-37; it must be from 1e-30 to 1000
    learning-rate 0.00000000000000000001: the learning rate of conv2d would be 1e-40; it must be from 1e-30 to 1000
    learning-rate NaN --layers conv2d: the learning rate must be from 1e-30 to 1000, not NaN
    ");
}
