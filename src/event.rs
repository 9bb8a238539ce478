//! Everything that a run says. The engine appends each [`Stamped`] event to the journal and sends the same to viewers;
//! what a dashboard shows is a fold over them, so an event carries every fact that a reader needs and no style.

mod alarm;
mod answered;
pub mod bench;
mod ended;
pub mod evaluation;
pub mod explain;
mod explained;
mod layers;
mod load;
pub mod machine;
mod mistakes;
mod phase;
pub(crate) mod real;

use serde::{Deserialize, Serialize};

pub use alarm::{Alarm, Found, Suspect, Then};
pub use answered::{Answered, Branched, Moment, Outcome, Undone};
pub use ended::{Ended, OUT_OF_TIME, RunEnded};
pub use explained::{Explained, Painted, Picture, PictureKind, Pin, Refused, is_kept};
pub use layers::{Histogram, LayerMeters, LayerProbe, Layers, Probed};
pub use load::{CardLoad, Held, Load};
pub use mistakes::{ClassCounts, ConfusedPair, Mistake, Mistakes, Shown};
pub use phase::{PhaseEnd, PhaseEnded, PhaseInfo, PhaseStarted, Phases};

/// Raised when a reader of an older number could misunderstand the journal or the wire.
pub const PROTOCOL: u32 = 3;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// 0, 1, 2, … without a gap.
    pub seq: u64,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    #[serde(flatten)]
    pub event: Event,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First line of every journal, and again when an engine resumes the run.
    RunStarted(RunStarted),
    /// What the run is made of from here on, resolved, as TOML: said after each start.
    Configuration {
        toml: String,
    },
    /// What was said before is another run's: this one goes on from a place in it.
    Branched(Branched),
    /// What the engine is busy with before the first step.
    Stage {
        stage: Stage,
        detail: String,
    },
    /// The data set as it was opened.
    DataOpened(DataOpened),
    DeviceReady(DeviceReady),
    StateChanged {
        state: State,
        step: u64,
    },
    /// The phases as they are planned: at the start, when a run is resumed, and whenever one begins or is inserted.
    Phases(Phases),
    PhaseStarted(PhaseStarted),
    PhaseEnded(PhaseEnded),
    EpochStarted {
        epoch: u32,
        step: u64,
    },
    Steps(Steps),
    /// A pass over a split without updates; sent a few times a second at most.
    Evaluating {
        split: SplitName,
        done: u64,
        total: u64,
    },
    EpochEnded(EpochEnded),
    Layers(Layers),
    /// While somebody looks at the layers, and at the end of those epochs of which something is kept.
    Probed(Probed),
    /// Of the validation that has just ended.
    Mistakes(Mistakes),
    Machine(Box<Load>),
    /// The freeze mask after a change, and at the start.
    Trainable(Trainable),
    LearningRate {
        step: u64,
        rate: f64,
        why: String,
        /// Of these layers alone; none: of all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        layers: Vec<String>,
    },
    Checkpoint(Checkpoint),
    /// A step that went wrong.
    Alarm(Alarm),
    Answered(Answered),
    /// The run stands where it stood before an intervention.
    Undone(Undone),
    Explained(Explained),
    /// The images of which something is kept at the end of each epoch: at the start, and after a change.
    Pinned {
        images: Vec<Pin>,
    },
    Painted(Painted),
    /// Images that could not be read and were left out: those found since the last such event, and how many of the split in all.
    Skipped {
        split: SplitName,
        total: u64,
        files: Vec<SkippedFile>,
    },
    Tested(Tested),
    /// What somebody wanted measured in the middle of training.
    Measured(Measured),
    Log {
        level: Level,
        message: String,
    },
    RunEnded(RunEnded),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    pub protocol: u32,
    /// Frostline's version.
    pub version: String,
    /// The run directory's name.
    pub run: String,
    pub model: String,
    /// The name of the phase under way.
    pub phase: String,
    /// The number of the last epoch of all, as it was planned then.
    pub epochs: u32,
    /// Of the phase under way, and so is the optimiser.
    pub batch_size: u32,
    /// In order of execution.
    pub layers: Vec<LayerInfo>,
    /// What training minimises: `binary_crossentropy` or `categorical_crossentropy`.
    pub loss: String,
    pub optimizer: String,
    /// The step and epoch from which a resumed run goes on.
    pub resumed: Option<Resumed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    pub step: u64,
    pub epoch: u32,
    /// Interventions that the checkpoint knows of.
    #[serde(default)]
    pub interventions: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerInfo {
    pub name: String,
    /// Keras's class name, for example `Conv2D`.
    pub kind: String,
    /// As Keras prints it: `(None, 148, 148, 32)`.
    pub output: String,
    pub parameters: u64,
    /// Whether the output is a feature map `[n, c, h, w]`, which can be shown as a grid and explained by Grad-CAM.
    pub feature_map: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    LoadingLibtorch,
    OpeningData,
    BuildingNetwork,
    Restoring,
    FirstBatch,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataOpened {
    pub classes: Vec<String>,
    pub train: u64,
    pub validation: u64,
    pub test: u64,
    pub steps_per_epoch: u32,
    /// The split that pinned images are taken from.
    pub pinned: SplitName,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceReady {
    /// `cpu`, `cuda:0`.
    pub device: String,
    /// The processor's or the card's name.
    pub name: String,
    pub threads: u32,
    pub libtorch: String,
    /// What kernels are multiplied in, `float32` or `mixed_bfloat16`; empty in journals of before there was a choice.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub precision: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Starting,
    Running,
    Paused,
    Evaluating,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitName {
    Train,
    Validation,
    Test,
}

/// Steps gathered since the last such event, at most ten events a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    pub epoch: u32,
    /// Steps done since the run began, this event's included.
    pub step: u64,
    /// Steps done in this epoch, this event's included.
    pub step_in_epoch: u32,
    pub count: u32,
    pub loss: Gathered,
    pub accuracy: Gathered,
    pub learning_rate: f64,
    pub images_per_second: f64,
    /// Share of the time, 0–1, in which the step waited for its batch.
    pub data_wait: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Gathered {
    #[serde(with = "real")]
    pub mean: f64,
    #[serde(with = "real")]
    pub min: f64,
    #[serde(with = "real")]
    pub max: f64,
    #[serde(with = "real")]
    pub last: f64,
}

/// Means over images.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Metrics {
    #[serde(with = "real")]
    pub loss: f64,
    #[serde(with = "real")]
    pub accuracy: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochEnded {
    /// From 1.
    pub epoch: u32,
    pub step: u64,
    /// Running means over the epoch, as Keras reports them.
    pub train: Metrics,
    pub validation: Option<Metrics>,
    pub learning_rate: f64,
    pub train_seconds: f64,
    pub validation_seconds: f64,
    pub images_per_second: f64,
    pub data_wait: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trainable {
    pub step: u64,
    /// Names of the frozen layers.
    pub frozen: Vec<String>,
    pub trainable_parameters: u64,
    pub total_parameters: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub kind: CheckpointKind,
    pub step: u64,
    /// The epoch in which it was made; after an epoch's last step, that epoch.
    pub epoch: u32,
    /// File name in `checkpoints/`.
    pub file: String,
    pub bytes: u64,
    /// That it took to be on the disk, beside the steps.
    pub seconds: f64,
    /// For how long the next step waited, in seconds: for a copy in memory.
    #[serde(default)]
    pub stalled: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointKind {
    Best,
    Last,
    /// Before an intervention, by its number: what `undo` returns to.
    Undo(u32),
}

impl CheckpointKind {
    /// Before "checkpoint".
    pub fn word(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
            Self::Undo(_) => "undo",
        }
    }
}

/// What was not finite in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonFinite {
    Loss,
    /// Under a loss that was.
    Gradient,
    /// Before the step was computed.
    Weights,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFile {
    pub path: String,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    pub metrics: Metrics,
    pub images: u64,
    /// The checkpoint that was evaluated.
    pub checkpoint: CheckpointKind,
    /// `confusion[truth][prediction]`.
    pub confusion: Vec<Vec<u64>>,
}

/// The weights of a step on a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub split: SplitName,
    pub step: u64,
    /// The epoch under way.
    pub epoch: u32,
    pub metrics: Metrics,
    pub images: u64,
    pub seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Info,
    Warning,
    Error,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_loss_that_blew_up_survives_the_journal() {
        let event = Event::EpochEnded(EpochEnded {
            epoch: 1,
            step: 10,
            train: Metrics { loss: f64::NAN, accuracy: 0.5 },
            validation: None,
            learning_rate: 1e-3,
            train_seconds: 1.0,
            validation_seconds: 0.0,
            images_per_second: 10.0,
            data_wait: 0.0,
        });
        let line = serde_json::to_string(&Stamped { seq: u64::MAX, at_ms: 1, event }).unwrap();
        let back: Stamped = serde_json::from_str(&line).unwrap();
        assert_eq!(back.seq, u64::MAX);
        let Event::EpochEnded(ended) = back.event else { panic!("another event came back: {line}") };
        assert!(ended.train.loss.is_nan());
    }
}
