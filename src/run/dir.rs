//! The layout of a run directory and its creation. Who reads or writes a file asks here for its path.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    error::{Error, Result},
    whole,
};
use crate::event::CheckpointKind;

/// A run directory that exists; its path is absolute and free of symlinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes `<root>/<date>-<time>-<name>` and writes the resolved configuration into it. A run that starts in the same
    /// second under the same name gets `-2`, `-3`, … appended. `now` is the local time.
    pub fn create(root: &Path, name: &str, config_toml: &str, now: jiff::civil::DateTime) -> Result<Self> {
        fs::create_dir_all(root).map_err(Error::io("create", root))?;
        let root = fs::canonicalize(root).map_err(Error::io("open", root))?;
        let stem = format!("{}-{}", now.strftime("%Y-%m-%d-%H%M%S"), sanitised(name));
        let path = first_free(&root, &stem)?;
        let run = Self { path };
        let filled = (|| {
            fs::create_dir(run.checkpoints()).map_err(Error::io("create", run.checkpoints()))?;
            fs::create_dir(run.blobs()).map_err(Error::io("create", run.blobs()))?;
            // Last, because a folder without it is no run. Not waited for: the first frame would be late, and a run that a
            // power cut meets in its first seconds has nothing to lose.
            whole::replace(&run.config(), config_toml.as_bytes(), false).map_err(Error::io("write", run.config()))
        })();
        if filled.is_err() {
            // Nothing in it is worth keeping, and the first error is the one to tell.
            let _ = fs::remove_dir_all(&run.path);
        }
        filled.map(|()| run)
    }

    /// Makes the run directory `path` itself. A folder that is there already must be empty, or what was left of making one.
    pub fn create_at(path: &Path, config_toml: &str) -> Result<Self> {
        fs::create_dir_all(path).map_err(Error::io("create", path))?;
        let run = Self { path: fs::canonicalize(path).map_err(Error::io("open", path))? };
        let own = [run.checkpoints(), run.blobs(), whole::beside(&run.config())];
        for entry in fs::read_dir(&run.path).map_err(Error::io("read", path))? {
            let entry = entry.map_err(Error::io("read", path))?.path();
            if !own.contains(&entry) {
                return Err(Error::Occupied { path: run.path, by: entry });
            }
        }
        for folder in [run.checkpoints(), run.blobs()] {
            fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        }
        run.reconfigure(config_toml)?;
        Ok(run)
    }

    /// Whether `path` is a run directory.
    pub fn exists(path: &Path) -> bool {
        path.join("config.toml").is_file()
    }

    pub fn open(path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path).map_err(Error::io("open", path))?;
        if !path.join("config.toml").is_file() {
            return Err(Error::NotARun { path });
        }
        Ok(Self { path })
    }

    /// Replaces the resolved configuration, for engines to come. Ask first whether one holds the run.
    pub fn reconfigure(&self, config_toml: &str) -> Result<()> {
        whole::replace(&self.config(), config_toml.as_bytes(), true).map_err(Error::io("write", self.config()))
    }

    /// Removes it with everything in it. Hold its lock.
    pub fn delete(self) -> Result<()> {
        fs::remove_dir_all(&self.path).map_err(Error::io("delete", &self.path))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder's name, by which the run is known.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// What the journal comes to; see [`digest`](super::digest).
    pub fn digest(&self) -> PathBuf {
        self.path.join("digest.json")
    }

    /// The same for a slow line: less of it.
    pub fn light_digest(&self) -> PathBuf {
        self.path.join("digest-light.json")
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    pub fn checkpoint(&self, kind: CheckpointKind) -> PathBuf {
        self.checkpoints().join(match kind {
            CheckpointKind::Best => "best.safetensors",
            CheckpointKind::Last => "last.safetensors",
            CheckpointKind::Undo(number) => return self.checkpoints().join(format!("undo-{number}.safetensors")),
        })
    }

    /// What was the best checkpoint when the one before an intervention was written.
    pub fn best_before(&self, number: u32) -> PathBuf {
        self.checkpoints().join(format!("undo-{number}-best.safetensors"))
    }

    /// The name under which a last checkpoint lies as long as it is one of the last few.
    pub fn numbered_checkpoint(&self, step: u64) -> PathBuf {
        self.checkpoints().join(format!("step-{step:012}.safetensors"))
    }

    /// Those that are there, with their steps, the newest first.
    pub fn numbered_checkpoints(&self) -> Vec<(u64, PathBuf)> {
        let step = |path: &Path| -> Option<u64> {
            path.file_name()?.to_str()?.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok()
        };
        // A folder that cannot be read has none; whoever writes into it is told why.
        let entries = fs::read_dir(self.checkpoints()).into_iter().flatten().flatten();
        let mut found: Vec<_> =
            entries.filter_map(|entry| step(&entry.path()).map(|step| (step, entry.path()))).collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found
    }

    /// What a run that was branched from another began with.
    pub fn start(&self) -> PathBuf {
        self.checkpoints().join("start.safetensors")
    }

    /// The interventions of another run, which this one repeats.
    pub fn script(&self) -> PathBuf {
        self.path.join("script.jsonl")
    }

    /// Tells the next engine that the run may go on although what it depends on has changed: its configuration, or anything.
    pub fn accept_changes(&self, all: bool) -> Result<()> {
        let word: &[u8] = if all { b"all" } else { b"configuration" };
        whole::replace(&self.accepted_file(), word, false).map_err(Error::io("write", self.accepted_file()))
    }

    /// What [`accept_changes`](Self::accept_changes) has told, once.
    pub fn take_accepted(&self) -> Option<bool> {
        let word = fs::read(self.accepted_file()).ok()?;
        // What cannot be removed is asked again, which does no harm.
        let _ = fs::remove_file(self.accepted_file());
        Some(word == b"all")
    }

    pub(super) fn refusal_file(&self) -> PathBuf {
        self.path.join("refused.json")
    }

    fn accepted_file(&self) -> PathBuf {
        self.path.join("accepted-changes")
    }

    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    pub fn history(&self) -> PathBuf {
        self.path.join("history.csv")
    }

    /// TensorBoard's event files, where they are asked for.
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard")
    }

    pub fn engine_log(&self) -> PathBuf {
        self.path.join("engine.log")
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }

    pub(super) fn socket_file(&self) -> PathBuf {
        self.path.join("socket")
    }
}

/// `mkdir` is the arbiter between two that start at once.
fn first_free(root: &Path, stem: &str) -> Result<PathBuf> {
    let mut path = root.join(stem);
    for number in 2_u32.. {
        match fs::create_dir(&path) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => path = root.join(format!("{stem}-{number}")),
            Err(error) => return Err(Error::io("create", &path)(error)),
        }
    }
    Ok(path)
}

/// Letters, digits, `_`, `.` and single `-`: what needs no quoting in a shell, at most 48 bytes.
fn sanitised(name: &str) -> String {
    let mut clean = String::new();
    for character in name.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '_' | '.') {
            clean.push(character);
        } else if !clean.ends_with('-') {
            clean.push('-');
        }
    }
    clean.truncate(48);
    let clean = clean.trim_matches(['-', '.']);
    if clean.is_empty() { "run".into() } else { clean.into() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn noon() -> jiff::civil::DateTime {
        jiff::civil::date(2026, 3, 9).at(12, 0, 5, 0)
    }

    #[test]
    fn runs_of_the_same_second_get_folders_of_their_own() {
        let root = tempfile::tempdir().unwrap();
        let names: Vec<_> = (0..3)
            .map(|_| RunDir::create(&root.path().join("runs"), "demo", "x = 1\n", noon()).unwrap().name())
            .collect();
        assert_eq!(names, ["2026-03-09-120005-demo", "2026-03-09-120005-demo-2", "2026-03-09-120005-demo-3"]);
    }

    #[test]
    fn a_created_run_opens_and_holds_the_configuration() {
        let root = tempfile::tempdir().unwrap();
        let run = RunDir::create(root.path(), "demo", "seed = 1\n", noon()).unwrap();
        assert_eq!(RunDir::open(run.path()).unwrap(), run);
        assert_eq!(fs::read_to_string(run.config()).unwrap(), "seed = 1\n");
        assert!(matches!(RunDir::open(root.path()), Err(Error::NotARun { .. })));
    }

    #[test]
    fn a_run_directory_of_a_given_name_is_made_once_and_not_into_what_is_something_else() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("jobs/17");
        assert!(!RunDir::exists(&path));
        // What an earlier command was killed over.
        fs::create_dir_all(path.join("blobs")).unwrap();
        fs::write(path.join("config.toml.partial"), "se").unwrap();
        let run = RunDir::create_at(&path, "seed = 1\n").unwrap();
        assert!(RunDir::exists(&path));
        assert_eq!(RunDir::open(&path).unwrap(), run);
        fs::create_dir_all(root.path().join("home/letters")).unwrap();
        assert!(matches!(RunDir::create_at(&root.path().join("home"), ""), Err(Error::Occupied { .. })));
    }

    #[test]
    fn names_become_safe_for_a_shell_and_never_leave_the_root() {
        for (given, expected) in [
            ("../../etc/passwd", "etc-passwd"),
            ("cats & dogs", "cats-dogs"),
            ("größe\u{1b}[2J", "gr-e-2J"),
            ("", "run"),
            ("...", "run"),
            (&"x".repeat(300), &"x".repeat(48)),
        ] {
            assert_eq!(sanitised(given), *expected, "{given:?}");
        }
    }
}
