//! All that is to be known of one picture file: read whole, decoded, and described. Refuses nothing: what cannot be read has its
//! reason.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use image::{ExtendedColorType, ImageDecoder as _, ImageReader};

use super::super::{DataError, decode};
use super::look::{Look, SEEN_AT};

/// One readable file.
#[derive(Clone, Debug)]
pub struct Portrait {
    pub width: u32,
    pub height: u32,
    /// `jpeg`, `png`, `bmp`, `gif` or `webp`, by content.
    pub format: &'static str,
    /// `RGB`, `grey`, `RGB + alpha`, `CMYK`, with the bits of a channel where they are not 8.
    pub colour: String,
    /// EXIF's, 1 (upright) to 8.
    pub orientation: u8,
    pub bytes: u64,
    /// BLAKE3 of the file.
    pub digest: [u8; 32],
    pub look: Look,
}

/// Why a file is no picture that could be trained on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub reason: String,
    /// It begins like a picture and ends too early.
    pub truncated: bool,
}

impl Portrait {
    pub fn of(path: &Path) -> Result<Self, Unreadable> {
        let reading = |error| {
            let error = DataError::reading(path, "image", error);
            Unreadable { reason: crate::error::Error::from(error).message(), truncated: false }
        };
        Self::of_bytes(&std::fs::read(path).map_err(reading)?)
    }

    pub fn of_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let refused = |reason: String| Unreadable { truncated: reason.ends_with("is cut off"), reason };
        let pixels = decode::decode(bytes, SEEN_AT).map_err(refused)?;
        let (format, width, height, colour, orientation) = header(bytes).map_err(refused)?;
        Ok(Self {
            width,
            height,
            format,
            colour,
            orientation,
            bytes: bytes.len() as u64,
            digest: blake3::hash(bytes).into(),
            look: Look::of(&pixels),
        })
    }
}

fn header(bytes: &[u8]) -> Result<(&'static str, u32, u32, String, u8), String> {
    let told = |error: image::ImageError| error.to_string();
    let format = image::guess_format(bytes).map_err(told)?;
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder().map_err(told)?;
    let (width, height) = decoder.dimensions();
    let colour = colour(decoder.original_color_type());
    // A damaged note about the camera does not make the picture unreadable.
    let orientation = decoder.orientation().map_or(1, image::metadata::Orientation::to_exif);
    let name = match format {
        image::ImageFormat::Jpeg => "jpeg",
        _ => format.extensions_str().first().copied().unwrap_or("image"),
    };
    Ok((name, width, height, colour, orientation))
}

fn colour(stored: ExtendedColorType) -> String {
    use ExtendedColorType as Type;
    let (name, bits) = match stored {
        Type::L1 | Type::L2 | Type::L4 | Type::L8 | Type::L16 => ("grey", stored.bits_per_pixel()),
        Type::La1 | Type::La2 | Type::La4 | Type::La8 | Type::La16 => ("grey + alpha", stored.bits_per_pixel() / 2),
        Type::Rgb1 | Type::Rgb2 | Type::Rgb4 | Type::Rgb8 | Type::Rgb16 | Type::Bgr8 => {
            ("RGB", stored.bits_per_pixel() / 3)
        }
        Type::Rgba1 | Type::Rgba2 | Type::Rgba4 | Type::Rgba8 | Type::Rgba16 | Type::Bgra8 => {
            ("RGB + alpha", stored.bits_per_pixel() / 4)
        }
        Type::Cmyk8 | Type::Cmyk16 => ("CMYK", stored.bits_per_pixel() / 4),
        other => return format!("{other:?}").to_lowercase(),
    };
    if bits == 8 { name.into() } else { format!("{name}, {bits} bits") }
}

/// Each file's portrait, in the order of the files. All cores read; `met` is called after every file, from any thread.
pub fn portray(files: &[PathBuf], met: &(dyn Fn() + Sync)) -> Vec<Result<Portrait, Unreadable>> {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<_>> = Mutex::new((0..files.len()).map(|_| None).collect());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = files.get(at) else { break };
            let portrait = Portrait::of(path);
            found.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(portrait);
            met();
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len());
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.into_iter().map(|portrait| portrait.expect("every number was drawn, and met its file")).collect()
}
