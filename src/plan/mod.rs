//! What a run will do: a configuration together with its network, resolved and checked, every derived number settled.
//! Only a plan reaches the engine. What depends on the data set itself is checked by [`Plan::check_classes`] once it is open.

mod augment;
mod base_model;
mod data;
mod error;
mod head;
mod layers;
mod phase;
mod schedule;
mod survival;

use std::path::{Path, PathBuf};

pub use base_model::Base;
pub use error::PlanError;
pub use head::{Head, ends_in_probabilities};
pub use phase::Phase;
pub use schedule::{RateSchedule, Reduction, Watcher};
pub use survival::Survival;

pub use crate::config::{
    BaseWeights, CacheKind, EarlyStopping, Engine, Explain, LossSpike, Monitor, Notify, Occasion, OnNonFinite, OnSpike,
    Optimizer, Precision, Schedule,
};
use crate::{
    arch::{Arch, Layer, Preprocessing, Shape},
    config::{self, Config, ConfigError},
    data::DataSpec,
    error::Error,
};

/// A run, ready to be carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub name: String,
    pub seed: u64,
    pub arch: Arch,
    /// The part of the network that comes from the zoo.
    pub base: Option<Base>,
    /// The file of the weights with which all of the network begins.
    pub weights: Option<PathBuf>,
    pub head: Head,
    pub data: DataSpec,
    /// One after another; there is at least one.
    pub phases: Vec<Phase>,
    pub checkpoint_minutes: f64,
    /// How many interventions can be undone.
    pub undo: usize,
    pub survival: Survival,
    pub precision: Precision,
    /// What is kept at the end of each epoch of what the network sees.
    pub explain: Explain,
    /// TensorBoard's event files are written.
    pub tensorboard: bool,
    pub notify: Notify,
    pub device: Device,
    pub threads: usize,
    pub loader_threads: usize,
    pub prefetch: usize,
    pub cache: CacheKind,
    pub cache_bytes: usize,
    /// What may be kept on the disk of the frozen layers' outputs, in all; 0: nothing.
    pub feature_bytes: u64,
    config: Config,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// CUDA where there is a card, else the processor.
    Auto,
    Cpu,
    Cuda(usize),
}

impl Plan {
    /// Reads a configuration file and resolves it. `overrides` are `key=value` pairs.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, Error> {
        Ok(Self::resolve(Config::load(path, overrides)?)?)
    }

    /// Resolves a configuration that has no file, such as the embedded demo. `name` stands in for the file's.
    pub fn parse(text: &str, name: &str, overrides: &[String]) -> Result<Self, Error> {
        let config: Result<Config, ConfigError> = Config::parse(text, Path::new(name), overrides);
        Ok(Self::resolve(config?)?)
    }

    pub fn resolve(mut config: Config) -> Result<Self, PlanError> {
        let name = config.name.clone().unwrap_or_else(|| "run".to_owned());
        let [height, width, channels] = config.model.input;
        let (specs, base) = base_model::assemble(&mut config.model)?;
        let arch = Arch::new(&*name, Shape::Map { height, width, channels }, &specs)?;
        let head = Head::of(&arch).ok_or_else(|| PlanError::head(&arch))?;
        let data = data::resolve(&config.data, config.model.input, config.seed)?;
        let train = &mut config.train;
        train.learning_rate.get_or_insert(train.optimizer.default_rate());
        let minutes = train.checkpoint_minutes;
        if minutes < 0.0 || minutes.is_nan() {
            let range = "0 (never between epochs) or more";
            return Err(PlanError::Range { key: "train.checkpoint_minutes", value: minutes, range });
        }
        let share = config.explain.time_share;
        if !(0.0..=1.0).contains(&share) {
            return Err(PlanError::Range { key: "explain.time_share", value: share, range: "0 (never) to 1" });
        }
        let network = phase::Network { arch: &arch, head: base.as_ref().map(|base| base.layers.end) };
        let phases = phase::all(train, &config.phases, network)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = match config.engine.threads as usize {
            0 => cores,
            threads => threads,
        };
        Ok(Self {
            seed: config.seed,
            base,
            weights: config.model.weights.clone(),
            head,
            data,
            phases,
            checkpoint_minutes: train.checkpoint_minutes,
            undo: train.undo as usize,
            survival: survival::resolve(train)?,
            precision: train.precision,
            explain: config.explain,
            tensorboard: train.tensorboard,
            notify: config.notify.clone(),
            device: device(&config.engine.device)?,
            threads,
            loader_threads: match config.engine.loader_threads as usize {
                0 => threads.min(4),
                loaders => loaders,
            },
            prefetch: config.engine.prefetch.max(1) as usize,
            cache: config.data.cache,
            cache_bytes: (config.engine.cache_mib as usize) << 20,
            feature_bytes: u64::from(config.engine.features_mib) << 20,
            arch,
            name,
            config,
        })
    }

    /// A phase as somebody types it, `train=all epochs=2 learning_rate=1e-5`; what it does not say is as in `[train]`.
    pub fn phase(&self, line: &str) -> Result<Phase, Error> {
        let phase = config::Phase::parse(line)?;
        let resolved = phase::resolve(&self.config.train, &phase, self.network());
        Ok(resolved.map_err(|error| phase::within("the new phase".into(), &error))?)
    }

    fn network(&self) -> phase::Network<'_> {
        phase::Network { arch: &self.arch, head: self.base.as_ref().map(|base| base.layers.end) }
    }

    /// The configuration that gives this plan, with every default written out.
    pub fn to_toml(&self) -> String {
        self.config.to_toml()
    }

    /// What is done to the pixels before the first layer proper.
    pub fn preprocessing(&self) -> &Preprocessing {
        self.config.model.preprocessing.as_ref().unwrap_or(&Preprocessing::Rescale)
    }

    /// What is likely a mistake but can be carried out: a sentence each, with what to change.
    pub fn warnings(&self) -> Vec<String> {
        self.base.iter().filter_map(|base| base.likely_mismatch(self.preprocessing())).collect()
    }

    /// Whether the network's output fits the classes that the data set turned out to have.
    pub fn check_classes(&self, classes: &[String]) -> Result<(), PlanError> {
        match classes {
            [] | [_] => Err(PlanError::TooFewClasses { classes: classes.to_vec() }),
            _ if self.head.classes() == classes.len() => Ok(()),
            _ => Err(PlanError::Classes {
                layer: self.arch.output().name.clone(),
                outputs: self.arch.output().output.elements(),
                classes: classes.len(),
            }),
        }
    }
}

/// A layer can be frozen if it is there and has something to freeze.
pub fn check_freezable(arch: &Arch, layer: &str) -> Result<(), PlanError> {
    match arch.position(layer) {
        None => Err(PlanError::unknown_layer(arch, layer)),
        Some(index) if arch.layers()[index].parameters.is_empty() => Err(PlanError::nothing_to_freeze(arch, layer)),
        Some(_) => Ok(()),
    }
}

/// Something must be left for training to change.
pub fn check_left_to_train(arch: &Arch, frozen: &[String]) -> Result<(), PlanError> {
    let learns = |layer: &Layer| !frozen.contains(&layer.name) && layer.parameters.iter().any(|each| each.learned);
    if arch.layers().iter().any(learns) { Ok(()) } else { Err(PlanError::AllFrozen) }
}

fn device(word: &str) -> Result<Device, PlanError> {
    let numbered = || word.strip_prefix("cuda:").and_then(|number| number.parse().ok()).map(Device::Cuda);
    match word {
        "auto" => Ok(Device::Auto),
        "cpu" => Ok(Device::Cpu),
        "cuda" => Ok(Device::Cuda(0)),
        _ => numbered().ok_or_else(|| PlanError::Device(word.to_owned())),
    }
}

#[cfg(test)]
mod tests;
