//! The folder in the user's cache that all checkouts share, and the rules by which it is filled: one set-up at a time, and a
//! copy of libtorch is either absent or whole. What a set-up is still making bears `partial` in its name.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::advice::Problem;
use super::site::Kind;
use super::{layout, view};
use crate::environment::{Environment, Platform};
use crate::failure::Failure;
use crate::say;

/// The view's name beside `torch/` and `nvidia/`.
const VIEW: &str = "libtorch";

#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub fn of(environment: &Environment) -> Result<Self, Problem> {
        let folder = environment.cache_folder().ok_or(Problem::NoHome)?;
        Ok(Self { folder: folder.join("frostline") })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What torch-sys is pointed to.
    pub fn view(&self, kind: Kind) -> PathBuf {
        self.folder.join(kind.folder_name()).join(VIEW)
    }

    /// Fills the folder of this kind with what `fill` leaves in the one it is given, and returns the view. If another set-up
    /// did so meanwhile, its result is taken.
    pub fn fill(
        &self,
        kind: Kind,
        platform: Platform,
        fill: impl FnOnce(&Partial<'_>) -> Result<(), Problem>,
    ) -> Result<PathBuf, Problem> {
        let view = self.view(kind);
        self.make(
            Path::new(kind.folder_name()),
            |folder| layout::check(&folder.join(VIEW), platform, false).is_ok(),
            fill,
        )?;
        Ok(view)
    }

    /// A view of somebody else's torch package, which may lie where nobody but root can write.
    pub fn python_view(&self, torch: &Path, platform: Platform) -> Result<PathBuf, Problem> {
        let name = view::name_for(torch);
        let is_whole = |folder: &Path| {
            layout::check(&folder.join(VIEW), platform, false).is_ok()
                && folder.join("torch").canonicalize().ok().as_deref() == Some(torch)
        };
        self.make(&name, is_whole, |partial| {
            let link = |name: &str, to: &Path| {
                let at = partial.site.join(name);
                std::os::unix::fs::symlink(to, &at)
                    .map_err(|error| Problem::Io(Failure::io("make the link", &at, &error)))
            };
            link("torch", torch)?;
            let nvidia = torch.with_file_name("nvidia");
            if nvidia.is_dir() {
                link("nvidia", &nvidia)?;
            }
            partial.make_view(platform)
        })?;
        Ok(self.folder.join(name).join(VIEW))
    }

    fn make(
        &self,
        name: &Path,
        is_whole: impl Fn(&Path) -> bool,
        fill: impl FnOnce(&Partial<'_>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let io = |doing, path: &Path, error: &io::Error| Problem::Io(Failure::io(doing, path, error));
        let place = self.folder.join(name);
        if is_whole(&place) {
            return Ok(());
        }
        fs::create_dir_all(&self.folder).map_err(|error| io("create the folder", &self.folder, &error))?;
        let lock = self.lock(name)?;
        if is_whole(&place) {
            say::line("the other set-up is done; taking its libtorch");
            return Ok(());
        }
        self.sweep(name);
        let folder = self.folder.join(partial_name(name));
        let site = folder.join("site");
        fs::create_dir_all(&site).map_err(|error| io("create the folder", &site, &error))?;
        let result = fill(&Partial { folder: &folder, site: &site, lock: &lock }).and_then(|()| {
            if place.symlink_metadata().is_ok() {
                // It is there and not whole: somebody removed files from it. A new one takes its place.
                fs::rename(&place, folder.join("old")).map_err(|error| io("move away", &place, &error))?;
            }
            fs::rename(&site, &place).map_err(|error| io("move into place", &place, &error))
        });
        let _ = fs::remove_dir_all(&folder);
        result
    }

    /// Held until the file is closed in this process and in every child that was given it.
    fn lock(&self, name: &Path) -> Result<File, Problem> {
        let path = self.folder.join(format!("{}.lock", name.display()));
        let error = |error: &io::Error| Problem::Io(Failure::io("lock", &path, error));
        let file = File::options().read(true).append(true).create(true).open(&path).map_err(|e| error(&e))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                say::line(&format!("another set-up is filling {}; waiting for it", self.folder.join(name).display()));
                file.lock().map_err(|e| error(&e))?;
                Ok(file)
            }
            Err(TryLockError::Error(e)) => Err(error(&e)),
        }
    }

    /// Removes what set-ups left that were killed. Called under the lock, so none of them is alive.
    fn sweep(&self, name: &Path) {
        let prefix = format!("{}.partial-", name.display());
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                say::line(&format!("removing what an interrupted set-up left: {}", entry.path().display()));
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

fn partial_name(name: &Path) -> String {
    format!("{}.partial-{}", name.display(), std::process::id())
}

/// A copy in the making, on the same disk as the place it will have.
pub struct Partial<'a> {
    /// Gone at the end; a place for temporary files.
    pub folder: &'a Path,
    /// What becomes the shared copy: `torch/`, `nvidia/` and the view.
    pub site: &'a Path,
    pub lock: &'a File,
}

impl Partial<'_> {
    pub fn view(&self) -> PathBuf {
        self.site.join(VIEW)
    }

    pub fn make_view(&self, platform: Platform) -> Result<(), Problem> {
        view::make(&self.view(), Path::new("../torch"), platform)
            .map_err(|error| Problem::Io(Failure::io("lay out", &self.view(), &error)))
    }
}
