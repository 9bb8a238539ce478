//! The event loop of the dashboard: keys, messages, ticks and signals in; frames out, none when nothing changed. They come at thirty a second
//! while a person is at the keys, and at five when the run alone has news, since it is the run's processors that draw them.

use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream};
use futures::StreamExt;
use jiff::tz::TimeZone;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use super::{
    Incoming, Outgoing,
    appearance::Appearance,
    curves::Other,
    model::{Connection, Model},
    pixels::Link,
    settings::Settings,
    terminal::{Guarded, TerminalError},
    update::{Effect, Msg, update, update_all},
    view,
};
use crate::state::RunState;

/// Between two frames after a key: a terminal over SSH can follow, an eye sees no steps.
const FRAME: Duration = Duration::from_millis(33);
/// Between two frames while nobody touches a key.
const CALM_FRAME: Duration = Duration::from_millis(200);
/// So long after a key, answers and pictures are what somebody waits for.
const AT_THE_KEYS: Duration = Duration::from_secs(2);
/// Messages taken in before a frame is due again: a long journal on attaching is read in a few gulps.
const GULP: usize = 4096;

/// What a dashboard needs to run.
pub struct Session {
    /// What the terminal can show.
    pub appearance: Appearance,
    pub settings: Settings,
    /// How things stand at the beginning.
    pub connection: Connection,
    /// The machine that has the run, if it is another.
    pub host: Option<String>,
    pub incoming: mpsc::Receiver<Incoming>,
    pub outgoing: mpsc::UnboundedSender<Outgoing>,
}

/// How the dashboard was left, with what it knew: enough to tell the person how to come back.
pub struct Left {
    pub why: Why,
    pub run: RunState,
    pub connection: Connection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// By a key.
    Asked,
    /// By SIGTERM, SIGHUP or SIGINT.
    Signal,
}

/// Shows the dashboard until it is left. The first frame stands before anything is waited for.
pub async fn run(mut session: Session) -> Result<Left, TerminalError> {
    // Before the terminal is taken: a signal that ends the process by default would leave it as it is.
    let mut signals = Signals::new();
    let mut terminal = Guarded::enter()?;
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    let mut model = Model::new(session.appearance, session.connection.clone(), terminal.size()?, zone);
    model.adopt(std::mem::take(&mut session.settings));
    model.view.host = session.host.take();
    terminal.draw(|frame| view::draw(&model, frame))?;

    let mut drawn = Instant::now();
    let mut touched = drawn;
    let mut changed = false;
    // Pictures are on their way, a portion a frame.
    let mut sending = false;
    let mut open = true;
    let mut keys = Keys::new();
    let mut link = Link::start(model.view.appearance, model.view.settings.wants_pixels(), model.view.size);
    let mut gulp = Vec::new();
    let mut ticks = interval(Duration::from_secs(1) / Model::TICKS as u32);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.reset();
    let why = loop {
        let frame = if sending || touched.elapsed() < AT_THE_KEYS { FRAME } else { CALM_FRAME };
        tokio::select! {
            key = keys.next(), if !link.is_asking() => {
                let msg = match key {
                    Some(Ok(TerminalEvent::Key(key))) if link.swallows(&key) => continue,
                    Some(Ok(TerminalEvent::Key(key))) => Msg::Key(key),
                    Some(Ok(TerminalEvent::Mouse(event))) => Msg::Mouse(event),
                    Some(Ok(TerminalEvent::Resize(columns, rows))) => {
                        link.lost();
                        Msg::Resize(columns, rows)
                    }
                    Some(Ok(_)) => continue,
                    // The terminal is gone; training does not need it.
                    Some(Err(_)) | None => break Why::Signal,
                };
                (changed, touched) = (true, Instant::now());
                if obey(update(&mut model, msg), &mut session, &mut terminal, &mut link)? {
                    break Why::Asked;
                }
                keys.leave_to(&link);
            }
            news = link.news() => {
                changed = true;
                let messages = link.take(news, model.view.size);
                keys.leave_to(&link);
                if obey(update_all(&mut model, messages), &mut session, &mut terminal, &mut link)? {
                    break Why::Asked;
                }
            }
            count = session.incoming.recv_many(&mut gulp, GULP), if open => {
                changed = true;
                if count == 0 {
                    open = false;
                    if model.connection == Connection::Live && !model.run.is_over() {
                        gulp.push(Incoming::Connection(Connection::Lost { reason: "the connection closed".into(), log_tail: Vec::new() }));
                    }
                }
                let effects = update_all(&mut model, gulp.drain(..).map(Msg::from));
                obey(effects, &mut session, &mut terminal, &mut link)?;
            }
            _ = ticks.tick() => {
                changed |= model.is_animated() || link.owes();
                obey(update(&mut model, Msg::Tick), &mut session, &mut terminal, &mut link)?;
            }
            signal = signals.next() => match signal {
                Caught::End => break Why::Signal,
                Caught::Continue => {
                    terminal.enter_again()?;
                    link.lost();
                    changed = true;
                }
            },
            () = sleep_until(drawn + frame), if changed => {
                sending = link.draw(&mut model, &mut terminal)?;
                changed = sending;
                drawn = Instant::now();
            }
        }
    };
    link.end().await;
    Ok(Left { why, run: model.run, connection: model.connection })
}

/// Carries effects out; true if one of them is to leave. An outgoing side that is gone needs nothing any more.
fn obey(
    effects: Vec<Effect>,
    session: &mut Session,
    terminal: &mut Guarded,
    link: &mut Link,
) -> Result<bool, TerminalError> {
    let mut leave = false;
    for effect in effects {
        let outgoing = match effect {
            Effect::Send(command) => Outgoing::Command(command),
            Effect::Watch(watch) => Outgoing::Watch(watch),
            Effect::FetchBlob(hash) => Outgoing::Blob(hash),
            Effect::ListRuns => Outgoing::ListRuns,
            Effect::ReadRun(name) => Outgoing::ReadRun(name),
            Effect::Resume => Outgoing::Resume,
            Effect::Leave => {
                leave = true;
                continue;
            }
            Effect::Bell => {
                terminal.send("\x07")?;
                continue;
            }
            Effect::Redraw => {
                terminal.clear()?;
                link.ask(terminal.size()?);
                continue;
            }
        };
        let _ = session.outgoing.send(outgoing);
    }
    Ok(leave)
}

impl From<Incoming> for Msg {
    fn from(incoming: Incoming) -> Self {
        match incoming {
            Incoming::Event(stamped) => Self::Event(stamped),
            Incoming::State(run) => Self::State(run),
            Incoming::Blob { hash, png } => Self::Blob { hash, png },
            Incoming::NoBlob { hash } => Self::NoBlob { hash },
            Incoming::Sent { command, by, id } => Self::Sent { command, by, id },
            Incoming::Connection(connection) => Self::Connection(connection),
            Incoming::Runs(names) => Self::Runs(names),
            Incoming::Run { name, run } => Self::Other(Other { name, run }),
            Incoming::Trouble(text) => Self::Trouble(text),
        }
    }
}

/// Key presses and changes of size. Its thread reads from the terminal only while a key is waited for.
struct Keys {
    stream: Option<EventStream>,
    /// The terminal is being asked, and what it answers is no key.
    left: bool,
}

impl Keys {
    fn new() -> Self {
        Self { stream: Some(EventStream::new()), left: true }
    }

    /// Lets go of the terminal while it is asked.
    fn leave_to(&mut self, link: &Link) {
        if link.is_asking() && !self.left {
            // The old one first: a new one waits until it has let go.
            self.stream = None;
            self.stream = Some(EventStream::new());
        }
        self.left = link.is_asking();
    }

    async fn next(&mut self) -> Option<std::io::Result<TerminalEvent>> {
        self.left = false;
        match &mut self.stream {
            Some(stream) => stream.next().await,
            None => None,
        }
    }
}

pub(super) enum Caught {
    /// Leave the terminal as it was, and go: the run is another process.
    End,
    Continue,
}

/// Signals that could be listened for; where one cannot, its default stands.
pub(super) struct Signals {
    end: Vec<Signal>,
    resume: Option<Signal>,
}

impl Signals {
    pub(super) fn new() -> Self {
        let end = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()];
        Self {
            end: end.into_iter().filter_map(|kind| signal(kind).ok()).collect(),
            resume: signal(SignalKind::from_raw(libc::SIGCONT)).ok(),
        }
    }

    pub(super) async fn next(&mut self) -> Caught {
        let ends = futures::future::select_all(self.end.iter_mut().map(|s| Box::pin(s.recv())));
        let Some(resume) = &mut self.resume else {
            ends.await;
            return Caught::End;
        };
        tokio::select! {
            _ = ends => Caught::End,
            _ = resume.recv() => Caught::Continue,
        }
    }
}
