//! Why a raw folder cannot become a data set, with what was found and what a person can do.

use std::io;
use std::path::PathBuf;

use super::super::DataError;
use super::Link;
use crate::error::{Class, Explain};

#[derive(Debug, thiserror::Error)]
pub enum ApportionError {
    #[error(transparent)]
    Data(#[from] DataError),

    #[error("{path}: no images in it")]
    NoImages { path: PathBuf },

    #[error("{path}: holds both images ({image}) and folders of images ({folder})")]
    Mixed { path: PathBuf, image: String, folder: String },

    #[error("{file}: no class in its name")]
    NoClass { file: PathBuf },

    #[error("{path}: holds a folder train, which is no class")]
    TrainInside { path: PathBuf },

    #[error("{path}: only one class, {class}")]
    OneClass { path: PathBuf, class: String },

    #[error("{path}: the classes {first} and {second} would share the folder {folder}")]
    SharedFolder { path: PathBuf, first: String, second: String, folder: String },

    #[error("{class}: {} and {wanted} are wanted", counted(*.found, *.unreadable, *.met_before))]
    TooFew { class: String, found: usize, unreadable: usize, met_before: usize, wanted: usize },

    #[error("{path}: is there already")]
    Exists { path: PathBuf },

    #[error("{path}: is there already, from a run that was cut off or that is still at work")]
    Partial { path: PathBuf },

    #[error("{into}: lies inside {from}")]
    Inside { into: PathBuf, from: PathBuf },

    #[error("{path}: cannot be made")]
    Make { path: PathBuf, source: io::Error },

    #[error("{file}: cannot be {}", .link.done())]
    Place { file: PathBuf, link: Link, source: io::Error },

    #[error("{first} and {second} would both become {target}")]
    SameName { first: PathBuf, second: PathBuf, target: PathBuf },

    #[error("interrupted")]
    Interrupted,
}

fn counted(found: usize, unreadable: usize, met_before: usize) -> String {
    let images = |count: usize| if count == 1 { "1 image".to_owned() } else { format!("{count} images") };
    let mut left_out = Vec::new();
    if unreadable > 0 {
        left_out.push(format!("{unreadable} unreadable"));
    }
    if met_before > 0 {
        left_out.push(format!("{met_before} that look like one in another split"));
    }
    let without = if left_out.is_empty() { String::new() } else { format!(", without {}", left_out.join(" and ")) };
    format!("{} found{without},", images(found))
}

impl Explain for ApportionError {
    fn class(&self) -> Class {
        match self {
            Self::Data(error) => error.class(),
            Self::Make { .. } | Self::Place { .. } | Self::Interrupted => Class::Environment,
            _ => Class::User,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Data(error) => return error.hint(),
            Self::NoImages { .. } => {
                "expected files like cat.0.jpg, or one folder a class (png, jpg, jpeg, bmp, gif, webp; hidden files do not \
                 count)"
                    .into()
            }
            Self::Mixed { .. } => "move the one or the other away".into(),
            Self::NoClass { .. } => {
                "files that lie directly in the folder are called like cat.0.jpg; otherwise put each class into a folder of \
                 its own"
                    .into()
            }
            Self::TrainInside { path } => format!("give the folder of images itself: --from {}", path.join("train").display()),
            Self::OneClass { path, class } => {
                format!("a classifier needs two; if the images lie deeper, give {}", path.join(class).display())
            }
            Self::SharedFolder { .. } | Self::SameName { .. } => "rename one of the two".into(),
            Self::TooFew { met_before: 0, .. } => "ask for fewer with --per-class, or add images".into(),
            Self::TooFew { .. } => {
                "ask for fewer with --per-class, add images, or take look-alikes all the same with --keep-alike".into()
            }
            Self::Exists { .. } => "nothing is overwritten: remove it first, or give another name".into(),
            Self::Partial { .. } => "if no other `data split` is at work, remove it and try again".into(),
            Self::Inside { .. } => "the result would be taken for images of a class the next time; put it beside".into(),
            Self::Place { link: Link::Hard, source, .. } if source.kind() == io::ErrorKind::CrossesDevices => {
                "hard links cannot lead to another disk: use --link symbolic or --link copy".into()
            }
            Self::Make { .. } | Self::Place { .. } | Self::Interrupted => return None,
        })
    }
}
