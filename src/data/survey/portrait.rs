//! All that is to be known of one picture file: read whole, decoded, and described. Refuses nothing: what cannot be read has its
//! reason.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::super::{Colour, DataError, Interpolation, Probe, decode};
use super::look::{Look, SEEN_AT};

/// One readable file.
#[derive(Clone, Debug)]
pub struct Portrait {
    /// As stored; an orientation of 5 or more swaps them.
    pub width: u32,
    pub height: u32,
    /// `jpeg`, `png`, `bmp`, `gif` or `webp`, by content.
    pub format: &'static str,
    /// [`Colour::name`], with the bits of a channel where they are not 8.
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
        let pixels = decode::decode(bytes, SEEN_AT, Interpolation::Box).map_err(refused)?;
        let probe = decode::facts(bytes).map_err(refused)?;
        Ok(Self {
            width: probe.width,
            height: probe.height,
            format: if probe.format == "jpg" { "jpeg" } else { probe.format },
            colour: colour(&probe),
            orientation: probe.orientation,
            bytes: bytes.len() as u64,
            digest: blake3::hash(bytes).into(),
            look: Look::of(&pixels),
        })
    }
}

fn colour(probe: &Probe) -> String {
    let name = probe.colour.name();
    // A palette's bits tell how many colours there are, which is no matter here.
    if probe.bits == 8 || probe.colour == Colour::Palette {
        name.into()
    } else {
        format!("{name}, {} bits", probe.bits)
    }
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
