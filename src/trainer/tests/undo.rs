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
    // Validation: 0.5 in the first epoch; 0.1 in the second, which is given up; 0.9 when it comes again.
    let plan = plan(&["train.epochs=2"]);
    let saved = Saved::default();
    let script = [(6, freeze()), (9, Command::Evaluate { split: HeldOut::Validation })];
    let ran = run_with(&plan, &script, &[0.5, 0.1, 0.1, 0.9], &saved, |fake, _| {
        fake.in_evaluation = vec![(3, Command::Undo)];
    });
    assert_eq!(undone(&ran.events).len(), 1, "{}", replies(&ran.events));
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
