//! What `frostline-engine device` says: one [`Machine`], with what libtorch finds and whether it computes. Part of no journal.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub libtorch: String,
    /// The processor's own name.
    pub processor: String,
    /// Threads that this process may run at once.
    pub threads: u32,
    /// What went wrong when a product of matrices was computed, if anything did.
    pub fault: Option<String>,
    /// Why there is no CUDA, which is no fault by itself.
    pub no_cuda: Option<String>,
    pub cards: Vec<Card>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// `cuda:0`, as `engine.device` takes it.
    pub device: String,
    pub name: String,
    pub fault: Option<String>,
}
