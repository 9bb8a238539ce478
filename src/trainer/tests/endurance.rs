//! What a run survives: being stopped anywhere, a loss that blows up, a full disk, a failing look, another machine.

use super::*;

#[test]
fn a_run_stopped_at_any_step_and_resumed_ends_like_one_that_was_not() {
    let plan = plan(&["train.schedule.kind=cosine"]);
    let whole = Saved::default();
    run(&plan, &[], &[1.0], &whole);
    for stop in 0..12 {
        let saved = Saved::default();
        let first = run(&plan, &[(stop, Command::Stop)], &[1.0], &saved);
        assert_eq!(first.ended, Ended::Stopped { by: "test".into() }, "at step {stop}");
        let second = run(&plan, &[], &[1.0], &saved);
        assert_eq!(second.ended, Ended::Completed { early: false }, "after a stop at step {stop}");
        assert_eq!(end(&saved), end(&whole), "after a stop at step {stop}");
    }
}

#[test]
fn a_loss_that_is_no_number_can_be_saved_and_resumed() {
    let plan = plan(&[]);
    let saved = Saved::default();
    let stopped = run(&plan, &[(8, Command::Stop)], &[f64::NAN], &saved);
    assert_eq!(stopped.ended, Ended::Stopped { by: "test".into() });
    saved.lock().unwrap().last_mut().unwrap().2.sums.loss = f64::NAN;
    let text = serde_json::to_string(&saved.lock().unwrap().last().unwrap().2).unwrap();
    let back: Progress = serde_json::from_str(&text).unwrap();
    assert!(back.sums.loss.is_nan());
    assert_eq!(back.best, None, "what is no number is no best");
}

#[test]
fn a_full_disk_stops_nothing_and_a_wanted_checkpoint_is_refused_with_the_reason() {
    let saved = Saved::default();
    let script = [(1, Command::Checkpoint)];
    let ran = run_with(&plan(&[]), &script, &[1.0], &saved, |_, record| record.full_for = 3);
    assert_eq!(ran.ended, Ended::Completed { early: false });
    let reason = Outcome::Rejected { reason: "no space left on device".into() };
    assert_eq!(answers(&ran.events), [(2, &Command::Checkpoint, &reason)]);
    assert_eq!(said(&ran.events, Level::Error).len(), 2, "best and last of the first epoch");
    assert_eq!(end(&saved).1.step, 12);
}

#[test]
fn a_run_does_not_end_because_somebody_looked() {
    let ran = run_with(&plan(&[]), &[], &[1.0], &Saved::default(), |fake, _| fake.explains = false);
    assert_eq!(ran.ended, Ended::Completed { early: false });
    assert_eq!(said(&ran.events, Level::Error), ["no more pictures in this run: out of memory"], "told once");
}

#[test]
fn a_resume_elsewhere_says_that_it_is_not_bit_by_bit() {
    let plan = plan(&[]);
    let saved = Saved::default();
    run(&plan, &[(3, Command::Stop)], &[1.0], &saved);
    for (.., progress) in saved.lock().unwrap().iter_mut() {
        progress.origin = Origin { device: "cuda:0".into(), threads: 8, ..Origin::default() };
    }
    let ran = run(&plan, &[], &[1.0], &saved);
    assert_eq!(
        said(&ran.events, Level::Warning),
        [
            "the run goes on, but not bit by bit: it was made on cuda:0, this is ; it was made with 8 threads, these are 0"
        ]
    );
}
