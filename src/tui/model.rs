//! All that the screen is drawn from: facts of the run, this terminal's own view of them, and the state of the connection.

use jiff::tz::TimeZone;

use super::{
    alarms::Alarms,
    album::Album,
    appearance::Appearance,
    curves::Curves,
    judging::Judging,
    layout,
    lens::Lens,
    logbook::Filter,
    page::{Page, Pane},
    pending::Pending,
    pixels::Pixels,
    prompt::Prompt,
    settings::Settings,
    theme::Theme,
    tree::Folds,
};
use crate::{
    command::{Scene, Watch},
    config::Occasion,
    event::{Ended, Explained, State},
    state::{Layer, RunState},
};

pub struct Model {
    pub run: RunState,
    pub view: ViewState,
    pub connection: Connection,
}

/// Where the events come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Connection {
    /// Not yet: `what` says what is going on, for example "starting the engine".
    Connecting {
        what: String,
    },
    Live,
    /// The engine or the way to it is gone; `log_tail` is the end of what the engine printed.
    Lost {
        reason: String,
        log_tail: Vec<String>,
    },
    /// A finished run's journal: nothing can be asked of it.
    Replay,
}

/// What belongs to this terminal alone and no other viewer sees.
pub struct ViewState {
    /// The machine that has the run, if it is another.
    pub host: Option<String>,
    /// Columns and rows.
    pub size: (u16, u16),
    pub appearance: Appearance,
    /// The user's wishes.
    pub settings: Settings,
    /// Of pictures, where the terminal proved able.
    pub pixels: Pixels,
    /// For the times in the log.
    pub zone: TimeZone,
    /// Ticks since the dashboard began: its only clock.
    pub ticks: u64,
    /// The tick at which the connection last changed.
    pub since: u64,
    pub page: Page,
    /// The page before, to go back to.
    pub before: Page,
    pub prompt: Option<Prompt>,
    /// Lines typed after `:`, the newest last.
    pub history: Vec<String>,
    pub curves: Curves,
    /// The layer under the cursor.
    pub cursor: usize,
    pub folds: Folds,
    pub judging: Judging,
    pub alarms: Alarms,
    /// The validation image that is looked at.
    pub sample: u32,
    /// The layer that pictures are of; `None` leaves the choice to the engine.
    pub layer: Option<String>,
    pub lens: Lens,
    /// The lease that was last asked for.
    pub watch: Option<Watch>,
    pub album: Album,
    /// The explanation whose pictures were last all here.
    pub held: Option<Explained>,
    pub pending: Pending,
    /// What to tell the person now, instead of the keys.
    pub notice: Option<Notice>,
    /// Lines that the log is scrolled back.
    pub log_back: usize,
    /// Which of its lines are told, on the page of the machine.
    pub filter: Filter,
    /// The box about the run's end or the lost connection was put away.
    pub dismissed: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub tone: Tone,
    pub text: String,
    /// The tick at which it goes away.
    pub until: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Plain,
    Bad,
}

impl Model {
    /// Ticks a second; the event loop keeps them.
    pub const TICKS: u64 = 4;

    pub fn new(appearance: Appearance, connection: Connection, size: (u16, u16), zone: TimeZone) -> Self {
        let view = ViewState {
            host: None,
            size,
            appearance,
            settings: Settings::default(),
            pixels: Pixels::default(),
            zone,
            ticks: 0,
            since: 0,
            page: Page::default(),
            before: Page::default(),
            prompt: None,
            history: Vec::new(),
            curves: Curves::default(),
            cursor: 0,
            folds: Folds::default(),
            judging: Judging::default(),
            alarms: Alarms::default(),
            sample: 0,
            layer: None,
            lens: Lens::default(),
            watch: None,
            album: Album::default(),
            held: None,
            pending: Pending::default(),
            notice: None,
            log_back: 0,
            filter: Filter::default(),
            dismissed: false,
        };
        Self { run: RunState::default(), view, connection }
    }

    /// Begins with the user's own looks and keys.
    pub fn adopt(&mut self, settings: Settings) {
        let view = &mut self.view;
        view.appearance = settings.appearance(view.appearance);
        view.curves.smoothing = settings.smoothing;
        view.settings = settings;
    }

    /// Whether the bell rings on this occasion. What a journal tells of days past is no news.
    pub fn rings(&self, occasion: Occasion) -> bool {
        self.connection == Connection::Live && self.view.settings.bell.contains(&occasion)
    }

    pub fn theme(&self) -> Theme {
        Theme::new(self.view.appearance)
    }

    /// Whether a tick alone changes the screen.
    pub fn is_animated(&self) -> bool {
        self.view.notice.is_some()
            || !self.view.pending.is_empty()
            || matches!(self.connection, Connection::Connecting { .. })
            || self.is_starting()
    }

    /// Before the first step, while an engine is at work.
    pub fn is_starting(&self) -> bool {
        let alive = matches!(self.connection, Connection::Connecting { .. } | Connection::Live);
        alive && !self.run.is_over() && self.run.curves.loss.last().is_none()
    }

    /// Seconds since the connection last changed, by ticks.
    pub fn waited(&self) -> u64 {
        (self.view.ticks - self.view.since) / Self::TICKS
    }

    pub fn selected(&self) -> Option<&Layer> {
        self.run.layers.get(self.view.cursor)
    }

    /// Paused, or asked to pause and not yet answered.
    pub fn is_pausing(&self) -> bool {
        self.view.pending.pausing().unwrap_or(self.run.state == Some(State::Paused))
    }

    /// The learning rate that holds, or will once what was asked is answered.
    pub fn learning_rate(&self) -> Option<f64> {
        self.view.pending.learning_rate().or(self.run.learning_rate)
    }

    /// The explanation that belongs on the screen.
    pub fn explained(&self) -> Option<&Explained> {
        self.seen().map(|seen| seen.explained)
    }

    pub fn is_live(&self) -> bool {
        self.connection == Connection::Live && !self.run.is_over()
    }

    /// Whether the run ended before all its epochs were done, and may go on.
    pub fn is_unfinished(&self) -> bool {
        let how = self.run.ended.as_ref().map(|ended| &ended.how);
        matches!(how, Some(Ended::Failed { .. } | Ended::Stopped { .. }))
            && !matches!(self.connection, Connection::Connecting { .. })
    }

    /// Whether a box tells that the run failed or the connection is lost.
    pub fn is_told_of_an_end(&self) -> bool {
        let failed = matches!(self.run.ended.as_ref().map(|ended| &ended.how), Some(Ended::Failed { .. }));
        !self.view.dismissed && (failed || matches!(self.connection, Connection::Lost { .. }))
    }

    pub fn layout(&self) -> layout::Layout {
        layout::layout(self.view.size, self.view.page)
    }

    pub fn shows(&self, pane: Pane) -> bool {
        self.layout().pane(pane).is_some()
    }

    /// The lease that this screen needs: any, as long as somebody looks on, since a run waits for nobody else.
    pub fn wanted_watch(&self) -> Option<Watch> {
        if !self.is_live() {
            return None;
        }
        let scene = |scene, layer| Watch { layer, scene, ..Watch::default() };
        match self.view.page {
            Page::Layers => Some(scene(Scene::Probe, self.selected().map(|layer| layer.info.name.clone()))),
            Page::Machine => Some(scene(Scene::Machine, None)),
            Page::Mistakes => Some(self.verdict_wish().unwrap_or_else(|| scene(Scene::Figures, None))),
            _ if self.shows(Pane::Pictures) && self.looks_back().is_none() => Some(self.wish()),
            // What is kept of an epoch that is over costs nothing.
            _ => Some(scene(Scene::Figures, None)),
        }
    }

    /// Shown in place of the keys for a few seconds.
    pub fn notify(&mut self, tone: Tone, text: impl Into<String>) {
        const SECONDS: u64 = 6;
        self.view.notice = Some(Notice { tone, text: text.into(), until: self.view.ticks + SECONDS * Self::TICKS });
    }

    /// Why the run cannot be steered now.
    pub fn refusal(&self) -> Option<&'static str> {
        match &self.connection {
            Connection::Connecting { .. } => Some("the engine is still starting"),
            Connection::Lost { .. } => Some("there is no connection to the engine"),
            Connection::Replay | Connection::Live if self.run.is_over() => {
                Some("the run has ended; `frostline train --resume RUN --set train.epochs=N` trains on")
            }
            Connection::Replay => Some("no engine is at work on this run"),
            Connection::Live if self.view.pending.stopping() => Some("the run is being stopped"),
            Connection::Live => None,
        }
    }
}
