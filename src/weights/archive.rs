//! A zip archive in memory: which entries it has, where a stored one lies, and what a compressed one holds.

use std::{
    io::{Cursor, Read as _},
    ops::Range,
};

use zip::{CompressionMethod, ZipArchive, read::ZipFile, result::ZipError};

use super::error::{Fault, Read};

/// Zeros, as untrained biases are, may shrink well.
const MOST_GROWTH: u64 = 64;

pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    names: Vec<String>,
    directory: ZipArchive<Cursor<&'a [u8]>>,
}

impl<'a> Archive<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Read<Self> {
        let directory = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| Fault::damaged(format!("it begins like a zip archive, but: {error}")))?;
        let names = directory.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        Ok(Self { bytes, names, directory })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Where the entry's bytes lie in the archive; `None` if there is no such entry.
    pub(super) fn stored(&mut self, name: &str) -> Read<Option<Range<usize>>> {
        let whole = self.bytes.len();
        let Some(entry) = self.entry(name)? else { return Ok(None) };
        if entry.compression() != CompressionMethod::Stored {
            return Err(Fault::unsupported(format!("{name} in it is compressed, which torch.save never does")));
        }
        let range = entry.data_start().and_then(|start| {
            let start = usize::try_from(start).ok()?;
            let end = start.checked_add(usize::try_from(entry.size()).ok()?)?;
            (end <= whole).then_some(start..end)
        });
        range.map(Some).ok_or_else(|| Fault::damaged(format!("{name} in it reaches beyond its end")))
    }

    /// The entry's content; `None` if there is no such entry. Weights hardly shrink, so that what claims to be much larger than the
    /// archive is no weights.
    pub(super) fn unpacked(&mut self, name: &str) -> Read<Option<Vec<u8>>> {
        let most = (self.bytes.len() as u64).saturating_mul(MOST_GROWTH);
        let Some(entry) = self.entry(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        entry
            .take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Fault::damaged(format!("{name} in it: {error}")))?;
        if bytes.len() as u64 > most {
            return Err(Fault::damaged(format!("{name} in it unpacks to more than {MOST_GROWTH} times the archive")));
        }
        Ok(Some(bytes))
    }

    fn entry(&mut self, name: &str) -> Read<Option<ZipFile<'_, Cursor<&'a [u8]>>>> {
        match self.directory.by_name(name) {
            Ok(entry) => Ok(Some(entry)),
            Err(ZipError::FileNotFound) => Ok(None),
            Err(error) => Err(Fault::damaged(format!("{name} in it: {error}"))),
        }
    }
}
