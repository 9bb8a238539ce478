//! Where a run's socket lies. `sun_path` holds 108 bytes and run directories are longer, so the socket gets a short path
//! in a private folder, and the file `socket` in the run directory says which.

use std::{
    fs, io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
};

use super::{
    dir::RunDir,
    error::{Error, Result},
    whole,
};

/// Room for a suffix within the 104 bytes that macOS grants.
const LONGEST: usize = 100;

impl RunDir {
    /// Chooses the socket's path, makes its folder (0700) and writes the path into the run directory. For the engine.
    pub fn prepare_socket(&self) -> Result<PathBuf> {
        let path = socket_in(&socket_folder()?, self.path());
        whole::replace(&self.socket_file(), path.as_os_str().as_bytes(), false)
            .map_err(Error::io("write", self.socket_file()))?;
        Ok(path)
    }

    /// The socket's path as the engine wrote it; `None` before an engine has served this run.
    pub fn socket(&self) -> Result<Option<PathBuf>> {
        match fs::read(self.socket_file()) {
            Ok(bytes) => Ok(Some(PathBuf::from(std::ffi::OsStr::from_bytes(&bytes)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", self.socket_file())(error)),
        }
    }
}

/// The folder of all sockets of this user, made (0700) where it is missing.
pub fn socket_folder() -> Result<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let uid = own_uid();
    let folder = folder(runtime.as_deref(), uid);
    make_private(&folder, uid)?;
    Ok(folder)
}

/// The user as whom this process acts.
pub(crate) fn own_uid() -> u32 {
    // SAFETY: `geteuid` takes nothing, touches no memory and cannot fail.
    unsafe { libc::geteuid() }
}

fn folder(runtime: Option<&Path>, uid: u32) -> PathBuf {
    // `sudo` and containers hand on a runtime directory that belongs to someone else or is not there.
    let usable = |path: &Path| {
        path.is_absolute()
            && fs::metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == uid)
            && socket_in(&path.join("frostline"), Path::new("")).as_os_str().len() <= LONGEST
    };
    match runtime.filter(|path| usable(path)) {
        Some(path) => path.join("frostline"),
        None => PathBuf::from(format!("/tmp/frostline-{uid}")),
    }
}

fn socket_in(folder: &Path, run: &Path) -> PathBuf {
    let hash = blake3::hash(run.as_os_str().as_bytes()).to_hex();
    folder.join(format!("{}.sock", &hash[..16]))
}

/// In /tmp anyone may have made the folder first: it must be ours, real, and closed to others.
fn make_private(folder: &Path, uid: u32) -> Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Error::io("create", folder)(error)),
    }
    let found = fs::symlink_metadata(folder).map_err(Error::io("open", folder))?;
    let refuse = |reason| Err(Error::SocketFolder { path: folder.to_path_buf(), reason });
    if !found.is_dir() {
        refuse("it is not a folder")
    } else if found.uid() != uid {
        refuse("it belongs to another user")
    } else if found.mode() & 0o077 != 0 {
        refuse("others may enter it")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_path_fits_into_sun_path_however_deep_the_run_lies() {
        let deep = PathBuf::from(format!("/{}", "very-long-folder-name/".repeat(40)));
        let long_runtime = tempfile::tempdir().unwrap();
        let long_runtime = long_runtime.path().join("x".repeat(90));
        fs::create_dir(&long_runtime).unwrap();
        for runtime in [None, Some(long_runtime.as_path()), Some(Path::new("/nowhere")), Some(Path::new("relative"))] {
            let path = socket_in(&folder(runtime, own_uid()), &deep);
            assert!(path.as_os_str().len() <= LONGEST, "{}", path.display());
            assert!(path.starts_with("/tmp"), "{}", path.display());
        }
    }

    #[test]
    fn two_runs_have_two_sockets() {
        let folder = Path::new("/tmp/f");
        assert_ne!(socket_in(folder, Path::new("/runs/a")), socket_in(folder, Path::new("/runs/b")));
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("sockets");
        make_private(&folder, own_uid()).unwrap();
        make_private(&folder, own_uid()).unwrap();
        assert!(matches!(make_private(&folder, own_uid() + 1), Err(Error::SocketFolder { .. })));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(make_private(&folder, own_uid()), Err(Error::SocketFolder { .. })));
        let link = root.path().join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        assert!(matches!(make_private(&link, own_uid()), Err(Error::SocketFolder { .. })));
    }
}
