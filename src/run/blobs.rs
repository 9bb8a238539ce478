//! Pictures of a run, each a PNG file named after the hash of its contents: the same picture is kept once, and a viewer's
//! copy never goes stale. Old ones are dropped; an event may name a blob that is no longer there.

use std::{
    collections::{HashSet, VecDeque},
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    error::{Error, Result},
    whole,
};

/// Hexadecimal digits of a blob's name: 128 bits of BLAKE3.
const DIGITS: usize = 32;

/// The writer of a run's blobs.
#[derive(Debug)]
pub struct Blobs {
    folder: PathBuf,
    /// Names from the oldest to the newest of those that may go.
    kept: VecDeque<String>,
    keep: usize,
    /// Those that stay as long as the run does.
    lasting: HashSet<String>,
}

impl Blobs {
    /// Takes over what lies in `folder`, and keeps the newest `keep` blobs from now on besides those that are put to last.
    pub fn open(folder: &Path, keep: usize) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
            let entry = entry.map_err(Error::io("read", folder))?;
            let file = entry.file_name();
            let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".png")) else { continue };
            if is_name(name) {
                let changed =
                    entry.metadata().and_then(|data| data.modified()).map_err(Error::io("read", entry.path()))?;
                found.push((changed, name.to_owned()));
            }
        }
        found.sort();
        let kept = found.into_iter().map(|(_, name)| name).collect();
        Ok(Self { folder: folder.to_path_buf(), kept, keep, lasting: HashSet::new() })
    }

    /// Marks blobs of earlier lives of the run that are to stay.
    pub fn last(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            self.kept.retain(|kept| *kept != name);
            self.lasting.insert(name);
        }
    }

    /// Stores a picture that may be dropped for newer ones, and returns its name.
    pub fn put(&mut self, png: &[u8]) -> Result<String> {
        let name = blake3::hash(png).to_hex()[..DIGITS].to_owned();
        let path = file(&self.folder, &name);
        // A length that differs is what a power cut left of it.
        if !fs::metadata(&path).is_ok_and(|found| found.len() == png.len() as u64) {
            whole::replace(&path, png, false).map_err(Error::io("write", &path))?;
        }
        if self.lasting.contains(&name) {
            return Ok(name);
        }
        if self.kept.back() != Some(&name) {
            self.kept.retain(|kept| *kept != name);
            self.kept.push_back(name.clone());
        }
        while self.kept.len() > self.keep.max(1) {
            if let Some(oldest) = self.kept.pop_front() {
                match fs::remove_file(file(&self.folder, &oldest)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(Error::io("remove", file(&self.folder, &oldest))(error));
                    }
                    _ => {}
                }
            }
        }
        Ok(name)
    }
}

/// The picture of that name; `None` if it is not, or no longer, there.
pub fn read(folder: &Path, name: &str) -> Result<Option<Vec<u8>>> {
    if !is_name(name) {
        return Err(Error::BlobName { name: name.escape_default().to_string() });
    }
    let path = file(folder, name);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", &path)(error)),
    }
}

/// Names come from viewers: nothing but digits, so that none leads out of the folder.
fn is_name(name: &str) -> bool {
    name.len() == DIGITS && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.png"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_picture_is_kept_once_under_the_hash_of_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        let mut blobs = Blobs::open(folder.path(), 10).unwrap();
        let name = blobs.put(b"").unwrap();
        // BLAKE3 of nothing, from the test vectors of its authors.
        assert_eq!(name, "af1349b9f5f9a1a6a0404dea36dcc949");
        assert_eq!(blobs.put(b"").unwrap(), name);
        let other = blobs.put(b"other").unwrap();
        assert_eq!(read(folder.path(), &other).unwrap().unwrap(), b"other");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn the_oldest_go_and_one_that_is_used_again_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut blobs = Blobs::open(folder.path(), 2).unwrap();
        let first = blobs.put(b"1").unwrap();
        let second = blobs.put(b"2").unwrap();
        blobs.put(b"1").unwrap();
        blobs.put(b"3").unwrap();
        assert_eq!(read(folder.path(), &second).unwrap(), None);
        assert!(read(folder.path(), &first).unwrap().is_some());
        let mut again = Blobs::open(folder.path(), 2).unwrap();
        again.put(b"4").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "a later engine lost count");
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["", "..", "../../../etc/passwd", "/etc/passwd", "AF1349B9F5F9A1A6A0404DEA36DCC949", &"a".repeat(31)]
        {
            assert!(matches!(read(folder.path(), name), Err(Error::BlobName { .. })), "{name}");
        }
    }

    #[test]
    fn a_picture_cut_short_by_a_power_cut_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut blobs = Blobs::open(folder.path(), 2).unwrap();
        let name = blobs.put(b"picture").unwrap();
        fs::write(folder.path().join(format!("{name}.png")), b"").unwrap();
        blobs.put(b"picture").unwrap();
        assert_eq!(read(folder.path(), &name).unwrap().unwrap(), b"picture");
    }
}
