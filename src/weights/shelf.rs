//! Where weights lie on this machine: a folder of Frostline's, and the cache that all programs of the Hugging Face hub share.
//! It looks; what fetches and writes is the command line.

use std::path::{Path, PathBuf};

use hf_hub::{Cache, Repo};

use super::{
    WeightsError,
    catalogue::{self, Remote},
};
use crate::arch::zoo::Architecture;

/// The variable that names the folder.
pub const FOLDER: &str = "FROSTLINE_WEIGHTS";
/// The folder if nobody names another.
pub const DEFAULT: &str = "weights";

#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
    hub: Cache,
}

impl Shelf {
    pub fn new(folder: PathBuf, hub: PathBuf) -> Self {
        Self { folder, hub: Cache::new(hub) }
    }

    /// `FROSTLINE_WEIGHTS` or `weights`; `HF_HUB_CACHE`, `HF_HOME`/hub or the hub's place in the user's cache.
    pub fn from_environment() -> Self {
        let named = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = named(FOLDER).unwrap_or_else(|| DEFAULT.into());
        let hub =
            named("HF_HUB_CACHE").or_else(|| named("HF_HOME").map(|home| home.join("hub"))).unwrap_or_else(|| {
                let cache = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
                cache.unwrap_or_else(|| ".cache".into()).join("huggingface/hub")
            });
        // From here on it must not matter where the program runs.
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        Self::new(absolute(folder), absolute(hub))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn hub(&self) -> &Cache {
        &self.hub
    }

    /// What Frostline calls the file of a network in its folder.
    pub fn own(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.safetensors"))
    }

    /// The file in the hub's cache, if it was fetched.
    pub fn cached(&self, remote: &Remote) -> Option<PathBuf> {
        self.hub.repo(repository(remote)).get(remote.file)
    }

    /// The ImageNet weights of a network: those in the folder, else those in the hub's cache.
    pub fn find(&self, architecture: Architecture) -> Result<PathBuf, WeightsError> {
        let own = self.own(architecture.name());
        if own.is_file() {
            return Ok(own);
        }
        let remote = catalogue::find(architecture.name());
        if let Some(path) = remote.and_then(|remote| self.cached(remote)) {
            return Ok(path);
        }
        let mut looked = vec![own];
        looked.extend(remote.map(|remote| self.hub.path().join(repository(remote).folder_name())));
        Err(WeightsError::Absent { network: architecture.name().into(), looked, pullable: remote.is_some() })
    }
}

/// As the hub's cache knows it.
pub fn repository(remote: &Remote) -> Repo {
    Repo::with_revision(remote.repository.into(), hf_hub::RepoType::Model, remote.revision.into())
}
