//! The images of a zip, one folder a class: read in memory, checked, and written under a temporary name until all are there.
//! What cannot be read is left out and named. Takes nothing from the archive's paths but a class that it knows and a file's name.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read as _},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use zip::ZipArchive;

use crate::data::{apportion::folder_name, survey::Portrait};

/// The folders of the archive that hold images.
const CLASSES: [&str; 2] = ["Cat", "Dog"];
/// No photograph is larger; what claims to be would only fill the memory.
const MOST_BYTES: u64 = 64 << 20;

#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("{path}: is no zip archive that can be read: {problem}")]
    Archive { path: PathBuf, problem: String },

    #[error("{path}: holds no images in folders called Cat and Dog")]
    Nothing { path: PathBuf },

    #[error("{path}: {problem}")]
    Disk { path: PathBuf, problem: io::Error },
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Images in the folder of each class.
    pub counts: BTreeMap<String, usize>,
    /// Names in the archive, and why they are no images.
    pub left_out: Vec<(String, String)>,
}

/// An image in the archive.
struct Entry {
    number: usize,
    name: String,
    class: &'static str,
    file: String,
}

/// Unpacks into a folder that must not be there; `met` is called for each image, `begin` with their number before.
pub fn unpack(
    archive: &Path,
    into: &Path,
    begin: &dyn Fn(usize),
    met: &(dyn Fn() + Sync),
) -> Result<Unpacked, UnpackError> {
    let entries = list(&open(archive)?);
    if entries.is_empty() {
        return Err(UnpackError::Nothing { path: archive.to_owned() });
    }
    begin(entries.len());
    let mut name = into.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    let partial = into.with_file_name(name);
    // Left by a run that was cut off: a fetch has nothing of anybody else's in it.
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(disk(&partial))?;
    }
    for class in CLASSES {
        let folder = partial.join(folder_name(class));
        fs::create_dir_all(&folder).map_err(disk(&folder))?;
    }
    let done = all(archive, &entries, &partial, met);
    let named = done.and_then(|unpacked| fs::rename(&partial, into).map_err(disk(into)).map(|()| unpacked));
    if named.is_err() {
        // The first error matters; a left-over is removed next time.
        let _ = fs::remove_dir_all(&partial);
    }
    named
}

fn open(archive: &Path) -> Result<ZipArchive<BufReader<File>>, UnpackError> {
    let file = File::open(archive).map_err(disk(archive))?;
    let problem =
        |error: zip::result::ZipError| UnpackError::Archive { path: archive.to_owned(), problem: error.to_string() };
    ZipArchive::new(BufReader::new(file)).map_err(problem)
}

fn list(archive: &ZipArchive<BufReader<File>>) -> Vec<Entry> {
    let image = |number: usize, name: &str| {
        let mut parts = name.rsplit(['/', '\\']);
        let (file, folder) = (parts.next()?, parts.next()?);
        let class = CLASSES.into_iter().find(|class| *class == folder)?;
        let (stem, ending) = file.rsplit_once('.')?;
        let plain = !stem.is_empty() && stem.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        let fits = plain && ["jpg", "jpeg", "png"].contains(&ending.to_ascii_lowercase().as_str());
        fits.then(|| Entry { number, name: name.to_owned(), class, file: file.to_owned() })
    };
    // A name that is no text is none of those that are looked for.
    archive.file_names().enumerate().filter_map(|(number, name)| image(number, &name.ok()?)).collect()
}

/// All cores check, each with the archive opened for itself.
fn all(archive: &Path, entries: &[Entry], partial: &Path, met: &(dyn Fn() + Sync)) -> Result<Unpacked, UnpackError> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((Unpacked::default(), None));
    let work = || {
        let outcome = open(archive).and_then(|mut archive| {
            while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                let reason = one(&mut archive, entry, partial)?;
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                match reason {
                    None => *done.0.counts.entry(folder_name(entry.class).to_owned()).or_default() += 1,
                    Some(reason) => done.0.left_out.push((entry.name.clone(), reason)),
                }
                drop(done);
                met();
            }
            Ok(())
        });
        if let Err(error) = outcome {
            // The others have nothing more to draw.
            next.store(entries.len(), Ordering::Relaxed);
            done.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(error);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
        work();
    });
    match done.into_inner().unwrap_or_else(PoisonError::into_inner) {
        (_, Some(error)) => Err(error),
        (mut unpacked, None) => {
            unpacked.left_out.sort();
            Ok(unpacked)
        }
    }
}

/// Writes one image, or says why it is none. `Cat/0.jpg` becomes `cats/cat.0.jpg`, as the competition calls it.
fn one(
    archive: &mut ZipArchive<BufReader<File>>,
    entry: &Entry,
    partial: &Path,
) -> Result<Option<String>, UnpackError> {
    let mut bytes = Vec::new();
    match archive.by_index(entry.number) {
        Ok(stored) => {
            if let Err(error) = stored.take(MOST_BYTES).read_to_end(&mut bytes) {
                return Ok(Some(format!("damaged in the archive: {error}")));
            }
        }
        Err(error) => return Ok(Some(format!("damaged in the archive: {error}"))),
    }
    if let Err(unreadable) = Portrait::of_bytes(&bytes) {
        return Ok(Some(unreadable.reason));
    }
    let name = format!("{}.{}", entry.class.to_lowercase(), entry.file);
    let path = partial.join(folder_name(entry.class)).join(name);
    fs::write(&path, bytes).map_err(disk(&path))?;
    Ok(None)
}

fn disk(path: &Path) -> impl Fn(io::Error) -> UnpackError {
    move |problem| UnpackError::Disk { path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn jpeg(tone: u8) -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_fn(24, 24, |x, y| image::Rgb([tone, x as u8 * 9, y as u8 * 9]));
        picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    }

    fn archive(path: &Path, files: &[(&str, &[u8])]) {
        let mut zip = ZipWriter::new(File::create(path).unwrap());
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
    }

    #[test]
    fn good_images_are_written_and_broken_ones_named() {
        let folder = tempfile::tempdir().unwrap();
        let (zip, into) = (folder.path().join("a.zip"), folder.path().join("pets"));
        let whole = jpeg(9);
        archive(
            &zip,
            &[
                ("PetImages/Cat/0.jpg", &jpeg(1)),
                ("PetImages/Cat/666.jpg", b""),
                ("PetImages/Cat/Thumbs.db", b"x"),
                ("PetImages/Dog/1.jpg", &jpeg(2)),
                ("PetImages/Dog/11702.jpg", &whole[..whole.len() / 2]),
                ("PetImages/Dog/../../../evil.jpg", &jpeg(3)),
                ("readme[1].txt", b"read me"),
            ],
        );
        let unpacked = unpack(&zip, &into, &|count| assert_eq!(count, 4), &|| ()).unwrap();
        assert_eq!(unpacked.counts, BTreeMap::from([("cats".into(), 1), ("dogs".into(), 1)]));
        let left_out: Vec<_> = unpacked.left_out.iter().map(|(name, reason)| format!("{name}: {reason}")).collect();
        assert_eq!(
            left_out,
            ["PetImages/Cat/666.jpg: the file is empty", "PetImages/Dog/11702.jpg: the jpeg is cut off"]
        );
        assert_eq!(fs::read(into.join("cats/cat.0.jpg")).unwrap(), jpeg(1));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_archive_of_pets_is_refused_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (zip, into) = (folder.path().join("a.zip"), folder.path().join("pets"));
        fs::write(&zip, "<html>").unwrap();
        assert!(matches!(unpack(&zip, &into, &|_| (), &|| ()), Err(UnpackError::Archive { .. })));
        archive(&zip, &[("Birds/0.jpg", &jpeg(1))]);
        assert!(matches!(unpack(&zip, &into, &|_| (), &|| ()), Err(UnpackError::Nothing { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
