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

use super::{engine, hint, identity::identity};
use crate::{
    error::{Error, Result},
    run::{EngineLock, Refusal, RunDir},
    wire::{
        self,
        client::{self, Connection, From},
    },
};

/// How often the socket of an engine that starts is tried.
const TRY: Duration = Duration::from_millis(20);
/// An engine that resumes a run opens its socket when it knows that the run goes on. One that holds the lock and has none for longer is out
/// of reach.
const PATIENCE: Duration = Duration::from_secs(30);

/// In place of an event's number: none of those that there are already.
pub const NEWS: u64 = u64::MAX;

/// Where the events of a run can be had.
pub enum Reached {
    Engine(UnixStream),
    /// There is no engine: only what the run left.
    Journal,
    /// The engine would not go on with the run.
    Refused(Refusal),
}

/// Opens a run of this machine. `child` is its engine, if this process has started it.
pub async fn local(run: &RunDir, mut child: Option<&mut Child>, from: From) -> Result<Connection> {
    loop {
        let opened = match reach(run, child.as_deref_mut()).await? {
            Reached::Engine(stream) => {
                let (read, write) = stream.into_split();
                client::greet(read, write, &identity(), from).await
            }
            Reached::Journal => client::replay(run, &identity(), from).await,
            Reached::Refused(refusal) => return Err(refusal.into()),
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
            if let Some(refusal) = status.and_then(|_| run.take_refusal()) {
                return Ok(Reached::Refused(refusal));
            }
            if run.journal().exists() {
                return Ok(Reached::Journal);
            }
            return Err(match status {
                Some(status) => engine::died(run, Some(status)),
                None => Error::user(
                    format!("{} has not begun: no engine ever wrote to it", run.name()),
                    format!("start it with `{}`", hint::resume(run)),
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

/// Where a run of another machine is.
#[derive(Clone, Debug)]
pub struct Link {
    /// As ssh knows it.
    pub host: String,
    /// What to call the run there.
    pub run: String,
    /// The folder of runs there, if it is not the one that is looked in anyway.
    pub runs: Option<String>,
}

/// A run of another machine.
pub struct Remote {
    pub connection: Connection,
    /// Names this very run, whatever it was asked for by.
    pub link: Link,
    /// Ends with this value, and the viewer with it.
    _ssh: Child,
    words: Words,
}

/// The last lines that ssh, or frostline at its other end, has printed.
#[derive(Clone, Default)]
pub struct Words(Arc<Mutex<VecDeque<String>>>);

impl Link {
    /// Runs `frostline stream` there. The first time a person may be at hand to answer what ssh asks; later the dashboard
    /// has the terminal.
    pub async fn open(&self, from: From) -> Result<Remote> {
        // No terminal there; and a dead link is noticed in half a minute.
        let mut options = vec!["-T", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"];
        if !matches!(from, From::Digest | From::Light | From::Event(0)) {
            options.extend(["-o", "BatchMode=yes"]);
        }
        let mut ssh = Command::new("ssh")
            .args(options)
            .args(["--", &self.host])
            .arg(format!("frostline stream{} -- {}", self.place(), hint::word(&self.run)))
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
        match client::greet(read, write, &identity(), from).await {
            Ok(connection) => {
                let mut link = self.clone();
                if !link.run.contains('/') {
                    link.run.clone_from(&connection.welcome.run);
                }
                Ok(Remote { connection, link, _ssh: ssh, words })
            }
            Err(wire::Error::Closed | wire::Error::Io(_)) => {
                // Closed: so ssh is ending, and what it had to say is still on its way.
                let _ = tokio::time::timeout(Duration::from_secs(2), listening).await;
                Err(lost(&self.host, &words))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// How a person attaches to the run from here.
    pub fn attach(&self) -> String {
        let host = hint::word(&self.host);
        format!("frostline attach --ssh {host} {}{}", hint::word(&self.run), self.place())
    }

    /// How a person goes on with the run there.
    pub fn resume(&self) -> String {
        format!("frostline train --resume {}{}", hint::word(&self.run), self.place())
    }

    fn place(&self) -> String {
        self.runs.as_ref().map(|runs| format!(" --runs {}", hint::word(runs))).unwrap_or_default()
    }
}

impl Remote {
    /// The error of a connection that ended before the run did.
    pub fn lost(&self) -> Error {
        lost(&self.link.host, &self.words)
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
