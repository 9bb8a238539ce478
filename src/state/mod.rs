//! What is known of a run: a pure fold over its events. Attaching late, replaying a finished run and following a live one are the same code.
//! No clock, no I/O, no style, no width of a screen; every collection is bounded, so a week's run costs what an hour's does.

mod alarms;
mod apply;
mod blocks;
mod curve;
mod gallery;
mod layer;
mod light;
mod machine;
mod metric;
mod progress;
mod smooth;
mod stretch;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

pub use self::{
    blocks::Block,
    curve::{Bucket, Curve},
    gallery::{Seen, Verdict, shown_layer, sweep},
    layer::Layer,
    machine::{Mean, Readings},
    metric::Metric,
    progress::Remaining,
    smooth::{FACTORS, Smoothing},
    stretch::Stretch,
};
use crate::{
    command::Command,
    event::{
        Alarm, Answered, Checkpoint, DataOpened, DeviceReady, EpochEnded, Explained, Load, Measured, Mistakes, Painted,
        PhaseInfo, Phases, Pin, RunEnded, RunStarted, SkippedFile, SplitName, Stage, Stamped, State, Steps, Tested,
    },
};

/// Everything that a dashboard shows of a run. It can be kept and taken up again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunState {
    /// Only what a slow line can tell soon: coarse curves, short lists.
    #[serde(default, skip_serializing_if = "is_false")]
    pub light: bool,
    pub clock: Clock,
    /// The newest start or resumption.
    pub run: Option<RunStarted>,
    /// What the engine is busy with before its first step.
    pub stage: Option<(Stage, String)>,
    pub data: Option<DataOpened>,
    pub device: Option<DeviceReady>,
    pub state: Option<State>,
    /// As they are planned now; `None` in journals of before there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phases: Option<Phases>,
    pub step: u64,
    /// From 1; 0 before the first.
    pub epoch: u32,
    pub step_in_epoch: u32,
    /// The pass that is running now: split, images done, images in all.
    pub evaluating: Option<(SplitName, u64, u64)>,
    /// The newest steps.
    pub latest: Option<Steps>,
    /// Images per second, smoothed over the last ten events or so.
    pub speed: Option<f64>,
    pub curves: Curves,
    /// What was given up by going back, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abandoned: Vec<Stretch>,
    /// Whole, one an epoch.
    pub epochs: Vec<EpochEnded>,
    /// The rate that holds now.
    pub learning_rate: Option<f64>,
    /// In order of execution.
    pub layers: Vec<Layer>,
    pub trainable_parameters: Option<u64>,
    pub total_parameters: Option<u64>,
    /// In order of steps.
    pub markers: Vec<Marker>,
    /// The newest answers, oldest first.
    pub answers: VecDeque<Answered>,
    /// The newest steps that went wrong, oldest first. Going back in the run forgets none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Alarm>,
    /// Events that a person would want told, oldest first.
    pub log: VecDeque<Stamped>,
    /// The newest explanations of images, one for each way to look at them, oldest first.
    pub explained: Vec<Explained>,
    /// What is kept of epochs, in their order; of a long run not of all of them.
    pub kept: Vec<Explained>,
    /// The images of which it is kept.
    pub pinned: Vec<Pin>,
    /// The newest picture of what the filters of a layer like, oldest first.
    pub painted: Vec<Painted>,
    pub skipped: BTreeMap<SplitName, Skipped>,
    pub best: Option<Checkpoint>,
    pub last: Option<Checkpoint>,
    /// What somebody wanted measured last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    pub tested: Option<Tested>,
    /// Of the newest validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mistakes: Option<Mistakes>,
    /// Of the newest probe: its step, and with how many images it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probed: Option<(u64, u32)>,
    /// How busy the machine was.
    #[serde(default, skip_serializing_if = "Readings::is_empty")]
    pub machine: Readings<Load>,
    /// Share of the time in which steps waited for their batches.
    #[serde(default, skip_serializing_if = "Readings::is_empty")]
    pub waits: Readings<Mean>,
    pub ended: Option<RunEnded>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Time as the events tell it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Clock {
    /// The newest event's number; older ones are known already and ignored.
    pub seq: Option<u64>,
    /// Events that never came: a slow viewer is spared aggregates.
    pub missed: u64,
    /// Milliseconds since the Unix epoch of the newest event.
    pub now_ms: u64,
    /// Milliseconds that engines have lived for this run, the gaps between two lives left out.
    pub elapsed_ms: u64,
}

/// Measured at every step, over steps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Curves {
    pub loss: Curve,
    pub accuracy: Curve,
    pub learning_rate: Curve,
    pub images_per_second: Curve,
    pub data_wait: Curve,
}

impl Curves {
    pub(crate) fn each_mut(&mut self) -> [&mut Curve; 5] {
        let Self { loss, accuracy, learning_rate, images_per_second, data_wait } = self;
        [loss, accuracy, learning_rate, images_per_second, data_wait]
    }
}

/// Something that happened to the run at a step and may explain a bend in its curves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    pub step: u64,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Applied(Command),
    /// The phase of this name began.
    Phase(String),
    Resumed,
    /// The run left the one of this name here.
    Branched(String),
    /// The run went back to here, from so many steps.
    Undone(u64),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Skipped {
    pub total: u64,
    /// The first of them.
    pub files: Vec<SkippedFile>,
}

impl RunState {
    pub const LOG_LINES: usize = 500;
    pub const ANSWERS: usize = 32;
    pub const MARKERS: usize = 512;
    pub const ALARMS: usize = 16;
    pub const EXPLAINED: usize = 24;
    pub const KEPT: usize = 4096;
    pub const ABANDONED: usize = 8;
    pub const PAINTED: usize = 8;
    pub const SKIPPED_FILES: usize = 200;

    /// The layer that the words of an event or a command name.
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|l| l.info.name == name)
    }

    /// How many layers lie below the frost line: the frozen ones from the input up, with the parameterless ones between them.
    /// 0 when the lowest layer with parameters trains.
    pub fn frost_line(&self) -> usize {
        let mut line = 0;
        for (index, layer) in self.layers.iter().enumerate() {
            match (layer.info.parameters > 0, layer.frozen) {
                (true, true) => line = index + 1,
                (true, false) => break,
                (false, _) => {}
            }
        }
        line
    }

    /// The phase under way, its number from 1, and how many there are; `None` where there is only one.
    pub fn phase(&self) -> Option<(&PhaseInfo, u32, usize)> {
        let phases = self.phases.as_ref().filter(|phases| phases.phases.len() > 1)?;
        Some((phases.coming().next()?, phases.current, phases.phases.len()))
    }

    /// Whether an engine still works on the run, as far as events tell.
    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// The class's name, or its number if the data set never said it.
    pub fn class(&self, index: u32) -> String {
        self.data
            .as_ref()
            .and_then(|d| d.classes.get(index as usize))
            .map_or_else(|| format!("class {index}"), Clone::clone)
    }
}
