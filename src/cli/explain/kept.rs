//! Where pictures go: one file, or a folder with one for each image. Names are taken from the images and never twice.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use image::{ImageFormat, RgbImage};

use crate::error::{Error, Result};

/// The pictures of one command.
pub enum Kept {
    /// Shown, and kept nowhere.
    Nowhere,
    File {
        path: PathBuf,
        taken: HashSet<String>,
    },
    Folder {
        path: PathBuf,
        taken: HashSet<String>,
    },
}

impl Kept {
    /// `path` is what was given with `--output`; `several` tells that one file will not do, `default` how the folder is called then.
    pub fn new(path: Option<&Path>, several: bool, default: &str) -> Result<Self> {
        let folder = |path: PathBuf| {
            fs::create_dir_all(&path)
                .map_err(|error| Error::environment(format!("{}: cannot be made: {error}", path.display()), None))?;
            Ok(Self::Folder { path, taken: HashSet::new() })
        };
        match path {
            _ if several => {
                let path = path.map_or_else(|| default.into(), Path::to_owned);
                if path.is_file() || path.extension().is_some_and(|ending| ending == "png") {
                    let hint = "give a folder with --output; it is made if it is not there";
                    return Err(Error::user(format!("{}: one file for several pictures", path.display()), hint));
                }
                folder(path)
            }
            Some(path) if path.is_dir() => folder(path.to_owned()),
            Some(path) => Ok(Self::File { path: path.to_owned(), taken: HashSet::new() }),
            None => Ok(Self::Nowhere),
        }
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&Path> {
        if let Self::Folder { path, .. } = self { Some(path) } else { None }
    }

    /// Writes a PNG; `name` is what it is called in a folder, or how a second one for the same file differs from the first.
    pub fn picture(&mut self, picture: &RgbImage, image: &Path, name: &str) -> Result<Option<PathBuf>> {
        let path = match self {
            Self::Nowhere => return Ok(None),
            Self::File { path, taken } if taken.is_empty() => {
                taken.insert(String::new());
                path.clone()
            }
            Self::File { path, taken } => beside(path, &free(taken, &plain(name))),
            Self::Folder { path, taken } => {
                let stem = image.file_stem().unwrap_or_default().to_string_lossy();
                let base = plain(&if name.is_empty() { stem.into_owned() } else { format!("{stem}-{name}") });
                path.join(format!("{}.png", free(taken, &base)))
            }
        };
        picture
            .save_with_format(&path, ImageFormat::Png)
            .map_err(|error| Error::environment(format!("{}: cannot be written: {error}", path.display()), None))?;
        Ok(Some(path))
    }
}

/// `base`, numbered where there is one already, and taken from now on.
fn free(taken: &mut HashSet<String>, base: &str) -> String {
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    let mut names = std::iter::once(base.to_owned()).chain(numbered);
    names.find(|name| taken.insert(name.clone())).expect("there is always one more number")
}

/// `out.png` with `-dog` before its ending.
fn beside(path: &Path, name: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{name}{ending}"))
}

/// Without what could lead out of the folder or break a command line.
fn plain(name: &str) -> String {
    name.chars().map(|letter| if letter.is_alphanumeric() || "-_.+".contains(letter) { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_picture_replaces_another() {
        let folder = tempfile::tempdir().unwrap();
        let picture = RgbImage::new(1, 1);
        let mut kept = Kept::new(Some(folder.path()), true, "").unwrap();
        let names: Vec<_> = ["a/x.jpg", "b/x.jpg", "b/../y z.jpg"]
            .iter()
            .map(|image| kept.picture(&picture, Path::new(image), "dog").unwrap().unwrap())
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["x-dog.png", "x-dog-2.png", "y_z-dog.png"]);
        let mut one = Kept::new(Some(&folder.path().join("out.png")), false, "").unwrap();
        assert!(one.picture(&picture, Path::new("x.jpg"), "cat").unwrap().unwrap().ends_with("out.png"));
        assert!(one.picture(&picture, Path::new("x.jpg"), "dog").unwrap().unwrap().ends_with("out-dog.png"));
    }

    #[test]
    fn one_file_for_several_pictures_is_refused() {
        let refused = Kept::new(Some(Path::new("out.png")), true, "maps").err().unwrap();
        assert_eq!(refused.message(), "out.png: one file for several pictures");
    }
}
