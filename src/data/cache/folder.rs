//! Where cache files lie, and which of them make way for a new one: `FROSTLINE_CACHE`, or `frostline/decoded` in the user's cache folder.
//! Touches nothing but files of its own ending.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use blake3::Hash;

const ENDING: &str = "pixels";
/// All files together may take so many times the budget of one; a data set has up to three.
const FILES: u64 = 4;

/// Nothing where the system does not say where a user's caches belong.
pub(super) fn place() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // A relative XDG_CACHE_HOME is to be ignored (XDG Base Directory Specification).
    let user = || folder("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let home = || folder("HOME").map(|home| home.join(".cache"));
    folder("FROSTLINE_CACHE").or_else(|| Some(user().or_else(home)?.join("frostline").join("decoded")))
}

pub(super) fn file(place: &Path, identity: Hash) -> PathBuf {
    place.join(format!("{}.{ENDING}", identity.to_hex()))
}

/// Makes the folder, and removes the files that were not used for longest until `length` bytes more are within the bounds. Processes that
/// still use them keep them until they end.
pub(super) fn make_room(place: &Path, new: &Path, length: u64, budget: usize) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(place)?;
    let mut others = Vec::new();
    for entry in std::fs::read_dir(place)? {
        let entry = entry?;
        let path = entry.path();
        let Ok(data) = entry.metadata() else { continue };
        if data.is_file() && path != new && path.extension().is_some_and(|ending| ending == ENDING) {
            // A file has its full length from the start, but takes only what was written.
            others.push((data.modified()?, data.blocks() * 512, path));
        }
    }
    others.sort();
    let mut taken: u64 = length + others.iter().map(|(_, bytes, _)| bytes).sum::<u64>();
    for (_, bytes, path) in others {
        if taken <= FILES * budget as u64 {
            break;
        }
        if std::fs::remove_file(path).is_ok() {
            taken -= bytes;
        }
    }
    Ok(())
}

/// So that it counts as used. If that fails, it may be removed a little early.
#[expect(
    clippy::disallowed_methods,
    reason = "the time of use of a cache file decides what is removed, never what is computed"
)]
pub(super) fn touch(file: &File) {
    let _ = file.set_modified(SystemTime::now());
}
