//! Ctrl-C, SIGTERM and SIGUSR1 for a command that is the foreground of a run. A terminal that closes (SIGHUP) ends the command alone: the
//! engine goes on.

use std::future;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, Result};

/// Those that were caught, one by one.
pub struct Signals(Option<[Signal; 3]>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    Interrupt,
    Terminate,
    /// SIGUSR1: save, and go on.
    Save,
}

impl Caught {
    /// What a shell expects of a program that ended because of the signal.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Save => 0,
        }
    }
}

impl Signals {
    pub fn catch() -> Result<Self> {
        let listen = |kind| {
            signal(kind).map_err(|error| Error::environment(format!("cannot listen for signals: {error}"), None))
        };
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::user_defined1()];
        let [interrupt, terminate, save] = kinds.map(listen);
        Ok(Self(Some([interrupt?, terminate?, save?])))
    }

    /// Leaves signals to do what they do to any program.
    pub fn leave() -> Self {
        Self(None)
    }

    pub async fn next(&mut self) -> Caught {
        let Some([interrupt, terminate, save]) = &mut self.0 else { return future::pending().await };
        tokio::select! {
            Some(()) = interrupt.recv() => Caught::Interrupt,
            Some(()) = terminate.recv() => Caught::Terminate,
            Some(()) = save.recv() => Caught::Save,
            else => future::pending().await,
        }
    }
}
