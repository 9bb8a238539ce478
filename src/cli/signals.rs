//! Ctrl-C and SIGTERM for a command that is the foreground of a run.

use std::future;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, Result};

/// Those that were caught, one by one.
pub struct Signals(Option<(Signal, Signal)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    Interrupt,
    Terminate,
}

impl Caught {
    /// What a shell expects of a program that ended because of the signal.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

impl Signals {
    pub fn catch() -> Result<Self> {
        let listen = |kind| {
            signal(kind).map_err(|error| Error::environment(format!("cannot listen for signals: {error}"), None))
        };
        Ok(Self(Some((listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?))))
    }

    /// Leaves signals to do what they do to any program.
    pub fn leave() -> Self {
        Self(None)
    }

    pub async fn next(&mut self) -> Caught {
        let Some((interrupt, terminate)) = &mut self.0 else { return future::pending().await };
        tokio::select! {
            Some(()) = interrupt.recv() => Caught::Interrupt,
            Some(()) = terminate.recv() => Caught::Terminate,
            else => future::pending().await,
        }
    }
}
