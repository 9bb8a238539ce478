//! What the list of runs says of each: a fold over its journal, and whether an engine holds it now. Of a long journal
//! nearly all lines are passed over unparsed.

use serde::Serialize;

use super::{
    course::Course,
    dir::RunDir,
    error::Result,
    lock::EngineLock,
    tail::{Entry, Line, Tail},
};
use crate::event::{Alarm, Ended, EpochEnded, Event, RunStarted, Stamped, State, Then};

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// An engine is at work.
    Running,
    /// An engine holds it and waits for `resume`.
    Paused,
    Completed,
    Stopped,
    Failed,
    /// No engine, and no word of an end: it was killed.
    Interrupted,
    /// No engine has begun it.
    New,
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::New => "new",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    pub run: String,
    pub standing: Standing,
    pub model: String,
    /// Epochs done, of `epochs` planned.
    pub epoch: u32,
    pub epochs: u32,
    pub step: u64,
    pub best_validation_accuracy: Option<f64>,
    pub test_accuracy: Option<f64>,
    /// The course of the training loss, in a few dozen readings at most.
    #[serde(skip)]
    pub losses: Vec<f64>,
    /// Milliseconds since the Unix epoch, of the first and the latest event.
    pub started_at_ms: Option<u64>,
    pub latest_at_ms: Option<u64>,
}

/// Goes through the run's whole journal. A run whose journal is missing or empty is new.
pub fn summarise(run: &RunDir) -> Result<Summary> {
    // Asked first: an engine that ends in between has then written its end into the journal.
    let held = EngineLock::holder(run)?.is_some();
    let mut fold = Fold::new(run.name());
    if run.journal().exists() {
        let mut tail = Tail::open(&run.journal())?;
        while let Some(line) = tail.next_line()? {
            fold.take(line)?;
        }
    }
    let mut summary = fold.finish();
    summary.standing = match (held, summary.standing) {
        (false, Standing::Running | Standing::Paused) => Standing::Interrupted,
        (true, Standing::New) => Standing::Running,
        (_, standing) => standing,
    };
    Ok(summary)
}

struct Fold {
    summary: Summary,
    epochs: Vec<EpochEnded>,
    /// The newest line about steps. There are ten a second, and only the last one counts.
    steps: Vec<u8>,
    course: Course,
}

impl Fold {
    fn new(run: String) -> Self {
        let summary = Summary {
            run,
            standing: Standing::New,
            model: String::new(),
            epoch: 0,
            epochs: 0,
            step: 0,
            best_validation_accuracy: None,
            test_accuracy: None,
            losses: Vec::new(),
            started_at_ms: None,
            latest_at_ms: None,
        };
        Self { summary, epochs: Vec::new(), steps: Vec::new(), course: Course::new() }
    }

    fn take(&mut self, line: Line<'_>) -> Result<()> {
        // A line without a mark may still be an event, written in another way.
        let mark = line.mark();
        match mark.map(|mark| mark.event) {
            Some("steps") => {
                self.steps.clear();
                self.steps.extend(line.bytes());
                self.course.take(line.bytes());
            }
            None
            | Some(
                "run_started" | "phases" | "state_changed" | "epoch_ended" | "tested" | "alarm" | "undone" | "branched"
                | "run_ended",
            ) => {
                if let Entry::Event(stamped) = line.entry()? {
                    if matches!(stamped.event, Event::Branched(_)) {
                        // What was said before is another run's.
                        self.summary.started_at_ms = None;
                    }
                    self.date(stamped.at_ms);
                    self.apply(&stamped.event);
                }
            }
            Some(_) => {}
        }
        if let Some(mark) = mark {
            self.date(mark.at_ms);
        }
        Ok(())
    }

    fn date(&mut self, at_ms: u64) {
        self.summary.started_at_ms.get_or_insert(at_ms);
        self.summary.latest_at_ms = Some(at_ms);
    }

    fn apply(&mut self, event: &Event) {
        let summary = &mut self.summary;
        match event {
            Event::RunStarted(started) => self.start(started),
            Event::Phases(phases) => summary.epochs = phases.last_epoch(),
            Event::StateChanged { state: State::Paused, .. } => summary.standing = Standing::Paused,
            Event::StateChanged { .. } => summary.standing = Standing::Running,
            Event::Steps(steps) => summary.step = steps.step,
            Event::EpochEnded(ended) => {
                summary.step = ended.step;
                self.epochs.push(ended.clone());
            }
            Event::Branched(branched) => (summary.standing, summary.step) = (Standing::New, branched.step),
            Event::Undone(undone) => self.go_back(undone.to, undone.epoch),
            Event::Alarm(Alarm { then: Then::RolledBack { to, epoch, .. }, .. }) => self.go_back(*to, *epoch),
            Event::Tested(tested) => summary.test_accuracy = Some(tested.metrics.accuracy),
            Event::RunEnded(ended) => {
                summary.step = ended.step;
                summary.standing = match ended.how {
                    Ended::Completed { .. } => Standing::Completed,
                    Ended::Stopped { .. } | Ended::Aborted { .. } => Standing::Stopped,
                    Ended::Failed { .. } => Standing::Failed,
                };
            }
            _ => {}
        }
    }

    /// To a step of an epoch; 0 where nobody knows of which.
    fn go_back(&mut self, to: u64, epoch: u32) {
        self.summary.step = to;
        self.epochs.retain(|ended| ended.step <= to && (epoch == 0 || ended.epoch < epoch));
        self.steps.clear();
    }

    /// What the engine before this one did after the checkpoint from which this one goes on is undone.
    fn start(&mut self, started: &RunStarted) {
        let step = started.resumed.map_or(0, |resumed| resumed.step);
        self.epochs.retain(|epoch| epoch.step <= step);
        self.steps.clear();
        let summary = &mut self.summary;
        summary.standing = Standing::Running;
        summary.model.clone_from(&started.model);
        summary.epochs = started.epochs;
        summary.step = step;
        summary.test_accuracy = None;
    }

    fn finish(mut self) -> Summary {
        self.summary.losses = self.course.losses();
        if let Ok(Event::Steps(steps)) = serde_json::from_slice(&self.steps).map(|stamped: Stamped| stamped.event) {
            self.summary.step = self.summary.step.max(steps.step);
        }
        let accuracies = self.epochs.iter().filter_map(|epoch| epoch.validation).map(|figures| figures.accuracy);
        self.summary.best_validation_accuracy = accuracies.filter(|accuracy| !accuracy.is_nan()).reduce(f64::max);
        self.summary.epoch = self.epochs.last().map_or(0, |epoch| epoch.epoch.min(self.summary.epochs));
        self.summary
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{
        event::{Gathered, Metrics, Resumed, RunEnded, SplitName, Steps, Tested},
        run::JournalWriter,
    };

    fn started(resumed: Option<Resumed>) -> Event {
        Event::RunStarted(RunStarted {
            protocol: 1,
            version: "0".into(),
            run: "r".into(),
            model: "m".into(),
            phase: "train".into(),
            epochs: 3,
            batch_size: 1,
            layers: vec![],
            loss: "binary_crossentropy".into(),
            optimizer: "sgd".into(),
            resumed,
        })
    }

    #[test]
    fn a_run_without_an_engine_and_without_an_end_was_interrupted() {
        let root = tempfile::tempdir().unwrap();
        let run = RunDir::create(root.path(), "a", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
        let standing = || summarise(&run).unwrap().standing;
        assert_eq!(standing(), Standing::New);
        let lock = EngineLock::acquire(&run).unwrap();
        assert_eq!(standing(), Standing::Running);
        let mut journal = JournalWriter::open(&run.journal(), || 5).unwrap();
        journal.append(started(None)).unwrap();
        journal.append(Event::StateChanged { state: State::Paused, step: 3 }).unwrap();
        assert_eq!(standing(), Standing::Paused);
        drop(lock);
        assert_eq!(standing(), Standing::Interrupted);
        let how = Ended::Stopped { by: "me".into() };
        journal.append(Event::RunEnded(RunEnded { how, step: 9, epoch: 1, seconds: 1.0 })).unwrap();
        let summary = summarise(&run).unwrap();
        assert_eq!((summary.standing, summary.step, summary.started_at_ms), (Standing::Stopped, 9, Some(5)));
    }

    fn epoch(epoch: u32, accuracy: f64) -> Event {
        let figures = Metrics { loss: 0.5, accuracy };
        Event::EpochEnded(EpochEnded {
            epoch,
            step: u64::from(epoch) * 10,
            train: figures,
            validation: Some(figures),
            learning_rate: 0.1,
            train_seconds: 1.0,
            validation_seconds: 1.0,
            images_per_second: 1.0,
            data_wait: 0.0,
        })
    }

    fn step(epoch: u32, step: u64) -> Event {
        Event::Steps(Steps {
            epoch,
            step,
            step_in_epoch: 1,
            count: 1,
            loss: Gathered::default(),
            accuracy: Gathered::default(),
            learning_rate: 0.1,
            images_per_second: 1.0,
            data_wait: 0.0,
        })
    }

    fn told(events: impl IntoIterator<Item = Event>) -> Summary {
        let root = tempfile::tempdir().unwrap();
        let run = RunDir::create(root.path(), "a", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
        let _lock = EngineLock::acquire(&run).unwrap();
        let mut journal = JournalWriter::open(&run.journal(), || 5).unwrap();
        for event in events {
            journal.append(event).unwrap();
        }
        summarise(&run).unwrap()
    }

    #[test]
    fn a_pause_ends_with_any_other_state() {
        let paused = Event::StateChanged { state: State::Paused, step: 10 };
        let validating = Event::StateChanged { state: State::Evaluating, step: 10 };
        assert_eq!(told([started(None), paused.clone()]).standing, Standing::Paused);
        assert_eq!(told([started(None), paused, validating]).standing, Standing::Running);
    }

    #[test]
    fn what_a_resumed_run_lost_does_not_count() {
        let first_life = || [started(None), step(1, 3), epoch(1, 0.6), epoch(2, 0.9), step(3, 25)];
        let figures = |summary: Summary| (summary.epoch, summary.step, summary.best_validation_accuracy);
        assert_eq!(figures(told(first_life())), (2, 25, Some(0.9)));
        // In the middle of the second epoch: the first is done, the second's accuracy is undone.
        let resumed = started(Some(Resumed { step: 15, epoch: 2, interventions: 0 }));
        assert_eq!(figures(told(first_life().into_iter().chain([resumed]))), (1, 15, Some(0.6)));
        // Killed before its first checkpoint, it begins again.
        assert_eq!(figures(told(first_life().into_iter().chain([started(None)]))), (0, 0, None));
    }

    #[test]
    fn a_completed_run_that_is_taken_up_again_has_no_epoch_too_many() {
        let end =
            Event::RunEnded(RunEnded { how: Ended::Completed { early: false }, step: 30, epoch: 3, seconds: 1.0 });
        let tested = Event::Tested(Tested {
            metrics: Metrics { loss: 0.1, accuracy: 0.8 },
            images: 1,
            checkpoint: crate::event::CheckpointKind::Best,
            confusion: vec![],
        });
        let run = [started(None), epoch(1, 0.6), epoch(2, 0.7), epoch(3, 0.8), tested, end];
        let summary = told(run.clone());
        assert_eq!((summary.standing, summary.epoch, summary.test_accuracy), (Standing::Completed, 3, Some(0.8)));
        let validating = Event::Evaluating { split: SplitName::Test, done: 0, total: 1 };
        let again = [started(Some(Resumed { step: 30, epoch: 4, interventions: 0 })), validating];
        let summary = told(run.into_iter().chain(again));
        assert_eq!((summary.epoch, summary.epochs, summary.step), (3, 3, 30));
    }
}
