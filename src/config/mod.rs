//! What a user may write: one TOML file, unknown keys refused, every key but the model's layers and the data's place with a default.
//! Only the wording is checked here; whether it makes sense together is the plan's business.

mod augment;
mod base_model;
mod data;
mod error;
mod explain;
mod model;
mod notify;
mod optimizer;
mod phase;
mod schedule;
mod survival;
mod ui;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use augment::{Augment, ColorJitter, Colour, Erasing, FillMode, JitterRange, ResizedCrop, ShiftRange, ZoomRange};
pub use base_model::{Base, BaseWeights, Pooling};
pub use data::{CacheKind, Data, DataSource, Interpolation, Places};
pub use error::{ConfigError, nearest};
pub use explain::Explain;
pub use model::{Layer, LayerKind, Model, Pair, Scale, Sides};
pub use notify::{Notify, Occasion};
pub use optimizer::Optimizer;
pub use phase::{Layers, Phase, RateGroup, Word};
pub use schedule::{EarlyStopping, Monitor, Schedule};
pub use survival::{LossSpike, OnNonFinite, OnSpike};
pub use ui::{GlyphName, Pictures, SmoothingForm, ThemeName, Ui, UiFile};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Names the run directory; the file's own name if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Every random choice of the run follows from it.
    #[serde(default = "default_seed")]
    pub seed: u64,
    pub data: Data,
    pub model: Model,
    #[serde(default)]
    pub train: Train,
    /// One after another; none: one phase, as `[train]` says.
    #[serde(default, rename = "phase", skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    #[serde(default)]
    pub explain: Explain,
    #[serde(default)]
    pub notify: Notify,
    #[serde(default)]
    pub engine: Engine,
}

fn default_seed() -> u64 {
    1337
}

/// What holds for the whole run, and for every phase that does not say otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Train {
    pub epochs: u32,
    pub batch_size: u32,
    /// Left out: Keras's default of the optimiser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Layers that start frozen, in every phase.
    pub freeze: Vec<String>,
    /// Write `last.safetensors` each so many minutes, besides the end of every epoch.
    pub checkpoint_minutes: f64,
    /// So many of the last checkpoints stay besides the best.
    pub keep_checkpoints: u32,
    /// Interventions that can be undone, the newest ones; before each a checkpoint is written.
    pub undo: u32,
    /// Of one engine's life, `23h 50m`: then the run is saved and ends unfinished, for the same command to go on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_time: Option<String>,
    /// How long saving may take after a signal that ends the run.
    pub grace: String,
    pub on_nonfinite: OnNonFinite,
    pub loss_spike: LossSpike,
    /// Write TensorBoard's event files too, into the run directory.
    pub tensorboard: bool,
    pub precision: Precision,
    pub optimizer: Optimizer,
    pub schedule: Schedule,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
}

impl Default for Train {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 32,
            learning_rate: None,
            freeze: Vec::new(),
            checkpoint_minutes: 5.0,
            keep_checkpoints: 2,
            undo: 10,
            max_time: None,
            grace: "25s".into(),
            on_nonfinite: OnNonFinite::default(),
            loss_spike: LossSpike::default(),
            tensorboard: false,
            precision: Precision::default(),
            optimizer: Optimizer::default(),
            schedule: Schedule::default(),
            early_stopping: None,
        }
    }
}

/// What convolutions and dense layers compute in, by Keras's names. Weights, losses and updates are always 32-bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    #[default]
    Float32,
    /// Eight bits of mantissa, the range of 32-bit numbers: faster where the device has units for it.
    MixedBfloat16,
    /// `mixed_bfloat16` where a measurement at the start finds it faster on this device, `float32` elsewhere.
    Auto,
}

/// Where and with how many threads the arithmetic is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Engine {
    /// `auto`, `cpu`, `cuda` or `cuda:1`.
    pub device: String,
    /// 0: as many as the processor has cores.
    pub threads: u32,
    /// Threads that read, decode and augment; 0: chosen from the number of cores.
    pub loader_threads: u32,
    /// Batches that may wait for the step.
    pub prefetch: u32,
    /// Decoded images of each split are kept in memory up to this size.
    pub cache_mib: u32,
    /// What the frozen layers make of an image is computed once and kept on the disk, all files together up to this size; 0: never.
    pub features_mib: u32,
}

impl Default for Engine {
    fn default() -> Self {
        Self { device: "auto".into(), threads: 0, loader_threads: 0, prefetch: 4, cache_mib: 1024, features_mib: 8192 }
    }
}

impl Config {
    /// With the defaults of everything else.
    pub fn new(name: String, data: Data, model: Model) -> Self {
        Self {
            name: Some(name),
            seed: default_seed(),
            data,
            model,
            train: Train::default(),
            phases: Vec::new(),
            explain: Explain::default(),
            notify: Notify::default(),
            engine: Engine::default(),
        }
    }

    /// Reads `path`, applies `overrides` (`train.epochs=3`), and settles relative places against the file's folder.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let mut config = Self::parse(&text, path, overrides)?;
        // From here on it must not matter where the program runs.
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        config.data.settle_places(folder);
        config.model.settle_places(folder);
        Ok(config)
    }

    /// `origin` names the text in errors and, through its stem, a run that has no name of its own.
    pub fn parse(text: &str, origin: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|source| ConfigError::toml(origin, text, &source))?;
        if !overrides.is_empty() {
            config = overridden(text, origin, overrides)?;
        }
        if config.name.is_none() {
            config.name = origin.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        }
        Ok(config)
    }

    /// With every default written out.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("every configuration that was read can be written")
    }
}

/// Deserialises once more with single keys replaced. `text` is known to parse.
fn overridden(text: &str, origin: &Path, overrides: &[String]) -> Result<Config, ConfigError> {
    let mut table: toml::Table = toml::from_str(text).map_err(|source| ConfigError::toml(origin, text, &source))?;
    for assignment in overrides {
        let fail = |message: String| ConfigError::Override { assignment: assignment.clone(), message };
        let (key, value) = assignment.split_once('=').ok_or_else(|| fail("there is no \"=\" in it".into()))?;
        let value = value_of(value);
        let mut keys: Vec<&str> = key.split('.').map(str::trim).collect();
        let last = keys.pop().unwrap_or_default();
        let mut place = &mut table;
        let mut keys = keys.into_iter();
        while let Some(name) = keys.next() {
            let next = place.entry(name).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            let next = match next {
                toml::Value::Array(list) => called(list, keys.next().unwrap_or_default()),
                next => Some(next),
            };
            let Some(toml::Value::Table(table)) = next else {
                return Err(fail(format!("\"{name}\" is not a table, nor a list with an entry of that name")));
            };
            place = table;
        }
        place.insert(last.to_owned(), value);
        // Tried one by one, so that an error names the assignment at fault.
        Config::deserialize(table.clone()).map_err(|source| fail(source.message().to_owned()))?;
    }
    Config::deserialize(table).map_err(|source| ConfigError::toml(origin, text, &source))
}

/// The entry of a list that has this `name`: `--set phase.head.epochs=3`.
fn called<'a>(list: &'a mut [toml::Value], name: &str) -> Option<&'a mut toml::Value> {
    list.iter_mut().find(|entry| entry.get("name").and_then(toml::Value::as_str) == Some(name))
}

/// A value as TOML has it. A bare word is a string: `--set engine.device=cpu`.
fn value_of(text: &str) -> toml::Value {
    let parsed = format!("v = {}", text.trim()).parse::<toml::Table>().ok();
    parsed.and_then(|mut table| table.remove("v")).unwrap_or_else(|| toml::Value::String(text.trim().to_owned()))
}

/// `path` if it is absolute, else seen from `folder`.
fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    let joined = folder.join(path);
    // `a/config/../data` reads better, and names a run's data for good, as `a/data`.
    let mut clean = PathBuf::new();
    for part in joined.components() {
        match part {
            std::path::Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            std::path::Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}

#[cfg(test)]
mod tests;
