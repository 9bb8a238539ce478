//! The arithmetic, over libtorch: the only room that names tch. It executes an [`Arch`](crate::arch::Arch), updates its weights,
//! proves that frozen ones stay, and explains what the network sees. [`TorchStepper`] is its face to the training loop.
//!
//! A process that trains calls [`device::settle_memory`] first, then [`device::open_cuda`], then everything else.

pub mod device;
pub mod process;

mod batch_norm;
mod error;
mod explain;
mod freeze;
mod input;
mod layers;
mod loss;
mod meters;
mod network;
mod optimizer;
mod saved;
mod shim;
mod stdio;
mod stepper;
mod weights;

#[cfg(test)]
mod tests;

pub use error::Result;
pub use stepper::TorchStepper;
