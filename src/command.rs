//! Everything that a viewer can ask of a run. Keys, `frostline ctl` and scripts send the same [`Request`]s.
//! The trainer applies a command between two steps and answers it with an [`Answered`](crate::event::Answered) event.

mod method;
mod spoken;
mod watch;
mod words;

use serde::{Deserialize, Serialize};

pub use method::Method;
pub use watch::{Scene, Watch, Whose};
pub use words::{Argument, Misread, VERBS, Verb};

/// A command on its way to the trainer. `id` is the sender's own, to recognise the answer by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub id: u64,
    /// Who asks, for the journal: `user@host`, or the name of a script.
    pub by: String,
    pub command: Command,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Hold the run after the current step, everything kept in memory.
    Pause,
    Resume,
    /// Do so many steps, then pause.
    Step {
        steps: u64,
    },
    /// Go on to the end of the epoch under way, its validation included, then pause.
    Epoch,
    /// Take the named layers out of the update. A name that ends in `*` means all layers with parameters that begin so; of the others,
    /// layers without parameters are refused by name.
    Freeze {
        layers: Vec<String>,
    },
    Unfreeze {
        layers: Vec<String>,
    },
    /// Freeze every layer up to and including `layer`, thaw every one above it. `None` thaws the whole network.
    FrostLine {
        layer: Option<String>,
    },
    /// Hold the rate at `rate`, whatever the schedule says, until [`Schedule`](Self::Schedule) or the next phase. Groups with a rate of
    /// their own stay in proportion. With `layers`: the rate of these alone.
    LearningRate {
        rate: f64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        layers: Vec<String>,
    },
    /// Multiply the rate, scheduled or held, from here on. With `layers`: of these alone.
    ScaleRate {
        factor: f64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        layers: Vec<String>,
    },
    /// Back to the rate that the phase's schedule gives. With `layers`: these alone.
    Schedule {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        layers: Vec<String>,
    },
    /// How far training images are varied, as a factor of what the configuration allows: 0 not at all, 1 as configured.
    Augmentation {
        factor: f64,
    },
    /// Images of an update, from the next step on.
    BatchSize {
        images: u32,
    },
    /// Images that go through the network at once; an update still is of the whole batch, but that batch normalisation sees these.
    MicroBatch {
        images: u32,
    },
    /// The share that dropout layers drop. Without `layers`: all of them.
    Dropout {
        rate: f64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        layers: Vec<String>,
    },
    /// What an update takes off each trainable weight, as a part of it and of the rate (decoupled, as in `AdamW`).
    WeightDecay {
        decay: f64,
    },
    /// End the phase under way after this step: validate what its epoch has done, then go on to the next phase, or test.
    EndPhase,
    /// Go on to the next phase at once, without validation and from the weights of this moment.
    SkipPhase,
    /// Put a phase directly behind the one under way. `phase` is as in `[[phase]]`, on a line: `train=all epochs=2`.
    InsertPhase {
        phase: String,
    },
    /// Measure the weights of this moment, and go on as if nothing had been.
    Evaluate {
        split: HeldOut,
    },
    /// Keep what the network sees in this image of the validation split at the end of each epoch from now on.
    Pin {
        sample: u32,
    },
    /// Keep it no longer; what is kept already stays.
    Unpin {
        sample: u32,
    },
    /// A word for whoever reads the curves later.
    Note {
        text: String,
    },
    /// Return to just before the last intervention; the steps since are given up.
    Undo,
    /// Write the checkpoint `last` now.
    Checkpoint,
    /// Save, then end the run as stopped.
    Stop,
    /// End the run at once; what it did since its last checkpoint is lost.
    Abort,
}

/// The splits that training does not learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldOut {
    Validation,
    Test,
}

/// Far above anything that trains; what is beyond it is a slip of the fingers.
pub const HIGHEST_RATE: f64 = 1000.0;
/// Far below anything that trains: what is less would soon be 0 as a 32-bit number.
pub const LEAST_RATE: f64 = 1e-30;
/// Variations twice as wide as configured; beyond that a configuration should say so.
const STRONGEST: f64 = 2.0;
/// Notes are marks on a curve, not letters.
const LONGEST_NOTE: usize = 500;

impl Command {
    /// Whether training goes on otherwise than without it.
    pub fn intervenes(&self) -> bool {
        match self {
            Self::Freeze { .. }
            | Self::Unfreeze { .. }
            | Self::FrostLine { .. }
            | Self::LearningRate { .. }
            | Self::ScaleRate { .. }
            | Self::Schedule { .. }
            | Self::Augmentation { .. }
            | Self::BatchSize { .. }
            | Self::MicroBatch { .. }
            | Self::Dropout { .. }
            | Self::WeightDecay { .. }
            | Self::EndPhase
            | Self::SkipPhase
            | Self::InsertPhase { .. } => true,
            Self::Pause
            | Self::Resume
            | Self::Step { .. }
            | Self::Epoch
            | Self::Evaluate { .. }
            | Self::Pin { .. }
            | Self::Unpin { .. }
            | Self::Note { .. }
            | Self::Undo
            | Self::Checkpoint
            | Self::Stop
            | Self::Abort => false,
        }
    }

    /// What is wrong with it in any run.
    pub fn senseless(&self) -> Option<String> {
        let within = |what: &str, value: f64, fits: bool, range: &str| {
            // Unlike `{value}` it writes 1e60 so, not with sixty zeros.
            (!fits).then(|| format!("{what} must be {range}, not {}", format!("{value:?}").trim_end_matches(".0")))
        };
        match *self {
            Self::LearningRate { rate, .. } => {
                let fits = (LEAST_RATE..=HIGHEST_RATE).contains(&rate);
                within("the learning rate", rate, fits, &format!("from {LEAST_RATE:e} to {HIGHEST_RATE}"))
            }
            Self::ScaleRate { factor, .. } => {
                let fits = (LEAST_RATE..=HIGHEST_RATE).contains(&factor);
                within("the factor", factor, fits, &format!("from {LEAST_RATE:e} to {HIGHEST_RATE}"))
            }
            Self::Augmentation { factor } => {
                let fits = (0.0..=STRONGEST).contains(&factor);
                within("the strength of the variations", factor, fits, &format!("from 0 to {STRONGEST}"))
            }
            Self::Dropout { rate, .. } => {
                within("the share that is dropped", rate, (0.0..1.0).contains(&rate), "from 0 up to, but not, 1")
            }
            Self::WeightDecay { decay } => {
                within("the weight decay", decay, (0.0..=1.0).contains(&decay), "from 0 to 1")
            }
            Self::Freeze { ref layers } | Self::Unfreeze { ref layers } if layers.is_empty() => {
                Some("no layer was named".into())
            }
            Self::Step { steps: 0 } => Some("one step is the least".into()),
            Self::BatchSize { images: 0 } | Self::MicroBatch { images: 0 } => Some("one image is the least".into()),
            Self::Note { ref text } if text.len() > LONGEST_NOTE => {
                Some(format!("a note has at most {LONGEST_NOTE} bytes, this one {}", text.len()))
            }
            _ => None,
        }
    }
}

/// Whether `pattern`, the name of a layer or the beginning of some with a `*` behind, means `layer`.
pub fn means(pattern: &str, layer: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == layer, |beginning| layer.starts_with(beginning))
}
