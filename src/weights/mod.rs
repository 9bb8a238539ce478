//! Weights that were trained elsewhere: files of several libraries become named tensors, and those the parameters of a network.
//! No tensors of libtorch, no network traffic; the command line fetches, the engine loads.
//!
//! In the order in which data flows: a [`WeightsFile`] is opened and lists its [`Tensor`]s; a [`Fit`] says whose names they have and
//! which of them are which parameters of an [`Arch`](crate::arch::Arch); [`Pretrained`] hands the numbers out in our layouts.
//! [`Published`] builds the network that a file's weights were trained in, [`KerasModel`] the one that a file describes. [`Shelf`] knows where weights lie, [`catalogue`] where they come from, [`imagenet`] what their thousand classes are called.

pub mod catalogue;
pub mod imagenet;
pub mod keras_names;

mod archive;
mod bytes;
mod dtype;
mod error;
mod file;
mod finder;
mod fit;
mod keras;
mod keras_model;
mod layout;
mod pretrained;
mod provenance;
mod published;
mod safetensors;
mod shelf;
mod strided;
#[cfg(test)]
mod tests;
mod torch;

pub use dtype::Dtype;
pub use error::{Fault, WeightsError};
pub use file::{Format, KerasWeight, Tensor, WeightsFile};
pub use fit::{Convention, Fit, Misshapen, Wanted};
pub use keras_model::{KerasModel, Problem};
pub use layout::Layout;
pub use pretrained::{Pretrained, Values};
pub use provenance::{Provenance, Record};
pub use published::{Identity, Published};
pub use shelf::{FOLDER, Shelf, repository};
