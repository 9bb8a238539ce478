//! What the home screen knows and where its cursor is. One message in, one effect out.

use crossterm::event::KeyCode;
use jiff::tz::TimeZone;

use super::{
    keys::{self, Act},
    view,
};
use crate::tui::{Appearance, Settings, keys::Chord, theme::Theme};

/// All that there is to show; it replaces what was told before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Live ones first, then the newest.
    pub runs: Vec<Run>,
    pub configurations: Vec<Configuration>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub name: String,
    pub mark: Mark,
    /// How it stands, in a word.
    pub state: String,
    pub model: String,
    /// Epochs done, of those planned.
    pub epoch: u32,
    pub epochs: u32,
    pub best_validation_accuracy: Option<f64>,
    pub test_accuracy: Option<f64>,
    /// Its course, in a few dozen readings.
    pub loss: Vec<f64>,
    /// Milliseconds since the Unix epoch of its newest event.
    pub latest_at_ms: Option<u64>,
}

/// What a run's mark and colour tell at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Live,
    Paused,
    Done,
    Stopped,
    Failed,
    /// Killed, and to be gone on with.
    Cut,
    New,
}

impl Mark {
    /// Whether an engine holds the run.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Paused)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// Its file, or the name of one that Frostline brings along.
    pub name: String,
    /// How its first comment begins.
    pub about: String,
}

/// What is under the cursor.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    Run(String),
    Configuration(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    Key(Chord),
    /// A press of the left button at this column and row.
    Press(u16, u16),
    /// Notches of the wheel, down.
    Wheel(isize),
    /// Columns and rows.
    Resize(u16, u16),
    Listing(Listing),
    /// Something that was asked for did not work.
    Trouble(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Open(Choice),
    Delete(String),
    Leave,
    Redraw,
}

/// What takes all keys while it is open.
#[derive(Clone, Debug, PartialEq)]
pub enum Asking {
    Filter,
    /// Whether to delete the run of this name.
    Delete(String),
    Help,
}

pub struct Home {
    /// `None` before it was told.
    pub listing: Option<Listing>,
    pub cursor: usize,
    pub filter: String,
    pub asking: Option<Asking>,
    pub notice: Option<Notice>,
    pub size: (u16, u16),
    pub appearance: Appearance,
    pub settings: Settings,
    pub zone: TimeZone,
    /// Where the cursor goes once it is there.
    wanted: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub text: String,
    pub bad: bool,
}

impl Home {
    pub fn new(appearance: Appearance, settings: Settings, size: (u16, u16), zone: TimeZone) -> Self {
        Self {
            listing: None,
            cursor: 0,
            filter: String::new(),
            asking: None,
            notice: None,
            size,
            appearance: settings.appearance(appearance),
            settings,
            zone,
            wanted: None,
        }
    }

    /// Begins with the cursor on this run, once it is listed.
    pub fn look_for(&mut self, run: Option<String>) {
        self.wanted = run;
    }

    pub fn theme(&self) -> Theme {
        Theme::new(self.appearance)
    }

    /// The runs that the filter leaves.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        let all = self.listing.iter().flat_map(|listing| &listing.runs);
        all.filter(|run| self.fits(&[&run.name, &run.state, &run.model]))
    }

    pub fn configurations(&self) -> impl Iterator<Item = &Configuration> {
        let all = self.listing.iter().flat_map(|listing| &listing.configurations);
        all.filter(|each| self.fits(&[&each.name, &each.about]))
    }

    /// Every word of the filter is in one of these, whatever its case.
    fn fits(&self, texts: &[&str]) -> bool {
        let words = self.filter.to_lowercase();
        words.split_whitespace().all(|word| texts.iter().any(|text| text.to_lowercase().contains(word)))
    }

    pub fn selected(&self) -> Option<Choice> {
        let runs = self.runs().map(|run| Choice::Run(run.name.clone()));
        let configurations = self.configurations().map(|each| Choice::Configuration(each.name.clone()));
        runs.chain(configurations).nth(self.cursor)
    }

    fn lines(&self) -> usize {
        self.runs().count() + self.configurations().count()
    }

    fn step(&mut self, by: isize) {
        let last = self.lines().saturating_sub(1) as isize;
        self.cursor = (self.cursor as isize).saturating_add(by).clamp(0, last) as usize;
    }

    /// The cursor stays on what it was on, wherever that is now.
    fn keep(&mut self, choice: Option<Choice>) {
        let runs = self.runs().map(|run| Choice::Run(run.name.clone()));
        let all = runs.chain(self.configurations().map(|each| Choice::Configuration(each.name.clone())));
        let found = choice.and_then(|choice| all.into_iter().position(|each| each == choice));
        if let Some(at) = found {
            self.cursor = at;
        }
        self.step(0);
    }

    /// The one way in which it changes.
    pub fn update(&mut self, msg: Msg) -> Option<Effect> {
        match msg {
            Msg::Key(chord) => return self.press(chord),
            Msg::Press(x, y) => return self.point(x, y),
            Msg::Wheel(notches) if self.asking.is_none() => self.step(notches),
            Msg::Wheel(_) => {}
            Msg::Resize(columns, rows) => self.size = (columns, rows),
            Msg::Listing(listing) => {
                let before = self.wanted.take().map(Choice::Run).or_else(|| self.selected());
                self.listing = Some(listing);
                self.keep(before);
            }
            Msg::Trouble(text) => self.notice = Some(Notice { text, bad: true }),
        }
        None
    }

    fn press(&mut self, chord: Chord) -> Option<Effect> {
        self.notice = None;
        match self.asking.take() {
            None => self.act(keys::find(chord, &self.settings.keymap)?),
            Some(Asking::Help) => None,
            Some(Asking::Delete(name)) => (chord == Chord::key('y')).then_some(Effect::Delete(name)),
            Some(Asking::Filter) => {
                self.type_filter(chord);
                None
            }
        }
    }

    /// Puts the cursor there; what it is on already is opened. A question is answered by keys alone.
    fn point(&mut self, x: u16, y: u16) -> Option<Effect> {
        if matches!(self.asking, Some(Asking::Delete(_) | Asking::Help)) {
            return None;
        }
        let at = view::item_at(self, (x, y))?;
        self.notice = None;
        if std::mem::replace(&mut self.cursor, at) == at { self.act(Act::Open) } else { None }
    }

    fn type_filter(&mut self, chord: Chord) {
        let selected = self.selected();
        let mut goes_on = true;
        if chord == Chord::code(KeyCode::Enter) {
            goes_on = false;
        } else if chord == Chord::code(KeyCode::Esc) || chord == Chord::control('c') {
            self.filter.clear();
            goes_on = false;
        } else if chord == Chord::code(KeyCode::Backspace) {
            self.filter.pop();
        } else if chord == Chord::control('u') {
            self.filter.clear();
        } else if let Some(letter) = chord.typed().filter(|letter| !letter.is_control() && self.filter.len() < 80) {
            self.filter.push(letter);
        }
        if goes_on {
            self.asking = Some(Asking::Filter);
        }
        self.keep(selected);
    }

    fn act(&mut self, act: Act) -> Option<Effect> {
        const PAGE: isize = 10;
        match act {
            Act::Down => self.step(1),
            Act::Up => self.step(-1),
            Act::PageDown => self.step(PAGE),
            Act::PageUp => self.step(-PAGE),
            Act::First => self.step(isize::MIN / 2),
            Act::Last => self.step(isize::MAX / 2),
            Act::Filter => self.asking = Some(Asking::Filter),
            Act::Help => self.asking = Some(Asking::Help),
            Act::Theme => self.appearance = self.appearance.with_scheme(self.appearance.next_scheme()),
            Act::Open => return self.selected().map(Effect::Open),
            Act::Delete => self.ask_to_delete(),
            Act::Close => {
                let selected = self.selected();
                self.filter.clear();
                self.keep(selected);
            }
            Act::Leave => return Some(Effect::Leave),
            Act::Redraw => return Some(Effect::Redraw),
        }
        None
    }

    fn ask_to_delete(&mut self) {
        let refuse = |text: String| Some(Notice { text, bad: true });
        match self.selected() {
            Some(Choice::Run(name)) => {
                let live = self.runs().any(|run| run.name == name && run.mark.is_live());
                if live {
                    self.notice = refuse(format!("{name} has an engine at work; stop it first"));
                } else {
                    self.asking = Some(Asking::Delete(name));
                }
            }
            Some(Choice::Configuration(_)) => self.notice = refuse("only runs can be deleted here".into()),
            None => {}
        }
    }
}
