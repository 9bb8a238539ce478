//! What can be wrong with a data set, with the file and what was found in it, and a hint for what a person can mend.
//! A single unreadable picture is not an error here but a [`Skipped`]: counted, listed, and left out.

use std::path::PathBuf;

use crate::error::{Class, Explain};

/// A sample that could not be read and was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// File path, or the sample's name where it has no file of its own.
    pub path: String,
    pub reason: String,
}

#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error("{path}: no such {what}")]
    Missing { path: PathBuf, what: &'static str },

    #[error("{path}: cannot be read")]
    Io { path: PathBuf, source: std::io::Error },

    #[error("{path}: not an idx file of {what}: magic number {found:#010x}, expected {expected:#010x}")]
    IdxMagic { path: PathBuf, what: &'static str, found: u32, expected: u32 },

    #[error("{path}: {found} bytes after the idx header, expected {expected} for {shape}")]
    IdxLength { path: PathBuf, found: String, expected: u64, shape: String },

    #[error("{path}: the idx header is cut off after {found} of {expected} bytes")]
    IdxHeader { path: PathBuf, found: usize, expected: usize },

    #[error("{path}: holds no images ({shape})")]
    IdxEmpty { path: PathBuf, shape: String },

    #[error("{images} holds {image_count} images but {labels} holds {label_count} labels")]
    IdxCount { images: PathBuf, image_count: usize, labels: PathBuf, label_count: usize },

    #[error("{path}: label {label} of sample {sample} is out of range: there are {classes} classes (0 to {})", classes - 1)]
    IdxLabel { path: PathBuf, sample: usize, label: u8, classes: usize },

    #[error("data.path: nothing found at {}", places.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or "))]
    NoPlace { places: Vec<PathBuf> },

    #[error("data.path: {folder} holds no file {name} or {name}.gz")]
    NoIdxFile { folder: PathBuf, name: &'static str },

    #[error("the test set has {given} file but needs both images and labels")]
    IdxTestPair { given: &'static str },

    #[error("{path}: no class folders in it")]
    NoClasses { path: PathBuf },

    #[error("{path}: a class folder without images")]
    EmptyClass { path: PathBuf },

    #[error("{path}: none of its {files} images can be read ({example})")]
    UnreadableClass { path: PathBuf, files: usize, example: String },

    #[error(
        "{path}: its classes differ from those of {train}{}{}",
        listed("missing", missing),
        listed("not in train", extra)
    )]
    ClassesDiffer { path: PathBuf, train: PathBuf, missing: Vec<String>, extra: Vec<String> },

    #[error("validation fraction {value} is not between 0 and 1")]
    Fraction { value: f64 },

    #[error(
        "validation samples are given twice: by the data set itself ({count} samples) and as a fraction of train ({fraction})"
    )]
    TwoValidations { count: usize, fraction: f64 },

    #[error("no samples are left for {split}: {why}")]
    EmptySplit { split: &'static str, why: String },

    #[error(
        "images of {height}x{width} with {channels} channels cannot be made: height and width must be 1 to {most}, channels 1 or 3"
    )]
    Size { height: u32, width: u32, channels: u32, most: u32 },

    #[error("{name}: {reason}")]
    Decode { name: String, reason: String },

    #[error("loading batch {batch} panicked: {message}")]
    Panicked { batch: usize, message: String },
}

fn listed(label: &str, names: &[String]) -> String {
    // A tree of the wrong kind may differ in thousands of names; the first few tell which.
    const SHOWN: usize = 5;
    if names.is_empty() {
        return String::new();
    }
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    format!("; {label}: {}{more}", names[..names.len().min(SHOWN)].join(", "))
}

impl DataError {
    /// Tells a path that does not exist from one that the machine refuses.
    pub(super) fn reading(path: impl Into<PathBuf>, what: &'static str, source: std::io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Self::Missing { path, what },
            _ => Self::Io { path, source },
        }
    }
}

impl Explain for DataError {
    fn class(&self) -> Class {
        match self {
            Self::Io { .. } => Class::Environment,
            Self::Panicked { .. } => Class::Internal,
            _ => Class::User,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { what, .. } if *what == TRAIN_FOLDER => {
                "the data folder must hold train/CLASS/*.jpg, and may hold validation/CLASS/… and test/CLASS/…".into()
            }
            Self::Missing { .. } => "relative paths start at the folder in which the command was started".into(),
            Self::Io { .. } | Self::Decode { .. } => return None,
            Self::IdxMagic { found, expected, .. } => match (*found, *expected) {
                (0x0801, 0x0803) | (0x0803, 0x0801) => "images and labels seem to be swapped".into(),
                (0x0000_0800..=0x0000_0eff, _) => {
                    "only unsigned bytes are read: images with 3 dimensions, labels with 1".into()
                }
                _ => "expected MNIST's format, plain or gzip; the file may be of another kind or a failed download"
                    .into(),
            },
            Self::IdxLength { .. } | Self::IdxHeader { .. } => "the file is cut off or damaged; fetch it again".into(),
            Self::IdxEmpty { .. } => "fetch the file again, or give the images that go with the labels".into(),
            Self::IdxCount { .. } => {
                "images and labels must come from the same set; train and test files may be mixed up".into()
            }
            Self::IdxLabel { label, .. } => format!("name at least {} classes, or none", u32::from(*label) + 1),
            Self::NoPlace { .. } => "data/README.md says where to get the data and where to put it".into(),
            Self::NoIdxFile { .. } => "the folder should hold MNIST's four files, plain or with .gz".into(),
            Self::IdxTestPair { .. } => "give both, or leave the test set out".into(),
            Self::NoClasses { .. } => "put the images into one subfolder a class".into(),
            Self::EmptyClass { .. } => {
                "remove the folder or put images into it (png, jpg, jpeg, bmp, gif, webp; hidden files do not count)"
                    .into()
            }
            Self::UnreadableClass { .. } => "the files may be of another kind than their names say, or cut off".into(),
            Self::ClassesDiffer { .. } => {
                "train, validation and test need the same subfolders, empty ones left out".into()
            }
            Self::Fraction { .. } => "0.2 keeps a fifth of the training images for validation".into(),
            Self::TwoValidations { .. } => "leave one of the two out".into(),
            Self::EmptySplit { .. } => "give more samples or another fraction".into(),
            Self::Size { .. } => "3 channels are colour, 1 is grey".into(),
            Self::Panicked { .. } => "this is a defect in frostline; please report it with the run's engine.log".into(),
        })
    }
}

/// What [`DataError::Missing`] calls the folder whose absence means that the layout is another.
pub(super) const TRAIN_FOLDER: &str = "folder of training images";
