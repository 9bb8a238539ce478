//! A chosen data set on the disk: built under a temporary name beside its own and renamed when it is whole. What was begun is
//! removed again if it cannot be finished.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::choose::{SPLITS, name_in_class};
use super::{ApportionError, Chosen, RawClass, folder_name};

/// How an image comes into the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Copy,
    Hard,
    /// To the image's absolute path.
    Symbolic,
}

impl Link {
    pub fn done(self) -> &'static str {
        match self {
            Self::Copy => "copied",
            Self::Hard => "linked",
            Self::Symbolic => "linked symbolically",
        }
    }
}

/// A data set that is being made; dropped unfinished, it leaves nothing.
#[derive(Debug)]
pub struct Building {
    into: PathBuf,
    partial: PathBuf,
    link: Link,
}

impl Building {
    /// Checks that nothing is in the way and that the classes can lie beside each other, before any time is spent. Makes nothing.
    pub fn check(from: &Path, into: &Path, classes: &[RawClass]) -> Result<(), ApportionError> {
        if is_occupied(into)? {
            return Err(ApportionError::Exists { path: into.to_owned() });
        }
        let partial = partial(into);
        if partial.symlink_metadata().is_ok() {
            return Err(ApportionError::Partial { path: partial });
        }
        if is_inside(into, from) {
            return Err(ApportionError::Inside { into: into.to_owned(), from: from.to_owned() });
        }
        if let Some(class) = classes.iter().find(|class| SPLITS.contains(&class.name.as_str())) {
            let path = from.to_owned();
            return Err(match class.name.as_str() {
                "train" => ApportionError::TrainInside { path },
                _ => ApportionError::OneClass { path, class: class.name.clone() },
            });
        }
        if let [class] = classes {
            return Err(ApportionError::OneClass { path: from.to_owned(), class: class.name.clone() });
        }
        for (at, second) in classes.iter().enumerate() {
            let folder = folder_name(&second.name);
            if let Some(first) = classes[..at].iter().find(|first| folder_name(&first.name) == folder) {
                return Err(ApportionError::SharedFolder {
                    path: from.to_owned(),
                    first: first.name.clone(),
                    second: second.name.clone(),
                    folder: folder.to_owned(),
                });
            }
        }
        Ok(())
    }

    pub fn begin(into: &Path, link: Link) -> Result<Self, ApportionError> {
        let partial = partial(into);
        if let Some(parent) = partial.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(make(parent))?;
        }
        fs::create_dir(&partial).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => ApportionError::Partial { path: partial.clone() },
            _ => make(&partial)(error),
        })?;
        Ok(Self { into: into.to_owned(), partial, link })
    }

    /// Places every image, then gives the whole its name. `go_on` is asked before each image.
    pub fn finish(
        self,
        from: &Path,
        classes: &[RawClass],
        chosen: &[Chosen],
        go_on: &dyn Fn() -> bool,
    ) -> Result<(), ApportionError> {
        let mut placed = std::collections::HashMap::<PathBuf, &Path>::new();
        for Chosen { file, class, split } in chosen {
            if !go_on() {
                return Err(ApportionError::Interrupted);
            }
            let folder = Path::new(SPLITS[*split]).join(folder_name(&classes[*class].name));
            let flat = file.parent() == Some(from);
            let name = folder.join(name_in_class(file, from, flat));
            let folder = self.partial.join(folder);
            fs::create_dir_all(&folder).map_err(make(&folder))?;
            if let Some(first) = placed.insert(name.clone(), file) {
                let (first, second) = (first.to_owned(), file.clone());
                return Err(ApportionError::SameName { first, second, target: name });
            }
            self.place(file, &self.partial.join(name))?;
        }
        // An empty folder of that name is replaced; anything else that came up meanwhile is left alone.
        fs::rename(&self.partial, &self.into).map_err(|error| match is_occupied(&self.into) {
            Ok(true) => ApportionError::Exists { path: self.into.clone() },
            _ => make(&self.into)(error),
        })
    }

    fn place(&self, file: &Path, target: &Path) -> Result<(), ApportionError> {
        let placed = match self.link {
            Link::Copy => fs::copy(file, target).map(drop),
            // A link to a link would change when that is changed.
            Link::Hard => fs::canonicalize(file).and_then(|file| fs::hard_link(file, target)),
            Link::Symbolic => std::path::absolute(file).and_then(|file| std::os::unix::fs::symlink(file, target)),
        };
        placed.map_err(|source| ApportionError::Place { file: file.to_owned(), link: self.link, source })
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        // After the rename there is nothing; otherwise the first error matters more than this one.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

fn make(path: &Path) -> impl Fn(io::Error) -> ApportionError {
    move |source| ApportionError::Make { path: path.to_owned(), source }
}

fn partial(into: &Path) -> PathBuf {
    let mut name = into.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    into.with_file_name(name)
}

/// Anything but nothing or an empty folder.
fn is_occupied(path: &Path) -> Result<bool, ApportionError> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(make(path)(error)),
        Ok(data) if data.is_dir() => Ok(fs::read_dir(path).map_err(make(path))?.next().is_some()),
        Ok(_) => Ok(true),
    }
}

fn is_inside(path: &Path, folder: &Path) -> bool {
    let whole = |path: &Path| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // The path itself is not there yet; the nearest folder above it that is may be a link.
        let there = path.ancestors().find_map(|above| Some((fs::canonicalize(above).ok()?, above)));
        there.and_then(|(real, above)| Some(real.join(path.strip_prefix(above).ok()?))).unwrap_or(path)
    };
    whole(path).starts_with(whole(folder))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::MetadataExt as _;

    use super::super::Raw;
    use super::*;

    fn stage() -> (tempfile::TempDir, PathBuf, Raw, Vec<Chosen>) {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("raw");
        fs::create_dir(&from).unwrap();
        for name in ["cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg"] {
            fs::write(from.join(name), name).unwrap();
        }
        let raw = Raw::list(&from).unwrap();
        let chosen = raw.classes.iter().enumerate().flat_map(|(class, raw)| {
            raw.files.iter().enumerate().map(move |(split, file)| Chosen { file: file.clone(), class, split })
        });
        let chosen = chosen.collect();
        (folder, from, raw, chosen)
    }

    fn left(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_data_set_has_the_chapter_s_folders_and_each_kind_of_link_leads_to_the_image() {
        let (folder, from, raw, chosen) = stage();
        for (link, name) in [(Link::Copy, "copied"), (Link::Hard, "hard"), (Link::Symbolic, "symbolic")] {
            let into = folder.path().join("deep").join(name);
            Building::begin(&into, link).unwrap().finish(&from, &raw.classes, &chosen, &|| true).unwrap();
            let cat = into.join("train/cats/cat.0.jpg");
            assert_eq!(fs::read(&cat).unwrap(), b"cat.0.jpg");
            assert_eq!(fs::read(into.join("validation/dogs/dog.1.jpg")).unwrap(), b"dog.1.jpg");
            let same = cat.metadata().unwrap().ino() == from.join("cat.0.jpg").metadata().unwrap().ino();
            assert_eq!((same, cat.is_symlink()), (link != Link::Copy, link == Link::Symbolic));
        }
        assert_eq!(left(&folder.path().join("deep")), ["copied", "hard", "symbolic"]);
    }

    #[test]
    fn an_interrupted_or_failed_build_leaves_nothing() {
        let (folder, from, raw, chosen) = stage();
        let into = folder.path().join("small");
        let placed = std::cell::Cell::new(0);
        let go_on = || placed.replace(placed.get() + 1) < 2;
        let stopped = Building::begin(&into, Link::Copy).unwrap().finish(&from, &raw.classes, &chosen, &go_on);
        assert!(matches!(stopped, Err(ApportionError::Interrupted)));
        assert_eq!(left(folder.path()), ["raw"]);
        fs::remove_file(from.join("dog.1.jpg")).unwrap();
        let failed = Building::begin(&into, Link::Copy).unwrap().finish(&from, &raw.classes, &chosen, &|| true);
        assert!(matches!(failed, Err(ApportionError::Place { .. })));
        assert_eq!(left(folder.path()), ["raw"]);
    }

    #[test]
    fn nothing_is_overwritten() {
        let (folder, from, raw, chosen) = stage();
        let into = folder.path().join("small");
        fs::create_dir(&into).unwrap();
        Building::check(&from, &into, &raw.classes).expect("an empty folder is in nobody's way");
        fs::write(into.join("mine"), "").unwrap();
        assert!(matches!(Building::check(&from, &into, &raw.classes), Err(ApportionError::Exists { .. })));
        let late = Building::begin(&into, Link::Copy).unwrap().finish(&from, &raw.classes, &chosen, &|| true);
        assert!(matches!(late, Err(ApportionError::Exists { .. })));
        assert_eq!(left(&into), ["mine"]);
        let other = folder.path().join("other");
        let begun = Building::begin(&other, Link::Copy).unwrap();
        assert!(matches!(Building::check(&from, &other, &raw.classes), Err(ApportionError::Partial { .. })));
        assert!(matches!(Building::begin(&other, Link::Copy), Err(ApportionError::Partial { .. })));
        drop(begun);
        assert!(matches!(
            Building::check(&from, &from.join("small"), &raw.classes),
            Err(ApportionError::Inside { .. })
        ));
    }

    #[test]
    fn classes_that_are_none_are_refused() {
        let check = |names: &[&str]| {
            let class = |name: &&str| RawClass { name: (*name).into(), files: Vec::new() };
            Building::check(Path::new("/raw"), Path::new("/none"), &names.iter().map(class).collect::<Vec<_>>())
        };
        assert!(check(&["cat", "dog"]).is_ok());
        assert!(matches!(check(&["test1", "train"]), Err(ApportionError::TrainInside { .. })));
        assert!(matches!(check(&["images"]), Err(ApportionError::OneClass { .. })));
        assert!(matches!(check(&["Cat", "cat"]), Err(ApportionError::SharedFolder { .. })));
    }
}
