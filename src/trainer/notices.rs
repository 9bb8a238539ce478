//! A command of the user's, started when a run ends or gets better than it was. Training never waits for it, and it can take as long as it may
//! even where the engine is gone by then: the shell that runs it has a watchdog of its own.

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
};

use super::Follower;
use crate::{
    error::{Error, Result},
    event::{CheckpointKind, Ended, EpochEnded, Event, RunEnded, Stamped},
    plan::{Notify, Occasion},
    run::RunDir,
};

/// `$1` seconds for the command `$2`. In the end all of its group goes, the watchdog included.
const WATCHED: &str = "(sleep \"$1\"; echo \"notify: the command was ended after $1 s\" >&2; kill -s KILL 0) & \
                       sh -c \"$2\" || echo \"notify: the command failed with $?\" >&2; kill -s KILL 0";

/// Starts the command. What it prints goes where the engine's own output goes, into `engine.log`.
pub struct Notices {
    notify: Notify,
    run: RunDir,
    latest: Option<EpochEnded>,
    /// Those that may still be at work.
    children: Vec<Child>,
}

impl Notices {
    /// `None` where nobody is to be told.
    pub fn new(run: &RunDir, notify: &Notify) -> Option<Self> {
        let wanted = !notify.command.trim().is_empty();
        wanted.then(|| Self { notify: notify.clone(), run: run.clone(), latest: None, children: Vec::new() })
    }

    fn start(&mut self, occasion: Occasion, message: &str, step: u64, epoch: u32) -> Result<()> {
        self.children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        if !self.notify.on.contains(&occasion) {
            return Ok(());
        }
        let mut command = Command::new("sh");
        command
            .args(["-c", WATCHED, "sh", &self.notify.seconds.to_string(), &self.notify.command])
            .current_dir(self.run.path())
            .env("FROSTLINE_EVENT", occasion.name())
            .env("FROSTLINE_RUN", self.run.name())
            .env("FROSTLINE_RUN_DIR", self.run.path())
            .env("FROSTLINE_MESSAGE", message)
            .env("FROSTLINE_STEP", step.to_string())
            .env("FROSTLINE_EPOCH", epoch.to_string())
            .stdin(Stdio::null())
            .process_group(0);
        if let Some(latest) = &self.latest {
            command.env("FROSTLINE_LOSS", latest.train.loss.to_string());
            command.env("FROSTLINE_ACCURACY", latest.train.accuracy.to_string());
            if let Some(validation) = latest.validation {
                command.env("FROSTLINE_VAL_LOSS", validation.loss.to_string());
                command.env("FROSTLINE_VAL_ACCURACY", validation.accuracy.to_string());
            }
        }
        let child = command
            .spawn()
            .map_err(|error| Error::environment(format!("notify.command cannot be started: {error}"), None))?;
        self.children.push(child);
        Ok(())
    }
}

impl Follower for Notices {
    fn follow(&mut self, stamped: &Stamped) -> Result<()> {
        match &stamped.event {
            Event::EpochEnded(ended) => {
                self.latest = Some(ended.clone());
                Ok(())
            }
            Event::Checkpoint(checkpoint) if checkpoint.kind == CheckpointKind::Best => {
                let validation = self.latest.as_ref().and_then(|latest| latest.validation);
                let figures = validation
                    .map(|figures| format!(", validation loss {:.4}, accuracy {:.4}", figures.loss, figures.accuracy));
                let message = format!("epoch {} is the best so far{}", checkpoint.epoch, figures.unwrap_or_default());
                self.start(Occasion::Best, &message, checkpoint.step, checkpoint.epoch)
            }
            Event::RunEnded(RunEnded { how, step, epoch, .. }) => {
                let (occasion, message) = match how {
                    Ended::Completed { early: false } => (Occasion::Finished, format!("completed after epoch {epoch}")),
                    Ended::Completed { early: true } => {
                        (Occasion::Finished, format!("completed after epoch {epoch}, by early stopping"))
                    }
                    Ended::Stopped { by } => (Occasion::Stopped, format!("stopped by {by} in epoch {epoch}")),
                    Ended::Aborted { by } => (Occasion::Stopped, format!("aborted by {by} in epoch {epoch}")),
                    Ended::Failed { message, .. } => (Occasion::Failed, format!("failed in epoch {epoch}: {message}")),
                };
                self.start(occasion, &message, *step, *epoch)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{
        fs,
        path::Path,
        time::{Duration, Instant},
    };

    use super::*;

    fn ended(how: Ended) -> Stamped {
        Stamped { seq: 9, at_ms: 1, event: Event::RunEnded(RunEnded { how, step: 40, epoch: 4, seconds: 1.0 }) }
    }

    fn notices(folder: &Path, command: &str, seconds: u32) -> Notices {
        let run = RunDir::create(folder, "a", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
        let notify = Notify { command: command.into(), seconds, ..Notify::default() };
        Notices::new(&run, &notify).unwrap()
    }

    fn settled(notices: &mut Notices) {
        for child in &mut notices.children {
            child.wait().unwrap();
        }
    }

    #[test]
    fn the_command_is_told_what_happened_and_where() {
        let folder = tempfile::tempdir().unwrap();
        let command = "echo \"$FROSTLINE_EVENT|$FROSTLINE_RUN|$FROSTLINE_MESSAGE|$FROSTLINE_STEP\" > told; pwd >> told";
        let mut notices = notices(folder.path(), command, 20);
        let failed = Ended::Failed { class: crate::error::Class::User, message: "no 'space'".into(), hint: None };
        notices.follow(&ended(failed)).unwrap();
        settled(&mut notices);
        let path = notices.run.path().to_owned();
        assert_eq!(
            fs::read_to_string(path.join("told")).unwrap(),
            format!("failed|2026-01-01-000000-a|failed in epoch 4: no 'space'|40\n{}\n", path.display())
        );
    }

    #[test]
    fn nobody_is_told_of_what_was_not_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut notices = notices(folder.path(), "true", 20);
        notices.follow(&ended(Ended::Stopped { by: "me".into() })).unwrap();
        assert!(notices.children.is_empty());
        let run = notices.run.clone();
        assert!(Notices::new(&run, &Notify::default()).is_none());
    }

    #[test]
    fn a_command_that_hangs_is_not_waited_for_and_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut notices = notices(folder.path(), "sleep 600", 1);
        let begun = Instant::now();
        notices.follow(&ended(Ended::Completed { early: false })).unwrap();
        assert!(begun.elapsed() < Duration::from_millis(800));
        settled(&mut notices);
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
