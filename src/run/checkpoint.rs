//! One checkpoint is one safetensors file: named tensors, and everything else as one JSON record under the metadata key
//! `frostline`. It appears under its name only when it is whole and on the disk. What the tensors and the record mean is
//! the trainer's business.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::Read as _,
    path::Path,
};

use safetensors::{Dtype, SafeTensors, View};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    error::{Error, Result},
    whole,
};

const KEY: &str = "frostline";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DType {
    F32,
    I64,
    U8,
}

/// A tensor's contents: row-major, little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorData {
    pub shape: Vec<usize>,
    pub dtype: DType,
    pub bytes: Vec<u8>,
}

impl View for &TensorData {
    fn dtype(&self) -> Dtype {
        match self.dtype {
            DType::F32 => Dtype::F32,
            DType::I64 => Dtype::I64,
            DType::U8 => Dtype::U8,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        (&self.bytes).into()
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

impl TensorData {
    /// What the shape promises; `None` if that is beyond any memory.
    fn bytes_of_shape(&self) -> Option<usize> {
        let size = match self.dtype {
            DType::F32 => 4,
            DType::I64 => 8,
            DType::U8 => 1,
        };
        self.shape.iter().try_fold(size, |product: usize, &side| product.checked_mul(side))
    }
}

/// Writes the file and waits until it is on the disk; returns its length in bytes. The same contents give the same bytes.
pub fn write<M: Serialize>(path: &Path, tensors: &[(String, TensorData)], meta: &M) -> Result<u64> {
    let refuse = |reason: String| Error::CheckpointWrite { path: path.to_path_buf(), reason };
    for (name, tensor) in tensors {
        if tensor.bytes_of_shape() != Some(tensor.bytes.len()) {
            return Err(refuse(format!("`{name}` has {} bytes for the shape {:?}", tensor.bytes.len(), tensor.shape)));
        }
    }
    let views: BTreeMap<&str, &TensorData> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    if views.len() != tensors.len() {
        return Err(refuse("two tensors have the same name".into()));
    }
    let meta = serde_json::to_string(meta).map_err(|error| refuse(error.to_string()))?;
    clear_leftovers(path);
    let partial = whole::beside(path);
    let written = safetensors::serialize_to_file(views, Some(HashMap::from([(KEY.to_owned(), meta)])), &partial)
        .map_err(|error| match error {
            safetensors::SafeTensorError::IoError(error) => Error::io("write", path)(error),
            other => refuse(other.to_string()),
        })
        .and_then(|()| {
            (|| {
                let file = File::open(&partial)?;
                file.sync_all()?;
                fs::rename(&partial, path)?;
                whole::sync_folder(path)?;
                Ok(file.metadata()?.len())
            })()
            .map_err(Error::io("write", path))
        });
    if written.is_err() {
        // Gone already unless the disk refused the rename; the first error is the one to tell.
        let _ = fs::remove_file(&partial);
    }
    written
}

/// Gives the contents of one checkpoint a second name, under which they stay when the first comes to mean others. Returns their length.
pub fn link(from: &Path, path: &Path) -> Result<u64> {
    let partial = whole::beside(path);
    (|| {
        let _ = fs::remove_file(&partial);
        fs::hard_link(from, &partial)?;
        fs::rename(&partial, path)?;
        // Two names of one file: a rename from one to the other does nothing, and leaves both.
        let _ = fs::remove_file(&partial);
        whole::sync_folder(path)?;
        Ok(fs::metadata(path)?.len())
    })()
    .map_err(Error::io("write", path))
}

/// Reads a whole checkpoint. A file that is cut short, damaged or not frostline's is an error, never a panic.
pub fn read<M: DeserializeOwned>(path: &Path) -> Result<(Vec<(String, TensorData)>, M)> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let refuse = |reason: String| Error::CheckpointRead { path: path.to_path_buf(), reason };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| refuse(error.to_string()))?;
    let meta = header
        .metadata()
        .as_ref()
        .and_then(|entries| entries.get(KEY))
        .ok_or_else(|| refuse(format!("it has no `{KEY}` record")))?;
    let meta = serde_json::from_str(meta).map_err(|error| refuse(format!("its record: {error}")))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| refuse(error.to_string()))?;
    let mut tensors = Vec::with_capacity(file.len());
    for (name, view) in file.tensors() {
        let dtype = match view.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::I64 => DType::I64,
            Dtype::U8 => DType::U8,
            other => return Err(refuse(format!("`{name}` has the unexpected type {other}"))),
        };
        tensors.push((name, TensorData { shape: view.shape().to_vec(), dtype, bytes: view.data().to_vec() }));
    }
    tensors.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok((tensors, meta))
}

/// The record alone, without the tensors; the file's end is not looked at.
pub fn read_record<M: DeserializeOwned>(path: &Path) -> Result<M> {
    /// As safetensors has it.
    const LONGEST: u64 = 100_000_000;
    let refuse = |reason: &str| Error::CheckpointRead { path: path.to_path_buf(), reason: reason.to_owned() };
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|_| refuse("it has no header"))?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST {
        return Err(refuse("its header is too long"));
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).map_err(Error::io("read", path))?;
    let header: serde_json::Value = serde_json::from_slice(&header).map_err(|error| refuse(&error.to_string()))?;
    let record = header["__metadata__"][KEY].as_str().ok_or_else(|| refuse("it has no `frostline` record"))?;
    serde_json::from_str(record).map_err(|error| refuse(&error.to_string()))
}

/// An engine that was killed while it wrote leaves a temporary file of the size of a checkpoint.
fn clear_leftovers(path: &Path) {
    let Some(entries) = path.parent().and_then(|folder| fs::read_dir(folder).ok()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".tmp") || name.ends_with(".partial") {
            // It only costs room; the write that follows says whether the folder is in order.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Meta {
        step: u64,
        scale: f64,
        frozen: Vec<String>,
    }

    fn sample() -> (Vec<(String, TensorData)>, Meta) {
        let floats = [1.0_f32, -0.0, f32::NAN, f32::MIN_POSITIVE];
        let tensors = vec![
            (
                "a/kernel".into(),
                TensorData {
                    shape: vec![2, 2],
                    dtype: DType::F32,
                    bytes: floats.iter().flat_map(|value| value.to_le_bytes()).collect(),
                },
            ),
            ("step".into(), TensorData { shape: vec![], dtype: DType::I64, bytes: 7_i64.to_le_bytes().into() }),
            ("u".into(), TensorData { shape: vec![0, 3], dtype: DType::U8, bytes: vec![] }),
            ("z".into(), TensorData { shape: vec![3], dtype: DType::U8, bytes: vec![1, 2, 3] }),
        ];
        (tensors, Meta { step: u64::MAX, scale: 0.1 + 0.2, frozen: vec!["conv2d".into()] })
    }

    #[test]
    fn what_is_written_comes_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let (tensors, meta) = sample();
        let length = write(&path, &tensors, &meta).unwrap();
        assert_eq!(length, fs::metadata(&path).unwrap().len());
        assert_eq!(read_record::<Meta>(&path).unwrap(), meta);
        let (read_tensors, read_meta) = read::<Meta>(&path).unwrap();
        assert_eq!((read_tensors, &read_meta), (tensors.clone(), &meta));
        assert_eq!(read_meta.scale.to_bits(), meta.scale.to_bits());
        let first = fs::read(&path).unwrap();
        write(&path, &tensors, &meta).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first, "the same contents gave another file");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left behind");
    }

    #[test]
    fn a_second_name_keeps_what_the_first_one_had() {
        let folder = tempfile::tempdir().unwrap();
        let (best, last) = (folder.path().join("best.safetensors"), folder.path().join("last.safetensors"));
        for number in 0..3 {
            let length = write(&best, &[], &number).unwrap();
            assert_eq!(link(&best, &last).unwrap(), length);
            assert_eq!(link(&best, &last).unwrap(), length, "again");
            assert_eq!(read::<i32>(&last).unwrap().1, number);
            write(&last, &[], &(number + 10)).unwrap();
            assert_eq!(read::<i32>(&best).unwrap().1, number);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(link(&folder.path().join("none"), &last).is_err());
    }

    #[test]
    fn every_number_of_the_record_survives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        // Numbers that a fast, inexact JSON reader gets wrong in the last bit.
        let numbers = [f64::MIN_POSITIVE, 1.0 / 3.0, 8.988_465_674_311_579e307, 5e-324, 0.000_031_234_567_890_123_45];
        write(&path, &[], &numbers).unwrap();
        let (_, back) = read::<[f64; 5]>(&path).unwrap();
        assert_eq!(back.map(f64::to_bits), numbers.map(f64::to_bits));
    }

    #[test]
    fn a_file_cut_at_any_byte_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.safetensors");
        let (tensors, meta) = sample();
        write(&path, &tensors, &meta).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let error = read::<Meta>(&path).unwrap_err();
            assert!(matches!(error, Error::CheckpointRead { .. }), "cut at {length}: {error}");
            let _ = read_record::<Meta>(&path);
            assert!(error.to_string().contains("best.safetensors"), "cut at {length}: {error}");
        }
        fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
        assert!(read::<Meta>(&path).is_err(), "a byte too many");
    }

    #[test]
    fn a_failed_write_leaves_the_old_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let (tensors, meta) = sample();
        write(&path, &tensors, &meta).unwrap();
        let mut wrong = tensors.clone();
        wrong[0].1.bytes.pop();
        assert!(matches!(write(&path, &wrong, &meta), Err(Error::CheckpointWrite { .. })));
        let twice = [tensors.clone(), tensors.clone()].concat();
        assert!(matches!(write(&path, &twice, &meta), Err(Error::CheckpointWrite { .. })));
        assert_eq!(read::<Meta>(&path).unwrap().0, tensors);
    }

    #[test]
    fn what_a_killed_engine_left_half_written_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".tmpAbCdEf", "best.safetensors.partial"] {
            fs::write(folder.path().join(name), b"half").unwrap();
        }
        write(&folder.path().join("last.safetensors"), &[], &1).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_foreign_safetensors_file_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vgg16.safetensors");
        fs::write(&path, safetensors::serialize(BTreeMap::<&str, &TensorData>::new(), None).unwrap()).unwrap();
        let error = read::<Meta>(&path).unwrap_err();
        assert!(error.to_string().contains("no `frostline` record"), "{error}");
    }
}
