//! A network for other programs: its weights under the names and in the layouts of PyTorch's libraries or of Keras, or all of it as
//! ONNX. Numbers are read one parameter at a time; a file gets its name when it is whole.

mod error;
mod keras;
mod onnx;
mod torch;
mod whole;

use std::{ops::Range, path::Path};

pub use error::ExportError;

use crate::{
    arch::{
        Arch,
        zoo::{Architecture, Naming, Wiring},
    },
    weights::Pretrained,
};

/// What is written.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The run's name, or the published network's.
    pub name: &'a str,
    pub arch: &'a Arch,
    /// Which layers are those of a published network.
    pub base: Option<(Architecture, Wiring, Range<usize>)>,
    /// In the order of the outputs.
    pub classes: &'a [String],
    /// Of the whole network.
    pub weights: &'a Pretrained,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For PyTorch.
    Safetensors,
    /// Keras 3's `.weights.h5`.
    KerasWeights,
    Onnx,
}

/// What was written.
#[derive(Debug, Default)]
pub struct Written {
    pub tensors: usize,
    pub bytes: u64,
    /// What a person should know who uses the file: a sentence each.
    pub notes: Vec<String>,
}

impl Format {
    /// By the name's ending.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "safetensors" => Some(Self::Safetensors),
            "h5" => Some(Self::KerasWeights),
            "onnx" => Some(Self::Onnx),
            _ => None,
        }
    }
}

/// `naming` is whose names a published network's layers get in safetensors; `None` takes the library that computes the same.
pub fn write(
    subject: &Subject<'_>,
    format: Format,
    naming: Option<Naming>,
    path: &Path,
) -> Result<Written, ExportError> {
    match format {
        Format::Safetensors => torch::write(subject, naming, path),
        Format::KerasWeights => keras::write(subject, path),
        Format::Onnx => onnx::write(subject, path),
    }
}

#[cfg(test)]
mod tests;
