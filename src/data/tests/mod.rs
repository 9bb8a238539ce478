//! The data room from outside: files in, batches or an explained error out.
#![allow(clippy::unwrap_used)]

mod damage;
mod errors;
mod loading;
mod opening;
mod reference;

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";

const SIZE: Size = Size { height: 4, width: 6, channels: 3 };

/// A folder that vanishes with the test, and what to write into it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A png of one colour.
    fn picture(&self, name: &str, value: u8) -> PathBuf {
        self.write(name, &png(value))
    }

    /// A well-formed set of `count` images of 2×3 and labels 0, 1, 2, 0, …; image `i` is filled with `i`. The images' file.
    fn idx(&self, count: u8) -> PathBuf {
        let pixels: Vec<u8> = (0..count).flat_map(|i| [i; 6]).collect();
        let labels: Vec<u8> = (0..count).map(|i| i % 3).collect();
        let images = self.write(IMAGES, &idx(0x0803, &[u32::from(count), 2, 3], &pixels));
        self.write(LABELS, &idx(0x0801, &[u32::from(count)], &labels));
        images
    }
}

fn png(value: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(8, 8, image::Rgb([value; 3])).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn idx(magic: u32, dimensions: &[u32], rest: &[u8]) -> Vec<u8> {
    let mut bytes = magic.to_be_bytes().to_vec();
    bytes.extend(dimensions.iter().flat_map(|side| side.to_be_bytes()));
    bytes.extend_from_slice(rest);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn spec(source: SourceSpec) -> DataSpec {
    DataSpec {
        source,
        size: SIZE,
        interpolation: Interpolation::Nearest,
        validation_fraction: None,
        limit: None,
        seed: 1,
        augment: Augment::default(),
    }
}

/// Of the set that `files` holds.
fn idx_spec(files: &Files) -> DataSpec {
    spec(SourceSpec::Idx { places: vec![files.path("")], classes: Vec::new() })
}

fn folder_spec(root: &Path) -> DataSpec {
    spec(SourceSpec::Folder { places: vec![root.into()] })
}
