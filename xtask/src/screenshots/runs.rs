//! The runs that are pictured: how far they are, as `frostline runs --json` says, and their end. Nothing of them is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::tools;
use crate::bench::json::Json;
use crate::environment::Environment;
use crate::failure::Failure;

/// For one step of a script. The whole demo takes a minute on two quiet processors.
const PATIENCE: Duration = Duration::from_mins(5);

pub struct Runs<'a> {
    environment: &'a Environment,
    frostline: PathBuf,
    folder: PathBuf,
}

impl<'a> Runs<'a> {
    pub fn in_folder(environment: &'a Environment, frostline: &Path, folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
        Ok(Self { environment, frostline: frostline.to_owned(), folder: folder.to_owned() })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Until so many epochs are over; 0: until the run is there.
    pub fn wait_for(&self, run: &str, epoch: u32) -> Result<(), Failure> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let listed = tools::output(self.command().args(["runs", "--json"]))?;
            match standing(&listed, run) {
                Some((done, _)) if done >= epoch => return Ok(()),
                Some((done, false)) => {
                    return Err(Failure::new(format!("the run {run} ended after epoch {done}, before epoch {epoch}")));
                }
                _ => thread::sleep(Duration::from_millis(250)),
            }
        }
        Err(Failure::new(format!(
            "the run {run} did not reach epoch {epoch} in {} minutes",
            PATIENCE.as_secs().div_ceil(60)
        )))
    }

    /// Ends it, if it goes on, and waits until it has ended.
    pub fn stop(&self, run: &str) {
        let begun = Instant::now();
        let _ = self.command().args(["ctl", run, "stop"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        while begun.elapsed() < Duration::from_secs(20) {
            let listed = tools::output(self.command().args(["runs", "--json"])).unwrap_or_default();
            if !standing(&listed, run).is_some_and(|(_, goes_on)| goes_on) {
                return;
            }
            thread::sleep(Duration::from_millis(250));
        }
    }

    fn command(&self) -> Command {
        let mut command = self.environment.command(&self.frostline);
        command.env("FROSTLINE_RUNS", &self.folder);
        command
    }
}

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        let listed = tools::output(self.command().args(["runs", "--json"])).unwrap_or_default();
        for line in listed.lines().filter_map(Json::parse) {
            if let Some(run) = line.text("run").filter(|_| goes_on(&line)) {
                self.stop(run);
            }
        }
    }
}

/// Epochs that are over, and whether an engine goes on, of the run whose name ends so.
fn standing(listed: &str, run: &str) -> Option<(u32, bool)> {
    let line = listed
        .lines()
        .filter_map(Json::parse)
        .rfind(|line| line.text("run").is_some_and(|name| name.ends_with(run)))?;
    Some((line.number("epoch")? as u32, goes_on(&line)))
}

fn goes_on(line: &Json) -> bool {
    matches!(line.text("standing"), Some("running" | "paused" | "new"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_by_the_end_of_its_name() {
        let listed = "{\"run\":\"2026-01-02-030405-demo\",\"standing\":\"stopped\",\"epoch\":7,\"epochs\":24}\n\
                      {\"run\":\"2026-01-02-030506-other\",\"standing\":\"running\",\"epoch\":2,\"epochs\":24}\n";
        assert_eq!(standing(listed, "demo"), Some((7, false)));
        assert_eq!(standing(listed, "other"), Some((2, true)));
        assert_eq!(standing(listed, "third"), None);
        assert_eq!(standing("", "demo"), None);
    }
}
