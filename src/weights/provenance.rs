//! What is kept of where weights came from when Frostline writes them into a file of its own: one record in the file's metadata.

use serde::{Deserialize, Serialize};

use super::file::WeightsFile;
use crate::arch::{
    Preprocessing,
    zoo::{Architecture, Wiring},
};

/// The key of Frostline's records in the metadata of safetensors; a run's checkpoint has another record there.
const KEY: &str = "frostline";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub architecture: Architecture,
    pub wiring: Wiring,
    /// Whether the classifier for ImageNet's classes is in it.
    pub top: bool,
    /// Whose names the tensors had.
    pub naming: String,
    /// What the pixels were like on which they were trained.
    pub preprocessing: Preprocessing,
    /// The name of the file that they were read from.
    pub source: String,
    /// That file's, in hexadecimal.
    pub sha256: String,
}

/// As it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    pub weights: Provenance,
}

impl Provenance {
    /// The record of a file, if Frostline made it.
    pub fn of(file: &WeightsFile) -> Option<Self> {
        serde_json::from_str::<Record>(file.attributes().get(KEY)?).ok().map(|record| record.weights)
    }
}
