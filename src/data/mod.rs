//! From files to batches: open a data set, carve its splits, load pictures at the size that the network wants, augment
//! them, and hand them out as bytes in an order that only the seed decides. No tensors, no terminal.
//!
//! In the order in which data flows: a [`DataSpec`] is opened into a [`Dataset`] of [`Split`]s over a [`Source`]
//! (`idx`, `folder` or `critters`); `decode` makes [`Pixels`] of a file; `augment` varies them; [`Loader`] makes [`Batch`]es. [`Features`] keep what a frozen part of a
//! network made of pictures, which a batch then holds in their place.

pub mod apportion;
pub mod critters;
pub mod random;
pub mod survey;

mod augment;
mod cache;
mod decode;
mod error;
mod features;
mod folder;
mod frame;
mod idx;
mod loader;
mod locate;
mod part;
mod resize;
mod source;
mod split;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

pub use crate::config::{CacheKind, Interpolation};
pub use augment::{Augment, Draw, Erasing, Fill, Jitter, Mix, Mixing, ResizedCrop, Shift, Steps, Workspace};
pub use cache::folder::{CacheContent, CacheEntry, entries as cache_entries};
pub use decode::{Colour, Probe, decode_file, decode_whole, probe};
pub use error::{DataError, Skipped};
pub use features::{Features, FrozenPart, Pictures, Served, folder as features_folder};
pub use frame::{Framing, decode_framed};
pub use loader::{Batch, Epoch, Loader, LoaderSpec};
pub use source::Source;

/// The size of a picture as the network takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    pub height: u32,
    pub width: u32,
    /// 1 (grey) or 3 (RGB).
    pub channels: u32,
}

impl Size {
    /// Bytes of one picture.
    pub fn bytes(self) -> usize {
        self.height as usize * self.width as usize * self.channels as usize
    }

    /// Refuses what no picture can have; 16,384 pixels a side is also where decoding stops.
    fn check(self) -> Result<(), DataError> {
        let Self { height, width, channels } = self;
        let side = 1..=decode::LONGEST_SIDE;
        if side.contains(&height) && side.contains(&width) && matches!(channels, 1 | 3) {
            return Ok(());
        }
        Err(DataError::Size { height, width, channels, most: decode::LONGEST_SIDE })
    }
}

/// One stored picture at the target size: `[h, w, c]` row-major, RGB or grey, 0 to 255.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    pub size: Size,
    pub bytes: Vec<u8>,
}

/// Where the samples are.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceSpec {
    /// MNIST's format, plain or gzip. Without class names they are "0", "1", and so on.
    Idx {
        /// Folders to look in for the four files, in order.
        places: Vec<PathBuf>,
        classes: Vec<String>,
    },
    /// A folder that holds `train/` and maybe `validation/` and `test/`, each with one subfolder a class. The first of `places` that is there.
    Folder { places: Vec<PathBuf> },
    /// Drawn cats and dogs: how many pictures in each split, half of them of each species.
    Critters { train: usize, validation: usize, test: usize },
}

/// What the plan asks of the data room.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSpec {
    pub source: SourceSpec,
    pub size: Size,
    /// How files are brought to that size; of no meaning to the other sources.
    pub interpolation: Interpolation,
    /// The part of train that becomes validation, taken evenly from every class.
    pub validation_fraction: Option<f64>,
    /// At most this many training samples, taken evenly from every class after validation was carved.
    pub limit: Option<usize>,
    /// Decides the carving and draws the critters.
    pub seed: u64,
    /// For training batches only; handed on to [`LoaderSpec`], not used while opening.
    pub augment: Augment,
}

impl DataSpec {
    /// MNIST's four files in `folder`, as they are.
    pub fn of_idx(folder: PathBuf) -> Self {
        Self {
            source: SourceSpec::Idx { places: vec![folder], classes: Vec::new() },
            size: Size { height: 28, width: 28, channels: 1 },
            interpolation: Interpolation::default(),
            validation_fraction: None,
            limit: None,
            seed: 0,
            augment: Augment::default(),
        }
    }
}

/// Some samples of a source, in a fixed order.
#[derive(Clone)]
pub struct Split {
    pub source: Arc<dyn Source>,
    /// Position in the split → index in the source.
    pub indices: Vec<u32>,
}

impl Split {
    /// Every sample of the source, in its order.
    pub fn whole(source: Arc<dyn Source>) -> Self {
        let indices = (0..source.len() as u32).collect();
        Self { source, indices }
    }

    pub fn len(&self) -> usize {
        self.indices.len()
    }

    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    pub fn label(&self, position: usize) -> u32 {
        self.source.label(self.indices[position] as usize)
    }

    pub fn name(&self, position: usize) -> String {
        self.source.name(self.indices[position] as usize)
    }

    /// Which pictures these are, in a few words.
    pub fn describe(&self) -> String {
        match self.len() {
            0 => "no pictures".to_owned(),
            1 => self.name(0),
            count => format!("{} and {} more", self.name(0), count - 1),
        }
    }

    pub fn load(&self, position: usize, size: Size) -> Result<Pixels, DataError> {
        self.source.load(self.indices[position] as usize, size)
    }
}

impl std::fmt::Debug for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Split({} of {})", self.len(), self.source.len())
    }
}

/// An opened data set. Labels index `classes` in every split.
#[derive(Debug)]
pub struct Dataset {
    pub classes: Vec<String>,
    pub train: Split,
    pub validation: Option<Split>,
    pub test: Option<Split>,
    pub skipped: SkippedFiles,
}

/// Files that are no pictures, found by reading their headers; they are in no split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SkippedFiles {
    pub train: Vec<Skipped>,
    pub validation: Vec<Skipped>,
    pub test: Vec<Skipped>,
}

impl Dataset {
    /// The split from which single images are taken to look at: one that the network does not train on, where there is one.
    pub fn pinned(&self) -> &Split {
        self.validation.as_ref().or(self.test.as_ref()).unwrap_or(&self.train)
    }
}

/// What can be told from headers and listings alone. A folder's unreadable files still count here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    pub classes: Vec<String>,
    pub train: usize,
    pub validation: usize,
    pub test: usize,
}

/// The images in a folder and below, sorted by name within each; told by their endings, as in a class folder.
pub fn images_in(folder: &std::path::Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    folder::add_images(folder, &mut files)?;
    Ok(files)
}

/// Opens the data set: reads idx files whole, checks the header of every picture in a folder.
pub fn open(spec: &DataSpec) -> Result<Dataset, DataError> {
    spec.size.check()?;
    let (classes, train, validation, test, skipped) = match &spec.source {
        SourceSpec::Idx { places, classes } => {
            let (train, test) = locate::idx_files(places)?;
            let train = idx::IdxSource::read(&train.0, &train.1, "train")?;
            let test = test.map(|(images, labels)| idx::IdxSource::read(&images, &labels, "test")).transpose()?;
            let classes = idx::class_names(classes, &train.labels, test.as_ref().map(|test| &test.labels))?;
            (classes, whole(train), None, test.map(whole), SkippedFiles::default())
        }
        SourceSpec::Folder { places } => {
            let listing = folder::list(locate::folder(places)?)?;
            let mut skipped = SkippedFiles::default();
            let check = |listed: folder::Listing, skipped| listed.check_headers(spec.interpolation, skipped).map(whole);
            let train = check(listing.train, &mut skipped.train)?;
            let validation = listing.validation.map(|listed| check(listed, &mut skipped.validation)).transpose()?;
            let test = listing.test.map(|listed| check(listed, &mut skipped.test)).transpose()?;
            (listing.classes, train, validation, test, skipped)
        }
        &SourceSpec::Critters { train, validation, test } => {
            let some = |part, count| (count > 0).then(|| whole(critters::CritterSource::new(spec.seed, part, count)));
            (
                critters::class_names(),
                whole(critters::CritterSource::new(spec.seed, critters::Part::Train, train)),
                some(critters::Part::Validation, validation),
                some(critters::Part::Test, test),
                SkippedFiles::default(),
            )
        }
    };
    let given = validation.as_ref().map_or(0, Split::len);
    let labels: Vec<u32> = (0..train.len()).map(|i| train.label(i)).collect();
    let carved = split::carve(&labels, spec.validation_fraction, spec.limit, spec.seed, given)?;
    let validation = validation.or_else(|| {
        let indices = carved.validation?;
        Some(Split { source: Arc::clone(&train.source), indices })
    });
    Ok(Dataset { classes, train: Split { source: train.source, indices: carved.train }, validation, test, skipped })
}

/// The figures of [`open`] in a few milliseconds: reads headers, labels and folder listings, and no picture.
pub fn inspect(spec: &DataSpec) -> Result<Inspection, DataError> {
    spec.size.check()?;
    let (classes, train, validation, test) = match &spec.source {
        SourceSpec::Idx { places, classes } => {
            let (train, test) = locate::idx_files(places)?;
            let train = idx::inspect(&train.0, &train.1)?;
            let test = test.map(|(images, labels)| idx::inspect(&images, &labels)).transpose()?;
            let classes = idx::class_names(classes, &train, test.as_ref())?;
            (classes, train.classes_of_samples(), 0, test.map_or(0, |test| test.len()))
        }
        SourceSpec::Folder { places } => {
            let listing = folder::list(locate::folder(places)?)?;
            let count = |part: Option<folder::Listing>| part.map_or(0, |part| part.files.len());
            (listing.classes, listing.train.labels, count(listing.validation), count(listing.test))
        }
        &SourceSpec::Critters { train, validation, test } => {
            (critters::class_names(), (0..train).map(critters::label).collect(), validation, test)
        }
    };
    let carved = split::carve(&train, spec.validation_fraction, spec.limit, spec.seed, validation)?;
    let validation = carved.validation.as_ref().map_or(validation, Vec::len);
    Ok(Inspection { classes, train: carved.train.len(), validation, test })
}

fn whole(source: impl Source + 'static) -> Split {
    Split::whole(Arc::new(source))
}
