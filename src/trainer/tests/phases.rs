//! Phases: what each takes up, how it ends, what people do with them, and that none of it is lost on a resume.

use super::*;
use crate::event::{PhaseEnd, PhaseEnded, PhaseStarted};

/// 3 steps, then epochs of 6.
const TWO: &str = r#"
[[phase]]
name = "head"
train = ["dense"]
epochs = 1
batch_size = 8
optimizer = { kind = "adam" }

[[phase]]
name = "fine"
train = "all"
epochs = 2
learning_rate = 1e-5
"#;

/// What happened, in words.
fn told(events: &[Event]) -> Vec<String> {
    let word = |event: &Event| match event {
        Event::PhaseStarted(PhaseStarted { phase, count, name, step, epoch }) => {
            Some(format!("{phase}/{count} {name} from step {step}, epoch {epoch}"))
        }
        Event::PhaseEnded(PhaseEnded { name, step, epoch, how, restored, .. }) => {
            Some(format!("{name} {how:?} at step {step}, epoch {epoch}{}", if *restored { ", restored" } else { "" }))
        }
        Event::EpochEnded(ended) => Some(format!("epoch {} at step {}", ended.epoch, ended.step)),
        Event::Trainable(mask) => Some(format!("frozen {:?}", mask.frozen)),
        Event::Tested(_) => Some("tested".into()),
        _ => None,
    };
    events.iter().filter_map(word).collect()
}

#[test]
fn each_phase_has_its_own_mask_batches_and_rate() {
    let ran = fresh(&phased(TWO), &[]);
    assert_eq!(
        told(&ran.events),
        [
            "1/2 head from step 0, epoch 1",
            "frozen [\"conv2d\"]",
            "epoch 1 at step 3",
            "head Completed at step 3, epoch 1",
            "2/2 fine from step 3, epoch 2",
            "frozen []",
            "epoch 2 at step 9",
            "epoch 3 at step 15",
            "fine Completed at step 15, epoch 3",
            "tested",
        ]
    );
    let rates: Vec<f64> = ran
        .events
        .iter()
        .filter_map(|event| if let Event::EpochEnded(ended) = event { Some(ended.learning_rate) } else { None })
        .collect();
    assert_eq!(rates, [1e-3, 1e-5, 1e-5], "the first has [train]'s");
    let planned: Vec<(u32, u32)> = ran
        .events
        .iter()
        .filter_map(
            |event| if let Event::Phases(phases) = event { Some((phases.current, phases.last_epoch())) } else { None },
        )
        .collect();
    assert_eq!(planned, [(1, 3), (2, 3)]);
}

#[test]
fn a_schedule_counts_the_epochs_of_its_phase() {
    let cosine = "[[phase]]\nepochs = 1\n[[phase]]\nepochs = 2\nschedule = { kind = \"cosine\" }\n";
    let ran = fresh(&phased(cosine), &[]);
    let rates: Vec<f64> = ran
        .events
        .iter()
        .filter_map(|event| if let Event::EpochEnded(ended) = event { Some(ended.learning_rate) } else { None })
        .collect();
    // Of each epoch's last step: 5/6 of 2 epochs, then 11/6. Half a cosine, by hand: (1 + cos(π·5/12))/2 and (1 + cos(π·11/12))/2.
    assert_eq!(rates[0], 1e-3);
    assert!((rates[1] - 0.629_409_522_55e-3).abs() < 1e-12, "{rates:?}");
    assert!((rates[2] - 0.017_037_086_86e-3).abs() < 1e-12, "{rates:?}");
}

#[test]
fn early_stopping_ends_the_phase_and_the_next_begins_with_its_best_weights() {
    let plan = phased(
        "[[phase]]\nname = \"first\"\nepochs = 9\nrestore_best = true\nearly_stopping = { patience = 1 }\n[[phase]]\nepochs = 1\n",
    );
    let saved = Saved::default();
    let ran = run(&plan, &[], &[0.9, 0.5, 0.6, 0.7], &saved);
    assert_eq!(ran.ended, Ended::Completed { early: false }, "the last phase was not stopped early");
    assert_eq!(
        told(&ran.events)[2..8],
        [
            "epoch 1 at step 6",
            "epoch 2 at step 12",
            "epoch 3 at step 18",
            "first Early at step 18, epoch 3, restored",
            "2/2 train from step 18, epoch 4",
            "frozen []",
        ]
    );
    let saved = saved.lock().unwrap();
    let best = saved.iter().rfind(|(kind, _, at)| *kind == CheckpointKind::Best && at.phase == 0).unwrap();
    let begun = saved.iter().find(|(kind, _, at)| *kind == CheckpointKind::Last && at.phase == 1).unwrap();
    assert_eq!((best.2.step, begun.2.step), (12, 18));
    assert_eq!(best.1, begun.1, "the weights of the best epoch");
    let bests: Vec<(usize, u64)> =
        saved.iter().filter(|(kind, ..)| *kind == CheckpointKind::Best).map(|(.., at)| (at.phase, at.step)).collect();
    assert_eq!(bests, [(0, 6), (0, 12), (1, 24)], "each phase has a best of its own");
}

#[test]
fn a_phase_that_never_had_a_best_leaves_its_last_weights() {
    let ran = run(&phased("[[phase]]\nrestore_best = true\n[[phase]]\n"), &[], &[f64::NAN], &Saved::default());
    assert_eq!(ran.ended, Ended::Completed { early: false });
    assert!(said(&ran.events, Level::Warning).contains(&"phase \"train\" has no best weights; its last ones stay"));
}

#[test]
fn frozen_by_hand_holds_until_the_next_phase() {
    let freeze = Command::Freeze { layers: layers(&["dense"]) };
    let ran = fresh(&phased("[[phase]]\nepochs = 2\n[[phase]]\nepochs = 1\n"), &[(1, freeze)]);
    let masks: Vec<String> = told(&ran.events).into_iter().filter(|word| word.starts_with("frozen")).collect();
    assert_eq!(masks, ["frozen []", "frozen [\"dense\"]", "frozen []"]);
}

#[test]
fn an_ended_phase_is_validated_and_a_skipped_one_is_not() {
    let three = "[[phase]]\nname = \"a\"\n[[phase]]\nname = \"b\"\n[[phase]]\nname = \"c\"\nepochs = 1\n";
    let ran = fresh(&phased(three), &[(1, Command::EndPhase), (3, Command::SkipPhase)]);
    assert_eq!(
        told(&ran.events),
        [
            "1/3 a from step 0, epoch 1",
            "frozen []",
            "epoch 1 at step 2",
            "a Ended at step 2, epoch 1",
            "2/3 b from step 2, epoch 2",
            "frozen []",
            "b Skipped at step 4, epoch 2",
            "3/3 c from step 4, epoch 3",
            "frozen []",
            "epoch 3 at step 10",
            "c Completed at step 10, epoch 3",
            "tested",
        ]
    );
}

#[test]
fn a_run_of_one_phase_can_be_ended_and_is_complete() {
    let ran = fresh(&plan(&[]), &[(3, Command::EndPhase)]);
    assert_eq!(ran.ended, Ended::Completed { early: false });
    assert_eq!(told(&ran.events)[2..], ["epoch 1 at step 4", "train Ended at step 4, epoch 1", "tested"]);
}

#[test]
fn an_inserted_phase_comes_next() {
    let insert = Command::InsertPhase { phase: "name=warm train=[\"conv2d\"] epochs=1 learning_rate=0.5".into() };
    let ran = fresh(&phased(TWO), &[(0, insert.clone()), (13, insert)]);
    assert_eq!(
        told(&ran.events).into_iter().filter(|word| word.contains("from step")).collect::<Vec<_>>(),
        [
            "1/2 head from step 0, epoch 1",
            "2/3 warm from step 3, epoch 2",
            "3/3 fine from step 9, epoch 3",
            "4/4 warm from step 21, epoch 5",
        ]
    );
    let planned: Vec<u32> = ran
        .events
        .iter()
        .filter_map(|event| if let Event::Phases(phases) = event { Some(phases.last_epoch()) } else { None })
        .collect();
    assert_eq!(planned, [3, 4, 4, 4, 5, 5]);
}

#[test]
fn what_cannot_be_done_with_a_phase_is_refused_with_its_reason() {
    let insert = |phase: &str| Command::InsertPhase { phase: phase.into() };
    let script = [
        Command::SkipPhase,
        insert(""),
        insert("train=all epoch=2"),
        insert("train={from=\"block5_conv1\"}"),
        insert("train=head"),
        insert("epochs=0"),
        insert("groups=[{layers=all}]"),
        Command::EndPhase,
        Command::EndPhase,
    ]
    .map(|command| (1, command));
    let ran = fresh(&plan(&[]), &script);
    insta::assert_snapshot!(replies(&ran.events));
}

/// Stops at every step and goes on, with commands before and after the stop.
fn check_resumes(plan: &Plan, script: &[(u64, Command)], steps: u64) {
    let whole = Saved::default();
    let ran = run(plan, script, &[1.0], &whole);
    assert_eq!(ran.progress.step, steps);
    for stop in 0..steps {
        let saved = Saved::default();
        let before = script.iter().filter(|(step, _)| *step <= stop).cloned();
        let before: Vec<(u64, Command)> = before.chain([(stop, Command::Stop)]).collect();
        let first = run(plan, &before, &[1.0], &saved);
        assert_eq!(first.ended, Ended::Stopped { by: "test".into() }, "at step {stop}");
        let after: Vec<(u64, Command)> = script.iter().filter(|(step, _)| *step > stop).cloned().collect();
        let second = run(plan, &after, &[1.0], &saved);
        assert_eq!(second.ended, ran.ended, "after a stop at step {stop}");
        assert_eq!(end(&saved), end(&whole), "after a stop at step {stop}");
    }
}

#[test]
fn a_run_of_phases_stopped_at_any_step_and_resumed_ends_like_one_that_was_not() {
    let phases = "[[phase]]\ntrain = [\"dense\"]\nepochs = 2\nbatch_size = 8\nrestore_best = true\noptimizer = { kind = \"adam\" }\n\
                  [[phase]]\nepochs = 2\nschedule = { kind = \"cosine\" }\nearly_stopping = { patience = 1 }\n\
                  groups = [{ layers = { from = \"dense\" }, multiplier = 0.5 }]\n[[phase]]\nepochs = 1\n";
    check_resumes(&phased(phases), &[], 24);
}

#[test]
fn what_people_did_with_phases_is_not_lost_on_a_resume() {
    let insert = Command::InsertPhase { phase: "train=[\"conv2d\"], epochs=1, optimizer={kind=\"sgd\"}".into() };
    // The head, then twice what was put in: the first is ended after 3 steps, the second skipped after 3; then the last phase's 12.
    let rate = Command::LearningRate { rate: 0.5, layers: vec![] };
    let script = [(0, insert.clone()), (0, insert), (4, rate), (5, Command::EndPhase), (8, Command::SkipPhase)];
    check_resumes(&phased(TWO), &script, 21);
}

#[test]
fn a_phase_that_was_ended_and_stopped_in_its_validation_is_validated_after_a_resume() {
    let whole = Saved::default();
    run(&phased(TWO), &[(1, Command::EndPhase)], &[1.0], &whole);
    let saved = Saved::default();
    let stopped = run_with(&phased(TWO), &[(1, Command::EndPhase)], &[1.0], &saved, |fake, _| {
        fake.in_evaluation = vec![(1, Command::Stop)];
    });
    assert_eq!(stopped.ended, Ended::Stopped { by: "test".into() });
    assert!(!told(&stopped.events).iter().any(|word| word.starts_with("epoch")), "stopped before it was validated");
    let ran = run(&phased(TWO), &[], &[1.0], &saved);
    assert_eq!(told(&ran.events)[1..3], ["epoch 1 at step 2", "head Ended at step 2, epoch 1"]);
    assert_eq!(end(&saved), end(&whole));
}

#[test]
fn a_checkpoint_of_before_there_were_phases_goes_on_in_the_first() {
    let plan = plan(&[]);
    let saved = Saved::default();
    run(&plan, &[(8, Command::Stop)], &[1.0], &saved);
    let progress = saved.lock().unwrap().last().unwrap().2.clone();
    let mut record = serde_json::to_value(&progress).unwrap();
    for key in ["phase", "phase_epoch", "phase_step", "phase_ended", "inserted"] {
        assert!(record.as_object_mut().unwrap().remove(key).is_some(), "{key}");
    }
    assert_eq!(serde_json::from_value::<Progress>(record).unwrap(), progress);
    assert_eq!(progress.phase_ended, None::<PhaseEnd>);
}

#[test]
fn a_run_whose_phase_is_gone_from_its_configuration_says_so() {
    let saved = Saved::default();
    run(&phased(TWO), &[(5, Command::Stop)], &[1.0], &saved);
    let (_, _, progress) = saved.lock().unwrap().last().unwrap().clone();
    let error = progress.phases(&plan(&[])).unwrap_err();
    assert_eq!(error.message(), "the run stands in phase 2, but its configuration has only 1");
}
