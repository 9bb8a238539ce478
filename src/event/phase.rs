//! What a run says of its phases: how they are planned, when one begins, how it ends.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phases {
    /// The phase under way, from 1.
    pub current: u32,
    /// The step after which it began, and its first epoch.
    pub first_step: u64,
    pub first_epoch: u32,
    pub phases: Vec<PhaseInfo>,
}

impl Phases {
    /// The number of the last epoch of all, if no phase ends before its time.
    pub fn last_epoch(&self) -> u32 {
        let coming = self.coming().map(|phase| phase.epochs).fold(0, u32::saturating_add);
        self.first_epoch.saturating_sub(1).saturating_add(coming)
    }

    /// The phase under way and those after it.
    pub fn coming(&self) -> impl Iterator<Item = &PhaseInfo> {
        self.phases.iter().skip(self.current.saturating_sub(1) as usize)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseInfo {
    pub name: String,
    pub epochs: u32,
    pub batch_size: u32,
    pub optimizer: String,
    /// The lowest and the highest learning rate of the layers that train, at the height of the schedule.
    pub rates: [f64; 2],
    /// Whether training images are varied.
    pub augmented: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseStarted {
    /// From 1, of `count`.
    pub phase: u32,
    pub count: u32,
    pub name: String,
    /// Steps done before it.
    pub step: u64,
    /// Its first epoch.
    pub epoch: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseEnded {
    /// From 1, of `count`.
    pub phase: u32,
    pub count: u32,
    pub name: String,
    pub step: u64,
    /// The last epoch with a step in it.
    pub epoch: u32,
    pub how: PhaseEnd,
    /// Whether the next phase begins with this one's best weights.
    pub restored: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseEnd {
    /// All its epochs are done.
    Completed,
    /// Early stopping ended it.
    Early,
    /// Somebody ended it; what it had done of its epoch was validated.
    Ended,
    /// Somebody went on to the next phase at once.
    Skipped,
}

impl PhaseEnd {
    /// After the phase's name.
    pub fn words(self) -> &'static str {
        match self {
            Self::Completed => "done",
            Self::Early => "stopped early",
            Self::Ended => "ended by hand",
            Self::Skipped => "left for the next",
        }
    }
}
