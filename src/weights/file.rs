//! A file of weights, opened: what kind of file it is, the tensors in it by name, and the numbers of one when they are asked for.
//! It is told by content, not by name. Which network the tensors belong to is another file's business.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    bytes::Bytes,
    dtype::Dtype,
    error::{Fault, Read, WeightsError},
    keras, safetensors,
    strided::View,
    torch,
};

/// The kinds of file that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Safetensors,
    /// `torch.save` since 1.6: a zip archive.
    TorchZip,
    /// `torch.save` before 1.6.
    TorchLegacy,
    /// HDF5 of Keras 1 and 2, of `save_weights` or of a whole model.
    KerasH5,
    /// Keras 3's `.weights.h5`.
    KerasWeights,
    /// Keras 3's `.keras`, a zip archive.
    KerasArchive,
}

/// What is known of a tensor without its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// As the file has it.
    pub name: String,
    /// In the layout of the library that wrote it.
    pub shape: Vec<usize>,
    pub dtype: Dtype,
    /// Of Keras's files: whose weight it is.
    pub keras: Option<KerasWeight>,
}

/// A weight as Keras keeps it: of a layer, in the order of `layer.weights`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KerasWeight {
    /// The layer's name, behind that of the model in the model and a slash if it is in one; in `.weights.h5` and `.keras` the name of
    /// its place, which counts the layers of a class: `conv2d_3`, `functional/conv2d`.
    pub layer: String,
    pub position: usize,
}

pub struct WeightsFile {
    path: PathBuf,
    format: Format,
    tensors: Vec<Tensor>,
    places: Vec<Place>,
    attributes: BTreeMap<String, String>,
    source: Source,
}

/// Where the numbers are.
pub(super) enum Source {
    Bytes(Bytes),
    Hdf5(hdf5_pure::File),
}

/// Where one tensor's numbers are.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A view of a range of the file.
    Bytes { storage: Range<usize>, view: View },
    /// The path of a dataset.
    Dataset(String),
}

/// What a reader finds.
pub(super) struct Contents {
    pub(super) tensors: Vec<(Tensor, Place)>,
    /// What the file says of itself: safetensors' metadata, Keras's attributes.
    pub(super) attributes: BTreeMap<String, String>,
}

impl WeightsFile {
    /// Reads the table of contents. Files of other kinds, cut off or damaged ones are errors that name the file.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let bytes = Bytes::of(path).map_err(|source| WeightsError::Io { path: path.to_owned(), source })?;
        let (format, source, contents) = identify(bytes, path).map_err(|fault| fault.at(path))?;
        let (tensors, places) = contents.tensors.into_iter().unzip();
        Ok(Self { path: path.to_owned(), format, tensors, places, attributes: contents.attributes, source })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// In the file's order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// What the file says of itself: `model_config` and `keras_version` of Keras's, the metadata of safetensors.
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }

    /// The numbers of a tensor by its position in [`Self::tensors`], row-major in the file's own layout.
    pub fn read(&self, position: usize) -> Result<Vec<f32>, WeightsError> {
        let tensor = &self.tensors[position];
        let numbers = match (&self.places[position], &self.source) {
            (Place::Bytes { storage, view }, Source::Bytes(bytes)) => {
                Ok(tensor.dtype.to_f32(&view.gather(&bytes[storage.clone()], tensor.dtype.size())))
            }
            (Place::Dataset(path), Source::Hdf5(file)) => keras::numbers(file, path, tensor.dtype),
            _ => Err(Fault::damaged("its tensors are in another kind of file than itself")),
        };
        let numbers = numbers.map_err(|fault| fault.at(&self.path))?;
        if numbers.len() == tensor.count() {
            return Ok(numbers);
        }
        let text = format!("\"{}\" has {} numbers for the shape {:?}", tensor.name, numbers.len(), tensor.shape);
        Err(Fault::damaged(text).at(&self.path))
    }
}

impl fmt::Debug for WeightsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WeightsFile({}, {}, {} tensors)", self.path.display(), self.format, self.tensors.len())
    }
}

impl Tensor {
    /// Elements.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::TorchZip => "PyTorch, zip",
            Self::TorchLegacy => "PyTorch, before 1.6",
            Self::KerasH5 => "Keras, HDF5",
            Self::KerasWeights => "Keras 3, weights",
            Self::KerasArchive => "Keras 3, archive",
        })
    }
}

fn identify(bytes: Bytes, path: &Path) -> Read<(Format, Source, Contents)> {
    const ZIP: &[u8] = b"PK\x03\x04";
    if bytes.is_empty() {
        return Err(Fault::Foreign("it is empty".into()));
    }
    if keras::is_hdf5(&bytes) {
        let (format, file, contents) = keras::read_hdf5(path)?;
        return Ok((format, Source::Hdf5(file), contents));
    }
    if bytes.starts_with(ZIP) {
        if let Some((file, contents)) = keras::read_archive(&bytes)? {
            return Ok((Format::KerasArchive, Source::Hdf5(file), contents));
        }
        let contents = torch::read_zip(&bytes)?;
        return Ok((Format::TorchZip, Source::Bytes(bytes), contents));
    }
    if torch::is_legacy(&bytes) {
        let contents = torch::read_legacy(&bytes)?;
        return Ok((Format::TorchLegacy, Source::Bytes(bytes), contents));
    }
    if safetensors::looks_like(&bytes) {
        let contents = safetensors::read(&bytes)?;
        return Ok((Format::Safetensors, Source::Bytes(bytes), contents));
    }
    Err(Fault::Foreign(strange(&bytes)))
}

/// What a file that is none of ours may be; a page of a web server and a pointer of Git LFS are common.
fn strange(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).to_ascii_lowercase();
    if text.starts_with("version https://git-lfs") {
        "it is a Git LFS pointer: the file itself was not fetched".into()
    } else if text.trim_start().starts_with("<!doctype html") || text.trim_start().starts_with("<html") {
        "it is a web page".into()
    } else {
        "it begins like none of them".into()
    }
}
