//! Other runs for the page of curves: which there are beside the one on the screen, and what their journals say.

use std::path::PathBuf;

use tokio::{sync::mpsc, task};

use super::fold::fold;
use crate::{
    run::{self, RunDir},
    tui::Incoming,
};

/// The folder of runs; `None` where it is on another machine.
pub struct Compare(Option<PathBuf>);

impl Compare {
    pub fn beside(run: &RunDir) -> Self {
        Self(run.path().parent().map(PathBuf::from))
    }

    pub fn nowhere() -> Self {
        Self(None)
    }

    /// Names of the runs, the newest first.
    pub fn list(&self) -> Incoming {
        let Some(root) = &self.0 else { return Incoming::Runs(Vec::new()) };
        match run::list(root) {
            Ok(runs) => Incoming::Runs(runs.iter().rev().map(RunDir::name).collect()),
            Err(error) => Incoming::Trouble(error.to_string()),
        }
    }

    /// Reads a run on a thread of its own: a long journal must not hold up the one on the screen.
    pub fn read(&self, name: String, to_screen: mpsc::Sender<Incoming>) {
        let Some(root) = self.0.clone() else { return };
        task::spawn_blocking(move || {
            let incoming = match RunDir::open(&root.join(&name)).map_err(Into::into).and_then(|run| fold(&run)) {
                Ok(run) => Incoming::Run { name, run: Box::new(run) },
                Err(error) => Incoming::Trouble(format!("{name}: {}", error.message())),
            };
            let _ = to_screen.blocking_send(incoming);
        });
    }
}
