//! From `[data]` to what the data room opens: which keys belong to which source, and where the files are.

use std::path::{Path, PathBuf};

use super::PlanError;
use crate::{
    config::{Data, DataSource},
    data::{Augment, DataSpec, Size, SourceSpec},
};

/// Sizes of the embedded data set where the configuration names none: the chapter's 2,000 + 1,000 + 1,000.
const CRITTERS: [usize; 3] = [2000, 1000, 1000];

pub(super) fn resolve(data: &Data, [height, width, channels]: [usize; 3], seed: u64) -> Result<DataSpec, PlanError> {
    if !matches!(channels, 1 | 3) {
        return Err(PlanError::Channels(channels));
    }
    check_keys(data)?;
    let range = |key, value, fits, range| if fits { Ok(()) } else { Err(PlanError::Range { key, value, range }) };
    if let Some(fraction) = data.validation_fraction {
        range("data.validation_fraction", fraction, fraction > 0.0 && fraction < 1.0, "between 0 and 1")?;
    }
    let augment = data.augment;
    for (key, value) in [
        ("data.augment.width_shift_range", augment.width_shift_range),
        ("data.augment.height_shift_range", augment.height_shift_range),
    ] {
        range(key, value, (0.0..=1.0).contains(&value), "a fraction from 0 to 1")?;
    }
    Ok(DataSpec {
        source: source(data)?,
        size: Size { height: height as u32, width: width as u32, channels: channels as u32 },
        validation_fraction: data.validation_fraction,
        limit: data.limit,
        seed,
        augment: Augment {
            horizontal_flip: augment.horizontal_flip,
            vertical_flip: augment.vertical_flip,
            width_shift: augment.width_shift_range,
            height_shift: augment.height_shift_range,
        },
    })
}

fn source(data: &Data) -> Result<SourceSpec, PlanError> {
    match data.source {
        DataSource::Critters => Ok(SourceSpec::Critters {
            train: data.train.unwrap_or(CRITTERS[0]),
            // A fraction carved from train takes the place of a split of its own.
            validation: data.validation.unwrap_or(if data.validation_fraction.is_some() { 0 } else { CRITTERS[1] }),
            test: data.test.unwrap_or(CRITTERS[2]),
        }),
        DataSource::Folder => Ok(SourceSpec::Folder { root: place(data)? }),
        DataSource::Idx => {
            let folder = place(data)?;
            let file = |name| idx_file(&folder, name);
            let needed = |name| file(name).ok_or_else(|| PlanError::NoIdxFile { folder: folder.clone(), name });
            Ok(SourceSpec::Idx {
                train_images: needed("train-images-idx3-ubyte")?,
                train_labels: needed("train-labels-idx1-ubyte")?,
                test_images: file("t10k-images-idx3-ubyte"),
                test_labels: file("t10k-labels-idx1-ubyte"),
                classes: data.classes.clone(),
            })
        }
    }
}

/// The first of the places that is there.
fn place(data: &Data) -> Result<PathBuf, PlanError> {
    let places = data.path.as_ref().ok_or(PlanError::NoPath)?.list();
    places.iter().find(|path| path.is_dir()).cloned().ok_or_else(|| PlanError::NoPlace(places.to_vec()))
}

fn idx_file(folder: &Path, name: &str) -> Option<PathBuf> {
    ["", ".gz"].iter().map(|ending| folder.join(format!("{name}{ending}"))).find(|path| path.is_file())
}

fn check_keys(data: &Data) -> Result<(), PlanError> {
    let origin = match data.source {
        DataSource::Idx => "idx",
        DataSource::Folder => "folder",
        DataSource::Critters => "critters",
    };
    let drawn = data.source == DataSource::Critters;
    let aliens = [
        ("path", drawn && data.path.is_some()),
        ("classes", data.source != DataSource::Idx && !data.classes.is_empty()),
        ("train", !drawn && data.train.is_some()),
        ("validation", !drawn && data.validation.is_some()),
        ("test", !drawn && data.test.is_some()),
    ];
    match aliens.iter().find(|(_, alien)| *alien) {
        Some(&(key, _)) => Err(PlanError::DataKeyAlien { key, origin }),
        None => Ok(()),
    }
}
