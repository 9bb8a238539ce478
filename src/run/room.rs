//! How much room a disk has left.

use std::path::Path;

/// Bytes that this user may still write where `path` lies; `None` if the system does not tell.
pub fn room(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_tells_and_what_is_not_there_does_not() {
        assert!(room(&std::env::temp_dir()).is_some_and(|bytes| bytes > 0));
        assert_eq!(room(Path::new("/nowhere/at/all")), None);
    }
}
