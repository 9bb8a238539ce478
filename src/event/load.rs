//! How busy the machine is: processor, memory, disk, graphics card. Read every two seconds while somebody looks, and every half
//! minute besides, so that a journal of a week holds no more of it than of an hour of steps.

use serde::{Deserialize, Serialize};

/// Shares are 0–1, sizes bytes, temperatures °C.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Of all cores together.
    pub processor: f64,
    /// The engine's own part of the same.
    pub own_processor: f64,
    /// Of each core, in percent.
    #[serde(default)]
    pub cores: Vec<u8>,
    /// Processes that run or wait to, over a minute.
    pub load_average: f64,
    pub memory_used: u64,
    pub memory_total: u64,
    /// Of the engine, resident.
    pub own_memory: u64,
    /// What tensors on the device hold, and the most that they ever held.
    #[serde(default)]
    pub tensors: Held,
    /// On the run directory's file system.
    pub disk_free: u64,
    pub disk_total: u64,
    /// What the run directory's own files take there; `None` where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_bytes: Option<u64>,
    /// The hottest sensor of the processor; `None` where there is none that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardLoad>,
}

/// Bytes that an allocator has given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub used: u64,
    /// Kept for the next tensor.
    pub spare: u64,
    pub peak: u64,
}

/// The graphics card that trains, as NVML tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CardLoad {
    pub name: String,
    /// Share of the time in which something was computed.
    pub utilisation: f64,
    pub memory_used: u64,
    pub memory_total: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Watts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_limit: Option<f64>,
}
