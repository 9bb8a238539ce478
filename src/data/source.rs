//! Where samples come from: a numbered list of labelled pictures that can be loaded at any size, from any thread.

use super::{DataError, Pixels, Size};

/// A numbered, labelled set of pictures. Loading is a pure function of the sample and the size.
pub trait Source: Send + Sync {
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of sample `i`, known without loading it.
    fn label(&self, i: usize) -> u32;

    /// What a person would call it: a file path, or `train #17`.
    fn name(&self, i: usize) -> String;

    /// The picture at the target size, or why it cannot be read.
    fn load(&self, i: usize, size: Size) -> Result<Pixels, DataError>;

    /// Stands for all of its pictures at this size: what was made of them may be kept elsewhere under this name. Nothing where they
    /// have no name that would change with them.
    fn identity(&self, _size: Size) -> Option<blake3::Hash> {
        None
    }

    /// True where each picture lies in a file of its own, whose decoding costs more than reading what was kept of it.
    fn has_files(&self) -> bool {
        false
    }

    /// True where loading at this size is a mere copy, so that keeping the result would only double the memory.
    fn is_resident(&self, _size: Size) -> bool {
        false
    }
}
