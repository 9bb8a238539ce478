//! The dashboard on a run: carries messages between the viewer and the screen, comes back when an engine takes the run up
//! again, and says on leaving how the run goes on without this screen.

use std::{process::ExitStatus, time::Duration};

use tokio::{
    process::Child,
    sync::mpsc,
    time::{Instant, interval_at},
};

use super::{
    Exit,
    asking::Asking,
    compare::Compare,
    engine, hint,
    output::Output,
    refine::{Refining, Sifted},
    report::{self, Reporter},
    viewer::{self, Remote},
};
use crate::{
    error::{Error, Result},
    event::Event,
    run::{EngineLock, RunDir},
    state::RunState,
    tui::{self, Appearance, Incoming, Left, Outgoing, Session, Settings, Why},
    wire::{
        ServerMessage,
        client::{Connection, From},
    },
};

/// Messages that may wait for the screen.
const WAITING: usize = 1024;
/// How often a lost run is looked at: another terminal may have resumed it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const STARTING: &str = "starting the engine";

/// Where the run is.
pub enum Place {
    Here { run: RunDir, engine: Engine },
    There(Box<Remote>),
}

/// Who is at work on the run.
pub enum Engine {
    /// Nobody, or somebody else's.
    Theirs,
    /// It is to be started, once the first frame stands: two programs that load at once are slow.
    ToStart,
    Started(Box<Child>),
}

/// Shows the dashboard until it is left.
pub async fn show(place: Place, settings: Settings, out: &mut Output) -> Result<Exit> {
    let words = visit(place, settings).await?.said?;
    out.line(&words)?;
    Ok(Exit::DONE)
}

/// How a dashboard was left.
pub struct Visit {
    pub why: Why,
    /// How the run goes on, or why it does not.
    pub said: Result<String>,
}

/// Shows the dashboard until it is left, and leaves it to the caller to say so.
pub async fn visit(place: Place, settings: Settings) -> Result<Visit> {
    let (to_screen, incoming) = mpsc::channel(WAITING);
    let (outgoing, from_screen) = mpsc::unbounded_channel();
    let way = Way::to(&place);
    let (host, what) = match &place {
        Place::Here { engine: Engine::ToStart, .. } => (None, STARTING.to_owned()),
        Place::Here { run, .. } => (None, format!("opening {}", run.name())),
        Place::There(remote) => (Some(remote.link.host.clone()), format!("reading from {}", remote.link.host)),
    };
    let compare = match &place {
        Place::Here { run, .. } => Compare::beside(run),
        Place::There(_) => Compare::nowhere(),
    };
    let carrier = Carrier { to_screen, from_screen, next: 0, ended: false, compare };
    let carrying = tokio::spawn(async move {
        match place {
            Place::Here { run, engine } => carrier.here(&run, engine).await,
            Place::There(remote) => carrier.there(*remote).await,
        }
    });
    let appearance = Appearance::detect(|name| std::env::var(name).ok());
    let connection = tui::Connection::Connecting { what };
    let left = tui::run(Session { appearance, settings, connection, host, incoming, outgoing }).await;
    carrying.abort();
    let left = left?;
    Ok(Visit { why: left.why, said: farewell(&left, &way) })
}

/// How a person comes back to a run.
struct Way {
    name: String,
    /// While it goes on.
    back: String,
    /// When the connection to it is gone.
    again: String,
}

impl Way {
    fn to(place: &Place) -> Self {
        match place {
            Place::Here { run, .. } => Self {
                name: run.name(),
                back: hint::attach(run),
                again: format!("go on from its last checkpoint: {}", hint::resume(run)),
            },
            Place::There(remote) => {
                let back = remote.link.attach();
                let again = format!("look again with: {back}");
                Self { name: remote.connection.welcome.run.clone(), back, again }
            }
        }
    }
}

/// What a person should know who sees the shell again.
fn farewell(left: &Left, way: &Way) -> Result<String> {
    let Way { name, back, again } = way;
    if let tui::Connection::Lost { reason, .. } = &left.connection {
        return Err(Error::environment(format!("{name}: {reason}"), Some(again.clone())));
    }
    if let Some(ended) = &left.run.ended {
        report::verdict(ended)?;
        let line = Reporter::default().line(&Event::RunEnded(ended.clone()));
        return Ok(format!("{name}: {}", line.unwrap_or_default()));
    }
    Ok(format!("{name} goes on; come back with: {back}"))
}

/// Between a viewer and the screen. Every method returns when the screen is gone.
struct Carrier {
    to_screen: mpsc::Sender<Incoming>,
    from_screen: mpsc::UnboundedReceiver<Outgoing>,
    /// The first event that the screen lacks.
    next: u64,
    /// Whether the newest engine has said how the run ended.
    ended: bool,
    compare: Compare,
}

/// Why a connection was put down.
enum Broken {
    /// The screen is gone.
    Left,
    /// The other end closed it; or, if it was not `live`, the journal is at its end and tells of none.
    Closed {
        live: bool,
    },
    /// The run has ended, and the screen asks for an engine that goes on with it.
    Revive,
    Failed(Error),
}

impl Carrier {
    /// Where the next connection begins.
    fn from(&self) -> From {
        if self.next == 0 { From::Digest } else { From::Event(self.next) }
    }

    /// The same of a run on another machine: who knows how slow the line is.
    fn afar(&self) -> From {
        if self.next == 0 { From::Light } else { self.from() }
    }

    async fn here(mut self, run: &RunDir, engine: Engine) {
        let mut start = matches!(engine, Engine::ToStart);
        let mut child = if let Engine::Started(child) = engine { Some(*child) } else { None };
        let mut status = None;
        loop {
            let started = if std::mem::take(&mut start) { engine::start(run).map(Some) } else { Ok(child.take()) };
            let opened = match started {
                Ok(engine) => {
                    child = engine;
                    viewer::local(run, child.as_mut(), self.from()).await
                }
                Err(error) => Err(error),
            };
            let broken = match opened {
                Ok(connection) => self.carry(connection).await,
                Err(error) => Broken::Failed(error),
            };
            let reason = match broken {
                Broken::Left => return,
                // An engine waits for nobody when it ends. What it said last is in the journal, which comes next, and its
                // pictures are in the run directory.
                Broken::Closed { live: true } => {
                    status = engine::settled(run, child.take()).await;
                    continue;
                }
                Broken::Closed { live: false } => {
                    let own = child.take();
                    died(if own.is_some() { engine::settled(run, own).await } else { status.take() })
                }
                Broken::Revive => {
                    engine::settled(run, child.take()).await;
                    start = self.restart().await;
                    continue;
                }
                Broken::Failed(error) => first_line(&error),
            };
            if !self.lost(reason, engine::last_words(run)).await {
                return;
            }
            match self.revived(run).await {
                Some(by_us) => start = by_us && self.restart().await,
                None => return,
            }
        }
    }

    async fn there(mut self, mut remote: Remote) {
        let mut seen = 0;
        loop {
            let (link, words) = (remote.link.clone(), remote.words());
            let mut reason = match self.carry(remote.connection).await {
                Broken::Left => return,
                // Nothing is missing but pictures.
                Broken::Closed { live: false } if self.ended => {
                    while self.asked_again().await {}
                    return;
                }
                // The link broke, or was too slow for the end: what has been said since tells.
                Broken::Closed { live: true } if self.next > seen => {
                    seen = self.next;
                    match link.open(self.afar()).await {
                        Ok(again) => {
                            remote = again;
                            continue;
                        }
                        Err(_) => format!("the connection to {} ended", link.host),
                    }
                }
                Broken::Closed { live: true } => format!("the connection to {} ended", link.host),
                Broken::Closed { live: false } => format!("the engine on {} died", link.host),
                Broken::Revive => format!("resume it on {}: {}", link.host, link.resume()),
                Broken::Failed(error) => error.message(),
            };
            let mut said = words.lines();
            remote = loop {
                if !self.lost(reason, said).await || !self.asked_again().await {
                    return;
                }
                let what = format!("connecting to {} again", link.host);
                self.connection(tui::Connection::Connecting { what }).await;
                match link.open(self.afar()).await {
                    Ok(again) => break again,
                    Err(error) => (reason, said) = (first_line(&error), Vec::new()),
                }
            };
        }
    }

    /// Waits until the screen asks for the lost run again; false if the screen is gone.
    async fn asked_again(&mut self) -> bool {
        while let Some(asked) = self.from_screen.recv().await {
            if asked == Outgoing::Resume {
                return true;
            }
        }
        false
    }

    /// Carries messages both ways for the life of a connection.
    async fn carry(&mut self, mut connection: Connection) -> Broken {
        let live = connection.welcome.live;
        let (mut asking, mut refining) = (Asking::new(), Refining::default());
        loop {
            let message = tokio::select! {
                message = connection.receiver.next() => message,
                asked = self.from_screen.recv() => match asked {
                    Some(Outgoing::Resume) if self.ended => return Broken::Revive,
                    Some(Outgoing::ListRuns) => {
                        if self.to_screen.send(self.compare.list()).await.is_err() {
                            return Broken::Left;
                        }
                        continue;
                    }
                    Some(Outgoing::ReadRun(name)) => {
                        self.compare.read(name, self.to_screen.clone());
                        continue;
                    }
                    Some(asked) => {
                        if let Some(sent) = asking.pass_on(asked, &connection.sender)
                            && self.to_screen.send(sent).await.is_err()
                        {
                            return Broken::Left;
                        }
                        continue;
                    }
                    None => return Broken::Left,
                },
            };
            let message = match refining.sift(message, &mut asking, &connection.sender) {
                Sifted::Other(message) => message,
                Sifted::Piece => continue,
                Sifted::Whole(state) => {
                    if self.to_screen.send(Incoming::State(state)).await.is_err() {
                        return Broken::Left;
                    }
                    continue;
                }
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
                Ok(Some(ServerMessage::Digest(body))) => match serde_json::from_slice::<RunState>(&body) {
                    Ok(state) => {
                        self.next = state.clock.seq.map_or(0, |seq| seq + 1);
                        self.ended = state.is_over();
                        refining.begin(&state);
                        Incoming::State(Box::new(state))
                    }
                    Err(error) => {
                        return Broken::Failed(Error::internal(format!("the run's digest cannot be read: {error}")));
                    }
                },
                Ok(Some(ServerMessage::Blob { name, bytes })) => {
                    asking.came(&name, &connection.sender);
                    Incoming::Blob { hash: name, png: bytes }
                }
                Ok(Some(ServerMessage::NoBlob { name })) => {
                    asking.came(&name, &connection.sender);
                    Incoming::NoBlob { hash: name }
                }
                Ok(Some(ServerMessage::UpToDate)) if !live && !self.ended => return Broken::Closed { live },
                // Only now, so that the screen takes the history for one.
                Ok(Some(ServerMessage::UpToDate)) => {
                    Incoming::Connection(if live { tui::Connection::Live } else { tui::Connection::Replay })
                }
                // What a slow viewer was spared is a gap in the events' numbers, which the state counts by itself.
                Ok(Some(_)) => continue,
                Ok(None) | Err(crate::wire::Error::Io(_)) => return Broken::Closed { live },
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
                    return Some(true);
                },
                _ = look.tick() => if matches!(EngineLock::holder(run), Ok(Some(_))) {
                    return Some(false);
                },
            }
        }
    }

    /// An engine is about to be started: what an older one said of its end is history then.
    async fn restart(&mut self) -> bool {
        self.ended = false;
        self.connection(tui::Connection::Connecting { what: STARTING.into() }).await
    }

    async fn lost(&mut self, reason: String, log_tail: Vec<String>) -> bool {
        self.connection(tui::Connection::Lost { reason, log_tail }).await
    }

    /// Tells the screen how the connection stands; false if the screen is gone.
    async fn connection(&mut self, connection: tui::Connection) -> bool {
        self.to_screen.send(Incoming::Connection(connection)).await.is_ok()
    }
}

fn first_line(error: &Error) -> String {
    error.message().lines().next().unwrap_or_default().to_owned()
}

fn died(status: Option<ExitStatus>) -> String {
    match status {
        Some(status) => format!("the engine died ({status})"),
        None => "the engine died".into(),
    }
}
