//! What happens: one message in, what to do about it out. No clock and no I/O, so that every key can be tested through it.

use crossterm::event::{KeyEvent, MouseEvent};

use super::{
    actions, alarms,
    curves::Other,
    keys::Chord,
    model::{Connection, Model, Tone},
    mouse,
    page::{Page, Pane},
    pixels::Able,
    prompt::{self, Choice, Prompt},
};
use crate::{
    command::{Command, Watch},
    config::Occasion,
    event::{Answered, Checkpoint, CheckpointKind, Ended, Event, Level, Outcome, Stamped},
    picture::Glyphs,
    state::RunState,
};

#[derive(Clone, Debug)]
pub enum Msg {
    Key(KeyEvent),
    Mouse(MouseEvent),
    /// Columns and rows.
    Resize(u16, u16),
    Event(Stamped),
    /// In place of the events until now.
    State(Box<RunState>),
    Blob {
        hash: String,
        png: Vec<u8>,
    },
    /// A picture that was asked for is no longer kept.
    NoBlob {
        hash: String,
    },
    /// A command is on its way; its answer will carry `by` and `id`.
    Sent {
        command: Command,
        by: String,
        id: u64,
    },
    /// [`Model::TICKS`] a second.
    Tick,
    /// What the terminal can show besides text, and its best glyphs if it told what it is.
    Terminal {
        able: Option<Able>,
        glyphs: Option<Glyphs>,
    },
    Connection(Connection),
    /// The runs that there are to compare with.
    Runs(Vec<String>),
    /// One of them, read.
    Other(Other),
    /// What was asked for could not be done.
    Trouble(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Send(Command),
    Watch(Option<Watch>),
    FetchBlob(String),
    /// Find the runs beside this one.
    ListRuns,
    /// Read one of them.
    ReadRun(String),
    /// Start an engine again that goes on from the last checkpoint, or connect again to another machine.
    Resume,
    Leave,
    /// Nothing of what is on the screen can be trusted.
    Redraw,
    /// Ring the terminal's bell.
    Bell,
}

/// Takes one message in, and says what has to be done.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = take(model, msg);
    settle(model, &mut effects);
    effects
}

/// Takes many in. What only a screen in between would have needed is not asked for: a journal's pictures, one an epoch.
pub fn update_all(model: &mut Model, messages: impl IntoIterator<Item = Msg>) -> Vec<Effect> {
    let mut effects: Vec<Effect> = messages.into_iter().flat_map(|msg| take(model, msg)).collect();
    settle(model, &mut effects);
    effects
}

/// The one way in which the model changes.
fn take(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(event) => Chord::pressed(event).map_or_else(Vec::new, |chord| press(model, chord)),
        Msg::Mouse(event) => mouse::take(model, event),
        Msg::Resize(columns, rows) => {
            model.view.size = (columns, rows);
            Vec::new()
        }
        Msg::Event(stamped) => {
            let rings = occasion(&stamped.event).is_some_and(|occasion| model.rings(occasion));
            take_in(model, &stamped);
            if rings { vec![Effect::Bell] } else { Vec::new() }
        }
        Msg::State(run) => {
            model.run = *run;
            Vec::new()
        }
        Msg::Blob { hash, png } => {
            if let Err(error) = model.view.album.put(hash, &png) {
                model.notify(Tone::Bad, format!("a picture could not be read: {error}"));
            }
            Vec::new()
        }
        Msg::NoBlob { hash } => {
            model.view.album.miss(hash);
            Vec::new()
        }
        Msg::Sent { command, by, id } => {
            model.view.pending.sent(&command, by, id);
            Vec::new()
        }
        Msg::Tick => {
            model.view.ticks += 1;
            if model.view.notice.as_ref().is_some_and(|n| n.until <= model.view.ticks) {
                model.view.notice = None;
            }
            Vec::new()
        }
        Msg::Terminal { able, glyphs } => {
            let view = &mut model.view;
            view.pixels.found(view.settings.pixels(able));
            if let Some(glyphs) = glyphs.filter(|_| !view.pixels.is_chosen()) {
                view.appearance = view.settings.glyphs(view.appearance, glyphs);
            }
            Vec::new()
        }
        Msg::Connection(connection) => {
            connect(model, connection);
            Vec::new()
        }
        Msg::Runs(names) => {
            offer_runs(model, names);
            Vec::new()
        }
        Msg::Other(other) => {
            let others = &mut model.view.curves.others;
            others.retain(|known| known.name != other.name);
            others.push(other);
            Vec::new()
        }
        Msg::Trouble(text) => {
            model.notify(Tone::Bad, text);
            Vec::new()
        }
    }
}

fn offer_runs(model: &mut Model, mut names: Vec<String>) {
    let own = model.run.run.as_ref().map(|run| run.run.as_str());
    names.retain(|name| Some(name.as_str()) != own);
    if names.is_empty() {
        model.notify(Tone::Plain, "there is no other run beside this one");
    } else {
        model.view.prompt = Some(Prompt::Pick { what: Choice::Runs(names), cursor: 0 });
    }
}

fn press(model: &mut Model, chord: Chord) -> Vec<Effect> {
    if model.view.prompt.is_some() {
        return prompt::press(model, chord);
    }
    match actions::find(chord, model) {
        Some(Ok(action)) => (action.effect)(model),
        Some(Err(why)) => {
            model.notify(Tone::Bad, why);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// What an event is to those who wait for the run.
fn occasion(event: &Event) -> Option<Occasion> {
    match event {
        Event::Checkpoint(Checkpoint { kind: CheckpointKind::Best, .. }) => Some(Occasion::Best),
        Event::RunEnded(ended) => Some(match ended.how {
            Ended::Completed { .. } => Occasion::Finished,
            Ended::Stopped { .. } | Ended::Aborted { .. } => Occasion::Stopped,
            Ended::Failed { .. } => Occasion::Failed,
        }),
        _ => None,
    }
}

fn take_in(model: &mut Model, stamped: &Stamped) {
    let known = model.run.clock.seq.is_some_and(|seq| stamped.seq <= seq);
    model.run.apply(stamped);
    if known {
        return;
    }
    match &stamped.event {
        Event::Answered(answered) => tell_answer(model, answered),
        Event::Log { level: Level::Warning, message } if model.is_live() => model.notify(Tone::Bad, message.clone()),
        Event::RunStarted(_) => {
            // A resumed run's layers are the same; another's may be fewer.
            model.view.cursor = model.view.cursor.min(model.run.layers.len().saturating_sub(1));
            model.view.dismissed = false;
        }
        Event::Alarm(alarm) => alarms::came(model, alarm),
        Event::RunEnded(_) => {
            model.view.pending.forget();
            model.view.dismissed = false;
        }
        // Whoever reads back in the log keeps the place.
        _ if model.view.log_back > 0 && model.run.log.back() == Some(stamped) => {
            model.view.log_back = (model.view.log_back + 1).min(model.run.log.len() - 1);
        }
        _ => {}
    }
}

/// Own commands are told with their outcome; another viewer's only when they took effect.
fn tell_answer(model: &mut Model, answered: &Answered) {
    let own = model.view.pending.answered(answered);
    let Answered { request, step, by, .. } = answered;
    match &answered.outcome {
        Outcome::Applied if own => model.notify(Tone::Good, format!("{request}: applied after step {step}")),
        Outcome::Applied => {
            // A journal's old commands, read on attaching, are no news.
            if model.is_live() {
                model.notify(Tone::Plain, format!("{by}: {request}, after step {step}"));
            }
        }
        Outcome::Rejected { reason } if own => model.notify(Tone::Bad, format!("{request}: refused, {reason}")),
        Outcome::Rejected { .. } => {}
    }
}

fn connect(model: &mut Model, connection: Connection) {
    if model.connection == connection {
        return;
    }
    // Leases, answers and pictures on their way belonged to the connection before.
    model.view.watch = None;
    model.view.pending.forget();
    model.view.album.forget_asked();
    model.view.since = model.view.ticks;
    model.view.dismissed = false;
    if matches!(model.view.prompt, Some(Prompt::Stop | Prompt::Abort | Prompt::Undo | Prompt::EndPhase)) {
        model.view.prompt = None;
    }
    model.connection = connection;
    alarms::found(model);
}

/// Asks for what is on the screen now and was not before, and gives back what no longer is.
fn settle(model: &mut Model, effects: &mut Vec<Effect>) {
    model.view.pixels.number(&model.view.album);
    let watch = model.wanted_watch();
    if model.view.watch != watch {
        // Without a connection there is no one to give it back to.
        if model.connection == Connection::Live {
            effects.push(Effect::Watch(watch.clone()));
        }
        model.view.watch = watch;
    }
    let reachable = matches!(model.connection, Connection::Live | Connection::Replay);
    let blobs = match model.view.page {
        Page::Mistakes => model.verdict_blobs(),
        Page::Alarms => model.alarm_blobs(),
        _ if model.shows(Pane::Pictures) => model.shown_blobs(),
        _ => Vec::new(),
    };
    if reachable {
        effects.extend(blobs.into_iter().filter(|b| model.view.album.ask(b)).map(Effect::FetchBlob));
    }
    model.hold();
}
