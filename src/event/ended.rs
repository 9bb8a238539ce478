//! How a run ended.

use serde::{Deserialize, Serialize};

use crate::error::Class;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEnded {
    #[serde(flatten)]
    pub how: Ended,
    pub step: u64,
    pub epoch: u32,
    /// Wall time of this engine's life.
    pub seconds: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum Ended {
    /// All phases done; `early` if the last one was ended by early stopping.
    Completed {
        early: bool,
    },
    Stopped {
        by: String,
    },
    /// At once: what was done since the last checkpoint is lost.
    Aborted {
        by: String,
    },
    Failed {
        class: Class,
        message: String,
        hint: Option<String>,
    },
}

/// Who ends a run whose time is up.
pub const OUT_OF_TIME: &str = "max_time";

impl Ended {
    /// Whether it was the machine's or the clock's wish, not a person's: the same command is to go on.
    pub fn is_unfinished(&self) -> bool {
        matches!(self, Self::Stopped { by } if by == OUT_OF_TIME || by.starts_with("SIG"))
    }
}
