//! Which raw images go into which split: a given number of each class, in the order of their names or in an order that the seed
//! decides. Images that cannot be read are not chosen, nor those that look like one in another split: the next one takes their place.

use std::path::{Path, PathBuf};

use super::super::random::{self, Purpose};
use super::super::survey::{Looks, Portrait, Unreadable};
use super::{ApportionError, RawClass};

/// The names of the splits that training knows, in the order in which they are filled.
pub const SPLITS: [&str; 3] = ["train", "validation", "test"];

#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Images of each class for each of [`SPLITS`].
    pub per_class: [usize; 3],
    /// A random choice instead of the first ones.
    pub seed: Option<u64>,
    /// Chooses look-alikes too, and only tells of them.
    pub keep_alike: bool,
}

/// One image and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub file: PathBuf,
    /// Into the classes that were given.
    pub class: usize,
    /// Into [`SPLITS`].
    pub split: usize,
}

/// An image that looks like one that was chosen before, for another split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    pub file: PathBuf,
    /// Where it would have gone.
    pub split: usize,
    pub like: Chosen,
    /// Not alike but the same, byte by byte.
    pub identical: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub chosen: Vec<Chosen>,
    pub unreadable: Vec<(PathBuf, Unreadable)>,
    /// Left out, unless look-alikes are kept.
    pub alike: Vec<Alike>,
}

/// How files are looked at, so that a caller can show progress.
pub type Portraits<'a> = dyn FnMut(&[PathBuf]) -> Vec<Result<Portrait, Unreadable>> + 'a;

/// Fills split after split, in each of them class after class.
pub fn choose(classes: &[RawClass], wish: Wish, portraits: &mut Portraits<'_>) -> Result<Selection, ApportionError> {
    let wanted: usize = wish.per_class.iter().sum();
    for RawClass { name, files } in classes {
        if files.len() < wanted {
            let (class, found) = (name.clone(), files.len());
            return Err(ApportionError::TooFew { class, found, unreadable: 0, met_before: 0, wanted });
        }
    }
    let mut queues: Vec<_> =
        classes.iter().enumerate().map(|(at, class)| order(class, at, wish.seed).into_iter()).collect();
    let mut selection = Selection::default();
    let mut known = Known::default();
    let mut lost = vec![(0, 0); classes.len()];
    for (split, &count) in wish.per_class.iter().enumerate() {
        for (class, queue) in queues.iter_mut().enumerate() {
            let mut missing = count;
            while missing > 0 {
                let files: Vec<PathBuf> = queue.by_ref().take(missing).collect();
                if files.is_empty() {
                    let RawClass { name, files } = &classes[class];
                    let (unreadable, met_before) = lost[class];
                    let (class, found) = (name.clone(), files.len());
                    return Err(ApportionError::TooFew { class, found, unreadable, met_before, wanted });
                }
                let seen = portraits(&files);
                for (file, seen) in files.into_iter().zip(seen) {
                    let portrait = match seen {
                        Ok(portrait) => portrait,
                        Err(reason) => {
                            selection.unreadable.push((file, reason));
                            lost[class].0 += 1;
                            continue;
                        }
                    };
                    if let Some((earlier, identical)) = known.in_another_split(&portrait, split, &selection.chosen) {
                        let like = selection.chosen[earlier].clone();
                        selection.alike.push(Alike { file: file.clone(), split, like, identical });
                        if !wish.keep_alike {
                            lost[class].1 += 1;
                            continue;
                        }
                    }
                    known.add(portrait);
                    selection.chosen.push(Chosen { file, class, split });
                    missing -= 1;
                }
            }
        }
    }
    Ok(selection)
}

fn order(class: &RawClass, number: usize, seed: Option<u64>) -> Vec<PathBuf> {
    let mut files = class.files.clone();
    if let Some(seed) = seed {
        // The last word tells it from the carving of a validation split with the same seed.
        random::shuffle(&mut random::stream(seed, Purpose::Split, number as u64, 1), &mut files);
    }
    files
}

/// What was chosen so far, by look; numbered as in the selection.
#[derive(Default)]
struct Known {
    looks: Looks,
    digests: Vec<[u8; 32]>,
}

impl Known {
    fn add(&mut self, portrait: Portrait) {
        self.looks.add(portrait.look);
        self.digests.push(portrait.digest);
    }

    /// The first that looks the same and was chosen for another split; preferably one that is the same.
    fn in_another_split(&self, portrait: &Portrait, split: usize, chosen: &[Chosen]) -> Option<(usize, bool)> {
        let elsewhere = self.looks.like(&portrait.look).filter(|&number| chosen[number].split != split);
        elsewhere
            .map(|number| (number, self.digests[number] == portrait.digest))
            .min_by_key(|&(number, same)| (!same, number))
    }
}

/// Where a chosen file lies in the data set: its own name, with the folders between it and its class's folder before it.
pub(super) fn name_in_class(file: &Path, from: &Path, flat: bool) -> PathBuf {
    let inside = file.strip_prefix(from).unwrap_or(file);
    let parts: Vec<_> =
        inside.components().skip(usize::from(!flat)).map(|part| part.as_os_str().to_string_lossy()).collect();
    if parts.len() > 1 { parts.join("-").into() } else { file.file_name().unwrap_or_default().into() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::super::survey::Look;
    use super::super::super::{Pixels, Size};
    use super::*;

    /// A portrait of its own for each number.
    fn portrait(number: u64) -> Portrait {
        let mut rng = random::stream(number, Purpose::Critter, 0, 0);
        let size = Size { height: 16, width: 16, channels: 1 };
        let pixels = Pixels { size, bytes: (0..256).map(|_| random::below(&mut rng, 256) as u8).collect() };
        let digest = *blake3::hash(&number.to_le_bytes()).as_bytes();
        Portrait {
            width: 16,
            height: 16,
            format: "png",
            colour: "grey".into(),
            orientation: 1,
            bytes: 256,
            digest,
            look: Look::of(&pixels),
        }
    }

    fn classes(count: usize) -> Vec<RawClass> {
        ["cat", "dog"]
            .map(|name| RawClass {
                name: name.into(),
                files: (0..count).map(|number| format!("{name}.{number}.jpg").into()).collect(),
            })
            .into()
    }

    fn number(file: &Path) -> u64 {
        let text = file.display().to_string();
        let own = text.split('.').nth(1).unwrap().parse::<u64>().unwrap();
        own + if text.starts_with("dog") { 1000 } else { 0 }
    }

    fn chosen(selection: &Selection, split: usize) -> Vec<String> {
        let of_split = selection.chosen.iter().filter(|chosen| chosen.split == split);
        of_split.map(|chosen| chosen.file.display().to_string()).collect()
    }

    const WISH: Wish = Wish { per_class: [2, 1, 1], seed: None, keep_alike: false };

    #[test]
    fn the_first_ones_train_the_next_validate_and_the_next_test() {
        let mut all = |files: &[PathBuf]| files.iter().map(|file| Ok(portrait(number(file)))).collect();
        let selection = choose(&classes(5), WISH, &mut all).unwrap();
        assert_eq!(chosen(&selection, 0), ["cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg"]);
        assert_eq!(chosen(&selection, 1), ["cat.2.jpg", "dog.2.jpg"]);
        assert_eq!(chosen(&selection, 2), ["cat.3.jpg", "dog.3.jpg"]);
    }

    #[test]
    fn a_seed_chooses_others_and_always_the_same() {
        let mut all = |files: &[PathBuf]| files.iter().map(|file| Ok(portrait(number(file)))).collect();
        let mut with = |seed| choose(&classes(40), Wish { seed, ..WISH }, &mut all).unwrap().chosen;
        assert_eq!(with(Some(3)), with(Some(3)));
        assert_ne!(with(Some(3)), with(Some(4)));
        assert_ne!(with(Some(3)), with(None));
    }

    #[test]
    fn the_next_one_takes_the_place_of_what_cannot_be_read_or_was_met_in_another_split() {
        // cat.1 is damaged; cat.3 and dog.2 look like cat.0, which trains; dog.1 looks like dog.0, which trains too.
        let mut seen = |files: &[PathBuf]| {
            let see = |file: &PathBuf| match file.display().to_string().as_str() {
                "cat.1.jpg" => Err(Unreadable { reason: "the jpeg is cut off".into(), truncated: true }),
                "cat.3.jpg" | "dog.2.jpg" => Ok(portrait(0)),
                "dog.1.jpg" => Ok(portrait(1000)),
                _ => Ok(portrait(number(file))),
            };
            files.iter().map(see).collect()
        };
        let selection = choose(&classes(6), WISH, &mut seen).unwrap();
        assert_eq!(chosen(&selection, 0), ["cat.0.jpg", "cat.2.jpg", "dog.0.jpg", "dog.1.jpg"]);
        assert_eq!(chosen(&selection, 1), ["cat.4.jpg", "dog.3.jpg"]);
        assert_eq!(chosen(&selection, 2), ["cat.5.jpg", "dog.4.jpg"]);
        let left_out: Vec<_> =
            selection.alike.iter().map(|alike| (alike.file.display().to_string(), alike.identical)).collect();
        assert_eq!(left_out, [("cat.3.jpg".into(), true), ("dog.2.jpg".into(), true)]);
        let kept = choose(&classes(6), Wish { keep_alike: true, ..WISH }, &mut seen).unwrap();
        assert_eq!((chosen(&kept, 1), kept.alike.len()), (vec!["cat.3.jpg".into(), "dog.2.jpg".into()], 2));
        let error = choose(&classes(5), WISH, &mut seen).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cat: 5 images found, without 1 unreadable and 1 that look like one in another split, and 4 are wanted"
        );
    }

    #[test]
    fn too_few_are_told_before_any_is_read() {
        let mut none = |_: &[PathBuf]| panic!("nothing is read");
        let error = choose(&classes(3), WISH, &mut none).unwrap_err();
        assert_eq!(error.to_string(), "cat: 3 images found, and 4 are wanted");
    }

    #[test]
    fn a_nested_file_carries_its_folders_in_its_name() {
        let name = |file: &str, flat| name_in_class(Path::new(file), Path::new("raw"), flat).display().to_string();
        assert_eq!(name("raw/cat.0.jpg", true), "cat.0.jpg");
        assert_eq!(name("raw/cats/0.jpg", false), "0.jpg");
        assert_eq!(name("raw/cats/paris/0.jpg", false), "paris-0.jpg");
    }
}
