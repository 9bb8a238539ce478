//! What can go wrong in a run directory, with the file that it happened to.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::error::{Class, Explain};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("no runs in {}", root.display())]
    NoRuns { root: PathBuf },
    #[error("no run matches `{which}` in {}", root.display())]
    NotFound { which: String, root: PathBuf, candidates: Vec<String> },
    #[error("`{which}` matches {} runs in {}", candidates.len(), root.display())]
    Ambiguous { which: String, root: PathBuf, candidates: Vec<String> },
    #[error("{} is not a run directory: it has no config.toml", path.display())]
    NotARun { path: PathBuf },
    #[error("{} is no run directory and not empty: there is {}", path.display(), by.display())]
    Occupied { path: PathBuf, by: PathBuf },
    #[error("{} already has an engine{}", run, pid.map(|pid| format!(", process {pid}")).unwrap_or_default())]
    Locked { run: String, pid: Option<u32> },
    #[error("{}: written by a newer frostline (protocol {theirs}, this one reads {ours})", path.display())]
    NewerProtocol { path: PathBuf, theirs: u32, ours: u32 },
    #[error("{}: became shorter while it was read", path.display())]
    Shrunk { path: PathBuf },
    #[error("{}: an event cannot be written as JSON", path.display())]
    Unwritable { path: PathBuf, source: serde_json::Error },
    #[error("{}: cannot write this checkpoint: {reason}", path.display())]
    CheckpointWrite { path: PathBuf, reason: String },
    #[error("{}: not a complete checkpoint: {reason}", path.display())]
    CheckpointRead { path: PathBuf, reason: String },
    #[error("`{name}` is not the name of a blob")]
    BlobName { name: String },
    #[error("{} is not safe for a socket: {reason}", path.display())]
    SocketFolder { path: PathBuf, reason: &'static str },
    #[error("{}: cannot write the table", path.display())]
    History { path: PathBuf, source: csv::Error },
}

impl Error {
    pub fn is_full_disk(&self) -> bool {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        matches!(self, Self::Io { source, .. } if full.contains(&source.kind()))
    }

    /// For `map_err`: what was being done to which path.
    pub(crate) fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}

impl Explain for Error {
    fn class(&self) -> Class {
        match self {
            Self::NoRuns { .. }
            | Self::NotFound { .. }
            | Self::Ambiguous { .. }
            | Self::NotARun { .. }
            | Self::Occupied { .. }
            | Self::Locked { .. }
            | Self::BlobName { .. } => Class::User,
            Self::Io { .. }
            | Self::NewerProtocol { .. }
            | Self::Shrunk { .. }
            | Self::CheckpointRead { .. }
            | Self::SocketFolder { .. }
            | Self::History { .. } => Class::Environment,
            Self::CheckpointWrite { .. } | Self::Unwritable { .. } => Class::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Some("free some space on this disk".into())
                }
                io::ErrorKind::PermissionDenied => Some("check who owns the folder".into()),
                _ => None,
            },
            Self::NoRuns { .. } => Some("start one with `frostline demo` or `frostline train CONFIG`".into()),
            Self::NotFound { candidates, .. } => Some(format!("there are: {}", listed(candidates))),
            Self::Ambiguous { candidates, .. } => Some(format!("say which: {}", listed(candidates))),
            Self::NotARun { .. } => Some("`frostline runs` lists the runs".into()),
            Self::Occupied { .. } => Some("name a folder that is not there yet".into()),
            Self::Locked { run, .. } => Some(format!("join it with `frostline attach {run}`")),
            Self::NewerProtocol { .. } => Some("use the version of frostline that started the run".into()),
            Self::Shrunk { .. } => Some("the run was resumed meanwhile; attach again".into()),
            Self::CheckpointRead { .. } => Some("the other checkpoint of the run (best, last) may be whole".into()),
            Self::SocketFolder { .. } => Some("remove it, or set XDG_RUNTIME_DIR to a folder of your own".into()),
            _ => None,
        }
    }
}

/// The first few, so that a folder of hundreds of runs does not fill the screen.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}
