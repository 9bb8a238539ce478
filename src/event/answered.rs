//! What became of a command: the answer, the place in the run at which it was given, and what an undo took back; and where a run left the
//! one that it was branched from.

use serde::{Deserialize, Serialize};

use crate::command::Command;

/// The answer to a [`Request`](crate::command::Request).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    pub id: u64,
    pub by: String,
    pub request: Command,
    /// The command takes effect before the step after this one.
    pub step: u64,
    pub outcome: Outcome,
    /// Where the loop stood; `None` in journals of before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<Moment>,
}

/// A place between two steps: with the number of steps it says when a command is to be given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The epoch under way, from 1, and the phase, from 1.
    pub epoch: u32,
    pub phase: u32,
    /// In a pass over a split, not between steps.
    pub evaluating: bool,
    /// Interventions that count before this one: those that were undone do not.
    pub interventions: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Undone {
    /// Steps that were done, of which those after `to` are given up.
    pub from: u64,
    pub to: u64,
    /// The epoch under way from here on, and the steps done in it.
    pub epoch: u32,
    pub step_in_epoch: u32,
    /// Interventions that count from here on.
    pub interventions: u64,
    /// The first of those that are undone, as it was typed.
    pub what: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branched {
    /// The name of the run that it came from.
    pub from: String,
    /// Steps done there.
    pub step: u64,
    /// The epoch under way, and the steps done in it.
    pub epoch: u32,
    pub step_in_epoch: u32,
    /// Interventions that the checkpoint knows of.
    pub interventions: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Applied,
    Rejected { reason: String },
}
