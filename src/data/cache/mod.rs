//! Pictures at the target size, kept after they were decoded or drawn once, up to a budget: in memory, or in a file that later runs
//! and other processes share. Failures are kept too, in memory. What is kept never changes what a batch holds: loading is a pure
//! function, and a cache that cannot be had costs time only.

pub(super) mod file;
pub(super) mod folder;

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{CacheKind, DataError, Size, Skipped, Split};
use file::{CacheFile, Limits, Wanted};
use folder::{CacheContent, CacheFolder};

/// All files of decoded pictures together may take so many times the budget of one; a data set has up to three.
const FILES: u64 = 4;

/// One slot for each position of a split.
pub(super) struct Cache {
    slots: Vec<OnceLock<Result<Kept, Skipped>>>,
    /// Bytes that may still be kept in memory.
    left: AtomicUsize,
    file: Option<CacheFile>,
    /// Why the file is not used, or no longer written.
    trouble: OnceLock<String>,
}

enum Kept {
    Here(Box<[u8]>),
    /// In the file, and found to be whole.
    InFile,
}

impl Cache {
    /// `budget` in bytes: of memory, or of the file.
    pub(super) fn new(split: &Split, size: Size, kind: CacheKind, budget: usize) -> Self {
        Self::at(split, size, kind, budget, CacheFolder::find(CacheContent::Decoded))
    }

    fn at(split: &Split, size: Size, kind: CacheKind, budget: usize, place: Option<CacheFolder>) -> Self {
        let trouble = OnceLock::new();
        let mut file = None;
        let is_resident = split.source.is_resident(size);
        let wants_file = !is_resident && kind == CacheKind::File && split.source.has_files();
        let identity = if wants_file { split.source.identity(size) } else { None };
        if let Some(identity) = identity {
            let about = split.describe();
            let (records, record_bytes) = (split.source.len(), size.bytes());
            let wanted = Wanted { identity, records, record_bytes, about: &about };
            let limits = Limits { file: budget as u64, folder: FILES * budget as u64 };
            match place {
                None => {
                    let _ = trouble.set("neither XDG_CACHE_HOME nor HOME is set".into());
                }
                Some(place) => match CacheFile::open(&place, wanted, limits) {
                    Ok(opened) => file = Some(opened),
                    Err(error) => {
                        let _ = trouble.set(format!("{}: {error}", place.path.display()));
                    }
                },
            }
        }
        let slots = if is_resident || kind == CacheKind::None { 0 } else { split.len() };
        // Sources that have no files of their own are kept in memory, whatever was asked for.
        let left = AtomicUsize::new(if identity.is_some() { 0 } else { budget });
        Self { slots: (0..slots).map(|_| OnceLock::new()).collect(), left, file, trouble }
    }

    /// What keeps the cache file from its work, once it was noticed; pictures are then decoded each time.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.get().map(String::as_str)
    }

    /// The picture's bytes for once: as they were kept if it was met before, and not kept otherwise.
    pub(super) fn glance(&self, split: &Split, position: usize, size: Size) -> Result<Cow<'_, [u8]>, Skipped> {
        let is_in_file = || self.file.as_ref().is_some_and(|file| file.holds(split.indices[position] as usize));
        match self.slots.get(position) {
            Some(slot) if slot.get().is_none() && !is_in_file() => {
                let loaded = load(split, position, size);
                if let Err(skipped) = &loaded {
                    let _ = slot.set(Err(skipped.clone()));
                }
                loaded.map(Cow::Owned)
            }
            _ => self.fetch(split, position, size),
        }
    }

    /// The picture's bytes, as they were kept if it was met before.
    pub(super) fn fetch(&self, split: &Split, position: usize, size: Size) -> Result<Cow<'_, [u8]>, Skipped> {
        let Some(slot) = self.slots.get(position) else { return load(split, position, size).map(Cow::Owned) };
        let kept = match slot.get() {
            Some(kept) => kept,
            None => match &self.file {
                Some(file) => return self.fetch_from_file(file, slot, split, position, size),
                None if self.reserve(size.bytes()) => {
                    slot.get_or_init(|| load(split, position, size).map(|bytes| Kept::Here(bytes.into())))
                }
                None => return load(split, position, size).map(Cow::Owned),
            },
        };
        match (kept, &self.file) {
            (Err(skipped), _) => Err(skipped.clone()),
            (Ok(Kept::Here(bytes)), _) => Ok(Cow::Borrowed(bytes)),
            (Ok(Kept::InFile), Some(file)) => Ok(Cow::Borrowed(file.record(split.indices[position] as usize))),
            (Ok(Kept::InFile), None) => load(split, position, size).map(Cow::Owned),
        }
    }

    /// At the first meeting in this process: another may have been there before.
    fn fetch_from_file<'a>(
        &'a self,
        file: &'a CacheFile,
        slot: &OnceLock<Result<Kept, Skipped>>,
        split: &Split,
        position: usize,
        size: Size,
    ) -> Result<Cow<'a, [u8]>, Skipped> {
        let number = split.indices[position] as usize;
        if file.holds(number) {
            let _ = slot.set(Ok(Kept::InFile));
            return Ok(Cow::Borrowed(file.record(number)));
        }
        let loaded = load(split, position, size);
        match &loaded {
            Err(skipped) => {
                let _ = slot.set(Err(skipped.clone()));
            }
            Ok(bytes) if self.trouble.get().is_none() => match file.keep(number, bytes) {
                Ok(true) => {
                    let _ = slot.set(Ok(Kept::InFile));
                }
                Ok(false) => {}
                Err(error) => {
                    let _ = self.trouble.set(format!("{}: {error}", file.path().display()));
                }
            },
            Ok(_) => {}
        }
        loaded.map(Cow::Owned)
    }

    fn reserve(&self, bytes: usize) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }
}

fn load(split: &Split, position: usize, size: Size) -> Result<Vec<u8>, Skipped> {
    match split.load(position, size) {
        Ok(pixels) => Ok(pixels.bytes),
        Err(DataError::Decode { reason, .. }) => Err(Skipped { path: split.name(position), reason }),
        Err(error) => Err(Skipped { path: split.name(position), reason: crate::error::Error::from(error).message() }),
    }
}

#[cfg(test)]
mod tests;
