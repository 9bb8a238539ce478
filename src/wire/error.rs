//! What can go wrong between an engine and a viewer.

use std::{io, path::PathBuf};

use crate::{
    error::{Class, Explain},
    event::PROTOCOL,
    run,
};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the connection to the run broke")]
    Io(#[from] io::Error),
    #[error("cannot reach the run at {}", path.display())]
    Connect { path: PathBuf, source: io::Error },
    #[error("cannot open the socket {}", path.display())]
    Bind { path: PathBuf, source: io::Error },
    #[error("the connection was closed before the run answered")]
    Closed,
    #[error("not a frostline stream: {reason}")]
    Garbage { reason: String },
    #[error("the run refuses this viewer: {reason}")]
    Refused { reason: String },
    #[error("the run speaks protocol {theirs}, this viewer {PROTOCOL}")]
    Protocol { theirs: u32 },
    #[error("a message cannot be written as JSON")]
    Unwritable(#[source] serde_json::Error),
    #[error(transparent)]
    Run(#[from] run::Error),
}

impl Error {
    pub(super) fn garbage(reason: impl Into<String>) -> Self {
        Self::Garbage { reason: reason.into() }
    }
}

impl Explain for Error {
    fn class(&self) -> Class {
        match self {
            Self::Run(error) => error.class(),
            Self::Unwritable(_) => Class::Internal,
            _ => Class::Environment,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Run(error) => error.hint(),
            Self::Protocol { .. } | Self::Refused { .. } => {
                Some("use the version of frostline that started the run".into())
            }
            Self::Garbage { .. } => Some("a login script that prints something disturbs a stream over ssh".into()),
            Self::Connect { .. } => Some("its engine may have ended; `frostline runs` shows how it stands".into()),
            _ => None,
        }
    }
}
