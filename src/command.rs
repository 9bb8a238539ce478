//! Everything that a viewer can ask of a run. Keys, `frostline ctl` and scripts send the same [`Request`]s.
//! The trainer applies a command between two steps and answers it with an [`Answered`](crate::event::Answered) event.

mod method;
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
    /// Take the named layers out of the update. Layers without parameters are refused by name.
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
    /// Multiply the schedule by what makes the present rate `rate`; later changes of the schedule apply in proportion, and so
    /// do groups with a rate of their own. The next phase has its own rate again.
    LearningRate {
        rate: f64,
    },
    /// End the phase under way after this step: validate what its epoch has done, then go on to the next phase, or test.
    EndPhase,
    /// Go on to the next phase at once, without validation and from the weights of this moment.
    SkipPhase,
    /// Put a phase directly behind the one under way. `phase` is as in `[[phase]]`, on a line: `train=all epochs=2`.
    InsertPhase {
        phase: String,
    },
    /// Keep what the network sees in this image of the validation split at the end of each epoch from now on.
    Pin {
        sample: u32,
    },
    /// Keep it no longer; what is kept already stays.
    Unpin {
        sample: u32,
    },
    /// Write the checkpoint `last` now.
    Checkpoint,
    /// Save, then end the run as stopped.
    Stop,
}

/// Far above anything that trains; what is beyond it is a slip of the fingers.
const HIGHEST_RATE: f64 = 1000.0;

impl Command {
    /// What is wrong with it in any run.
    pub fn senseless(&self) -> Option<String> {
        match self {
            Self::LearningRate { rate } if !(*rate > 0.0 && *rate <= HIGHEST_RATE) => {
                Some(format!("the learning rate must be greater than 0 and at most {HIGHEST_RATE}, not {rate}"))
            }
            Self::Freeze { layers } | Self::Unfreeze { layers } if layers.is_empty() => {
                Some("no layer was named".into())
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pause => f.write_str("pause"),
            Self::Resume => f.write_str("resume"),
            Self::Freeze { layers } => write!(f, "freeze {}", layers.join(" ")),
            Self::Unfreeze { layers } => write!(f, "unfreeze {}", layers.join(" ")),
            Self::FrostLine { layer: Some(layer) } => write!(f, "frost-line {layer}"),
            Self::FrostLine { layer: None } => f.write_str("frost-line none"),
            Self::LearningRate { rate } => write!(f, "learning-rate {rate}"),
            Self::EndPhase => f.write_str("phase end"),
            Self::SkipPhase => f.write_str("phase skip"),
            Self::InsertPhase { phase } => write!(f, "phase insert {phase}"),
            Self::Pin { sample } => write!(f, "pin {sample}"),
            Self::Unpin { sample } => write!(f, "unpin {sample}"),
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Stop => f.write_str("stop"),
        }
    }
}
