//! What `frostline-engine bench` says: one [`Line`] after the other, as things are measured. Part of no journal.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    Machine {
        /// `cpu`, `cuda:0`.
        device: String,
        /// The processor's or the card's name.
        name: String,
        threads: u32,
        loader_threads: u32,
        libtorch: String,
    },
    Network {
        name: String,
        parameters: u64,
        frozen: u32,
        /// For one image.
        forward_flops: u64,
        step_flops: u64,
        /// Images in the training split, and how many of them are measured with.
        images: u64,
        used: u64,
    },
    Rate {
        what: What,
        /// One for each window; images, filters, or floating-point operations, a second.
        values: Vec<f64>,
        /// Images in a batch; 0 where there is none.
        batch: u32,
        /// Floating-point operations for one image; 0 where none are counted.
        flops: u64,
        /// Share of the time, 0–1, in which the step waited for its batch.
        data_wait: Option<f64>,
    },
    Memory {
        /// The most that the engine had in memory; `None` where the system does not say.
        peak_bytes: Option<u64>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Product of two matrices of 2048x2048 floats: what the device can do at best.
    MatrixProduct,
    /// A 3x3 convolution in the middle of a large network.
    Convolution,
    /// One batch, stepped again and again.
    Step,
    /// One batch, evaluated again and again.
    Evaluation,
    /// From files to augmented batches, each file for the first time.
    FirstPass,
    /// The same from what was kept of the first pass.
    LaterPasses,
    /// The training loop in its first epoch.
    FirstEpoch,
    /// The training loop later on.
    EndToEnd,
    /// One image explained.
    GradCam,
    /// Pictures that filters like, of forty steps each.
    Filters,
}
