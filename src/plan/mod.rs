//! What a run will do: a configuration together with its network, resolved and checked, every derived number settled.
//! Only a plan reaches the engine. What depends on the data set itself is checked by [`Plan::check_classes`] once it is open.

mod augment;
mod base;
mod data;
mod error;
mod head;
mod layers;
mod schedule;

use std::path::Path;

pub use base::Base;
pub use error::PlanError;
pub use head::{Head, ends_in_probabilities};
pub use schedule::{RateSchedule, Reduction, Watcher};

pub use crate::config::{BaseWeights, CacheKind, EarlyStopping, Engine, Monitor, Optimizer, Precision};
use crate::{
    arch::{Arch, Layer, Preprocessing, Shape},
    config::{Config, ConfigError},
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
    pub head: Head,
    pub data: DataSpec,
    pub epochs: u32,
    pub batch_size: usize,
    pub optimizer: Optimizer,
    /// The height of the schedule.
    pub learning_rate: f64,
    pub schedule: RateSchedule,
    pub early_stopping: Option<EarlyStopping>,
    /// Layers that start frozen; each has parameters.
    pub frozen: Vec<String>,
    pub checkpoint_minutes: f64,
    pub precision: Precision,
    pub device: Device,
    pub threads: usize,
    pub loader_threads: usize,
    pub prefetch: usize,
    pub cache: CacheKind,
    pub cache_bytes: usize,
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
        let (specs, base) = base::assemble(&mut config.model)?;
        let arch = Arch::new(&*name, Shape::Map { height, width, channels }, &specs)?;
        let head = Head::of(&arch).ok_or_else(|| PlanError::head(&arch))?;
        let data = data::resolve(&config.data, config.model.input, config.seed)?;
        let train = &mut config.train;
        let rate = *train.learning_rate.get_or_insert(train.optimizer.default_rate());
        check_numbers(train.epochs, train.batch_size, rate, &train.optimizer, train.checkpoint_minutes)?;
        let schedule = RateSchedule::new(train.schedule, rate, train.epochs)?;
        for layer in &train.freeze {
            check_freezable(&arch, layer)?;
        }
        check_left_to_train(&arch, &train.freeze)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = match config.engine.threads as usize {
            0 => cores,
            threads => threads,
        };
        Ok(Self {
            seed: config.seed,
            base,
            head,
            data,
            epochs: train.epochs,
            batch_size: train.batch_size as usize,
            optimizer: train.optimizer,
            learning_rate: rate,
            schedule,
            early_stopping: train.early_stopping,
            frozen: train.freeze.clone(),
            checkpoint_minutes: train.checkpoint_minutes,
            precision: train.precision,
            device: device(&config.engine.device)?,
            threads,
            loader_threads: match config.engine.loader_threads as usize {
                0 => threads.min(4),
                loaders => loaders,
            },
            prefetch: config.engine.prefetch.max(1) as usize,
            cache: config.data.cache,
            cache_bytes: (config.engine.cache_mib as usize) << 20,
            arch,
            name,
            config,
        })
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
    let freezable =
        || arch.layers().iter().filter(|layer| !layer.parameters.is_empty()).map(|layer| layer.name.clone());
    match arch.position(layer) {
        None => Err(PlanError::UnknownLayer { layer: layer.to_owned(), known: freezable().collect() }),
        Some(index) if arch.layers()[index].parameters.is_empty() => {
            Err(PlanError::NothingToFreeze { layer: layer.to_owned(), known: freezable().collect() })
        }
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

fn check_numbers(epochs: u32, batch: u32, rate: f64, optimizer: &Optimizer, minutes: f64) -> Result<(), PlanError> {
    let range =
        |key, value: f64, fits: bool, range| if fits { Ok(()) } else { Err(PlanError::Range { key, value, range }) };
    range("train.epochs", f64::from(epochs), epochs >= 1, "1 or more")?;
    range("train.batch_size", f64::from(batch), batch >= 1, "1 or more")?;
    range("train.learning_rate", rate, rate > 0.0 && rate.is_finite(), "greater than 0")?;
    range("train.checkpoint_minutes", minutes, minutes >= 0.0, "0 (never between epochs) or more")?;
    let unit = |key, value: f64| range(key, value, (0.0..1.0).contains(&value), "from 0 up to, but not, 1");
    let epsilon = |value: f64| range("train.optimizer.epsilon", value, value >= 0.0, "0 or more");
    match *optimizer {
        Optimizer::Sgd { momentum, nesterov } => {
            unit("train.optimizer.momentum", momentum)?;
            if nesterov && momentum == 0.0 {
                return Err(PlanError::NesterovWithoutMomentum);
            }
            Ok(())
        }
        Optimizer::Rmsprop { rho, momentum, epsilon: small } => {
            unit("train.optimizer.rho", rho)?;
            unit("train.optimizer.momentum", momentum)?;
            epsilon(small)
        }
        Optimizer::Adam { beta_1, beta_2, epsilon: small }
        | Optimizer::Adamw { beta_1, beta_2, epsilon: small, .. } => {
            unit("train.optimizer.beta_1", beta_1)?;
            unit("train.optimizer.beta_2", beta_2)?;
            epsilon(small)
        }
    }
}

#[cfg(test)]
mod tests;
