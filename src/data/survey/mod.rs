//! What is in a data set, found by reading every file: counts, sizes, colours, what cannot be read, and which pictures are there
//! twice, by content or by look. [`Inventory`] lists, [`portray`] reads, [`Survey`] judges.

mod inventory;
mod look;
mod portrait;
mod repeats;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

pub use inventory::{Inventory, Listed, UNDIVIDED};
pub use look::{Look, Looks};
pub use portrait::{Portrait, Unreadable, portray};
pub use repeats::Repeat;

use super::{Dataset, Size, Split};

/// A data set as it was found. Counts are of readable images.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Survey {
    pub images: usize,
    pub bytes: u64,
    pub splits: Vec<String>,
    pub classes: Vec<String>,
    /// `[split][class]`.
    pub counts: Vec<Vec<usize>>,
    pub sizes: Option<Sizes>,
    /// Each with its number of images, the most frequent first.
    pub formats: Vec<(String, usize)>,
    pub colours: Vec<(String, usize)>,
    /// EXIF's orientations but for 1, which is upright.
    pub turned: Vec<(u8, usize)>,
    pub unreadable: Vec<Bad>,
    /// Pictures that are there more than once.
    pub repeats: Vec<Repeat>,
    pub passed_over: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bad {
    pub file: String,
    pub split: String,
    pub class: String,
    pub reason: String,
    pub truncated: bool,
}

/// Widths and heights are `[smallest, median, largest]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    pub width: [u32; 3],
    pub height: [u32; 3],
    /// Width, height, and how many images have them.
    pub most_common: (u32, u32, usize),
    pub different: usize,
}

/// What somebody should look into; any of them makes a data set not clean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    Unreadable {
        files: usize,
        truncated: usize,
    },
    /// A class has no image in a split.
    Missing {
        split: String,
        class: String,
    },
    /// Pictures that lie in two splits: what is tested was trained on.
    Leaks {
        pictures: usize,
    },
    /// Pictures that lie in two classes of one split: what is right for one is wrong for the other.
    Contradictions {
        pictures: usize,
    },
    /// The same file more than once in one class of a split.
    Duplicates {
        files: usize,
    },
}

impl Survey {
    /// Judges a folder's files. `portraits` are those of the inventory's files, in their order.
    pub fn of_folder(inventory: &Inventory, portraits: &[Result<Portrait, Unreadable>]) -> Self {
        let (splits, classes) = (inventory.splits.clone(), inventory.classes.clone());
        let mut survey =
            Self { counts: vec![vec![0; classes.len()]; splits.len()], splits, classes, ..Self::default() };
        survey.passed_over = inventory.passed_over.iter().map(|path| path.display().to_string()).collect();
        let mut good = Vec::new();
        for (listed, portrait) in inventory.files.iter().zip(portraits) {
            match portrait {
                Ok(portrait) => {
                    survey.counts[listed.split][listed.class] += 1;
                    good.push((listed, portrait));
                }
                Err(bad) => survey.unreadable.push(Bad {
                    file: listed.path.display().to_string(),
                    split: survey.splits[listed.split].clone(),
                    class: survey.classes[listed.class].clone(),
                    reason: bad.reason.clone(),
                    truncated: bad.truncated,
                }),
            }
        }
        survey.images = good.len();
        survey.bytes = good.iter().map(|(_, portrait)| portrait.bytes).sum();
        survey.sizes = sizes(good.iter().map(|(_, portrait)| (portrait.width, portrait.height)).collect());
        survey.formats = frequent(good.iter().map(|(_, portrait)| portrait.format.to_owned()));
        survey.colours = frequent(good.iter().map(|(_, portrait)| portrait.colour.clone()));
        survey.turned = frequent(good.iter().map(|(_, portrait)| portrait.orientation).filter(|&turn| turn != 1));
        survey.repeats = repeats::among_portraits(&good, &survey.splits, &survey.classes);
        survey
    }

    /// Judges a data set of another kind, whose pictures have one size and no files of their own; only pictures that are the same
    /// byte by byte count as repeated there: drawn digits look alike by nature. `met` is called after each.
    pub fn of_dataset(data: &Dataset, size: Size, met: &dyn Fn()) -> Self {
        let parts: [(&str, Option<&Split>); 3] =
            [("train", Some(&data.train)), ("validation", data.validation.as_ref()), ("test", data.test.as_ref())];
        let parts: Vec<(&str, &Split)> = parts.into_iter().filter_map(|(name, split)| Some((name, split?))).collect();
        let mut survey = Self { classes: data.classes.clone(), ..Self::default() };
        let mut found = Vec::new();
        for (number, (name, split)) in parts.iter().enumerate() {
            let mut counts = vec![0; data.classes.len()];
            for at in 0..split.len() {
                let class = split.label(at) as usize;
                match split.load(at, size) {
                    Ok(pixels) => {
                        counts[class] += 1;
                        survey.bytes += pixels.bytes.len() as u64;
                        found.push((split.name(at), number, class, blake3::hash(&pixels.bytes).into()));
                    }
                    Err(error) => survey.unreadable.push(Bad {
                        file: split.name(at),
                        split: (*name).to_owned(),
                        class: data.classes[class].clone(),
                        reason: crate::error::Error::from(error).message(),
                        truncated: false,
                    }),
                }
                met();
            }
            survey.splits.push((*name).to_owned());
            survey.counts.push(counts);
        }
        survey.images = found.len();
        survey.sizes = sizes(vec![(size.width, size.height); found.len()]);
        let colour = if size.channels == 1 { "grey" } else { "RGB" };
        survey.colours = vec![(colour.to_owned(), found.len())];
        survey.repeats = repeats::among_digests(&found, &survey.splits, &survey.classes);
        survey
    }

    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !self.unreadable.is_empty() {
            let truncated = self.unreadable.iter().filter(|bad| bad.truncated).count();
            findings.push(Finding::Unreadable { files: self.unreadable.len(), truncated });
        }
        for (split, counts) in self.splits.iter().zip(&self.counts) {
            let empty = self.classes.iter().zip(counts).filter(|(_, count)| **count == 0);
            findings.extend(empty.map(|(class, _)| Finding::Missing { split: split.clone(), class: class.clone() }));
        }
        let count = |kind: fn(&Repeat) -> bool| self.repeats.iter().filter(|repeat| kind(repeat)).count();
        match count(Repeat::is_leak) {
            0 => {}
            pictures => findings.push(Finding::Leaks { pictures }),
        }
        match count(Repeat::is_contradiction) {
            0 => {}
            pictures => findings.push(Finding::Contradictions { pictures }),
        }
        match self.repeats.iter().map(Repeat::duplicates).sum() {
            0 => {}
            files => findings.push(Finding::Duplicates { files }),
        }
        findings
    }

    /// How many times the largest class of the first split is larger than its smallest; `None` with an empty class or only one.
    pub fn imbalance(&self) -> Option<f64> {
        let counts = self.counts.first().filter(|counts| counts.len() > 1)?;
        let (least, most) = (counts.iter().min()?, counts.iter().max()?);
        (*least > 0).then(|| *most as f64 / *least as f64)
    }
}

fn sizes(all: Vec<(u32, u32)>) -> Option<Sizes> {
    let three = |mut sides: Vec<u32>| {
        sides.sort_unstable();
        Some([*sides.first()?, *sides.get(sides.len() / 2)?, *sides.last()?])
    };
    let width = three(all.iter().map(|(width, _)| *width).collect())?;
    let height = three(all.iter().map(|(_, height)| *height).collect())?;
    let counted = frequent(all);
    let ((common_width, common_height), count) = *counted.first()?;
    Some(Sizes { width, height, most_common: (common_width, common_height, count), different: counted.len() })
}

/// Each value with how often it is there, the most frequent first; of equals the smaller.
fn frequent<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0) += 1;
    }
    let mut counted: Vec<_> = counts.into_iter().collect();
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counted
}
