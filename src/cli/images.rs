//! The images that a command is given: files as they are, folders replaced by what lies in them; and the way back from a name that the
//! engine said to the file it meant.

use std::path::{Path, PathBuf};

use crate::{
    data,
    error::{Error, Result},
};

/// Folders become the images in them, at any depth. A file is taken whatever it is called: its content tells.
pub fn all(given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for image in given {
        if image.is_dir() {
            let found = data::images_in(image)?;
            if found.is_empty() {
                let hint = "png, jpg, jpeg, bmp, gif and webp count";
                return Err(Error::user(format!("{}: no images in it", image.display()), hint));
            }
            all.extend(found);
        } else {
            all.push(image.clone());
        }
    }
    Ok(all)
}

/// The file of an answer. Names travel as text, and not every file's name is text.
pub fn named<'a>(images: &'a [PathBuf], name: &'a str) -> &'a Path {
    images.iter().find(|image| image.display().to_string() == name).map_or(Path::new(name), PathBuf::as_path)
}

/// What is said of an image that cannot be read. Most reasons name their file already.
pub fn unreadable(name: &str, reason: &str) -> String {
    if reason.contains(name) { reason.to_owned() } else { format!("{name}: {reason}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _};

    use super::*;

    #[test]
    fn folders_are_replaced_by_their_images_and_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.png", "a.JPG", "notes.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let odd = PathBuf::from("photo");
        let found = all(&[odd.clone(), folder.path().to_owned()]).unwrap();
        assert_eq!(found, [odd, folder.path().join("a.JPG"), folder.path().join("b.png")]);
        fs::remove_file(folder.path().join("b.png")).unwrap();
        fs::remove_file(folder.path().join("a.JPG")).unwrap();
        assert!(all(&[folder.path().to_owned()]).unwrap_err().message().contains("no images in it"));
    }

    #[test]
    fn a_name_that_is_no_text_finds_its_file() {
        let images = [PathBuf::from("a.png"), PathBuf::from(OsStr::from_bytes(b"\xff.png"))];
        assert_eq!(named(&images, "\u{fffd}.png"), images[1]);
        assert_eq!(named(&images, "c.png"), Path::new("c.png"));
    }
}
