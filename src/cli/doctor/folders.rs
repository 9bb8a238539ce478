//! Folders that Frostline reads and writes: are they there, may it write, and how much room is there?

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use super::{Finding, Part};
use crate::{cli::table, data, weights::Shelf};

const PART: Part = Part("folders");
/// Below this a run's first checkpoints may not fit.
const LITTLE: u64 = 2_000_000_000;
/// Below this not even a small run's journal is safe.
const NOTHING: u64 = 100_000_000;

pub fn examine(runs: &Path) -> Vec<Finding> {
    let shelf = Shelf::from_environment();
    let data = PathBuf::from("data");
    let mut findings = vec![written("runs", runs), read("data", &data, "`frostline data fetch` brings some")];
    findings.push(read("weights", shelf.folder(), "`frostline weights pull` brings some"));
    findings.push(read("hub", shelf.hub().path(), "what is pulled from the hub will lie there"));
    findings.push(match data::features_folder() {
        Some(folder) => kept(&folder),
        None => PART.hint(
            "cache",
            "neither XDG_CACHE_HOME nor HOME is set: decoded images and frozen layers' outputs are not kept",
            "set FROSTLINE_CACHE to a folder",
        ),
    });
    findings
}

/// How a folder stands.
enum State {
    /// With the bytes that are free.
    Writable(u64),
    /// It, or what it would be made in.
    Closed(PathBuf),
}

fn state(folder: &Path) -> (bool, State) {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let there = absolute.is_dir();
    // A folder that is missing is made in the nearest that is not.
    let nearest = absolute.ancestors().find(|path| path.exists()).unwrap_or(&absolute);
    let writable = nearest.is_dir() && access(nearest, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    if !writable {
        return (there, State::Closed(nearest.to_owned()));
    }
    let free = statvfs(nearest).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    (there, State::Writable(free))
}

fn room(free: u64) -> String {
    if free == u64::MAX { "room unknown".into() } else { format!("{} free", table::size(free)) }
}

fn about(folder: &Path, there: bool) -> String {
    let path = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    format!("{}{}", path.display(), if there { "" } else { " (will be made)" })
}

/// A folder without which there is no run.
fn written(name: &'static str, folder: &Path) -> Finding {
    let (there, state) = state(folder);
    let about = about(folder, there);
    match state {
        State::Closed(nearest) => PART.trouble(
            name,
            format!("{about}: {} cannot be written to", nearest.display()),
            "give `--runs DIR`, or set FROSTLINE_RUNS, or change the permissions",
        ),
        State::Writable(free) if free < NOTHING => PART.trouble(
            name,
            format!("{about}, {}", room(free)),
            "make room, or keep runs on another disk with FROSTLINE_RUNS",
        ),
        State::Writable(free) if free < LITTLE => PART.hint(
            name,
            format!("{about}, {}", room(free)),
            "checkpoints of large networks take up to two gigabytes",
        ),
        State::Writable(free) => PART.ok(name, format!("{about}, {}", room(free))),
    }
}

/// A folder that is only looked into, until something is fetched into it.
fn read(name: &'static str, folder: &Path, what_brings: &str) -> Finding {
    let (there, state) = state(folder);
    let path = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    match (there, state) {
        (true, State::Writable(free)) => PART.ok(name, format!("{}, {}", path.display(), room(free))),
        (true, State::Closed(_)) => PART.ok(name, format!("{}, to read only", path.display())),
        (false, State::Writable(free)) => {
            PART.ok(name, format!("{} is not there, {}; {what_brings}", path.display(), room(free)))
        }
        (false, State::Closed(nearest)) => PART.hint(
            name,
            format!("{} is not there, and {} cannot be written to", path.display(), nearest.display()),
            "nothing can be fetched into it until the permissions are changed",
        ),
    }
}

/// A folder without which things are computed again.
fn kept(folder: &Path) -> Finding {
    let (there, state) = state(folder);
    let about = about(folder, there);
    match state {
        State::Closed(nearest) => PART.hint(
            "cache",
            format!("{about}: {} cannot be written to, so nothing is kept between runs", nearest.display()),
            "set FROSTLINE_CACHE to a folder",
        ),
        State::Writable(free) => PART.ok("cache", format!("{about}, {}", room(free))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::doctor::Mark;

    #[test]
    fn folders_that_are_missing_are_made_and_files_in_their_place_are_trouble() {
        let root = tempfile::tempdir().unwrap();
        let missing = written("runs", &root.path().join("deep/er/runs"));
        assert!(missing.mark != Mark::Trouble && missing.found.contains("(will be made)"), "{missing:?}");
        std::fs::write(root.path().join("file"), "").unwrap();
        let blocked = written("runs", &root.path().join("file/runs"));
        assert_eq!(blocked.mark, Mark::Trouble);
        assert_eq!(read("data", &root.path().join("file/data"), "").mark, Mark::Hint);
    }

    #[test]
    fn a_folder_that_is_there_says_how_much_room_it_has() {
        let root = tempfile::tempdir().unwrap();
        assert!(read("data", root.path(), "").found.contains(" free"));
    }
}
