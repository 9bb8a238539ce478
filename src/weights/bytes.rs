//! A file's bytes, mapped so that only what is asked for is read from the disk. Nothing is kept of the path.

use std::{fs::File, io, ops::Deref, path::Path};

use memmap2::Mmap;

/// The bytes of a file, or bytes that were unpacked from one.
#[derive(Debug)]
pub(super) enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Bytes {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let data = file.metadata()?;
        if !data.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        // Nothing cannot be mapped.
        if data.len() == 0 {
            return Ok(Self::Owned(Vec::new()));
        }
        // SAFETY: the mapping is read-only. Frostline replaces files of weights by renaming and never writes into one; who
        // truncates one from outside while it is read ends the program with a bus error, as with every program that maps it.
        Ok(Self::Mapped(unsafe { Mmap::map(&file)? }))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}
