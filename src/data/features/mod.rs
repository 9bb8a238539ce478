//! What the frozen part of a network made of pictures, kept on the disk: while that part stays as it is, its outputs are the same in
//! every epoch and every run, and a batch holds them in place of the pictures. Bytes under numbers; what they mean is the engine's
//! business. Kept records never change a result: what is not there, or not whole, is computed again.

mod serve;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use blake3::Hash;

use super::cache::file::{CacheFile, Limits, Wanted};
use super::cache::folder::{CacheContent, CacheFolder};
pub use serve::Served;
use writer::Writer;

/// The part of a network whose outputs are worth keeping, as the engine describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenPart {
    /// Of its structure, its weights, and how and on what it is computed: with the same one and the same pictures, the same outputs.
    pub identity: Hash,
    /// Of what is kept of one picture.
    pub record_bytes: usize,
    /// Whether the layers behind it read the picture too.
    pub needs_pictures: bool,
    /// Names of the layers whose outputs are kept.
    pub outputs: Vec<String>,
}

/// Which pictures, as a [`Loader`](super::Loader) describes its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pictures {
    /// Of the pictures and of how they are varied.
    pub identity: Hash,
    /// Pictures in the split.
    pub count: usize,
    /// Of each picture.
    pub variants: u32,
}

/// The records of one frozen part for the pictures of one split. Dropping it waits until what was given is written.
pub struct Features {
    part: FrozenPart,
    pictures: Pictures,
    shared: Arc<Shared>,
    writer: Writer,
    read: AtomicU64,
    computed: AtomicU64,
}

struct Shared {
    file: CacheFile,
    /// Records that were found, or written, whole.
    whole: Vec<AtomicBool>,
    /// Why nothing more is written.
    trouble: OnceLock<String>,
}

/// Where features lie: `FROSTLINE_CACHE`, or `frostline/features` in the user's cache folder. Nothing where the system does not say
/// where a user's caches belong.
pub fn folder() -> Option<PathBuf> {
    Some(CacheFolder::find(CacheContent::Features)?.path)
}

impl Features {
    /// In `folder`, made where it is missing. `bytes` is how much all files of features in it may take, `taken` the part of it that
    /// files have which this process has open; of what finds no room nothing is kept. `about` says to a person what this is.
    pub fn open(
        folder: &Path,
        part: &FrozenPart,
        pictures: Pictures,
        bytes: u64,
        taken: u64,
        about: &str,
    ) -> io::Result<Self> {
        let place = CacheFolder { path: folder.to_owned(), kind: CacheContent::Features };
        let identity = identity(part, pictures);
        let records = pictures.count.saturating_mul(pictures.variants.max(1) as usize);
        let wanted = Wanted { identity, records, record_bytes: part.record_bytes, about };
        let limits = Limits { file: bytes.saturating_sub(taken), folder: bytes };
        let file = CacheFile::open(&place, wanted, limits)?;
        let whole = (0..file.room()).map(|_| AtomicBool::new(false)).collect();
        let shared = Arc::new(Shared { file, whole, trouble: OnceLock::new() });
        let writer = Writer::start(&shared);
        let (read, computed) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { part: part.clone(), pictures, shared, writer, read, computed })
    }

    pub fn part(&self) -> &FrozenPart {
        &self.part
    }

    pub fn pictures(&self) -> Pictures {
        self.pictures
    }

    pub fn path(&self) -> &Path {
        self.shared.file.path()
    }

    /// Bytes that all its records take, and how many find room.
    pub fn size(&self) -> (u64, usize) {
        let room = self.shared.file.room();
        (room as u64 * self.part.record_bytes as u64, room)
    }

    /// What keeps records from being written, once it was noticed.
    pub fn trouble(&self) -> Option<&str> {
        self.shared.trouble.get().map(String::as_str)
    }

    /// The number of a picture's record, as an epoch shows it.
    fn number(&self, position: u32, epoch: u64) -> usize {
        let variant = epoch.checked_rem(self.pictures.variants.into()).unwrap_or(0) as usize;
        variant * self.pictures.count + position as usize
    }

    /// Whether this is the only time that the picture itself is needed.
    fn keeps_all_of(&self, position: u32) -> bool {
        self.pictures.variants <= 1 && self.trouble().is_none() && (position as usize) < self.shared.file.room()
    }

    /// The record, if it is there and whole.
    fn record(&self, number: usize) -> Option<&[u8]> {
        let Shared { file, whole, .. } = &*self.shared;
        let seen = whole.get(number)?;
        if !seen.load(Ordering::Acquire) {
            if !file.holds(number) {
                return None;
            }
            seen.store(true, Ordering::Release);
        }
        Some(file.record(number))
    }

    /// Keeps records that were computed, as they lie one behind the other. They are written by a thread of their own, for which the
    /// caller waits only when it is several batches behind.
    pub fn keep(&self, numbers: Vec<usize>, records: Vec<u8>) {
        if self.trouble().is_none() {
            self.writer.write(numbers, records);
        }
    }

    /// Waits until all that was given is there for others.
    pub fn settle(&self) {
        self.writer.settle();
    }

    /// Of a batch: how many of its pictures were read and how many had to be computed.
    pub fn count(&self, read: usize, computed: usize) {
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        self.computed.fetch_add(computed as u64, Ordering::Relaxed);
    }

    /// Since it was asked last.
    pub fn take_counts(&self) -> (u64, u64) {
        (self.read.swap(0, Ordering::Relaxed), self.computed.swap(0, Ordering::Relaxed))
    }
}

/// Names the file in which such records lie.
pub fn identity(part: &FrozenPart, pictures: Pictures) -> Hash {
    let mut hasher = blake3::Hasher::new();
    // Not every change of how pictures are made has a number of its own.
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.update(part.identity.as_bytes()).update(pictures.identity.as_bytes());
    hasher.finalize()
}

impl std::fmt::Debug for Features {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Features({})", self.path().display())
    }
}

#[cfg(test)]
mod tests;
