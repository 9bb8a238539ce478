//! Going back, and repeating: whatever was done in between, a run that undid it ends like one that never did it.

use super::*;

fn thaw() -> Command {
    Command::Unfreeze { layers: layers(&["conv2d"]) }
}

fn freeze() -> Command {
    Command::Freeze { layers: layers(&["conv2d"]) }
}

fn undone(events: &[Event]) -> Vec<(u64, u64, u64)> {
    let of = |event: &Event| match event {
        Event::Undone(undone) => Some((undone.from, undone.to, undone.interventions)),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// Without what only says how it got there.
fn end_of(saved: &Saved) -> (Vec<SavedTensor>, Progress) {
    let (tensors, progress) = end(saved);
    (tensors, Progress { interventions: 0, undo: Vec::new(), ..progress })
}

#[test]
fn what_was_undone_leaves_no_trace_wherever_the_run_stood() {
    let phases = "[[phase]]\nepochs = 2\nschedule = { kind = \"cosine\" }\n[[phase]]\nepochs = 1\noptimizer = { kind = \"adam\" }\n";
    let plan = phased(phases);
    let whole = Saved::default();
    run(&plan, &[], &[1.0], &whole);
    // Undone at once, later in the epoch, in the next epoch, in the next phase.
    for back in [2, 4, 7, 14] {
        let saved = Saved::default();
        let script = [(2, freeze()), (2, Command::LearningRate { rate: 0.5, layers: vec![] }), (back, Command::Undo)];
        let ran = run(&plan, &script, &[1.0], &saved);
        let (_, once) = script.split_at(2);
        assert_eq!(undone(&ran.events), [(back + 1, 3, 0)], "{once:?}: {}", replies(&ran.events));
        assert_eq!(end_of(&saved), end_of(&whole), "undone after step {back}");
    }
}

#[test]
fn undoing_goes_back_one_intervention_after_the_other() {
    let (one, saved) = (Saved::default(), Saved::default());
    run(&plan(&[]), &[(1, freeze())], &[1.0], &one);
    let script = [(1, freeze()), (3, thaw()), (5, freeze()), (7, Command::Undo), (7, Command::Undo)];
    let ran = run(&plan(&[]), &script, &[1.0], &saved);
    // The second one is heard behind the first, where step 7 comes again no more.
    assert_eq!(undone(&ran.events), [(8, 6, 2), (6, 4, 1)], "{}", replies(&ran.events));
    assert_eq!(end_of(&saved), end_of(&one));
    let none = fresh(&plan(&[]), &[(1, Command::Undo)]);
    assert_eq!(replies(&none.events), "undo: nothing was done that could be undone");
}

#[test]
fn the_best_weights_are_those_of_then_again() {
    // Validation: 0.5 in the first epoch; 0.1 in the second, which is given up from the third; 0.9 when both come again.
    let plan = plan(&["train.epochs=3"]);
    let saved = Saved::default();
    let ran = run(&plan, &[(6, freeze()), (13, Command::Undo)], &[0.5, 0.1, 0.9], &saved);
    assert_eq!(undone(&ran.events), [(14, 7, 0)], "{}", replies(&ran.events));
    let best = saved.lock().unwrap().iter().rfind(|(kind, ..)| *kind == CheckpointKind::Best).unwrap().2.step;
    assert_eq!((best, ran.progress.best), (6, Some(0.5)));
}

#[test]
fn a_run_that_was_killed_behind_an_undo_does_not_come_back_with_what_was_undone() {
    let (whole, saved) = (Saved::default(), Saved::default());
    run(&plan(&[]), &[], &[1.0], &whole);
    // Aborting leaves what a kill leaves.
    let script = [(2, freeze()), (4, Command::Undo), (4, Command::Abort)];
    run(&plan(&[]), &script, &[1.0], &saved);
    assert_eq!(end(&saved).1.step, 3);
    run(&plan(&[]), &[], &[1.0], &saved);
    assert_eq!(end_of(&saved), end_of(&whole));
}

#[test]
fn only_the_newest_few_can_be_undone() {
    let saved = Saved::default();
    let script: Vec<(u64, Command)> =
        (0..5).map(|step| (step, if step % 2 == 0 { freeze() } else { thaw() })).chain([(6, Command::Stop)]).collect();
    run(&plan(&["train.undo=2"]), &script, &[1.0], &saved);
    let kept: Vec<(CheckpointKind, u64)> = saved
        .lock()
        .unwrap()
        .iter()
        .filter(|(kind, ..)| matches!(kind, CheckpointKind::Undo(_)))
        .map(|(kind, _, at)| (*kind, at.step))
        .collect();
    assert_eq!(kept, [(CheckpointKind::Undo(3), 4), (CheckpointKind::Undo(4), 5)]);
}

fn script_of(ran: &Ran) -> Vec<Scripted> {
    script(ran.events.iter().cloned()).unwrap()
}

fn repeated(plan: &Plan, script: Vec<Scripted>, saved: &Saved) -> Result<Ended> {
    let data = crate::data::open(&plan.data).unwrap();
    let mut trainer = trainer(plan, &data, &[], &[1.0], saved, |_, _| {});
    trainer.repeat(script);
    trainer.run()
}

#[test]
fn a_run_is_repeated_with_its_interventions_at_the_same_places() {
    let phases = "[[phase]]\nepochs = 2\n[[phase]]\nepochs = 1\n[[phase]]\nepochs = 2\n";
    let plan = phased(phases);
    // In the middle, behind the last step of an epoch, in a validation, two skips in a row, and something that was undone.
    let commands = [
        (2, freeze()),
        (5, Command::ScaleRate { factor: 0.5, layers: vec![] }),
        (7, thaw()),
        (8, Command::Undo),
        (8, Command::BatchSize { images: 5 }),
        (10, Command::SkipPhase),
        (11, Command::SkipPhase),
        (13, Command::Dropout { rate: 0.5, layers: vec![] }),
        (13, Command::InsertPhase { phase: "train=all epochs=1".into() }),
    ];
    let original = Saved::default();
    let ran = run_with(&plan, &commands, &[1.0], &original, |fake, _| {
        fake.in_evaluation = vec![(1, Command::WeightDecay { decay: 0.1 })];
    });
    let again = Saved::default();
    let script = script_of(&ran);
    assert!(script.len() > 6, "{}", replies(&ran.events));
    repeated(&plan, script.clone(), &again).unwrap();
    assert_eq!(end_of(&again), end_of(&original), "{}", replies(&ran.events));
    // And over two lives.
    let twice = Saved::default();
    let mut cut = script.clone();
    let stop = Scripted { command: Command::Stop, ..script[2].clone() };
    cut.insert(3, stop);
    assert!(matches!(repeated(&plan, cut, &twice).unwrap(), Ended::Stopped { .. }));
    repeated(&plan, script, &twice).unwrap();
    assert_eq!(end_of(&twice), end_of(&original));
}

#[test]
fn a_run_that_cannot_follow_the_script_says_where() {
    let ran = fresh(&plan(&[]), &[(2, freeze())]);
    let mut script = script_of(&ran);
    script[0].command = Command::Freeze { layers: layers(&["conv"]) };
    let error = repeated(&plan(&[]), script, &Saved::default()).unwrap_err().message();
    assert!(
        error.starts_with("the run departs from the one that it repeats: \"freeze conv\" after step 3: "),
        "{error}"
    );
}

#[test]
fn smaller_parts_begin_at_the_same_step_where_memory_does_not_ask_for_them() {
    let plan = plan(&[]);
    let (original, again) = (Saved::default(), Saved::default());
    let ran = run_with(&plan, &[(8, Command::Stop)], &[1.0], &original, |fake, _| fake.memory = 1);
    let script = script_of(&ran);
    let lines: Vec<String> = script.iter().map(|each| format!("{} {}", each.step, each.command)).collect();
    assert_eq!(lines, ["0 micro-batch 2", "0 micro-batch 1", "9 stop"]);
    repeated(&plan, script, &again).unwrap();
    assert_eq!(end_of(&again), end_of(&original));
}

#[test]
fn a_run_that_ended_by_the_clock_is_repeated_up_to_there() {
    let ran = run(&plan(&["train.max_time=0s"]), &[], &[1.0], &Saved::default());
    let lines: Vec<String> = script_of(&ran).iter().map(|each| format!("{} {}", each.step, each.command)).collect();
    assert_eq!(lines, ["0 stop"]);
}
