//! A connection to a run, wherever it is and however it stands: over the socket of its engine, over `ssh`, or from the
//! journal that it left. What comes out is the same messages, so nothing above this file asks which it is.

use std::{
    collections::VecDeque,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::UnixStream,
    process::{Child, ChildStderr, Command},
    time::{Instant, sleep},
};

use super::{engine, identity::identity};
use crate::{
    error::{Error, Result},
    run::{EngineLock, RunDir},
    wire::{
        self,
        client::{self, Connection},
    },
};

/// How often the socket of an engine that starts is tried.
const TRY: Duration = Duration::from_millis(20);
/// An engine opens its socket before anything slow. One that holds the lock and has none is out of reach.
const PATIENCE: Duration = Duration::from_secs(30);

/// In place of an event's number: none of those that there are already.
pub const NEWS: u64 = u64::MAX;

/// Where the events of a run can be had.
pub enum Reached {
    Engine(UnixStream),
    /// There is no engine: only what the run left.
    Journal,
}

/// Opens a run of this machine. `child` is its engine, if this process has started it.
pub async fn local(run: &RunDir, mut child: Option<&mut Child>, since: u64) -> Result<Connection> {
    loop {
        let opened = match reach(run, child.as_deref_mut()).await? {
            Reached::Engine(stream) => {
                let (read, write) = stream.into_split();
                client::greet(read, write, &identity(), since).await
            }
            Reached::Journal => client::replay(run, &identity(), since).await,
        };
        match opened {
            // The engine ended at this very moment; its journal is complete now.
            Err(wire::Error::Closed | wire::Error::Io(_)) => sleep(TRY).await,
            opened => return Ok(opened?),
        }
    }
}

/// Waits until the run's engine answers, or until it is sure that there is none.
pub async fn reach(run: &RunDir, mut child: Option<&mut Child>) -> Result<Reached> {
    let begun = Instant::now();
    loop {
        let socket = run.socket()?;
        if let Some(path) = &socket
            && let Ok(stream) = UnixStream::connect(path).await
        {
            return Ok(Reached::Engine(stream));
        }
        let status = match child.as_deref_mut() {
            Some(child) => child.try_wait().map_err(|error| Error::environment(error.to_string(), None))?,
            None => None,
        };
        let holder = EngineLock::holder(run)?;
        let has_engine = status.is_none() && (child.is_some() || holder.is_some());
        if !has_engine {
            if run.journal().exists() {
                return Ok(Reached::Journal);
            }
            return Err(match status {
                Some(status) => engine::died(run, Some(status)),
                None => Error::user(
                    format!("{} has not begun: no engine ever wrote to it", run.name()),
                    format!("start it with `frostline train --resume {}`", run.name()),
                ),
            });
        }
        if child.is_none() && begun.elapsed() > PATIENCE {
            let pid = holder.and_then(|holder| holder.pid).map(|pid| format!(" (process {pid})")).unwrap_or_default();
            return Err(Error::environment(
                format!("the engine of {}{pid} does not answer", run.name()),
                Some("if it runs on another machine, use `frostline attach --ssh HOST`".into()),
            ));
        }
        sleep(TRY).await;
    }
}

/// A run of another machine.
pub struct Remote {
    pub connection: Connection,
    /// Ends with this value, and the viewer with it.
    _ssh: Child,
    words: Words,
}

/// The last lines that ssh, or frostline at its other end, has printed.
#[derive(Clone, Default)]
pub struct Words(Arc<Mutex<VecDeque<String>>>);

/// Runs `frostline stream` on `host`. `runs` is the folder of runs there.
pub async fn over_ssh(host: &str, which: &str, runs: &str) -> Result<Remote> {
    let mut ssh = Command::new("ssh")
        // No terminal there; and a dead link is noticed in half a minute.
        .args(["-T", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3", "--", host])
        .arg(format!("frostline stream --runs {} {}", quoted(runs), quoted(which)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::environment(format!("cannot start ssh: {error}"), None))?;
    let words = Words::default();
    let (Some(write), Some(read), Some(errors)) = (ssh.stdin.take(), ssh.stdout.take(), ssh.stderr.take()) else {
        return Err(Error::internal("ssh was started without its pipes"));
    };
    let listening = tokio::spawn(words.clone().collect(errors));
    match client::greet(read, write, &identity(), 0).await {
        Ok(connection) => Ok(Remote { connection, _ssh: ssh, words }),
        Err(wire::Error::Closed | wire::Error::Io(_)) => {
            // Closed: so ssh is ending, and what it had to say is still on its way.
            let _ = tokio::time::timeout(Duration::from_secs(2), listening).await;
            Err(lost(host, &words))
        }
        Err(error) => Err(error.into()),
    }
}

impl Remote {
    /// The error of a connection that ended before the run did.
    pub fn lost(&self, host: &str) -> Error {
        lost(host, &self.words)
    }

    pub fn words(&self) -> Words {
        self.words.clone()
    }
}

fn lost(host: &str, words: &Words) -> Error {
    let said = words.lines();
    let mut message = format!("the connection to {host} ended");
    if !said.is_empty() {
        message.push_str("; ssh said:");
    }
    for line in &said {
        message.push_str("\n  | ");
        message.push_str(line);
    }
    let hint = format!("`ssh {host} frostline runs` must work, without a question for a password");
    Error::environment(message, Some(hint))
}

impl Words {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    async fn collect(self, errors: ChildStderr) {
        const KEPT: usize = 8;
        let mut lines = BufReader::new(errors).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_back(line);
            while said.len() > KEPT {
                said.pop_front();
            }
        }
    }
}

/// One word for the shell at the other end.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_the_other_shell_stays_one_word() {
        assert_eq!(quoted("last; rm -rf 'x'"), r"'last; rm -rf '\''x'\'''");
    }
}
