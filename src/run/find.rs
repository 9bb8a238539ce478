//! Which run a person means: its name, enough of it, `last`, or a path.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    dir::RunDir,
    error::{Error, Result},
};

/// Of the date and time with which a run's name begins.
const STAMP: usize = "2026-03-09-120005".len();

/// Every run in `root`, the oldest first. A root that does not exist has none; what is not a run is passed over.
pub fn list(root: &Path) -> Result<Vec<RunDir>> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", root)(error)),
    };
    let mut runs = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("read", root))?.path();
        // One that is just being made, or deleted, is not listed.
        if let Ok(run) = RunDir::open(&path) {
            runs.push(run);
        }
    }
    runs.sort_by_cached_key(age);
    Ok(runs)
}

/// The run that `which` names: `last`, a name in `root`, what stands behind its date, its unique beginning, its unique part, or a path.
pub fn find(root: &Path, which: &str) -> Result<RunDir> {
    let path = Path::new(which);
    if path.components().count() > 1 || path.is_absolute() || matches!(which, "." | "..") {
        return RunDir::open(path);
    }
    let mut runs = list(root)?;
    if runs.is_empty() {
        return Err(Error::NoRuns { root: root.to_path_buf() });
    }
    if let Some(exact) = runs.iter().position(|run| run.name() == which) {
        return Ok(runs.swap_remove(exact));
    }
    if which == "last" {
        return runs.pop().ok_or_else(|| Error::NoRuns { root: root.to_path_buf() });
    }
    let asked = which.to_lowercase();
    let given = |name: &str| name.get(STAMP + 1..) == Some(&asked);
    let ways: [&dyn Fn(&str) -> bool; 3] = [&given, &|name| name.starts_with(&asked), &|name| name.contains(&asked)];
    let mut found = ways.iter().map(|way| matching(&runs, way)).find(|found| !found.is_empty()).unwrap_or_default();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Error::NotFound { which: which.into(), root: root.to_path_buf(), candidates: newest_first(&runs) }),
        _ => Err(Error::Ambiguous { which: which.into(), root: root.to_path_buf(), candidates: newest_first(&found) }),
    }
}

fn matching(runs: &[RunDir], matches: impl Fn(&str) -> bool) -> Vec<RunDir> {
    runs.iter().filter(|run| matches(&run.name().to_lowercase())).cloned().collect()
}

fn newest_first(runs: &[RunDir]) -> Vec<String> {
    runs.iter().rev().map(RunDir::name).collect()
}

/// The date and time in the name; within the same second, when the configuration was written.
fn age(run: &RunDir) -> (String, Option<SystemTime>, PathBuf) {
    let stamp = run.name().chars().take(STAMP).collect();
    let written = fs::metadata(run.config()).and_then(|found| found.modified()).ok();
    (stamp, written, run.path().to_path_buf())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn root_with(names: &[(&str, i8)]) -> (tempfile::TempDir, Vec<RunDir>) {
        let root = tempfile::tempdir().unwrap();
        let runs = names
            .iter()
            .map(|&(name, hour)| {
                RunDir::create(root.path(), name, "", jiff::civil::date(2026, 3, 9).at(hour, 0, 0, 0)).unwrap()
            })
            .collect();
        (root, runs)
    }

    #[test]
    fn a_run_is_found_by_what_a_person_remembers_of_it() {
        let (root, runs) = root_with(&[("demo", 9), ("mnist", 8), ("demo", 9), ("Fashion-MNIST", 10)]);
        for (which, expected) in [
            ("last", 3),
            ("2026-03-09-090000-demo", 0),
            ("2026-03-09-090000-demo-2", 2),
            ("2026-03-09-08", 1),
            ("fashion", 3),
            ("demo-2", 2),
            ("mnist", 1),
        ] {
            assert_eq!(find(root.path(), which).unwrap(), runs[expected], "{which}");
        }
        assert_eq!(find(root.path(), runs[1].path().to_str().unwrap()).unwrap(), runs[1]);
    }

    #[test]
    fn runs_are_listed_from_the_oldest_to_the_newest() {
        let (root, runs) = root_with(&[("b", 9), ("a", 9), ("c", 8)]);
        fs::create_dir(root.path().join("not-a-run")).unwrap();
        fs::write(root.path().join("README"), "").unwrap();
        assert_eq!(list(root.path()).unwrap(), [runs[2].clone(), runs[0].clone(), runs[1].clone()]);
        assert_eq!(list(&root.path().join("nowhere")).unwrap(), []);
    }

    #[test]
    fn what_is_not_found_or_not_clear_lists_the_candidates() {
        use crate::error::Explain as _;
        let (root, _) = root_with(&[("demo", 9), ("demo", 10), ("mnist", 11)]);
        let unclear = find(root.path(), "demo").unwrap_err();
        assert!(matches!(&unclear, Error::Ambiguous { candidates, .. } if candidates.len() == 2), "{unclear}");
        assert_eq!(unclear.hint().unwrap(), "say which: 2026-03-09-100000-demo, 2026-03-09-090000-demo");
        let unknown = find(root.path(), "cifar").unwrap_err();
        assert!(matches!(&unknown, Error::NotFound { candidates, .. } if candidates.len() == 3), "{unknown}");
        assert!(matches!(find(&root.path().join("none"), "last"), Err(Error::NoRuns { .. })));
    }
}
