//! What jobs need, found or made once: the peers' Python, the pictures, MNIST, Frostline itself, burn's peer. What can't be had is
//! a reason, with which the jobs that need it are left out.

use std::fs;
use std::path::{Path, PathBuf};

use super::catalogue::{Images, Job, Work};
use super::options::Options;
use super::python;
use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::packager::Packager;
use crate::{ci, say, setup};

/// Begins the names of folders for runs; the process that uses one ends it.
pub const RUNS: &str = "runs-";

/// A thing to use, or why there is none.
pub type Found<T> = Result<T, String>;

pub struct Places {
    /// In the user's cache; everything that the bench makes is in it.
    pub folder: PathBuf,
    pub peers: PathBuf,
    pub python: Found<PathBuf>,
    pub pictures: Found<PathBuf>,
    pub mnist: Found<PathBuf>,
    pub frostline: Found<PathBuf>,
    pub burn: Found<PathBuf>,
}

const NOT_ASKED_FOR: &str = "no chosen job needs it";

impl Places {
    /// Makes what the jobs need and nothing else. Frostline comes first: its build is the likeliest to fail.
    pub fn find(
        environment: &Environment,
        checkout: &Checkout,
        options: &Options,
        jobs: &[Job],
    ) -> Result<Self, Failure> {
        let cache = environment.cache_folder().ok_or_else(|| Failure::new("no home folder to keep a cache in"))?;
        let folder = cache.join("frostline/bench");
        fs::create_dir_all(&folder).map_err(|error| Failure::io("create the folder", &folder, &error))?;
        sweep(&folder);
        let needs = |needs: fn(&Work) -> bool| jobs.iter().any(|job| needs(&job.work));
        let peers = checkout.root().join("benches/peers");
        let burn_folder = folder.join("burn");
        let frostline = when(needs(is_ours), || frostline(environment, checkout, options.frostline.as_deref()));
        let pictures_by_us = needs(reads_pictures) && options.data.is_none();
        let python = when(needs(is_peer) || pictures_by_us, || match &options.python {
            Some(python) => there(python),
            None => python::ready(environment, &folder, &peers),
        });
        let pictures = when(needs(reads_pictures), || match &options.data {
            Some(data) => there(data),
            None => pictures(environment, &folder, &peers, python.as_deref()),
        });
        let mnist = when(needs(reads_mnist), || mnist(environment, checkout, options.mnist.as_deref()));
        let burn = when(needs(is_burn), || burn(environment, &peers, &burn_folder));
        Ok(Self { folder, peers, python, pictures, mnist, frostline, burn })
    }
}

/// Removes the runs of a bench that was stopped.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(RUNS));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn when<T>(is_needed: bool, find: impl FnOnce() -> Found<T>) -> Found<T> {
    if is_needed { find() } else { Err(NOT_ASKED_FOR.to_owned()) }
}

fn is_peer(work: &Work) -> bool {
    matches!(work, Work::Peer { .. })
}

fn is_burn(work: &Work) -> bool {
    matches!(work, Work::Burn { .. })
}

fn is_ours(work: &Work) -> bool {
    !is_peer(work) && !is_burn(work)
}

fn reads_pictures(work: &Work) -> bool {
    match work {
        Work::Peer { script, arguments, .. } => {
            script.starts_with("pipeline")
                || script.contains("recipe")
                || (arguments.contains("--pipe") && !arguments.contains("resident"))
        }
        Work::Burn { mode } => matches!(*mode, "end-to-end" | "input"),
        Work::Bench { images, .. } => *images == Images::CatsAndDogs,
        Work::Train | Work::Dashboard | Work::Saving { .. } | Work::Recipe => true,
    }
}

fn reads_mnist(work: &Work) -> bool {
    match work {
        Work::Peer { script, .. } => script.starts_with("mnist"),
        Work::Burn { mode } => mode.starts_with("mnist"),
        Work::Bench { images, .. } => *images == Images::Mnist,
        Work::Train | Work::Dashboard | Work::Saving { .. } | Work::Recipe => false,
    }
}

fn there(path: &Path) -> Found<PathBuf> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if absolute.exists() { Ok(absolute) } else { Err(format!("{} is not there", path.display())) }
}

/// The front end, with the engine beside it.
fn frostline(environment: &Environment, checkout: &Checkout, given: Option<&Path>) -> Found<PathBuf> {
    if let Some(given) = given {
        return there(given);
    }
    let built = setup::run(environment, checkout, setup::Options::default()).and_then(|_| {
        ci::build(environment, checkout, &["--release", "--bin", "frostline", "--bin", "frostline-engine"])
    });
    built.map_err(|failure| failure.what)
}

/// Drawn once, in two and a half minutes of processor time.
fn pictures(environment: &Environment, folder: &Path, peers: &Path, python: Result<&Path, &String>) -> Found<PathBuf> {
    let place = folder.join("cats-and-dogs");
    let marker = place.join("complete");
    if marker.is_file() {
        return Ok(place);
    }
    let python = python.map_err(|reason| format!("they can't be drawn: {reason}"))?;
    say::line(&format!("drawing 4,000 pictures into {}, once", place.display()));
    let status = environment.command(python).arg(peers.join("pictures.py")).arg(&place).status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("pictures.py failed ({status})")),
        Err(error) => return Err(format!("pictures.py did not start: {error}")),
    }
    fs::write(&marker, "").map_err(|error| Failure::io("write", &marker, &error).what)?;
    Ok(place)
}

fn mnist(environment: &Environment, checkout: &Checkout, given: Option<&Path>) -> Found<PathBuf> {
    if let Some(given) = given {
        return there(given);
    }
    let ours = ["data/mnist", "data/fashion-mnist"].map(|name| checkout.root().join(name));
    let places = ours.into_iter().chain(["/usr/share/datasets/fashion-mnist".into()]);
    let has_files =
        |place: &PathBuf| ["", ".gz"].iter().any(|end| place.join(format!("train-images-idx3-ubyte{end}")).is_file());
    places.into_iter().find(has_files).ok_or_else(|| {
        let advice = match Packager::of(environment) {
            Packager::Apt => "`sudo apt-get install dataset-fashion-mnist`, or ",
            _ => "",
        };
        format!("MNIST's files are in none of the usual places ({advice}--mnist DIR)")
    })
}

/// Where its own lock file and target folder are, so that the checkout stays clean.
fn burn(environment: &Environment, peers: &Path, folder: &Path) -> Found<PathBuf> {
    let cargo = environment.variable("CARGO").map_or_else(|| "cargo".into(), std::ffi::OsStr::to_owned);
    say::line("$ cargo build --release, for burn's peer");
    let status = environment
        .command(cargo)
        .args(["build", "--release", "--manifest-path"])
        .arg(peers.join("burn/Cargo.toml"))
        .arg("--target-dir")
        .arg(folder)
        .status();
    match status {
        Ok(status) if status.success() => Ok(folder.join("release/burn-peer")),
        Ok(_) => Err("burn's peer can't be built".to_owned()),
        Err(error) => Err(format!("cargo did not start: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::*;

    #[test]
    fn a_job_needs_the_data_that_it_reads() {
        let jobs = catalogue::jobs(true);
        let names = |needs: fn(&Work) -> bool| -> Vec<String> {
            jobs.iter().filter(|job| needs(&job.work)).map(|job| job.name.clone()).collect()
        };
        let pictures = names(reads_pictures);
        for name in ["end-to-end/keras2-idg", "input/dali", "step/frostline", "dashboard/frostline", "input/burn"] {
            assert!(pictures.iter().any(|other| other == name), "{name}");
        }
        for name in ["step/keras3", "bound/frostline", "mnist-64/frostline", "vgg16-frozen/torch"] {
            assert!(pictures.iter().all(|other| other != name), "{name}");
        }
        let mnist = names(reads_mnist);
        assert!(mnist.iter().all(|name| name.starts_with("mnist-")) && mnist.len() == 12, "{mnist:?}");
    }
}
