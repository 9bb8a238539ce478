//! Why a file of weights cannot be read, or does not fit. A fault names the file; a misfit names the tensors.

use std::path::{Path, PathBuf};

use super::{
    Fit,
    keras_model::{KNOWN, Problem},
};
use crate::{
    arch::{ArchError, zoo::Wiring},
    error::{Class, Explain},
};

#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("{}: cannot be read", path.display())]
    Io { path: PathBuf, source: std::io::Error },

    #[error("{}: {fault}", path.display())]
    File { path: PathBuf, fault: Fault },

    #[error("{}: does not fit {network}: {}", path.display(), fit.complaint())]
    Misfit {
        path: PathBuf,
        network: String,
        fit: Box<Fit>,
        /// In which it would have to be, if that is another one.
        wiring: Option<Wiring>,
    },

    #[error(transparent)]
    Network(#[from] ArchError),

    #[error("{}: the model in it is not understood: {problem}", path.display())]
    Model { path: PathBuf, problem: Problem },

    #[error("{}: has no description of a model in it", path.display())]
    NoModel { path: PathBuf },

    #[error("{}: holds the weights of no network that Frostline knows", path.display())]
    Unknown { path: PathBuf },

    #[error("there are no weights of {network} here: looked for {}", listed(looked))]
    Absent { network: String, looked: Vec<PathBuf>, pullable: bool },
}

/// What is wrong with a file's content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another kind of file.
    #[error("is not a file of weights ({0})")]
    Foreign(String),
    /// Cut off, or not what its own header says.
    #[error("is cut off or damaged: {0}")]
    Damaged(String),
    /// Something that the format allows and this reader does not take.
    #[error("{0}")]
    Unsupported(String),
}

pub(super) type Read<T> = Result<T, Fault>;

impl Fault {
    pub(super) fn damaged(text: impl Into<String>) -> Self {
        Self::Damaged(text.into())
    }

    pub(super) fn unsupported(text: impl Into<String>) -> Self {
        Self::Unsupported(text.into())
    }

    pub(super) fn at(self, path: &Path) -> WeightsError {
        WeightsError::File { path: path.to_owned(), fault: self }
    }
}

fn listed(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl Explain for WeightsError {
    fn class(&self) -> Class {
        match self {
            Self::Io { source, .. } if source.kind() != std::io::ErrorKind::NotFound => Class::Environment,
            _ => Class::User,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } | Self::Model { problem: Problem::Model(_), .. } => return None,
            Self::Network(error) => return error.hint(),
            Self::File { fault: Fault::Foreign(_) | Fault::Unsupported(_), .. } => {
                "weights are read from .safetensors, .pth, .pt, .bin, .h5, .weights.h5 and .keras files".into()
            }
            Self::File { fault: Fault::Damaged(_), .. } => "fetch or copy the file again".into(),
            Self::Misfit { wiring: Some(wiring), .. } => {
                format!(
                    "the file's weights belong to the wiring \"{0}\": set wiring = \"{0}\" in [model.base]",
                    wiring.name()
                )
            }
            Self::Misfit { path, .. } => {
                format!("`frostline weights inspect {}` says what the file holds", path.display())
            }
            Self::Model { problem: Problem::Layer { .. }, .. } => format!("these layers are understood: {KNOWN}"),
            Self::NoModel { .. } => {
                "whole models are what Keras's model.save() writes, .keras or .h5; the weights of a published network are kept \
                 with `frostline weights import`"
                    .into()
            }
            Self::Unknown { path } => {
                format!(
                    "`frostline weights inspect {}` lists its tensors; `frostline models` lists the networks",
                    path.display()
                )
            }
            Self::Absent { network, pullable: true, .. } => {
                format!("fetch them with `frostline weights pull {network}`, or name a file: weights = \"path\"")
            }
            Self::Absent { .. } => "name a file: weights = \"path\"; weights/README.md says where to get one".into(),
        })
    }
}
