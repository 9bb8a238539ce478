//! Every file of a data folder, good or bad, with its split and class. Lenient where training is strict: a class that is empty or
//! is missing from a split is listed, so that it can be told.

use std::path::{Path, PathBuf};

use super::super::apportion::{ApportionError, Raw, SPLITS, pictures_below};
use super::super::{DataError, folder};

/// What the split is called where a folder has none.
pub const UNDIVIDED: &str = "images";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    pub splits: Vec<String>,
    /// Of all splits, sorted.
    pub classes: Vec<String>,
    pub files: Vec<Listed>,
    /// Files and folders in which training would look for no image.
    pub passed_over: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub path: PathBuf,
    pub split: usize,
    pub class: usize,
}

impl Inventory {
    /// A folder with `train/` and its like in it, or with raw images. No file is opened.
    pub fn of(root: &Path) -> Result<Self, ApportionError> {
        let divided = SPLITS.iter().any(|split| has_classes(&root.join(split)));
        if divided { Ok(Self::divided(root)?) } else { Self::undivided(root) }
    }

    fn undivided(root: &Path) -> Result<Self, ApportionError> {
        let raw = Raw::list(root)?;
        let mut found = Self { splits: vec![UNDIVIDED.into()], passed_over: raw.passed_over, ..Self::default() };
        for (class, raw) in raw.classes.into_iter().enumerate() {
            found.classes.push(raw.name);
            found.files.extend(raw.files.into_iter().map(|path| Listed { path, split: 0, class }));
        }
        Ok(found)
    }

    fn divided(root: &Path) -> Result<Self, DataError> {
        let mut found = Self::default();
        // Split, class and path: the classes are numbered when all are known.
        let mut files = Vec::new();
        for (_, entry) in folder::entries(root)? {
            if !SPLITS.iter().any(|split| entry.file_name() == *split) {
                found.passed_over.push(entry.path());
            }
        }
        for split in SPLITS.iter().filter(|split| root.join(split).is_dir()) {
            for (class, entry) in folder::entries(&root.join(split))? {
                if !entry.path().is_dir() {
                    found.passed_over.push(entry.path());
                    continue;
                }
                let class = class.to_string_lossy().into_owned();
                let mut pictures = Vec::new();
                pictures_below(&entry.path(), &mut pictures, &mut found.passed_over)?;
                files.extend(pictures.into_iter().map(|path| (found.splits.len(), class.clone(), path)));
                found.classes.push(class);
            }
            found.splits.push((*split).to_owned());
        }
        found.classes.sort();
        found.classes.dedup();
        let number = |class: &String| found.classes.binary_search(class).unwrap_or_default();
        found.files = files
            .iter()
            .map(|(split, class, path)| Listed { path: path.clone(), split: *split, class: number(class) })
            .collect();
        Ok(found)
    }
}

fn has_classes(split: &Path) -> bool {
    folder::entries(split).is_ok_and(|entries| entries.iter().any(|(_, entry)| entry.path().is_dir()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    #[test]
    fn what_training_would_refuse_is_listed_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "train/cats/1.jpg",
            "train/dogs/1.jpg",
            "train/notes.txt",
            "test/dogs/2.jpg",
            "test/owls/readme",
            "old/x.jpg",
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = Inventory::of(folder.path()).unwrap();
        assert_eq!(
            (found.splits, found.classes),
            (vec!["train".into(), "test".into()], vec!["cats".into(), "dogs".into(), "owls".into()])
        );
        let files: Vec<_> = found.files.iter().map(|file| (file.split, file.class)).collect();
        assert_eq!(files, [(0, 0), (0, 1), (1, 1)]);
        let short = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().display().to_string();
        assert_eq!(
            found.passed_over.iter().map(short).collect::<Vec<_>>(),
            ["old", "train/notes.txt", "test/owls/readme"]
        );
    }
}
