//! Where the process's own output goes: libtorch, CUDA and the C library print to descriptors 1 and 2 whenever they like, and must
//! neither reach a terminal that a dashboard owns nor be lost.

use std::{fs::OpenOptions, os::fd::AsRawFd as _, path::Path};

use frostline::error::{Error, Result};

/// Appends standard output and standard error to `log` from now on.
pub fn redirect(log: &Path) -> Result<()> {
    let fail = |error: std::io::Error| Error::environment(format!("cannot write {}: {error}", log.display()), None);
    let file = OpenOptions::new().create(true).append(true).open(log).map_err(fail)?;
    for descriptor in [libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: both descriptors are valid, and nobody else holds a Rust handle to the target.
        if unsafe { libc::dup2(file.as_raw_fd(), descriptor) } == -1 {
            return Err(fail(std::io::Error::last_os_error()));
        }
    }
    Ok(())
}
