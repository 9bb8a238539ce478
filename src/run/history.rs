//! `history.csv`, one line an epoch, as a function of the journal: it is written anew each time, so a resumed run has no
//! epoch twice and none that its checkpoint did not know.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{
    error::{Error, Result},
    whole,
};
use crate::event::{Alarm, Event, Then};

/// A line of the table. Columns that Keras's `CSVLogger` also writes have its names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// From 1.
    pub epoch: u32,
    /// Steps done since the run began.
    pub step: u64,
    pub loss: f64,
    pub accuracy: f64,
    pub val_loss: Option<f64>,
    pub val_accuracy: Option<f64>,
    pub learning_rate: f64,
    /// Training and validation.
    pub seconds: f64,
    pub images_per_second: f64,
    /// Share of the time, 0–1, in which a step waited for its batch.
    pub data_wait: f64,
}

/// The table so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    rows: Vec<Row>,
}

impl History {
    /// Returns whether the table changed.
    pub fn apply(&mut self, event: &Event) -> bool {
        let before = self.rows.len();
        match event {
            // The epochs after the checkpoint are trained again.
            Event::RunStarted(started) => {
                let kept = started.resumed.map_or(0, |resumed| resumed.step);
                self.rows.retain(|row| row.step <= kept);
                self.rows.len() != before
            }
            Event::Alarm(Alarm { then: Then::RolledBack { to, epoch, .. }, .. }) => {
                self.rows.retain(|row| row.step <= *to && (*epoch == 0 || row.epoch < *epoch));
                self.rows.len() != before
            }
            // The point to go back to may lie between an epoch's last step and its end.
            Event::Undone(undone) => {
                self.rows.retain(|row| row.step <= undone.to && row.epoch < undone.epoch);
                self.rows.len() != before
            }
            Event::EpochEnded(ended) => {
                self.rows.retain(|row| row.epoch < ended.epoch);
                self.rows.push(Row {
                    epoch: ended.epoch,
                    step: ended.step,
                    loss: ended.train.loss,
                    accuracy: ended.train.accuracy,
                    val_loss: ended.validation.map(|metrics| metrics.loss),
                    val_accuracy: ended.validation.map(|metrics| metrics.accuracy),
                    learning_rate: ended.learning_rate,
                    seconds: ended.train_seconds + ended.validation_seconds,
                    images_per_second: ended.images_per_second,
                    data_wait: ended.data_wait,
                });
                true
            }
            _ => false,
        }
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let mut table = csv::Writer::from_writer(Vec::new());
        for row in &self.rows {
            table.serialize(row).map_err(|source| Error::History { path: path.to_path_buf(), source })?;
        }
        let bytes = table.into_inner().map_err(|error| Error::io("write", path)(error.into_error()))?;
        whole::replace(path, &bytes, true).map_err(Error::io("write", path))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::event::{EpochEnded, Metrics, Resumed, RunStarted};

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

    fn ended(epoch: u32, loss: f64) -> Event {
        Event::EpochEnded(EpochEnded {
            epoch,
            step: u64::from(epoch) * 10,
            train: Metrics { loss, accuracy: 0.5 },
            validation: (epoch > 1).then_some(Metrics { loss: 2.0, accuracy: 0.25 }),
            learning_rate: 0.001,
            train_seconds: 1.5,
            validation_seconds: 0.5,
            images_per_second: 100.0,
            data_wait: 0.0,
        })
    }

    #[test]
    fn the_table_reads_as_a_person_would_expect() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.csv");
        let mut history = History::default();
        for event in [started(None), ended(1, f64::NAN), ended(2, 0.5)] {
            history.apply(&event);
        }
        history.write(&path).unwrap();
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "epoch,step,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds,images_per_second,data_wait\n\
             1,10,NaN,0.5,,,0.001,2.0,100.0,0.0\n\
             2,20,0.5,0.5,2.0,0.25,0.001,2.0,100.0,0.0\n"
        );
    }

    #[test]
    fn a_resumed_run_has_every_epoch_once() {
        let mut history = History::default();
        // Killed after epoch 3; the last checkpoint was written in the middle of epoch 2.
        for event in [started(None), ended(1, 1.0), ended(2, 1.0), ended(3, 1.0)] {
            history.apply(&event);
        }
        assert!(history.apply(&started(Some(Resumed { step: 15, epoch: 2, interventions: 0 }))));
        assert_eq!(history.rows().iter().map(|row| row.epoch).collect::<Vec<_>>(), [1]);
        history.apply(&ended(2, 7.0));
        assert_eq!(history.rows().iter().map(|row| (row.epoch, row.loss)).collect::<Vec<_>>(), [(1, 1.0), (2, 7.0)]);
    }
}
