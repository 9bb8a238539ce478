//! Writing a file so that its name never shows half of it, not even after a power cut.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// The temporary name beside `path`. One engine a run, so a fixed name suffices and a left-over is overwritten.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    path.with_file_name(name)
}

/// Replaces `path` by `bytes`. `durable` waits until the disk has it.
pub(super) fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let partial = beside(path);
    let written = (|| {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        if durable {
            file.sync_all()?;
        }
        fs::rename(&partial, path)
    })();
    if written.is_err() {
        // The first error matters; a left-over is overwritten next time.
        let _ = fs::remove_file(&partial);
        return written;
    }
    if durable { sync_folder(path) } else { Ok(()) }
}

/// A rename is on disk only when its folder is.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
