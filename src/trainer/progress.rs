//! Where a run stands: everything that a checkpoint must hold besides tensors. All else follows from the plan and the seed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Regrouped, Score, Tuning, UndoPoint};
use crate::{
    arch::{Layer, Shape},
    error::{Error, Result},
    event::{LayerInfo, Metrics, PROTOCOL, PhaseEnd, PhaseInfo, Phases, Resumed, RunStarted},
    plan::{Monitor, Phase, Plan, Watcher},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done since the run began.
    pub step: u64,
    /// The epoch under way, from 1; one past the last when all are done.
    pub epoch: u32,
    /// Steps done in it. Equal to the steps of an epoch while its validation is still to come.
    pub step_in_epoch: u32,
    /// The phase under way, from 0. What is below of rates, watchers, freezing and the best is its own.
    #[serde(default)]
    pub phase: usize,
    /// The epoch with which it began, and the steps done before it.
    #[serde(default = "first")]
    pub phase_epoch: u32,
    #[serde(default)]
    pub phase_step: u64,
    /// How it came to its end before its epochs were done.
    #[serde(default)]
    pub phase_ended: Option<PhaseEnd>,
    /// Phases that the configuration does not have, in the order in which they were put in.
    #[serde(default)]
    pub inserted: Vec<Inserted>,
    pub sums: Sums,
    pub train_seconds: f64,
    /// The part of it that steps spent waiting for their batches.
    pub wait_seconds: f64,
    pub frozen: Vec<String>,
    /// What people have changed of the phase besides.
    #[serde(default)]
    pub tuning: Tuning,
    /// Interventions that have led here, and what can be undone of them, the oldest first.
    #[serde(default)]
    pub interventions: u64,
    #[serde(default)]
    pub undo: Vec<UndoPoint>,
    /// Where the size of the epoch's batches has changed.
    #[serde(default)]
    pub regrouped: Option<Regrouped>,
    /// What plateaus have multiplied the schedule's rate by.
    pub rate_factor: f64,
    /// Images that people have chosen to be kept at the ends of epochs; `None`: those of the plan.
    #[serde(default)]
    pub pinned: Option<Vec<u32>>,
    /// Most images of a batch at once; `None`: all.
    #[serde(default)]
    pub micro_batch: Option<u32>,
    /// Times that this epoch was taken back.
    #[serde(default)]
    pub rollbacks: u32,
    pub plateau: Option<Watcher>,
    pub stopping: Option<Watcher>,
    /// The best figure of the monitor so far in this phase.
    pub best: Option<f64>,
    /// A resumed run is bit-identical only where all of this is the same.
    pub origin: Origin,
}

fn first() -> u32 {
    1
}

/// A phase that somebody has put in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inserted {
    /// Its place among the phases at that time, from 0.
    pub at: usize,
    /// As it was typed.
    pub phase: String,
}

/// What the numbers of a run depend on besides its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `cpu`, `cuda:0`.
    pub device: String,
    pub threads: usize,
    pub libtorch: String,
    /// Of the training images' names and labels, in order.
    pub data: String,
    /// The resolved configuration; empty in checkpoints of before it was kept.
    #[serde(default)]
    pub config: String,
}

impl Origin {
    /// What differs, in words; empty when a resumed run goes on bit by bit, and when nothing has been computed that it goes on from.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if *self == Self::default() {
            return differences;
        }
        if self.data != now.data {
            differences.push("the training images are not the same as then".to_owned());
        }
        if self.device != now.device {
            differences.push(format!("it was made on {}, this is {}", self.device, now.device));
        }
        if self.threads != now.threads {
            differences.push(format!("it was made with {} threads, these are {}", self.threads, now.threads));
        }
        if self.libtorch != now.libtorch {
            differences.push(format!("it was made with libtorch {}, this is {}", self.libtorch, now.libtorch));
        }
        differences
    }

    /// The keys of the configuration that are not as they were then and count for the result: `train.batch_size: 32, now 64`.
    pub fn changed_keys(&self, now: &Self) -> Vec<String> {
        /// What decides how a run is carried out and watched, not what comes of it.
        const APART: &[&str] = &[
            "name",
            "explain",
            "engine",
            "notify",
            "data.cache",
            "data.path",
            "train.undo",
            "train.max_time",
            "train.grace",
            "train.checkpoint_minutes",
            "train.keep_checkpoints",
        ];
        if self.config.is_empty() || now.config.is_empty() || *self == Self::default() {
            return Vec::new();
        }
        let keys = |text: &str| {
            let mut keys = BTreeMap::new();
            flatten(
                "",
                &text.parse::<toml::Table>().map_or(toml::Value::Boolean(false), toml::Value::Table),
                &mut keys,
            );
            keys
        };
        let (then, now) = (keys(&self.config), keys(&now.config));
        let apart = |key: &str| APART.iter().any(|apart| key == *apart || key.starts_with(&format!("{apart}.")));
        let all: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        let value =
            |keys: &BTreeMap<String, String>, key: &String| keys.get(key).cloned().unwrap_or_else(|| "left out".into());
        all.into_iter()
            .filter(|key| !apart(key) && then.get(*key) != now.get(*key))
            .map(|key| format!("{key}: {}, now {}", value(&then, key), value(&now, key)))
            .collect()
    }
}

/// `a.b.c` for every value that is no table; lists count whole.
fn flatten(key: &str, value: &toml::Value, into: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(&key, value, into);
            }
        }
        value => {
            into.insert(key.to_owned(), value.to_string());
        }
    }
}

/// Sums over the images of the epoch under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    pub images: u64,
    /// Not a number once a step's loss was none.
    #[serde(with = "crate::event::real")]
    pub loss: f64,
    pub correct: u64,
}

impl Progress {
    pub fn new(plan: &Plan, origin: Origin) -> Self {
        let mut progress = Self {
            step: 0,
            epoch: 1,
            step_in_epoch: 0,
            phase: 0,
            phase_epoch: 1,
            phase_step: 0,
            phase_ended: None,
            inserted: Vec::new(),
            sums: Sums::default(),
            train_seconds: 0.0,
            wait_seconds: 0.0,
            frozen: Vec::new(),
            tuning: Tuning::default(),
            interventions: 0,
            undo: Vec::new(),
            regrouped: None,
            rate_factor: 1.0,
            pinned: None,
            micro_batch: None,
            rollbacks: 0,
            plateau: None,
            stopping: None,
            best: None,
            origin,
        };
        progress.begin_phase(0, &plan.phases[0]);
        progress
    }

    /// From here on `phase` is under way, from its beginning.
    pub(super) fn begin_phase(&mut self, index: usize, phase: &Phase) {
        self.phase = index;
        (self.phase_epoch, self.phase_step) = (self.epoch, self.step);
        self.phase_ended = None;
        self.frozen.clone_from(&phase.frozen);
        self.tuning = Tuning::default();
        self.rate_factor = 1.0;
        self.plateau = phase.schedule.plateau().map(|(watcher, _)| watcher);
        self.stopping = phase.early_stopping.map(|stop| Watcher::new(stop.monitor, stop.patience, stop.min_delta));
        self.best = None;
    }

    /// All phases of the run: the plan's, and those that were put in.
    pub fn phases(&self, plan: &Plan) -> Result<Vec<Phase>> {
        let mut phases = plan.phases.clone();
        for Inserted { at, phase } in &self.inserted {
            phases.insert((*at).min(phases.len()), plan.phase(phase)?);
        }
        if self.phase >= phases.len() {
            return Err(Error::user(
                format!("the run stands in phase {}, but its configuration has only {}", self.phase + 1, phases.len()),
                "give it back the phases that it began with",
            ));
        }
        Ok(phases)
    }

    /// The phases as viewers are told of them.
    pub fn told(&self, plan: &Plan, phases: &[Phase]) -> Phases {
        let tuned = self.tuning.batch_size;
        let info = |(index, phase): (usize, &Phase)| PhaseInfo {
            name: phase.name.clone(),
            epochs: phase.epochs,
            batch_size: tuned.filter(|_| index == self.phase).unwrap_or(phase.batch_size as u32),
            optimizer: phase.optimizer.name().to_owned(),
            rates: phase.rates(&plan.arch),
            augmented: phase.augment && !plan.data.augment.is_none(),
        };
        Phases {
            current: self.phase as u32 + 1,
            first_step: self.phase_step,
            first_epoch: self.phase_epoch,
            phases: phases.iter().enumerate().map(info).collect(),
        }
    }

    /// The first thing that a journal says.
    pub fn started(&self, plan: &Plan, run: String, is_resumed: bool) -> Result<RunStarted> {
        let phases = self.phases(plan)?;
        let phase = &phases[self.phase];
        let info = |layer: &Layer| LayerInfo {
            name: layer.name.clone(),
            kind: layer.op.kind().to_owned(),
            output: layer.output.to_string(),
            parameters: layer.parameter_count(),
            feature_map: matches!(layer.output, Shape::Map { .. }),
        };
        Ok(RunStarted {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run,
            model: plan.name.clone(),
            phase: phase.name.clone(),
            epochs: self.told(plan, &phases).last_epoch(),
            batch_size: phase.batch_size as u32,
            layers: plan.arch.layers().iter().map(info).collect(),
            loss: plan.head.loss().to_owned(),
            optimizer: phase.optimizer.name().to_owned(),
            resumed: is_resumed.then_some(Resumed {
                step: self.step,
                epoch: self.epoch,
                interventions: self.interventions,
            }),
        })
    }

    /// The epochs of the phase under way that are done.
    pub(super) fn epochs_in_phase(&self) -> u32 {
        self.epoch - self.phase_epoch
    }

    pub(super) fn next_epoch(&mut self) {
        self.epoch += 1;
        self.rollbacks = 0;
        self.step_in_epoch = 0;
        self.regrouped = None;
        self.sums = Sums::default();
        self.train_seconds = 0.0;
        self.wait_seconds = 0.0;
    }
}

impl Sums {
    pub fn add(&mut self, score: Score) {
        self.images += score.images;
        self.loss += score.loss_sum;
        self.correct += score.correct;
    }

    /// Means over images; not a number before the first image.
    pub fn metrics(&self) -> Metrics {
        let images = self.images as f64;
        Metrics { loss: self.loss / images, accuracy: self.correct as f64 / images }
    }
}

/// The figure that a monitor watches, taken from validation where there is one.
pub(super) fn figure(monitor: Monitor, train: Metrics, validation: Option<Metrics>) -> f64 {
    let metrics = validation.unwrap_or(train);
    match monitor {
        Monitor::ValLoss => metrics.loss,
        Monitor::ValAccuracy => metrics.accuracy,
    }
}
