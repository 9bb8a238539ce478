//! Why a network cannot be written.

use std::path::{Path, PathBuf};

use crate::{
    error::{Class, Explain},
    weights::WeightsError,
};

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{}: cannot be written: {reason}", path.display())]
    Write { path: PathBuf, reason: String },

    #[error("{}: Keras reads weights from files whose names end in .weights.h5", path.display())]
    KerasName { path: PathBuf },

    #[error("{library} has no {network} that computes what this one does: {reason}")]
    Naming { library: &'static str, network: &'static str, reason: String },

    #[error("two tensors would be called \"{name}\"")]
    Collision { name: String },

    #[error("the network ends in \"{layer}\", which gives no probabilities")]
    Head { layer: String },

    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl ExportError {
    pub(super) fn write(path: &Path, reason: &dyn std::fmt::Display) -> Self {
        Self::Write { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl Explain for ExportError {
    fn class(&self) -> Class {
        match self {
            Self::Write { .. } => Class::Environment,
            Self::Weights(error) => error.class(),
            Self::KerasName { .. } | Self::Naming { .. } | Self::Collision { .. } | Self::Head { .. } => Class::User,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Weights(error) => return error.hint(),
            Self::Write { .. } | Self::Head { .. } => return None,
            Self::KerasName { path } => format!("-o {}", path.with_extension("weights.h5").display()),
            Self::Naming { .. } => "leave --names out to have the names of a library that does, if there is one".into(),
            Self::Collision { .. } => "rename the layer in the configuration, and train it under that name".into(),
        })
    }
}
