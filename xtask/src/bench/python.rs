//! The peers' Python: a virtual environment in the user's cache with pinned packages, made once with pip and then left alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::places::Found;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::say;
use crate::setup::disk;

/// TensorFlow's wheels are for these.
const OLDEST: (u32, u32) = (3, 10);
const NEWEST: (u32, u32) = (3, 13);
/// Downloads and installed packages: the wheel of torch for Linux brings CUDA's libraries along.
const BYTES_NEEDED: u64 = 14_000_000_000;

/// The interpreter of the environment; made if it isn't there or was made from another list of packages.
pub fn ready(environment: &Environment, folder: &Path, peers: &Path) -> Found<PathBuf> {
    let list = peers.join("requirements.txt");
    let optional = peers.join("requirements-optional.txt");
    let wanted = [&list, &optional]
        .map(|path| fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error).what))
        .into_iter()
        .collect::<Result<String, String>>()?;
    let venv = folder.join("python");
    let (program, marker) = (venv.join("bin/python"), venv.join("complete"));
    if fs::read_to_string(&marker).is_ok_and(|made_from| made_from == wanted) && program.exists() {
        return Ok(program);
    }
    let python = suitable(environment)?;
    if let Some(free) = disk::free_bytes(environment, folder).filter(|free| *free < BYTES_NEEDED) {
        let gigabytes = |bytes: u64| bytes / 1_000_000_000;
        let (needed, free) = (gigabytes(BYTES_NEEDED), gigabytes(free));
        return Err(format!("{} needs {needed} GB and has {free} GB", folder.display()));
    }
    say::line(&format!("installing what Frostline is measured against into {}, once", venv.display()));
    let _ = fs::remove_dir_all(&venv);
    step(environment, &python, &["-m".as_ref(), "venv".as_ref(), venv.as_os_str()], folder)
        .map_err(|reason| format!("{reason} (Debian and Ubuntu: sudo apt-get install python3-venv)"))?;
    let install = |list: &Path| {
        let arguments = ["-m", "pip", "install", "-r"].map(std::ffi::OsStr::new);
        step(environment, &program, &[arguments.as_slice(), &[list.as_os_str()]].concat(), folder)
    };
    install(&list)?;
    if let Err(reason) = install(&optional) {
        say::line(&format!("without what {} lists: {reason}", optional.display()));
    }
    fs::write(&marker, wanted).map_err(|error| Failure::io("write", &marker, &error).what)?;
    Ok(program)
}

/// The first Python on PATH that TensorFlow has a wheel for.
fn suitable(environment: &Environment) -> Found<PathBuf> {
    let mut found = Vec::new();
    for name in ["python3", "python3.13", "python3.12", "python3.11", "python3.10"] {
        let Some(program) = environment.program(name) else { continue };
        let version = "import sys; print('%d %d' % sys.version_info[:2])";
        let Ok(output) = environment.command(&program).args(["-c", version]).output() else { continue };
        let Some(version) = parse(&String::from_utf8_lossy(&output.stdout)) else { continue };
        if (OLDEST..=NEWEST).contains(&version) {
            return Ok(program);
        }
        found.push(format!("{}.{}", version.0, version.1));
    }
    let there = if found.is_empty() { "there is none".to_owned() } else { format!("there is {}", found.join(", ")) };
    Err(format!("TensorFlow wants Python 3.{} to 3.{}, and {there}", OLDEST.1, NEWEST.1))
}

fn parse(answer: &str) -> Option<(u32, u32)> {
    let (major, minor) = answer.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Runs Python on this terminal. Wheels are unpacked on the disk where they will lie: /tmp is often small.
fn step(
    environment: &Environment,
    program: &Path,
    arguments: &[&std::ffi::OsStr],
    folder: &Path,
) -> Result<(), String> {
    let temporary = folder.join("tmp");
    fs::create_dir_all(&temporary).map_err(|error| Failure::io("create the folder", &temporary, &error).what)?;
    let mut command = environment.command(program);
    command.args(arguments).env("TMPDIR", &temporary);
    for (name, value) in [
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        ("PIP_NO_INPUT", "1"),
        ("PIP_ROOT_USER_ACTION", "ignore"),
        ("PIP_USER", "0"),
    ] {
        command.env(name, value);
    }
    let status = command.status().map_err(|error| format!("{} did not start: {error}", program.display()));
    let _ = fs::remove_dir_all(&temporary);
    let words: Vec<_> = arguments.iter().take(3).map(|word| word.to_string_lossy()).collect();
    if status?.success() { Ok(()) } else { Err(format!("`python {}` failed", words.join(" "))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn python(folder: &Scratch, name: &str, version: &str) {
        folder.script(&format!("bin/{name}"), &format!("echo {version}"));
    }

    #[test]
    fn a_python_that_is_too_new_is_passed_over() {
        let folder = Scratch::new();
        let environment = Environment::of(&[("PATH", folder.path("bin").as_os_str())]);
        assert_eq!(suitable(&environment).unwrap_err(), "TensorFlow wants Python 3.10 to 3.13, and there is none");
        python(&folder, "python3", "3 14");
        assert_eq!(suitable(&environment).unwrap_err(), "TensorFlow wants Python 3.10 to 3.13, and there is 3.14");
        python(&folder, "python3.12", "3 12");
        assert_eq!(suitable(&environment), Ok(folder.path("bin/python3.12")));
    }

    #[test]
    fn an_environment_that_is_complete_is_left_alone() {
        let folder = Scratch::new();
        folder.write("peers/requirements.txt", "torch==1\n");
        folder.write("peers/requirements-optional.txt", "");
        folder.write("python/complete", "torch==1\n");
        folder.script("python/bin/python", "exit 1");
        let environment = Environment::of(&[]);
        let ready = |folder: &Scratch| ready(&environment, folder.root(), &folder.path("peers"));
        assert_eq!(ready(&folder), Ok(folder.path("python/bin/python")));
        folder.write("peers/requirements.txt", "torch==2\n");
        assert!(
            ready(&folder).unwrap_err().starts_with("TensorFlow wants"),
            "another list asks for another environment"
        );
    }
}
