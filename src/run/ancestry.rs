//! What a branch takes over of the run that it came from: the course up to the place where it leaves, so that its curves and its table of
//! epochs are whole, and stay so when the other run is deleted. What does not count there (given up, undone, done by an engine that was
//! killed) is left out, and so is what lies in files: pictures, measurements of layers.

use super::{
    dir::RunDir,
    error::{Error, Result},
    history::History,
    tail::Tail,
    whole,
};
use crate::{
    command::Command,
    event::{Alarm, Answered, Branched, EpochEnded, Event, Outcome, Resumed, RunStarted, Stamped, Steps, Then},
};

/// Begins the journal and the history of `branch` with the course of `parent` up to the place of `branched`. `at_ms` is the time of now, in
/// milliseconds since the Unix epoch. Returns the number of events.
pub fn take_over(parent: &RunDir, branch: &RunDir, branched: Branched, at_ms: u64) -> Result<u64> {
    let mut course = Course::default();
    if parent.journal().exists() {
        for stamped in Tail::open(&parent.journal())?.events() {
            course.take(stamped?);
        }
    }
    course.go_back(branched.step, branched.epoch, Some(branched.interventions));
    course.0.push(Stamped { seq: 0, at_ms, event: Event::Branched(branched) });
    let (path, mut lines, mut history) = (branch.journal(), Vec::new(), History::default());
    for (stamped, seq) in course.0.iter_mut().zip(0..) {
        stamped.seq = seq;
        history.apply(&stamped.event);
        let line = serde_json::to_vec(stamped);
        lines.extend(line.map_err(|source| Error::Unwritable { path: path.clone(), source })?);
        lines.push(b'\n');
    }
    whole::replace(&path, &lines, true).map_err(Error::io("write", &path))?;
    if !history.rows().is_empty() {
        history.write(&branch.history())?;
    }
    Ok(course.0.len() as u64)
}

/// What counts so far.
#[derive(Default)]
struct Course(Vec<Stamped>);

impl Course {
    fn take(&mut self, stamped: Stamped) {
        match &stamped.event {
            Event::RunStarted(RunStarted { resumed, .. }) => {
                let Resumed { step, epoch, interventions } =
                    resumed.unwrap_or(Resumed { step: 0, epoch: 1, interventions: 0 });
                self.go_back(step, epoch, Some(interventions));
            }
            Event::Undone(undone) => return self.go_back(undone.to, undone.epoch, Some(undone.interventions)),
            Event::Alarm(Alarm { then: Then::RolledBack { to, epoch, .. }, .. }) => {
                return self.go_back(*to, *epoch, None);
            }
            Event::Answered(Answered { request, outcome: Outcome::Applied, .. })
                if request.intervenes() || matches!(request, Command::Note { .. }) => {}
            Event::PhaseStarted(_)
            | Event::EpochStarted { .. }
            | Event::Steps(_)
            | Event::EpochEnded(_)
            | Event::LearningRate { .. }
            | Event::Alarm(_) => {}
            _ => return,
        }
        self.0.push(stamped);
    }

    /// Leaves out what came after a place; an epoch of 0, and no number of interventions, where nobody knows.
    fn go_back(&mut self, to: u64, epoch: u32, interventions: Option<u64>) {
        self.0.retain(|stamped| match &stamped.event {
            Event::RunStarted(started) => started.resumed.is_none_or(|resumed| resumed.step <= to),
            Event::PhaseStarted(started) => started.step <= to,
            Event::EpochStarted { epoch: begun, step } => *step <= to && (epoch == 0 || *begun <= epoch),
            Event::Steps(Steps { step, .. }) | Event::LearningRate { step, .. } => *step <= to,
            Event::EpochEnded(EpochEnded { step, epoch: ended, .. }) => *step <= to && (epoch == 0 || *ended < epoch),
            Event::Alarm(alarm) => alarm.step < to,
            Event::Answered(Answered { step, moment, .. }) => {
                let before = |known| moment.is_none_or(|moment| moment.interventions < known);
                *step < to || (*step == to && interventions.is_none_or(before))
            }
            _ => true,
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{
        event::{Gathered, Metrics, Moment, Undone},
        run::{JournalWriter, Standing, summarise},
        state::{RunState, What},
    };

    fn started(resumed: Option<Resumed>) -> Event {
        let text = serde_json::json!({
            "event": "run_started", "protocol": 3, "version": "0", "run": "parent", "model": "m", "phase": "train", "epochs": 9,
            "batch_size": 1, "layers": [], "loss": "binary_crossentropy", "optimizer": "sgd", "resumed": resumed,
        });
        serde_json::from_value(text).unwrap()
    }

    /// Four steps an epoch.
    fn steps(step: u64, loss: f64) -> Event {
        Event::Steps(Steps {
            epoch: ((step - 1) / 4 + 1) as u32,
            step,
            step_in_epoch: ((step - 1) % 4 + 1) as u32,
            count: 1,
            loss: Gathered { mean: loss, min: loss, max: loss, last: loss },
            accuracy: Gathered::default(),
            learning_rate: 0.1,
            images_per_second: 1.0,
            data_wait: 0.0,
        })
    }

    fn ended(epoch: u32, loss: f64) -> Event {
        Event::EpochEnded(EpochEnded {
            epoch,
            step: u64::from(epoch) * 4,
            train: Metrics { loss, accuracy: 0.5 },
            validation: Some(Metrics { loss, accuracy: loss }),
            learning_rate: 0.1,
            train_seconds: 1.0,
            validation_seconds: 1.0,
            images_per_second: 1.0,
            data_wait: 0.0,
        })
    }

    fn dropped(step: u64, interventions: u64) -> Event {
        let moment = Some(Moment { epoch: 1, phase: 1, evaluating: false, interventions });
        let request = Command::Dropout { rate: 0.5, layers: vec![] };
        Event::Answered(Answered { id: 0, by: "ada".into(), request, step, outcome: Outcome::Applied, moment })
    }

    #[test]
    fn a_branch_has_the_course_of_its_ancestor_up_to_where_it_leaves_even_when_that_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let noon = jiff::civil::date(2026, 1, 1).at(12, 0, 0, 0);
        let parent = RunDir::create(root.path(), "parent", "", noon).unwrap();
        let branch = RunDir::create(root.path(), "twig", "", noon).unwrap();
        let mut now = 0;
        let mut journal = JournalWriter::open(&parent.journal(), move || {
            now += 1000;
            now
        })
        .unwrap();
        let undone =
            Undone { from: 7, to: 5, epoch: 2, step_in_epoch: 1, interventions: 1, what: "dropout 0.5".into() };
        let life = [started(None), steps(1, 1.0), steps(3, 3.0), dropped(3, 0), steps(4, 4.0), ended(1, 0.25)];
        let given_up = [steps(5, 5.0), dropped(5, 1), steps(7, 77.0), Event::Undone(undone)];
        let killed = [steps(6, 6.0), steps(8, 88.0), ended(2, 0.9)];
        let resumed = [started(Some(Resumed { step: 6, epoch: 2, interventions: 1 })), steps(7, 7.0), steps(8, 8.0)];
        let rest = [ended(2, 0.5), dropped(8, 1), steps(9, 99.0), ended(3, 1.0)];
        for event in life.into_iter().chain(given_up).chain(killed).chain(resumed).chain(rest) {
            journal.append(event).unwrap();
        }
        let place = Branched { from: parent.name(), step: 8, epoch: 3, step_in_epoch: 0, interventions: 1 };
        let count = take_over(&parent, &branch, place, 90_000).unwrap();
        drop(journal);
        parent.delete().unwrap();

        let told: Vec<Stamped> = Tail::open(&branch.journal()).unwrap().events().map(Result::unwrap).collect();
        assert_eq!(told.len() as u64, count);
        assert!(told.iter().zip(0..).all(|(stamped, seq)| stamped.seq == seq));
        let mut state = RunState::default();
        for stamped in &told {
            state.apply(stamped);
        }
        let losses: Vec<(u64, f64)> =
            state.curves.loss.buckets().iter().map(|bucket| (bucket.step, bucket.mean)).collect();
        assert_eq!(losses, [1, 3, 4, 5, 6, 7, 8].map(|step| (step, step as f64)));
        assert_eq!(
            state.epochs.iter().map(|ended| (ended.epoch, ended.train.loss)).collect::<Vec<_>>(),
            [(1, 0.25), (2, 0.5)]
        );
        assert!(state.abandoned.is_empty() && state.step == 8 && state.epoch == 3);
        let marks: Vec<u64> =
            state.markers.iter().filter(|mark| matches!(mark.what, What::Applied(_))).map(|mark| mark.step).collect();
        assert_eq!(marks, [3]);
        let summary = summarise(&branch).unwrap();
        assert_eq!((summary.standing, summary.epoch, summary.step), (Standing::New, 2, 8));
        assert_eq!((summary.best_validation_accuracy, summary.started_at_ms), (Some(0.5), Some(90_000)));
        assert_eq!(summary.losses, [1.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(std::fs::read_to_string(branch.history()).unwrap().lines().count(), 1 + 2);

        // Its own engine goes on.
        let mut journal = JournalWriter::open(&branch.journal(), || 100_000).unwrap();
        let resumed = started(Some(Resumed { step: 8, epoch: 3, interventions: 1 }));
        for event in [resumed, steps(9, 9.0)] {
            state.apply(&journal.append(event).unwrap());
        }
        assert_eq!(state.curves.loss.buckets().len(), 8);
        assert_eq!(
            state.markers.last().map(|mark| (mark.step, &mark.what)),
            Some((8, &What::Branched("2026-01-01-120000-parent".into())))
        );
        assert!(state.clock.elapsed_ms < 30_000, "the time between two runs is nobody's work");
        assert_eq!(summarise(&branch).unwrap().standing, Standing::Interrupted);
    }
}
