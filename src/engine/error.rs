//! What can go wrong where tensors are: libtorch's own errors, devices, layers that cannot be explained, checkpoints that do not fit.

use tch::TchError;

use frostline::arch::Shape;
use frostline::data::Size;
use frostline::error::{Class, Explain};

pub type Result<T, E = EngineError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("libtorch: {message}")]
    Torch { message: String },

    #[error("out of memory on {device}: {message}")]
    Memory { device: &'static str, message: String },

    #[error("device {asked} cannot be used: {reason}")]
    Device { asked: String, reason: String },

    #[error("layer \"{layer}\": the output {output} ends in nothing that a cross-entropy goes with")]
    Head { layer: String, output: Shape },

    #[error("there is no layer \"{layer}\"")]
    UnknownLayer { layer: String },

    #[error("layer \"{layer}\" has no parameters to freeze")]
    NoParameters { layer: String },

    #[error("layer \"{layer}\" puts out a vector {output}, not a feature map")]
    NotAMap { layer: String, output: Shape },

    #[error("network \"{network}\" has no layer with a feature map")]
    NoMap { network: String },

    #[error("layer \"{layer}\" has no filter {filter}: it has {channels}, counted from 0")]
    NoFilter { layer: String, filter: usize, channels: usize },

    #[error("pictures of {side} pixels are too small for it: {reason}")]
    TooSmall { side: usize, reason: String },

    #[error("pictures of {}x{}x{} for a network that takes {expected}", found.height, found.width, found.channels)]
    InputSize { expected: Shape, found: Size },

    #[error("a batch of {count} pictures holds {bytes} bytes and {labels} labels")]
    BatchLength { count: usize, bytes: usize, labels: usize },

    #[error("label {label} for a network with {classes} classes")]
    Label { label: i64, classes: usize },

    #[error("the saved tensors do not fit the network: {}", problems.join("; "))]
    Restore { problems: Vec<String> },

    #[error("a batch holds what another part of the network made of its pictures than the one that is frozen")]
    Features,

    /// Some weights may have moved and others not, so the step cannot be tried again.
    #[error("out of memory while the weights were updated: {message}")]
    Update { message: String },

    #[error("the training step panicked: {message}")]
    Panicked { message: String },

    #[error("{message}")]
    Unheard { message: String },

    /// Whoever waited for it wants it no longer. Nobody is told.
    #[error("told to stop")]
    Interrupted,
}

impl From<TchError> for EngineError {
    /// Keeps the first line; libtorch appends its C++ frames.
    fn from(error: TchError) -> Self {
        Self::torch(&error.to_string())
    }
}

impl EngineError {
    /// Of an update: what has begun to move is not moved again.
    pub(super) fn in_update(self) -> Self {
        match self {
            Self::Memory { message, .. } => Self::Update { message },
            other => other,
        }
    }

    /// An answer that found no way out, on its way through what computes it.
    pub(super) fn told(error: &frostline::error::Error) -> Self {
        Self::Unheard { message: error.message() }
    }

    pub(super) fn torch(text: &str) -> Self {
        let message = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("no message").trim().to_owned();
        if text.contains("CUDA out of memory") {
            Self::Memory { device: "the graphics card", message }
        } else if text.contains("DefaultCPUAllocator") {
            Self::Memory { device: "the computer", message }
        } else {
            Self::Torch { message }
        }
    }
}

impl Explain for EngineError {
    fn class(&self) -> Class {
        match self {
            Self::Memory { .. }
            | Self::Update { .. }
            | Self::Device { .. }
            | Self::Unheard { .. }
            | Self::Interrupted => Class::Environment,
            Self::Head { .. }
            | Self::UnknownLayer { .. }
            | Self::NoParameters { .. }
            | Self::NotAMap { .. }
            | Self::NoMap { .. }
            | Self::NoFilter { .. }
            | Self::TooSmall { .. }
            | Self::InputSize { .. }
            | Self::Restore { .. } => Class::User,
            Self::Torch { .. }
            | Self::BatchLength { .. }
            | Self::Label { .. }
            | Self::Features
            | Self::Panicked { .. } => Class::Internal,
        }
    }

    fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Memory { .. })
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Memory { .. } | Self::Update { .. } => {
                "use a smaller batch_size, smaller pictures, or freeze the lower layers"
            }
            Self::Device { .. } => {
                "device = \"auto\" takes the graphics card where there is one, and the processor otherwise"
            }
            Self::Head { .. } => "end the layers in a dense layer with one unit, or with one unit a class",
            Self::UnknownLayer { .. } | Self::NoParameters { .. } => "`frostline summary CONFIG` lists the layers",
            Self::NoMap { .. } => "methods that explain pixels need none: saliency, integrated-gradients, occlusion",
            Self::NoFilter { .. } => {
                "`frostline summary CONFIG` lists the layers with their channels, last in each shape"
            }
            Self::TooSmall { .. } => "give a larger --size, or a layer further ahead",
            Self::Interrupted => return None,
            Self::Unheard { .. } => "whoever asked has gone, or the disk is full",
            Self::NotAMap { .. } => "choose a convolution, pooling or normalisation layer before the flatten",
            Self::InputSize { .. } => "the pictures are loaded at the size of `input` in [model]",
            Self::Restore { .. } => "the checkpoint belongs to another network or optimiser",
            Self::Torch { .. }
            | Self::BatchLength { .. }
            | Self::Label { .. }
            | Self::Features
            | Self::Panicked { .. } => "this is a defect in frostline; please report it with the run's engine.log",
        };
        Some(hint.to_owned())
    }
}
