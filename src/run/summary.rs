//! What the list of runs says of each: a fold over its journal, and whether an engine holds it now.

use serde::Serialize;

use super::{dir::RunDir, error::Result, lock::EngineLock, tail::Tail};
use crate::event::{Ended, Event, State, Tested};

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
    /// Milliseconds since the Unix epoch, of the first and the latest event.
    pub started_at_ms: Option<u64>,
    pub latest_at_ms: Option<u64>,
}

/// Reads the run's whole journal. A run whose journal is missing or empty is new.
pub fn summarise(run: &RunDir) -> Result<Summary> {
    let mut summary = Summary {
        run: run.name(),
        standing: Standing::New,
        model: String::new(),
        epoch: 0,
        epochs: 0,
        step: 0,
        best_validation_accuracy: None,
        test_accuracy: None,
        started_at_ms: None,
        latest_at_ms: None,
    };
    // Asked first: an engine that ends in between has then written its end into the journal.
    let held = EngineLock::holder(run)?.is_some();
    if run.journal().exists() {
        for event in Tail::open(&run.journal())?.events() {
            let event = event?;
            summary.started_at_ms.get_or_insert(event.at_ms);
            summary.latest_at_ms = Some(event.at_ms);
            summary.apply(&event.event);
        }
    }
    summary.standing = match (held, summary.standing) {
        (false, Standing::Running | Standing::Paused) => Standing::Interrupted,
        (true, Standing::New) => Standing::Running,
        (_, standing) => standing,
    };
    Ok(summary)
}

impl Summary {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::RunStarted(started) => {
                self.standing = Standing::Running;
                self.model.clone_from(&started.model);
                self.epochs = started.epochs;
                if let Some(resumed) = started.resumed {
                    self.step = resumed.step;
                    self.epoch = self.epoch.min(resumed.epoch);
                }
            }
            Event::StateChanged { state: State::Paused, .. } => self.standing = Standing::Paused,
            Event::StateChanged { state: State::Running, .. } => self.standing = Standing::Running,
            Event::Steps(steps) => self.step = steps.step,
            Event::EpochEnded(ended) => {
                self.epoch = ended.epoch;
                self.step = ended.step;
                let accuracy = ended.validation.map(|metrics| metrics.accuracy).filter(|accuracy| !accuracy.is_nan());
                self.best_validation_accuracy = match (self.best_validation_accuracy, accuracy) {
                    (Some(best), Some(now)) => Some(best.max(now)),
                    (best, now) => best.or(now),
                };
            }
            Event::Tested(Tested { metrics, .. }) => self.test_accuracy = Some(metrics.accuracy),
            Event::RunEnded(ended) => {
                self.step = ended.step;
                self.standing = match ended.how {
                    Ended::Completed { .. } => Standing::Completed,
                    Ended::Stopped { .. } => Standing::Stopped,
                    Ended::Failed { .. } => Standing::Failed,
                };
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{
        event::{RunEnded, RunStarted},
        run::JournalWriter,
    };

    fn started() -> Event {
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
            resumed: None,
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
        journal.append(started()).unwrap();
        journal.append(Event::StateChanged { state: State::Paused, step: 3 }).unwrap();
        assert_eq!(standing(), Standing::Paused);
        drop(lock);
        assert_eq!(standing(), Standing::Interrupted);
        let how = Ended::Stopped { by: "me".into() };
        journal.append(Event::RunEnded(RunEnded { how, step: 9, epoch: 1, seconds: 1.0 })).unwrap();
        let summary = summarise(&run).unwrap();
        assert_eq!((summary.standing, summary.step, summary.started_at_ms), (Standing::Stopped, 9, Some(5)));
    }
}
