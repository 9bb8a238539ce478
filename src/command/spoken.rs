//! How a command prints: as the line that gives it.

use std::fmt::{Display, Formatter, Result};

use super::{Command, HeldOut};

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Pause => f.write_str("pause"),
            Self::Resume => f.write_str("resume"),
            Self::Step { steps } => write!(f, "step {steps}"),
            Self::Epoch => f.write_str("epoch"),
            Self::Freeze { layers } => write!(f, "freeze {}", layers.join(" ")),
            Self::Unfreeze { layers } => write!(f, "unfreeze {}", layers.join(" ")),
            Self::FrostLine { layer } => write!(f, "frost-line {}", layer.as_deref().unwrap_or("none")),
            Self::LearningRate { rate, layers } => write!(f, "learning-rate {rate}{}", Of(layers)),
            Self::ScaleRate { factor, layers } => write!(f, "scale-rate {factor}{}", Of(layers)),
            Self::Schedule { layers } => write!(f, "schedule{}", Of(layers)),
            Self::Augmentation { factor } => write!(f, "augmentation {factor}"),
            Self::BatchSize { images } => write!(f, "batch-size {images}"),
            Self::MicroBatch { images } => write!(f, "micro-batch {images}"),
            Self::Dropout { rate, layers } => write!(f, "dropout {rate}{}", Of(layers)),
            Self::WeightDecay { decay } => write!(f, "weight-decay {decay}"),
            Self::EndPhase => f.write_str("phase end"),
            Self::SkipPhase => f.write_str("phase skip"),
            Self::InsertPhase { phase } => write!(f, "phase insert {phase}"),
            Self::Evaluate { split } => write!(f, "evaluate {}", split.word()),
            Self::Pin { sample } => write!(f, "pin {sample}"),
            Self::Unpin { sample } => write!(f, "unpin {sample}"),
            Self::Note { text } => write!(f, "note {text}"),
            Self::Undo => f.write_str("undo"),
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Stop => f.write_str("stop"),
            Self::Abort => f.write_str("abort"),
        }
    }
}

struct Of<'a>(&'a [String]);

impl Display for Of<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " --layers {}", self.0.join(" ")) }
    }
}

impl HeldOut {
    pub const ALL: [Self; 2] = [Self::Validation, Self::Test];

    pub fn word(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}
