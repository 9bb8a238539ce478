//! `cargo xtask setup`: finds libtorch or installs it, and leaves `.libtorch` in the checkout as a link to a folder laid out
//! as torch-sys wants it. This file is the order of the search; each kind of place it looks in has a file of its own.

mod advice;
mod cache;
pub mod disk;
mod layout;
mod pip;
mod python;
mod site;
mod view;

use std::fmt;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::checkout::Checkout;
use crate::environment::{Environment, Platform};
use crate::failure::Failure;
use crate::packager::Packager;
use crate::say;
use advice::Problem;

/// The one version that tch 0.24 is written for.
pub const VERSION: &str = "2.11.0";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Install NVIDIA's libraries too, so that the engine can train on a GPU.
    pub cuda: bool,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--cuda" => options.cuda = true,
                other => return Err(Failure::usage(format!("`setup` knows --cuda, and not `{other}`"))),
            }
        }
        Ok(options)
    }
}

/// A libtorch that was looked at and fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// `LIBTORCH` names it, and cargo uses it for as long as the variable is set.
    Given { folder: PathBuf },
    /// `.libtorch` leads to it.
    Linked { link: PathBuf, folder: PathBuf },
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given { folder } => write!(f, "libtorch {VERSION}: {} (from LIBTORCH)", folder.display()),
            Self::Linked { link, folder } => {
                write!(f, "libtorch {VERSION}: {} -> {}", link.display(), folder.display())
            }
        }
    }
}

/// Where the caller's variables say that libtorch comes from.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Given(PathBuf),
    PythonsTorch,
    Ours,
}

fn wanted(environment: &Environment, checkout: &Checkout) -> Wanted {
    // `.cargo/config.toml` sets LIBTORCH for everything that cargo starts, xtask too: that value is nobody's wish.
    match environment.variable("LIBTORCH").map(Path::new) {
        Some(folder) if !checkout.owns_link(folder) => Wanted::Given(folder.to_owned()),
        _ if environment.is_on("LIBTORCH_USE_PYTORCH") => Wanted::PythonsTorch,
        _ => Wanted::Ours,
    }
}

pub fn run(environment: &Environment, checkout: &Checkout, options: Options) -> Result<Ready, Failure> {
    let platform = environment.platform;
    find(environment, checkout, options).map_err(|problem| problem.explain(platform, Packager::of(environment)))
}

fn find(environment: &Environment, checkout: &Checkout, options: Options) -> Result<Ready, Problem> {
    let platform = environment.platform;
    match wanted(environment, checkout) {
        Wanted::Given(folder) => {
            if options.cuda {
                return Err(Problem::CudaIsTheCallers { variable: "LIBTORCH" });
            }
            layout::check(&folder, platform, environment.is_on("LIBTORCH_BYPASS_VERSION_CHECK"))
                .map_err(|unfit| Problem::Unfit { folder: folder.clone(), named_by: "LIBTORCH", unfit })?;
            Ok(Ready::Given { folder })
        }
        Wanted::PythonsTorch => {
            if options.cuda {
                return Err(Problem::CudaIsTheCallers { variable: "LIBTORCH_USE_PYTORCH" });
            }
            let folder = pythons_torch(environment)?;
            say::line("LIBTORCH_USE_PYTORCH has done its work and need not stay set: .libtorch remembers that torch");
            link(checkout, &folder)
        }
        Wanted::Ours => {
            if platform == Platform::Unsupported {
                return Err(Problem::NoTorchForThisPlatform);
            }
            let cache = cache::Cache::of(environment)?;
            if let Some(ready) = already_linked(checkout, platform, &cache, options) {
                return Ok(ready);
            }
            // A GPU-capable copy serves a CPU as well, so it is the better find for a checkout that asked for neither.
            for kind in site::Kind::good_for(options.cuda).iter().copied() {
                let folder = cache.view(kind);
                if layout::check(&folder, platform, false).is_ok() {
                    return link(checkout, &folder);
                }
            }
            let kind = if options.cuda { site::Kind::Cuda } else { site::Kind::Cpu };
            let folder = pip::install(environment, &cache, kind)?;
            advise_cuda(options, platform);
            link(checkout, &folder)
        }
    }
}

fn already_linked(checkout: &Checkout, platform: Platform, cache: &cache::Cache, options: Options) -> Option<Ready> {
    let link = checkout.libtorch();
    layout::check(&link, platform, false).ok()?;
    let folder = link.canonicalize().ok()?;
    let cuda_view = cache.view(site::Kind::Cuda).canonicalize().ok();
    (!options.cuda || cuda_view.as_ref() == Some(&folder)).then_some(Ready::Linked { link, folder })
}

/// The torch package of the Python that the caller points to, seen through a view (see `view`) in the cache.
fn pythons_torch(environment: &Environment) -> Result<PathBuf, Problem> {
    let python = python::Python::find(environment)?;
    let Some(torch) = &python.torch else {
        return Err(Problem::NoTorchInPython { python: python.program });
    };
    let unfit = |unfit| Problem::Unfit { folder: torch.clone(), named_by: "LIBTORCH_USE_PYTORCH", unfit };
    layout::check(torch, environment.platform, false).map_err(unfit)?;
    let cache = cache::Cache::of(environment)?;
    let folder = cache.python_view(torch, environment.platform)?;
    site::loads(environment, &folder)?;
    Ok(folder)
}

fn link(checkout: &Checkout, folder: &Path) -> Result<Ready, Problem> {
    let link = checkout.libtorch();
    if link.symlink_metadata().is_ok_and(|data| !data.is_symlink()) {
        return Err(Problem::LinkIsInTheWay { link });
    }
    // Made beside and renamed over, so that a build in this checkout never sees the link missing.
    let fresh = checkout.root().join(format!(".libtorch.{}", std::process::id()));
    let _ = fs::remove_file(&fresh);
    symlink(folder, &fresh)
        .and_then(|()| fs::rename(&fresh, &link))
        .map_err(|error| Problem::Io(Failure::io("make the link", &link, &error)))?;
    Ok(Ready::Linked { link, folder: folder.to_owned() })
}

fn advise_cuda(options: Options, platform: Platform) {
    if !options.cuda && platform == Platform::Linux && Path::new("/proc/driver/nvidia/version").exists() {
        say::line("an NVIDIA driver is here: `cargo xtask setup --cuda` fetches the libraries for training on the GPU");
    }
}

#[cfg(test)]
mod tests;
