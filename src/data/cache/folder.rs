//! Where cache files lie, and which of them make way for a new one: `FROSTLINE_CACHE`, or `frostline/decoded` and
//! `frostline/features` in the user's cache folder. Touches nothing but files of its own endings.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use blake3::Hash;

use super::file;

/// What the records of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheContent {
    /// Pictures at the network's size.
    Decoded,
    /// What the frozen part of a network made of pictures.
    Features,
}

impl CacheContent {
    const ALL: [Self; 2] = [Self::Decoded, Self::Features];

    /// Also the folder's name in the user's cache.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decoded => "decoded",
            Self::Features => "features",
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Decoded => "pixels",
            Self::Features => "features",
        }
    }

    pub(super) fn magic(self) -> [u8; 16] {
        match self {
            Self::Decoded => *b"frostline pixels",
            Self::Features => *b"frostlinefeature",
        }
    }
}

/// A folder, looked at for files of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::data) struct CacheFolder {
    pub(in crate::data) path: PathBuf,
    pub(in crate::data) kind: CacheContent,
}

impl CacheFolder {
    /// Nothing where the system does not say where a user's caches belong.
    pub(in crate::data) fn find(kind: CacheContent) -> Option<Self> {
        let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // A relative XDG_CACHE_HOME is to be ignored (XDG Base Directory Specification).
        let user = || folder("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let home = || folder("HOME").map(|home| home.join(".cache"));
        let path =
            folder("FROSTLINE_CACHE").or_else(|| Some(user().or_else(home)?.join("frostline").join(kind.name())))?;
        Some(Self { path, kind })
    }

    pub(super) fn file(&self, identity: Hash) -> PathBuf {
        self.path.join(format!("{}.{}", identity.to_hex(), self.kind.ending()))
    }

    /// Makes the folder, and removes the files that were not used for longest until `length` bytes more are within the limit, but none
    /// that is open: a run does not lose what it has just kept.
    pub(super) fn make_room(&self, new: &Path, length: u64, limit: u64) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let mut others: Vec<_> = self.files()?.into_iter().filter(|(_, _, path)| path != new).collect();
        others.sort();
        let mut taken: u64 = others.iter().map(|(_, bytes, _)| bytes).sum::<u64>().saturating_add(length);
        for (_, bytes, path) in others {
            if taken <= limit {
                break;
            }
            let is_free = || File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
            if is_free() && std::fs::remove_file(&path).is_ok() {
                taken -= bytes;
            }
        }
        Ok(())
    }

    /// When each was used last, and what it takes: a file has its full length from the start, but takes only what was written.
    fn files(&self) -> io::Result<Vec<(SystemTime, u64, PathBuf)>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            let path = entry.path();
            let Ok(data) = entry.metadata() else { continue };
            if data.is_file() && path.extension().is_some_and(|ending| ending == self.kind.ending()) {
                files.push((data.modified()?, data.blocks() * 512, path));
            }
        }
        Ok(files)
    }
}

/// A file that is kept between runs.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheEntry {
    pub path: PathBuf,
    pub content: CacheContent,
    /// On the disk.
    pub bytes: u64,
    pub used: SystemTime,
    /// Of so many records that there is room for, so many are there, each so long; 0 where the file is damaged.
    pub room: u64,
    pub filled: u64,
    pub record_bytes: u64,
    /// In words.
    pub about: String,
}

/// All files, those that were used last first.
pub fn entries() -> io::Result<Vec<CacheEntry>> {
    let mut entries = Vec::new();
    for folder in CacheContent::ALL.into_iter().filter_map(CacheFolder::find) {
        entries.extend(entries_in(&folder)?);
    }
    entries.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.path.cmp(&b.path)));
    Ok(entries)
}

fn entries_in(folder: &CacheFolder) -> io::Result<Vec<CacheEntry>> {
    let files = match folder.files() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        files => files?,
    };
    let entry = |(used, bytes, path): (SystemTime, u64, PathBuf)| {
        let described = file::describe(&path, folder.kind.magic());
        let (room, filled, record_bytes, about) = described.map_or((0, 0, 0, "damaged".to_owned()), |found| {
            (found.room, found.filled, found.record_bytes, found.about)
        });
        CacheEntry { path, content: folder.kind, bytes, used, room, filled, record_bytes, about }
    };
    Ok(files.into_iter().map(entry).collect())
}

/// So that it counts as used. If that fails, it may be removed a little early.
#[expect(
    clippy::disallowed_methods,
    reason = "the time of use of a cache file decides what is removed, never what is computed"
)]
pub(super) fn touch(file: &File) {
    let _ = file.set_modified(SystemTime::now());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::file::{CacheFile, Limits, Wanted};
    use super::*;

    #[test]
    fn what_lies_in_the_folder_is_told_from_heads_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = CacheFolder { path: place.path().to_owned(), kind: CacheContent::Features };
        let about = "ä".repeat(3000);
        let wanted = Wanted { identity: blake3::hash(b"1"), records: 5000, record_bytes: 8, about: &about };
        let limits = Limits { file: 1 << 20, folder: 1 << 20 };
        let file = CacheFile::open(&folder, wanted, limits).unwrap();
        assert!(file.keep(4, &[1; 8]).unwrap() && file.keep(4999, &[2; 8]).unwrap());
        std::fs::write(place.path().join("0.features"), b"frostlinefeature").unwrap();
        std::fs::write(place.path().join("other.pixels"), b"").unwrap();
        let mut entries = entries_in(&folder).unwrap();
        entries.sort_by_key(|entry| entry.filled);
        let [damaged, whole] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((damaged.about.as_str(), damaged.room), ("damaged", 0));
        assert_eq!((whole.room, whole.filled, whole.record_bytes), (5000, 2, 8));
        assert_eq!(whole.about, "ä".repeat(1999), "cut between two characters");
        // At every length that is none.
        let path = whole.path.clone();
        let bytes = std::fs::read(&path).unwrap();
        for length in (0..200).chain([4095, 4096, bytes.len() - 1]) {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert_eq!(file::describe(&path, folder.kind.magic()), None, "{length} bytes");
        }
    }
}
