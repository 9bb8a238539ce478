//! Writing a file beside its name, which it gets when it is whole.

use std::{
    fs::{File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use super::ExportError;

/// `fill` writes the file at the path that it is given. Returns the length in bytes.
pub(super) fn write(path: &Path, fill: impl FnOnce(&Path) -> Result<(), ExportError>) -> Result<u64, ExportError> {
    let fail = |error: std::io::Error| ExportError::write(path, &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let partial = tempfile::Builder::new()
        .prefix(".export-")
        // As for any new file; the user's mask takes from it.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(fail)?
        .into_temp_path();
    fill(&partial)?;
    let file = File::open(&partial).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    partial.persist(path).map_err(|error| fail(error.error))?;
    Ok(length)
}
