//! Whom to tell what of a run: a command of the user's.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// For `sh -c`; empty: none.
    pub command: String,
    pub on: Vec<Occasion>,
    /// After so long it is ended.
    pub seconds: u32,
}

impl Default for Notify {
    fn default() -> Self {
        Self { command: String::new(), on: vec![Occasion::Finished, Occasion::Failed], seconds: 60 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// All phases are done.
    Finished,
    /// Ended by a person or a signal.
    Stopped,
    Failed,
    /// An epoch was better than all before it.
    Best,
}

impl Occasion {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Best => "best",
        }
    }
}
