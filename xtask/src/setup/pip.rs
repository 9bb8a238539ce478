//! Fetching torch's wheel with pip, or with uv where there is no pip. The wheel is used for its libraries and headers, never
//! imported, so the version of the Python that runs pip does not matter: pip is asked for the wheel of one fixed version.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::advice::Problem;
use super::cache::{Cache, Partial};
use super::python::Python;
use super::site::{self, Kind};
use super::{disk, layout};
use crate::environment::{Environment, Platform};
use crate::say;

/// Any version that torch 2.11 has a wheel for: the libraries in all of them are the same.
const WHEELS_FOR: &str = "3.12";
/// The first pip that knows the platform names of torch's wheels (`manylinux_2_28`).
const OLDEST_PIP: (u32, u32) = (20, 3);

/// What can fetch a wheel on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fetcher {
    Pip {
        python: PathBuf,
    },
    Uv {
        program: PathBuf,
    },
    /// No pip, but Python can make a virtual environment with one, for this once.
    FreshPip {
        python: PathBuf,
        version: (u32, u32),
    },
}

/// In the order of what disturbs least and shows progress best.
fn choose(python: Result<Python, Problem>, uv: Option<PathBuf>) -> Result<Fetcher, Problem> {
    match (python, uv) {
        (Ok(Python { program, pip: Some(pip), .. }), _) if pip >= OLDEST_PIP => Ok(Fetcher::Pip { python: program }),
        (_, Some(program)) => Ok(Fetcher::Uv { program }),
        (Ok(Python { program, pip: Some(pip), .. }), None) => Err(Problem::OldPip { python: program, pip }),
        (Ok(Python { program, version, .. }), None) if version >= (3, 8) => {
            Ok(Fetcher::FreshPip { python: program, version })
        }
        (Ok(Python { program, version, .. }), None) => Err(Problem::NoPip { python: program, version }),
        (Err(problem), None) => Err(problem),
    }
}

pub fn install(environment: &Environment, cache: &Cache, kind: Kind) -> Result<PathBuf, Problem> {
    let platform = environment.platform;
    let python = Python::find(environment);
    let torch_is_there = python.as_ref().ok().and_then(|python| python.torch.clone());
    let fetcher = choose(python, environment.program("uv"))?;
    if let Some(torch) = torch_is_there.filter(|torch| layout::check(torch, platform, false).is_ok()) {
        say::line(&format!(
            "{} would do too: `LIBTORCH_USE_PYTORCH=1 cargo xtask setup` uses it and downloads nothing",
            torch.display()
        ));
    }
    let view = cache.fill(kind, platform, |partial| {
        let (needed, place) = (kind.bytes_needed(platform), cache.folder());
        if let Some(free) = disk::free_bytes(environment, place).filter(|free| *free < needed) {
            return Err(Problem::DiskShort { place: place.to_owned(), needed, free });
        }
        say::line(&format!("fetching libtorch ({}) into {}, once", kind.download(platform), place.display()));
        fetch(environment, &fetcher, kind, partial)?;
        site::prune(partial.site, kind).map_err(|error| site::io_problem("tidy", partial.site, &error))?;
        partial.make_view(platform)?;
        layout::check(&partial.view(), platform, false).map_err(|unfit| Problem::Unfit {
            folder: partial.view(),
            named_by: "pip's torch package",
            unfit,
        })?;
        site::loads(environment, &partial.view())
    })?;
    Ok(view)
}

fn fetch(environment: &Environment, fetcher: &Fetcher, kind: Kind, partial: &Partial<'_>) -> Result<(), Problem> {
    // Not the system's: /tmp is often small and in memory, and moving from there would copy.
    let temporary = partial.folder.join("tmp");
    fs::create_dir_all(&temporary).map_err(|error| site::io_problem("create the folder", &temporary, &error))?;
    let mut command = match fetcher {
        Fetcher::Pip { python } => pip(environment.command(python)),
        Fetcher::Uv { program } => uv(environment.command(program)),
        Fetcher::FreshPip { python, version } => {
            let venv = partial.folder.join("venv");
            say::line(&format!("{} has no pip; making a virtual environment for one", python.display()));
            let made = environment.command(python).args(["-m", "venv"]).arg(&venv).output();
            if !made.is_ok_and(|output| output.status.success()) {
                return Err(Problem::NoPip { python: python.clone(), version: *version });
            }
            pip(environment.command(venv.join("bin/python")))
        }
    };
    command.args(arguments(kind, environment.platform, partial.site));
    command.env("TMPDIR", &temporary);
    // The child holds the lock too. If this process is killed and pip goes on, the next set-up waits for it, and removes
    // the folder only when nobody writes there any more.
    let lock =
        partial.lock.try_clone().map_err(|error| site::io_problem("share the lock of", partial.folder, &error))?;
    command.stdin(Stdio::from(lock));
    run(command)
}

fn pip(mut python: Command) -> Command {
    python.args(["-m", "pip", "install", "--no-compile"]);
    // As variables, since an older pip ignores those that it doesn't know; and against a pip.conf that asks for what doesn't
    // go with --target.
    for (name, value) in [
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        ("PIP_NO_INPUT", "1"),
        ("PIP_ROOT_USER_ACTION", "ignore"),
        ("PIP_REQUIRE_VIRTUALENV", "0"),
        ("PIP_USER", "0"),
    ] {
        python.env(name, value);
    }
    python
}

fn uv(mut program: Command) -> Command {
    program.args(["pip", "install"]);
    program
}

/// pip's and uv's options have the same names.
fn arguments(kind: Kind, platform: Platform, site: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        ["--only-binary", ":all:", "--python-version", WHEELS_FOR, "--target"].map(OsString::from).into();
    arguments.push(site.into());
    arguments.extend(kind.packages(platform).iter().map(OsString::from));
    arguments
}

/// Lets the child draw its progress on our standard output, and passes its errors on while remembering the last of them.
fn run(mut command: Command) -> Result<(), Problem> {
    let name = Path::new(command.get_program()).display().to_string();
    let did_not_start = |error: std::io::Error| Problem::FetchFailed { name: name.clone(), words: error.to_string() };
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(did_not_start)?;
    let mut last = VecDeque::new();
    if let Some(errors) = child.stderr.take() {
        for line in BufReader::new(errors).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            say::line(&line);
            if last.len() == 60 {
                last.pop_front();
            }
            last.push_back(line);
        }
    }
    let status = child.wait().map_err(did_not_start)?;
    if status.success() {
        return Ok(());
    }
    Err(super::advice::of_pips_words(&name, status.code(), last.make_contiguous()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(version: (u32, u32), pip: Option<(u32, u32)>) -> Python {
        Python { program: "/python3".into(), version, pip, torch: None }
    }

    #[test]
    fn pip_comes_before_uv_and_uv_before_a_virtual_environment() {
        let uv = || Some(PathBuf::from("/uv"));
        let with_pip = Fetcher::Pip { python: "/python3".into() };
        let with_uv = Fetcher::Uv { program: "/uv".into() };
        let fresh = Fetcher::FreshPip { python: "/python3".into(), version: (3, 11) };
        assert_eq!(choose(Ok(python((3, 11), Some((23, 2)))), uv()), Ok(with_pip.clone()));
        assert_eq!(choose(Ok(python((3, 11), None)), uv()), Ok(with_uv.clone()));
        assert_eq!(choose(Ok(python((3, 11), None)), None), Ok(fresh));
        assert_eq!(choose(Err(Problem::NoPython), uv()), Ok(with_uv));
        // Python 3.9 is too old to import torch 2.11, but not to fetch it.
        assert_eq!(choose(Ok(python((3, 9), Some((20, 3)))), None), Ok(with_pip));
    }

    #[test]
    fn what_is_too_old_or_missing_is_said() {
        let old = Problem::OldPip { python: "/python3".into(), pip: (9, 0) };
        assert_eq!(choose(Ok(python((3, 6), Some((9, 0)))), None), Err(old));
        let none = Problem::NoPip { python: "/python3".into(), version: (3, 6) };
        assert_eq!(choose(Ok(python((3, 6), None)), None), Err(none));
        assert_eq!(choose(Err(Problem::NoPython), None), Err(Problem::NoPython));
    }

    #[test]
    fn a_mac_gets_torch_alone() {
        let words = |platform| arguments(Kind::Cpu, platform, Path::new("/site")).join(&OsString::from(" "));
        let common = "--only-binary :all: --python-version 3.12 --target /site --no-deps torch==2.11.0";
        assert_eq!(words(Platform::MacOs), common);
        let linux = format!("{common} nvidia-cuda-runtime>=13,<13.1 nvidia-cuda-cupti>=13,<13.1");
        assert_eq!(words(Platform::Linux), OsString::from(linux));
    }
}
