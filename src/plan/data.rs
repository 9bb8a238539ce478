//! From `[data]` to what the data room opens: which keys belong to which source. No file is touched: a network can be looked at
//! without its data.

use std::path::PathBuf;

use super::{PlanError, augment};
use crate::{
    config::{Data, DataSource},
    data::{DataSpec, Size, SourceSpec},
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
    Ok(DataSpec {
        source: source(data)?,
        size: Size { height: height as u32, width: width as u32, channels: channels as u32 },
        interpolation: data.interpolation,
        validation_fraction: data.validation_fraction,
        limit: data.limit,
        seed,
        augment: augment::resolve(&data.augment)?,
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
        DataSource::Folder => Ok(SourceSpec::Folder { places: places(data)? }),
        DataSource::Idx => Ok(SourceSpec::Idx { places: places(data)?, classes: data.classes.clone() }),
    }
}

/// Whether anything is there is found out when the data is opened.
fn places(data: &Data) -> Result<Vec<PathBuf>, PlanError> {
    data.path.as_ref().map(|places| places.list().to_vec()).filter(|places| !places.is_empty()).ok_or(PlanError::NoPath)
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
