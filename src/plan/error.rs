//! Why a configuration that is well written is not a run. Every error names the key or the layer.

use crate::{
    arch::{Arch, ArchError},
    error::{Class, Explain},
};

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Arch(#[from] ArchError),
    #[error("model.input: {architecture} needs images of at least {minimum}x{minimum}, not {height}x{width}")]
    InputTooSmall { architecture: &'static str, minimum: usize, height: usize, width: usize },
    #[error("model.base.pooling: nothing is left to pool behind the top of {architecture}")]
    PoolingBehindTop { architecture: &'static str },
    #[error("model.weights are those of all of the model, and model.base.weights those of a part of it")]
    WeightsTwice,
    #[error("model.layers[{index}] ({kind}): {key} is missing")]
    LayerKeyMissing { index: usize, kind: &'static str, key: &'static str },
    #[error("model.layers[{index}] ({kind}): {key} does not belong to this type")]
    LayerKeyAlien { index: usize, kind: &'static str, key: String },
    #[error("layer \"{layer}\" ({kind}) cannot end a classifier: its output is {shape} after {activation}")]
    Head { layer: String, kind: &'static str, shape: String, activation: String },
    #[error("layer \"{layer}\" has {outputs} outputs, but the data has {classes} classes")]
    Classes { layer: String, outputs: usize, classes: usize },
    #[error("the data has only one class{}; a classifier needs two or more", of(classes))]
    TooFewClasses { classes: Vec<String> },
    #[error("no layer would be left to train")]
    AllFrozen,
    #[error("model.input has {0} channels")]
    Channels(usize),
    #[error("data.{key} does not belong to source = \"{origin}\"")]
    DataKeyAlien { key: &'static str, origin: &'static str },
    #[error("data.path is missing")]
    NoPath,
    // `{value:?}` writes 1e60 so, not with sixty zeros.
    #[error("{key} is {}, but must be {range}", format!("{value:?}").trim_end_matches(".0"))]
    Range { key: &'static str, value: f64, range: &'static str },
    #[error("{key}: \"{text}\" is no length of time")]
    Time { key: &'static str, text: String },
    #[error("data.augment.cache keeps single images, but {key} mixes two of each batch")]
    CachedMixture { key: &'static str },
    #[error("train.optimizer: nesterov needs a momentum greater than 0")]
    NesterovWithoutMomentum,
    #[error("there is no layer \"{layer}\"")]
    UnknownLayer { layer: String, known: Vec<String> },
    #[error("layer \"{layer}\" has no parameters to freeze")]
    NothingToFreeze { layer: String, known: Vec<String> },
    #[error("layer \"{layer}\" has no parameters to train")]
    NothingToTrain { layer: String, known: Vec<String> },
    #[error("\"head\" is what stands behind [model.base], and the model has no base")]
    NoHead,
    #[error("groups: {layers}: give one of learning_rate and multiplier")]
    GroupRate { layers: String },
    #[error("{phase}: {problem}")]
    Phase { phase: String, problem: String, hint: Option<String> },
    #[error("engine.device: \"{0}\" is no device")]
    Device(String),
}

impl PlanError {
    pub(super) fn unknown_layer(arch: &Arch, layer: &str) -> Self {
        Self::UnknownLayer { layer: layer.to_owned(), known: with_parameters(arch) }
    }

    pub(super) fn nothing_to_freeze(arch: &Arch, layer: &str) -> Self {
        Self::NothingToFreeze { layer: layer.to_owned(), known: with_parameters(arch) }
    }

    pub(super) fn nothing_to_train(arch: &Arch, layer: &str) -> Self {
        Self::NothingToTrain { layer: layer.to_owned(), known: with_parameters(arch) }
    }

    pub(super) fn head(arch: &Arch) -> Self {
        let output = arch.output();
        Self::Head {
            layer: output.name.clone(),
            kind: output.op.kind(),
            shape: output.output.to_string(),
            activation: format!("{:?}", output.op.activation()).to_lowercase(),
        }
    }
}

impl Explain for PlanError {
    fn class(&self) -> Class {
        Class::User
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Arch(error) => return error.hint(),
            Self::InputTooSmall { minimum, .. } => format!("set input = [{minimum}, {minimum}, 3] or larger"),
            Self::PoolingBehindTop { .. } => "leave pooling out, or set include_top = false".into(),
            Self::WeightsTwice => "leave one of the two out".into(),
            Self::Head { .. } => {
                "end the list with a dense layer: units = 1 and sigmoid for two classes, or one unit a class and softmax".into()
            }
            Self::Classes { layer, classes: 2, .. } => {
                format!("give \"{layer}\" units = 1 with sigmoid, or units = 2 with softmax")
            }
            Self::Classes { layer, classes, .. } => format!("give \"{layer}\" units = {classes} with softmax"),
            Self::TooFewClasses { .. } => "a folder of images has one subfolder a class".into(),
            Self::AllFrozen => "let one layer with parameters train, and leave it out of train.freeze".into(),
            Self::Channels(_) => "use 1 for grey images or 3 for colour".into(),
            Self::NoPath => "say where the data lies: path = \"../data/NAME\"; data/README.md says where to get it".into(),
            Self::NoHead => "name the layers, or the first of them: train = { from = \"LAYER\" }".into(),
            Self::Phase { hint, .. } => return hint.clone(),
            Self::UnknownLayer { known, .. }
            | Self::NothingToFreeze { known, .. }
            | Self::NothingToTrain { known, .. } => {
                format!("layers with parameters: {}", known.join(", "))
            }
            Self::Time { .. } => "write it as 90s, 30m or 23h 50m".into(),
            Self::Device(_) => "use auto, cpu, cuda or cuda:N".into(),
            _ => return None,
        })
    }
}

/// Names of the layers that can be frozen and trained.
fn with_parameters(arch: &Arch) -> Vec<String> {
    arch.layers().iter().filter(|layer| !layer.parameters.is_empty()).map(|layer| layer.name.clone()).collect()
}

fn of(classes: &[String]) -> String {
    classes.first().map(|class| format!(" ({class})")).unwrap_or_default()
}
