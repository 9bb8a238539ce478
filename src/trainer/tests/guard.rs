//! Steps that go wrong: numbers that are not finite, losses that leap, batches that do not fit into memory.

use super::*;
use crate::{
    event::{Alarm, EpochEnded, Found, Stamped, Then},
    run::History,
    state::{RunState, What},
};

fn alarms(events: &[Event]) -> Vec<&Alarm> {
    events.iter().filter_map(|event| if let Event::Alarm(alarm) = event { Some(alarm) } else { None }).collect()
}

fn failing(steps: &[u64]) -> impl FnOnce(&mut Fake, &mut Memory) {
    let steps = steps.to_vec();
    move |fake, _| fake.failing = steps
}

#[test]
fn a_step_without_a_number_is_skipped_and_told_with_its_images() {
    let plan = plan(&["train.on_nonfinite=skip"]);
    let ran = run_with(&plan, &[], &[1.0], &Saved::default(), failing(&[4]));
    assert_eq!(ran.ended, Ended::Completed { early: false });
    assert_eq!(ran.progress.step, 12, "it counts as done");
    let [alarm] = alarms(&ran.events)[..] else { panic!("{:?}", alarms(&ran.events)) };
    assert_eq!((alarm.step, alarm.epoch, alarm.then), (4, 1, Then::Skipped));
    assert_eq!(alarm.found, Found::NonFinite { what: NonFinite::Loss });
    assert_eq!((alarm.count, alarm.images.len()), (4, 4));
    assert!(alarm.images.iter().all(|image| image.blob == "16x16"), "{:?}", alarm.images);
    assert!(alarm.images.iter().all(|image| image.label.is_some_and(|label| label < 2)), "{:?}", alarm.images);
    assert_eq!(alarm.learning_rate, Some(1e-3));
    assert_eq!(alarm.layers, ["conv2d", "dense"]);
    let told = alarm.told();
    assert!(
        told.starts_with("the loss is not finite in step 5 (epoch 1), first in conv2d; its 4 images begin with"),
        "{told}"
    );
    let epochs: Vec<f64> = ran
        .events
        .iter()
        .filter_map(|event| if let Event::EpochEnded(ended) = event { Some(ended.train.loss) } else { None })
        .collect();
    assert_eq!(epochs, [1.0, 1.0], "it is in no mean");
}

#[test]
fn where_somebody_looks_on_the_run_waits_and_elsewhere_it_is_saved_and_fails() {
    let plan = plan(&["explain.pinned=0"]);
    let script = [(4, Command::Resume), (5, Command::Stop)];
    let ran = run_with(&plan, &script, &[1.0], &Saved::default(), |fake, record| {
        fake.failing = vec![4];
        record.watched = vec![Watch::default()];
    });
    assert_eq!(alarms(&ran.events)[0].then, Then::Paused);
    assert_eq!(replies(&ran.events), "resume: applied\nstop: applied");
    assert_eq!((ran.ended, ran.progress.step), (Ended::Stopped { by: "test".into() }, 6));

    let saved = Saved::default();
    let error = failed(&plan, &saved, failing(&[4]));
    assert_eq!(error.class(), crate::error::Class::User);
    assert!(error.message().ends_with("the run is saved and ends"), "{}", error.message());
    assert_eq!(end(&saved).1.step, 5, "a resumed run goes on behind the batch");
    assert_eq!(run(&plan, &[], &[1.0], &saved).ended, Ended::Completed { early: false });
}

#[test]
fn batches_that_fail_one_after_another_end_the_run_all_the_same() {
    let plan = plan(&["train.on_nonfinite=skip"]);
    let error = failed(&plan, &Saved::default(), failing(&(1..12).collect::<Vec<_>>()));
    assert!(error.message().contains("in step 11 "), "{}", error.message());
}

#[test]
fn a_rollback_goes_to_the_last_checkpoint_and_on_at_half_the_rate() {
    let plan = plan(&["train.on_nonfinite=rollback", "train.epochs=3"]);
    let saved = Saved::default();
    let ran = run_with(&plan, &[], &[1.0], &saved, |fake, _| fake.failing = vec![8]);
    // With half the rate the fake fails at the same step again, until it is given up.
    let Then::RolledBack { to, epoch, step_in_epoch } = alarms(&ran.events)[0].then else {
        panic!("{:?}", alarms(&ran.events))
    };
    assert_eq!((to, epoch, step_in_epoch), (6, 2, 0), "the end of the first epoch");
    assert_eq!(ran.ended, Ended::Completed { early: false });
    assert_eq!(ran.progress.rate_factor, 0.5);
    assert_eq!(ran.progress.step, 18);

    // What viewers, the table of epochs and the list of runs make of it.
    let (mut state, mut history) = (RunState::default(), History::default());
    let mut given_up = Vec::new();
    for (event, seq) in ran.events.iter().zip(0..) {
        state.apply(&Stamped { seq, at_ms: seq, event: event.clone() });
        history.apply(event);
        if matches!(event, Event::Alarm(_)) {
            given_up = state.abandoned.clone();
            assert_eq!((state.step, state.epoch, state.step_in_epoch), (6, 2, 0));
            assert_eq!(state.markers.last().map(|marker| &marker.what), Some(&What::Undone(9)));
        }
    }
    let [stretch] = &given_up[..] else { panic!("one stretch was given up: {given_up:?}") };
    assert_eq!((stretch.after, stretch.to, stretch.epochs.len()), (6, 9, 0));
    assert_eq!(stretch.loss.last().map(|bucket| bucket.step), Some(9), "up to the step that went wrong");
    let epochs = |epochs: &[EpochEnded]| epochs.iter().map(|ended| (ended.epoch, ended.step)).collect::<Vec<_>>();
    assert_eq!(epochs(&state.epochs), [(1, 6), (2, 12), (3, 18)]);
    assert_eq!(history.rows().iter().map(|row| row.epoch).collect::<Vec<_>>(), [1, 2, 3]);
    let steps: Vec<u64> = state.curves.loss.buckets().iter().map(|bucket| bucket.step).collect();
    assert!(steps.is_sorted() && steps.last() == Some(&18), "{steps:?}");
}

#[test]
fn a_rollback_that_does_not_help_ends_the_run() {
    let plan = plan(&["train.on_nonfinite=rollback", "train.epochs=3"]);
    let error = failed(&plan, &Saved::default(), |fake, _| {
        fake.failing = vec![8];
        fake.fails_again = true;
    });
    assert!(error.message().contains("in step 9 "), "{}", error.message());
}

#[test]
fn a_leap_of_the_loss_is_told() {
    let plan = plan(&["train.epochs=4"]);
    let ran = run_with(&plan, &[], &[1.0], &Saved::default(), |fake, _| fake.losses = vec![(15, 9.0)]);
    let [alarm] = alarms(&ran.events)[..] else { panic!("{:?}", alarms(&ran.events)) };
    assert_eq!((alarm.step, alarm.then), (15, Then::Warned));
    assert!(matches!(alarm.found, Found::Spike { median: 1.0, .. }), "{:?}", alarm.found);
    assert_eq!(ran.ended, Ended::Completed { early: false });
}

#[test]
fn a_batch_that_does_not_fit_goes_through_in_parts_from_then_on_and_after_a_resume() {
    let plan = plan(&[]);
    let saved = Saved::default();
    let ran = run_with(&plan, &[(8, Command::Stop)], &[1.0], &saved, |fake, _| fake.memory = 1);
    let told = said(&ran.events, Level::Warning);
    assert_eq!(told.len(), 5, "4 to 2 to 1 in steps, 8 to 4 to 2 to 1 in evaluation: {told:?}");
    assert!(told[0].starts_with("out of memory on the computer: from here on 2 of a batch's images"), "{}", told[0]);
    assert_eq!(end(&saved).1.micro_batch, Some(1));
    let again = run_with(&plan, &[], &[1.0], &saved, |fake, _| fake.memory = 1);
    assert_eq!(again.ended, Ended::Completed { early: false });
    assert_eq!(said(&again.events, Level::Warning).len(), 3, "only evaluation has to find out again");
}

#[test]
fn one_image_that_does_not_fit_is_an_error() {
    let error = failed(&plan(&[]), &Saved::default(), |fake, _| fake.memory = 0);
    assert_eq!(error.message(), "out of memory on the computer");
}

#[test]
fn a_run_whose_time_is_up_is_saved_and_unfinished_and_goes_on_with_new_time() {
    let saved = Saved::default();
    let ran = run(&plan(&["train.max_time=0s"]), &[], &[1.0], &saved);
    assert_eq!(ran.ended, Ended::Stopped { by: "max_time".into() });
    assert!(ran.ended.is_unfinished());
    assert_eq!(end(&saved).1.step, 0);
    let plan = plan(&["train.max_time=1h"]);
    assert_eq!(run(&plan, &[], &[1.0], &saved).ended, Ended::Completed { early: false });
}

#[test]
fn a_disk_with_little_room_is_told_once() {
    let ran = run_with(&plan(&[]), &[], &[1.0], &Saved::default(), |_, record| record.left = Some(20));
    let told = said(&ran.events, Level::Warning);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("the disk of the run has 0 MiB left"), "{}", told[0]);
    let ran = run_with(&plan(&[]), &[], &[1.0], &Saved::default(), |_, record| record.left = Some(1 << 20));
    assert_eq!(said(&ran.events, Level::Warning), [""; 0]);
}
