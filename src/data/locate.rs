//! Where a data set lies: the first of several places that is there, and MNIST's four files in it, plain or with `.gz`.

use std::path::{Path, PathBuf};

use super::DataError;

/// Images and labels of one set.
pub(super) type Pair = (PathBuf, PathBuf);

/// The first place that is a folder.
pub(super) fn folder(places: &[PathBuf]) -> Result<&Path, DataError> {
    let found = places.iter().find(|place| place.is_dir());
    found.map(PathBuf::as_path).ok_or_else(|| DataError::NoPlace { places: places.to_vec() })
}

/// The training set, and the test set where it is there.
pub(super) fn idx_files(places: &[PathBuf]) -> Result<(Pair, Option<Pair>), DataError> {
    let folder = folder(places)?;
    let file = |name: &str| {
        let candidates = ["", ".gz"].map(|ending| folder.join(format!("{name}{ending}")));
        candidates.into_iter().find(|path| path.is_file())
    };
    let needed =
        |name: &'static str| file(name).ok_or_else(|| DataError::NoIdxFile { folder: folder.to_owned(), name });
    let train = (needed("train-images-idx3-ubyte")?, needed("train-labels-idx1-ubyte")?);
    let test = match (file("t10k-images-idx3-ubyte"), file("t10k-labels-idx1-ubyte")) {
        (Some(images), Some(labels)) => Some((images, labels)),
        (None, None) => None,
        (Some(_), None) => return Err(DataError::IdxTestPair { given: "an images" }),
        (None, Some(_)) => return Err(DataError::IdxTestPair { given: "a labels" }),
    };
    Ok((train, test))
}
