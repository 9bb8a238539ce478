//! What one metric of some runs looks like, still as values: readings of the steps, their smoothed course, validation once an epoch, and
//! what happened at which step.

use super::{Across, Metric, Smoothing, Told};
use crate::{
    command::Command,
    event::EpochEnded,
    state::{Bucket, RunState, What},
};

pub struct Panel {
    pub title: &'static str,
    pub log: bool,
    /// One a run.
    pub traces: Vec<Trace>,
}

#[derive(Default)]
pub struct Trace {
    /// `[x, y]`; y may be no number.
    pub raw: Vec<[f64; 2]>,
    pub smooth: Vec<[f64; 2]>,
    pub validation: Vec<[f64; 2]>,
    /// The epoch of the best checkpoint.
    pub best: Option<[f64; 2]>,
}

/// Something that happened.
pub struct Flag {
    pub x: f64,
    pub label: String,
}

impl Panel {
    pub fn new(metric: Metric, told: &[Told], smoothing: Smoothing, across: Across, log: bool) -> Self {
        let traces = told.iter().map(|told| Trace::of(metric, &told.state, smoothing, across)).collect();
        Self { title: metric.title(), log: log && metric.may_be_logarithmic(), traces }
    }

    pub fn values(&self) -> impl Iterator<Item = f64> {
        let all = self.traces.iter().flat_map(|trace| trace.smooth.iter().chain(&trace.validation));
        // Raw readings count without their outliers: a first step at ten times the loss would flatten all that follows.
        let ordinary = self.traces.iter().flat_map(|trace| ordinary(&trace.raw));
        all.map(|point| point[1]).chain(ordinary)
    }
}

/// The values between the second and the ninety-eighth per cent.
fn ordinary(points: &[[f64; 2]]) -> Vec<f64> {
    let mut values: Vec<f64> = points.iter().map(|point| point[1]).filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let cut = values.len() / 50;
    values[cut..values.len() - cut].to_vec()
}

impl Metric {
    fn title(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::LearningRate => "learning rate",
            Self::ImagesPerSecond => "images per second",
            Self::DataWait => "share of the time spent waiting for data",
        }
    }

    fn may_be_logarithmic(self) -> bool {
        matches!(self, Self::Loss | Self::LearningRate)
    }
}

impl Trace {
    fn of(metric: Metric, state: &RunState, smoothing: Smoothing, across: Across) -> Self {
        let x = |step: u64| across.of(state, step);
        let buckets = metric.facts().curve(state).map_or(&[][..], |curve| curve.buckets());
        let points = |values: Vec<f64>| -> Vec<[f64; 2]> {
            buckets.iter().map(|bucket| x(bucket.step)).zip(values).map(|(x, y)| [x, y]).collect()
        };
        let readings = || buckets.iter().map(|bucket: &Bucket| bucket.mean);
        // A rate is set, not measured: smoothed, it would be one that never held.
        let smoothed = !smoothing.is_off() && metric.facts().is_noisy();
        let (raw, smooth) = if smoothed {
            (points(readings().collect()), points(smoothing.apply(readings())))
        } else {
            (Vec::new(), points(readings().collect()))
        };
        let measured = |epoch: &EpochEnded| metric.facts().at_epoch(epoch).map(|value| [x(epoch.step), value]);
        let best = state.best.as_ref().map(|best| best.epoch);
        Self {
            raw,
            smooth,
            validation: state.epochs.iter().filter_map(measured).collect(),
            best: state.epochs.iter().find(|epoch| Some(epoch.epoch) == best).and_then(measured),
        }
    }
}

impl Across {
    /// Where a step lies; between the ends of two epochs, in proportion.
    pub fn of(self, state: &RunState, step: u64) -> f64 {
        if self == Self::Steps {
            return step as f64;
        }
        let mut before = (0_u64, 0_u32);
        for epoch in &state.epochs {
            if step <= epoch.step {
                let part = (step - before.0.min(step)) as f64 / (epoch.step - before.0).max(1) as f64;
                return f64::from(before.1) + part * f64::from(epoch.epoch - before.1);
            }
            before = (epoch.step, epoch.epoch);
        }
        let rest = (step - before.0) as f64 / f64::from(state.steps_per_epoch().max(1));
        f64::from(before.1) + rest
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Steps => "step",
            Self::Epochs => "epoch",
        }
    }
}

/// What people did to a run, its phases, and where an engine went on with it.
pub fn flags(state: &RunState, across: Across) -> Vec<Flag> {
    let flag = |marker: &crate::state::Marker| {
        let label = match &marker.what {
            What::Applied(command) => command.to_string(),
            What::Phase(name) => format!("phase {name}"),
            What::Resumed => "resumed".to_owned(),
            What::Branched(from) => format!("branched from {from}"),
            What::Undone(from) => format!("back from step {from}"),
        };
        Flag { x: across.of(state, marker.step), label }
    };
    // Where a phase begins, its name says more than the word that ended the one before.
    let begins = |step: u64| state.markers.iter().any(|m| m.step == step && matches!(m.what, What::Phase(_)));
    let said_better = |marker: &&crate::state::Marker| {
        matches!(marker.what, What::Applied(Command::EndPhase | Command::SkipPhase)) && begins(marker.step)
    };
    state.markers.iter().filter(|marker| !said_better(marker)).map(flag).collect()
}
