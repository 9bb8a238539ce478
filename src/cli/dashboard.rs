//! The dashboard on a run: carries messages between the viewer and the screen, comes back when an engine takes the run up
//! again, and says on leaving how the run goes on without this screen.

use std::{process::ExitStatus, time::Duration};

use tokio::{
    process::Child,
    sync::mpsc,
    time::{Instant, interval_at, timeout},
};

use super::{
    Exit, engine,
    output::Output,
    report::{self, Reporter},
    viewer::{self, Remote},
};
use crate::{
    error::{Error, Result},
    event::Event,
    run::{EngineLock, RunDir},
    tui::{self, Appearance, Incoming, Left, Outgoing, Session},
    wire::{
        ServerMessage,
        client::{Connection, Sender},
    },
};

/// Messages that may wait for the screen.
const WAITING: usize = 1024;
/// How often a lost run is looked at: another terminal may have resumed it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Where the run is.
pub enum Place {
    /// `start` begins with starting an engine, once the first frame stands: two programs that load at once are slow.
    Here {
        run: RunDir,
        start: bool,
    },
    There {
        host: String,
        remote: Box<Remote>,
    },
}

/// Shows the dashboard until it is left.
pub async fn show(place: Place, out: &mut Output) -> Result<Exit> {
    let (to_screen, incoming) = mpsc::channel(WAITING);
    let (outgoing, from_screen) = mpsc::unbounded_channel();
    let (name, host, what) = match &place {
        Place::Here { run, start: true } => (run.name(), None, "starting the engine".to_owned()),
        Place::Here { run, start: false } => (run.name(), None, format!("opening {}", run.name())),
        Place::There { host, remote } => {
            (remote.connection.welcome.run.clone(), Some(host.clone()), format!("reading from {host}"))
        }
    };
    let carrier = Carrier { to_screen, from_screen, next: 0, ended: false };
    let carrying = tokio::spawn(async move {
        match place {
            Place::Here { run, start } => carrier.here(&run, start).await,
            Place::There { host, remote } => carrier.there(&host, remote).await,
        }
    });
    let appearance = Appearance::detect(|name| std::env::var(name).ok());
    let connection = tui::Connection::Connecting { what };
    let left = tui::run(Session { appearance, connection, incoming, outgoing }).await;
    carrying.abort();
    farewell(&left?, &name, host.as_deref(), out)
}

/// What a person should know who sees the shell again.
fn farewell(left: &Left, name: &str, host: Option<&str>, out: &mut Output) -> Result<Exit> {
    let ssh = host.map(|host| format!("--ssh {host} ")).unwrap_or_default();
    if let Some(ended) = &left.run.ended {
        report::verdict(ended)?;
        let line = Reporter::default().line(&Event::RunEnded(ended.clone()));
        out.line(&format!("{name}: {}", line.unwrap_or_default()))?;
    } else if let tui::Connection::Lost { reason, .. } = &left.connection {
        return Err(Error::environment(
            format!("{name}: {reason}"),
            Some(format!("go on from its last checkpoint: frostline train --resume {name}")),
        ));
    } else {
        out.line(&format!("{name} goes on; come back with: frostline attach {ssh}{name}"))?;
    }
    Ok(Exit::DONE)
}

/// Between a viewer and the screen. Every method returns when the screen is gone.
struct Carrier {
    to_screen: mpsc::Sender<Incoming>,
    from_screen: mpsc::UnboundedReceiver<Outgoing>,
    /// The first event that the screen lacks.
    next: u64,
    /// Whether the newest engine has said how the run ended.
    ended: bool,
}

/// Why a connection was put down.
enum Broken {
    /// The screen is gone.
    Left,
    /// The other end closed, or the journal of a dead run is at its end.
    Closed,
    Failed(Error),
}

impl Carrier {
    async fn here(mut self, run: &RunDir, mut start: bool) {
        let mut child = None;
        loop {
            let started = if std::mem::take(&mut start) { engine::start(run).map(Some) } else { Ok(child.take()) };
            let opened = match started {
                Ok(engine) => {
                    child = engine;
                    viewer::local(run, child.as_mut(), self.next).await
                }
                Err(error) => Err(error),
            };
            let broken = match opened {
                Ok(connection) => self.carry(connection).await,
                Err(error) => Broken::Failed(error),
            };
            let reason = match broken {
                Broken::Left => return,
                // Its pictures can still be had from the run directory, by the replay that comes next.
                Broken::Closed if self.ended => {
                    settled(run, child.take()).await;
                    continue;
                }
                Broken::Closed => died(settled(run, child.take()).await),
                Broken::Failed(error) => error.message().lines().next().unwrap_or_default().to_owned(),
            };
            if !self.lost(reason, engine::last_words(run)).await {
                return;
            }
            match self.revived(run).await {
                Some(by_us) => start = by_us,
                None => return,
            }
        }
    }

    async fn there(mut self, host: &str, remote: Box<Remote>) {
        let words = remote.words();
        match self.carry(remote.connection).await {
            Broken::Left => return,
            Broken::Closed if self.ended => self.connection(tui::Connection::Replay).await,
            Broken::Closed => self.lost(format!("the connection to {host} ended"), words.lines()).await,
            Broken::Failed(error) => self.lost(error.message(), words.lines()).await,
        };
        // Nothing more can be had; the screen keeps what it knows.
        while self.from_screen.recv().await.is_some() {}
    }

    /// Carries messages both ways for the life of a connection.
    async fn carry(&mut self, mut connection: Connection) -> Broken {
        let live = connection.welcome.live;
        loop {
            let message = tokio::select! {
                message = connection.receiver.next() => message,
                asked = self.from_screen.recv() => match asked {
                    Some(asked) => {
                        pass_on(asked, &connection.sender);
                        continue;
                    }
                    None => return Broken::Left,
                },
            };
            let incoming = match message {
                Ok(Some(ServerMessage::Event(stamped))) => {
                    self.next = stamped.seq + 1;
                    match &stamped.event {
                        Event::RunStarted(_) => self.ended = false,
                        Event::RunEnded(_) => self.ended = true,
                        _ => {}
                    }
                    Incoming::Event(stamped)
                }
                Ok(Some(ServerMessage::Blob { name, bytes })) => Incoming::Blob { hash: name, png: bytes },
                Ok(Some(ServerMessage::UpToDate)) if !live && !self.ended => return Broken::Closed,
                // Only now, so that the screen takes the history for one.
                Ok(Some(ServerMessage::UpToDate)) => {
                    Incoming::Connection(if live { tui::Connection::Live } else { tui::Connection::Replay })
                }
                // What a slow viewer was spared is a gap in the events' numbers, which the state counts by itself.
                Ok(Some(_)) => continue,
                Ok(None) | Err(crate::wire::Error::Io(_)) => return Broken::Closed,
                Err(error) => return Broken::Failed(error.into()),
            };
            if self.to_screen.send(incoming).await.is_err() {
                return Broken::Left;
            }
        }
    }

    /// Waits until the run can have an engine again: true for one that the screen asks for, false for another's that is
    /// there already. `None` if the screen is gone.
    async fn revived(&mut self, run: &RunDir) -> Option<bool> {
        let mut look = interval_at(Instant::now() + LOOK_AGAIN, LOOK_AGAIN);
        loop {
            tokio::select! {
                asked = self.from_screen.recv() => if asked? == Outgoing::Resume {
                    self.connection(tui::Connection::Connecting { what: "starting the engine".into() }).await;
                    return Some(true);
                },
                _ = look.tick() => if matches!(EngineLock::holder(run), Ok(Some(_))) {
                    return Some(false);
                },
            }
        }
    }

    async fn lost(&mut self, reason: String, log_tail: Vec<String>) -> bool {
        self.connection(tui::Connection::Lost { reason, log_tail }).await
    }

    /// Tells the screen how the connection stands; false if the screen is gone.
    async fn connection(&mut self, connection: tui::Connection) -> bool {
        self.to_screen.send(Incoming::Connection(connection)).await.is_ok()
    }
}

fn pass_on(asked: Outgoing, sender: &Sender) {
    match asked {
        Outgoing::Command(command) => {
            sender.request(command);
        }
        Outgoing::Watch(watch) => sender.watch(watch),
        Outgoing::Blob(hash) => sender.blob(&hash),
        // The run has its engine.
        Outgoing::Resume => {}
    }
}

/// Gives an engine that has closed its connections the time to let go of the run.
async fn settled(run: &RunDir, child: Option<Child>) -> Option<ExitStatus> {
    const LEAVING: Duration = Duration::from_secs(15);
    if let Some(mut child) = child {
        return timeout(LEAVING, child.wait()).await.ok()?.ok();
    }
    let free = async {
        while matches!(EngineLock::holder(run), Ok(Some(_))) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Another engine may hold it already; then there is one to connect to.
    let _ = timeout(LEAVING, free).await;
    None
}

fn died(status: Option<ExitStatus>) -> String {
    match status {
        Some(status) => format!("the engine died ({status})"),
        None => "the engine died".into(),
    }
}
