//! Pictures at the target size, kept after they were decoded or drawn once, up to a budget of memory. Failures are kept too.
//! What is kept never changes what a batch holds: loading is a pure function.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{DataError, Size, Skipped, Split};

/// One slot for each position of a split.
pub(super) struct Cache {
    slots: Vec<OnceLock<Result<Box<[u8]>, Skipped>>>,
    /// Bytes that may still be kept.
    left: AtomicUsize,
}

impl Cache {
    /// `budget` in bytes.
    pub(super) fn new(split: &Split, size: Size, budget: usize) -> Self {
        let slots = if split.source.is_resident(size) { 0 } else { split.len() };
        Self { slots: (0..slots).map(|_| OnceLock::new()).collect(), left: AtomicUsize::new(budget) }
    }

    /// The picture's bytes, from memory if it was met before.
    pub(super) fn fetch(&self, split: &Split, position: usize, size: Size) -> Result<Cow<'_, [u8]>, Skipped> {
        let Some(slot) = self.slots.get(position) else { return load(split, position, size).map(Cow::Owned) };
        let kept = match slot.get() {
            Some(kept) => kept,
            None if self.reserve(size.bytes()) => {
                slot.get_or_init(|| load(split, position, size).map(Vec::into_boxed_slice))
            }
            None => return load(split, position, size).map(Cow::Owned),
        };
        kept.as_deref().map(Cow::Borrowed).map_err(Clone::clone)
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
