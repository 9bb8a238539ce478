//! Raw images before they are a data set: files called like `cat.0.jpg` in one folder, or one folder a class. Each class's files
//! stand in the order of their numbers, as a person counts them: `cat.2.jpg` before `cat.10.jpg`.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use super::super::{DataError, folder};
use super::ApportionError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawClass {
    pub name: String,
    /// In natural order.
    pub files: Vec<PathBuf>,
}

/// What lies in a folder of raw images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Sorted by name.
    pub classes: Vec<RawClass>,
    /// Files that are no images by their names.
    pub passed_over: Vec<PathBuf>,
}

impl Raw {
    /// Lists a folder; no file is opened.
    pub fn list(from: &Path) -> Result<Self, ApportionError> {
        let mut raw = Self { classes: Vec::new(), passed_over: Vec::new() };
        let (mut loose, mut folders) = (Vec::new(), Vec::new());
        for (name, entry) in folder::entries(from)? {
            let path = entry.path();
            if path.is_dir() {
                folders.push((name.to_string_lossy().into_owned(), path));
            } else if is_picture(&path) {
                loose.push(path);
            } else {
                raw.passed_over.push(path);
            }
        }
        for (name, path) in folders {
            let mut files = Vec::new();
            pictures_below(&path, &mut files, &mut raw.passed_over)?;
            if !files.is_empty() {
                raw.classes.push(RawClass { name, files });
            }
        }
        match (loose.first(), raw.classes.first()) {
            (None, None) => return Err(ApportionError::NoImages { path: from.to_owned() }),
            (Some(image), Some(class)) => {
                let image = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
                return Err(ApportionError::Mixed { path: from.to_owned(), image, folder: class.name.clone() });
            }
            (None, Some(_)) => {}
            (Some(_), None) => raw.classes = by_name(loose)?,
        }
        for class in &mut raw.classes {
            class.files.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()));
        }
        Ok(raw)
    }
}

fn is_picture(path: &Path) -> bool {
    folder::is_image(path) && (path.is_file() || folder::is_link_to_file(path))
}

/// As training finds them: at any depth, links to folders not followed.
pub(in super::super) fn pictures_below(
    folder: &Path,
    pictures: &mut Vec<PathBuf>,
    others: &mut Vec<PathBuf>,
) -> Result<(), DataError> {
    let mut deeper = Vec::new();
    for (_, entry) in folder::entries(folder)? {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => deeper.push(path),
            _ if is_picture(&path) => pictures.push(path),
            _ => others.push(path),
        }
    }
    deeper.iter().try_for_each(|folder| pictures_below(folder, pictures, others))
}

fn by_name(files: Vec<PathBuf>) -> Result<Vec<RawClass>, ApportionError> {
    let mut classes = std::collections::BTreeMap::<String, Vec<PathBuf>>::new();
    for file in files {
        let class = class_in(&file.file_name().unwrap_or_default().to_string_lossy()).map(str::to_owned);
        match class {
            Some(class) => classes.entry(class).or_default().push(file),
            None => return Err(ApportionError::NoClass { file }),
        }
    }
    Ok(classes.into_iter().map(|(name, files)| RawClass { name, files }).collect())
}

/// What stands before the first dot or digit: `cat` in `cat.0.jpg`, `cat_12.jpg` and `cat (3).png`.
fn class_in(name: &str) -> Option<&str> {
    let end = name.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(name.len());
    let class = name[..end].trim_matches(|c: char| c.is_whitespace() || matches!(c, '_' | '-' | '(' | '#'));
    (!class.is_empty()).then_some(class)
}

/// Numbers by value, everything else byte by byte.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(&first), Some(&second)) = (left.first(), right.first()) {
        let ordering = if first.is_ascii_digit() && second.is_ascii_digit() {
            let (number, other);
            (number, left) = number_at(left);
            (other, right) = number_at(right);
            number.len().cmp(&other.len()).then_with(|| number.cmp(other))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            first.cmp(&second)
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits without leading zeros, and what follows them.
fn number_at(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let zeros = text[..end].iter().take_while(|&&byte| byte == b'0').count();
    (&text[zeros..end], &text[end..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    #[test]
    fn numbers_count_by_value() {
        let mut names =
            ["cat.10.jpg", "cat.2.jpg", "cat.1.jpg", "cat.010.jpg", "cat.jpg", "b9", "cat.99999999999999999999999.jpg"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["b9", "cat.1.jpg", "cat.2.jpg", "cat.010.jpg", "cat.10.jpg", "cat.99999999999999999999999.jpg", "cat.jpg"]
        );
    }

    #[test]
    fn the_class_stands_before_the_first_dot_or_digit() {
        let classes =
            ["cat.0.jpg", "cat_12.jpg", "cat (3).png", "Siamese cat 4.jpg", "猫7.png", "dog.jpeg"].map(class_in);
        assert_eq!(classes, ["cat", "cat", "cat", "Siamese cat", "猫", "dog"].map(Some));
        assert_eq!(["12.jpg", "_1.png"].map(class_in), [None; 2]);
    }

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    fn listed(files: &[&str]) -> Vec<(String, Vec<String>)> {
        let folder = folder_with(files);
        let short = |file: &PathBuf| file.strip_prefix(folder.path()).unwrap().display().to_string();
        let classes = Raw::list(folder.path()).unwrap().classes;
        classes.into_iter().map(|class| (class.name, class.files.iter().map(short).collect())).collect()
    }

    #[test]
    fn a_flat_folder_and_one_with_classes_give_the_same() {
        let flat = listed(&["dog.1.jpg", "cat.11.jpg", "cat.3.jpg", "notes.txt", ".hidden.jpg"]);
        assert_eq!(
            flat,
            [("cat".into(), vec!["cat.3.jpg".into(), "cat.11.jpg".into()]), ("dog".into(), vec!["dog.1.jpg".into()])]
        );
        let nested =
            listed(&["Dog/1.jpg", "Cat/11.jpg", "Cat/3.jpg", "Cat/Thumbs.db", "empty/readme.txt", "readme.txt"]);
        assert_eq!(
            nested,
            [("Cat".into(), vec!["Cat/3.jpg".into(), "Cat/11.jpg".into()]), ("Dog".into(), vec!["Dog/1.jpg".into()])]
        );
    }

    #[test]
    fn what_is_no_raw_folder_is_refused() {
        let refused = |files: &[&str]| Raw::list(folder_with(files).path()).unwrap_err();
        assert!(matches!(refused(&["a.txt"]), ApportionError::NoImages { .. }));
        assert!(matches!(refused(&["cat.1.jpg", "dogs/1.jpg"]), ApportionError::Mixed { .. }));
        assert!(matches!(refused(&["1.jpg", "cat.1.jpg"]), ApportionError::NoClass { .. }));
        let missing = Raw::list(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(matches!(missing, ApportionError::Data(DataError::Missing { .. })));
    }
}
