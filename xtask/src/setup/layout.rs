//! Whether a folder is a libtorch that torch-sys can build against: its files, and the version that its headers give.
//! Looks, and changes nothing.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::VERSION;
use crate::environment::Platform;

/// Why a folder won't do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    NotThere,
    Lacks(PathBuf),
    NoVersion,
    Version(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere => write!(f, "no such folder"),
            Self::Lacks(file) => write!(f, "it has no {}", file.display()),
            Self::NoVersion => write!(f, "it doesn't say which version it is"),
            Self::Version(found) => write!(f, "it is version {found}, and Frostline needs {VERSION}"),
        }
    }
}

pub fn check(folder: &Path, platform: Platform, any_version: bool) -> Result<(), Unfit> {
    if !folder.is_dir() {
        return Err(Unfit::NotThere);
    }
    let libraries = ["torch", "torch_cpu", "c10"].map(|stem| Path::new("lib").join(platform.library(stem)));
    let header = PathBuf::from("include/torch/csrc/api/include/torch/torch.h");
    if let Some(file) = libraries.into_iter().chain([header]).find(|file| !folder.join(file).exists()) {
        return Err(Unfit::Lacks(file));
    }
    match version(folder) {
        _ if any_version => Ok(()),
        None => Err(Unfit::NoVersion),
        Some(found) if found == VERSION => Ok(()),
        Some(found) => Err(Unfit::Version(found)),
    }
}

/// From the header if it is there, since a link may have moved to another torch under an old `build-version`.
fn version(folder: &Path) -> Option<String> {
    let header = fs::read_to_string(folder.join("include/torch/headeronly/version.h")).ok();
    if let Some(found) = header.as_deref().and_then(version_of_header) {
        return Some(found);
    }
    let note = fs::read_to_string(folder.join("build-version")).ok()?;
    // `2.11.0+cu130` is 2.11.0 built for CUDA 13.0.
    Some(note.trim().split('+').next().unwrap_or_default().to_owned())
}

fn version_of_header(text: &str) -> Option<String> {
    let number = |name: &str| {
        let line = text.lines().find(|line| line.split_whitespace().nth(1) == Some(name))?;
        line.split_whitespace().nth(2)?.parse::<u32>().ok()
    };
    let part = |name: &str| number(&format!("TORCH_VERSION_{name}"));
    Some(format!("{}.{}.{}", part("MAJOR")?, part("MINOR")?, part("PATCH")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use crate::setup::tests::fake_torch;

    #[test]
    fn a_whole_libtorch_of_the_right_version_fits() {
        let folder = Scratch::new();
        fake_torch(&folder, "torch", "2.11.0");
        assert_eq!(check(&folder.path("torch"), Platform::Linux, false), Ok(()));
    }

    #[test]
    fn another_version_is_named() {
        let folder = Scratch::new();
        fake_torch(&folder, "torch", "2.9.1");
        let unfit = check(&folder.path("torch"), Platform::Linux, false).unwrap_err();
        assert_eq!(unfit.to_string(), "it is version 2.9.1, and Frostline needs 2.11.0");
        assert_eq!(check(&folder.path("torch"), Platform::Linux, true), Ok(()));
    }

    #[test]
    fn the_first_missing_file_is_named() {
        let folder = Scratch::new();
        fake_torch(&folder, "torch", "2.11.0");
        fs::remove_file(folder.path("torch/lib/libc10.so")).unwrap();
        let unfit = check(&folder.path("torch"), Platform::Linux, false).unwrap_err();
        assert_eq!(unfit.to_string(), "it has no lib/libc10.so");
        assert_eq!(check(&folder.path("none"), Platform::Linux, false), Err(Unfit::NotThere));
    }

    #[test]
    fn without_the_header_the_build_note_gives_the_version() {
        let folder = Scratch::new();
        fake_torch(&folder, "torch", "2.11.0");
        fs::remove_file(folder.path("torch/include/torch/headeronly/version.h")).unwrap();
        assert_eq!(check(&folder.path("torch"), Platform::Linux, false), Err(Unfit::NoVersion));
        folder.write("torch/build-version", "2.11.0+cu130\n");
        assert_eq!(check(&folder.path("torch"), Platform::Linux, false), Ok(()));
    }
}
