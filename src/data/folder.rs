//! One subfolder a class, as Keras's `flow_from_directory` reads it: classes are the subfolders' names, sorted; images are
//! found at any depth below; hidden files are passed over. Refuses layouts in which a class would be silently lost.

use std::ffi::OsString;
use std::fs::DirEntry;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::TRAIN_FOLDER;
use super::{DataError, Interpolation, Pixels, Size, Skipped, Source, decode};

/// A data folder as it lies on the disk; no file was opened.
pub(super) struct Folders {
    pub(super) classes: Vec<String>,
    pub(super) train: Listing,
    pub(super) validation: Option<Listing>,
    pub(super) test: Option<Listing>,
}

/// The images of one split, by class and then by path.
pub(super) struct Listing {
    root: PathBuf,
    pub(super) files: Vec<PathBuf>,
    pub(super) labels: Vec<u32>,
}

/// Lists `train/`, `validation/` and `test/` below the root. The last two may be missing, but must not differ in their classes.
pub(super) fn list(root: &Path) -> Result<Folders, DataError> {
    let exists = root.try_exists().map_err(|error| DataError::reading(root, "data folder", error))?;
    if !exists {
        return Err(DataError::Missing { path: root.to_owned(), what: "data folder" });
    }
    let (classes, train) =
        list_split(&root.join("train"))?.ok_or(DataError::Missing { path: root.join("train"), what: TRAIN_FOLDER })?;
    let other = |name: &str| -> Result<Option<Listing>, DataError> {
        let Some((found, listing)) = list_split(&root.join(name))? else { return Ok(None) };
        if found == classes {
            return Ok(Some(listing));
        }
        let without =
            |these: &[String], those: &[String]| these.iter().filter(|name| !those.contains(name)).cloned().collect();
        let (missing, extra) = (without(&classes, &found), without(&found, &classes));
        Err(DataError::ClassesDiffer { path: listing.root, train: train.root.clone(), missing, extra })
    };
    let (validation, test) = (other("validation")?, other("test")?);
    Ok(Folders { classes, train, validation, test })
}

/// The classes and images of one split, or nothing where there is no such folder.
fn list_split(root: &Path) -> Result<Option<(Vec<String>, Listing)>, DataError> {
    let folders = match entries(root) {
        Err(DataError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error),
        // A class folder may be a link, for example to one big disk; links further down are not followed, as in Keras.
        Ok(entries) => entries.into_iter().filter(|(_, entry)| entry.path().is_dir()),
    };
    let mut listing = Listing { root: root.to_owned(), files: Vec::new(), labels: Vec::new() };
    let mut classes = Vec::new();
    for (name, entry) in folders {
        let before = listing.files.len();
        add_images(&entry.path(), &mut listing.files)?;
        if listing.files.len() == before {
            return Err(DataError::EmptyClass { path: entry.path() });
        }
        listing.labels.resize(listing.files.len(), classes.len() as u32);
        classes.push(name.to_string_lossy().into_owned());
    }
    if classes.is_empty() {
        return Err(DataError::NoClasses { path: root.to_owned() });
    }
    Ok(Some((classes, listing)))
}

/// The folder's own images first, then those of its subfolders, each sorted by name.
pub(super) fn add_images(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let mut deeper = Vec::new();
    for (_, entry) in entries(folder)? {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => deeper.push(path),
            Ok(kind) if is_image(&path) && (kind.is_file() || is_link_to_file(&path)) => files.push(path),
            _ => {}
        }
    }
    deeper.iter().try_for_each(|folder| add_images(folder, files))
}

/// What is not hidden in a folder, sorted by name, byte by byte.
pub(super) fn entries(folder: &Path) -> Result<Vec<(OsString, DirEntry)>, DataError> {
    let reading = |error| DataError::reading(folder, "folder", error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            found.push((name, entry));
        }
    }
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Or to nowhere: that is listed as unreadable later. Reading a pipe would wait for ever.
pub(super) fn is_link_to_file(path: &Path) -> bool {
    path.is_symlink() && path.metadata().map_or(true, |data| data.is_file())
}

pub(super) fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|ending| decode::EXTENSIONS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

impl Listing {
    /// Leaves out what is no image by its header, and says so in `skipped`. All cores read, since a disk answers many at once.
    pub(super) fn check_headers(
        self,
        interpolation: Interpolation,
        skipped: &mut Vec<Skipped>,
    ) -> Result<FolderSource, DataError> {
        let reasons = read_headers(&self.files);
        let first = skipped.len();
        let (files, labels) = (Vec::with_capacity(self.files.len()), Vec::with_capacity(self.files.len()));
        let mut kept = FolderSource { files, labels, interpolation };
        for ((path, label), reason) in self.files.into_iter().zip(&self.labels).zip(reasons) {
            match reason {
                None => {
                    kept.files.push(path);
                    kept.labels.push(*label);
                }
                Some(reason) => skipped.push(Skipped { path: path.display().to_string(), reason }),
            }
        }
        // A class whose every file was left out would vanish; labels are sorted, so look for a gap.
        let classes = self.labels.last().map_or(0, |last| last + 1);
        let lost = (0..classes).find(|class| kept.labels.binary_search(class).is_err());
        if let Some(class) = lost {
            let files = self.labels.iter().filter(|&&label| label == class).count();
            // Skipped files are in the order of the listing: this class's are those after the earlier classes' skipped ones.
            let before = self.labels.iter().filter(|&&label| label < class).count()
                - kept.labels.iter().filter(|&&label| label < class).count();
            let Skipped { path, reason } = &skipped[first + before];
            let folder = Path::new(path).strip_prefix(&self.root).ok().and_then(|inner| inner.components().next());
            let path = folder.map_or(self.root.clone(), |name| self.root.join(name));
            return Err(DataError::UnreadableClass { path, files, example: reason.clone() });
        }
        Ok(kept)
    }
}

/// For each file, why it is no image.
fn read_headers(files: &[PathBuf]) -> Vec<Option<String>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = files.len().div_ceil(threads).max(1);
    let read = |part: &[PathBuf]| part.iter().map(|path| decode::check_header(path).err()).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let parts: Vec<_> = files.chunks(share).map(|part| scope.spawn(move || read(part))).collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Images in files, decoded when they are asked for.
pub(super) struct FolderSource {
    files: Vec<PathBuf>,
    labels: Vec<u32>,
    interpolation: Interpolation,
}

impl Source for FolderSource {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn label(&self, i: usize) -> u32 {
        self.labels[i]
    }

    fn name(&self, i: usize) -> String {
        self.files[i].display().to_string()
    }

    fn load(&self, i: usize, size: Size) -> Result<Pixels, DataError> {
        decode::decode_file(&self.files[i], size, self.interpolation)
    }

    fn has_files(&self) -> bool {
        true
    }

    /// Changes with any file's place, length or time of change, and with whatever decides what becomes of its bytes.
    fn identity(&self, size: Size) -> Option<blake3::Hash> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{} {size:?} {:?} {}", decode::MAKE, self.interpolation, self.files.len()).as_bytes());
        for path in &self.files {
            let path = std::path::absolute(path).ok()?;
            let data = path.metadata().ok();
            let [length, seconds, nanoseconds] = data
                .map_or([0; 3], |data| [data.len(), data.mtime().cast_unsigned(), data.mtime_nsec().cast_unsigned()]);
            let path = path.as_os_str().as_encoded_bytes();
            for number in [path.len() as u64, length, seconds, nanoseconds] {
                hasher.update(&number.to_le_bytes());
            }
            hasher.update(path);
        }
        Some(hasher.finalize())
    }
}
