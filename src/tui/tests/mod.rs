//! The dashboard as a person meets it: keys in, screens out. Scenarios are journals in `tests/scenarios`; keys are written as `jjf<enter>`.
#![allow(clippy::unwrap_used)]

mod alarms;
mod command_line;
mod curves;
mod keys;
mod meters;
mod pages;
mod screens;
mod terminal;

use std::{io::Cursor, path::Path};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use image::{ImageFormat, Rgb, RgbImage};
use jiff::tz::TimeZone;
use ratatui::{Terminal, backend::TestBackend};

use super::{Appearance, Connection, Effect, Model, Msg, draw, update};
use crate::{
    event::{Event, Picture, PictureKind, Stamped, Suspect},
    picture::{Colormap, Depth, columns_for, grid, mosaic, overlay},
};

pub const COLOURS: Appearance = Appearance::new(Depth::True, false);

/// A dashboard on which `scenario` has been played.
pub fn open(scenario: &str, size: (u16, u16), appearance: Appearance) -> Model {
    let mut model =
        Model::new(appearance, Connection::Connecting { what: "reading the journal".into() }, size, TimeZone::UTC);
    for stamped in journal(scenario) {
        update(&mut model, Msg::Event(stamped));
    }
    let effects = update(&mut model, Msg::Connection(Connection::Live));
    deliver(&mut model, effects);
    model
}

/// A run that waits after a step whose gradient was not finite, and had skipped one before it.
pub fn alarmed(size: (u16, u16)) -> Model {
    let mut model = open("mid_run.jsonl", size, COLOURS);
    alarms::go_wrong(&mut model);
    model
}

pub fn journal(scenario: &str) -> Vec<Stamped> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(scenario);
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One more event, as an engine would say it now.
pub fn say(model: &mut Model, event: Event) -> Vec<Effect> {
    let clock = model.run.clock;
    let stamped = Stamped { seq: clock.seq.map_or(0, |s| s + 1), at_ms: clock.now_ms + 50, event };
    update(model, Msg::Event(stamped))
}

/// Hands over every picture that `effects` ask for.
pub fn deliver(model: &mut Model, effects: Vec<Effect>) {
    for effect in effects {
        let Effect::FetchBlob(hash) = effect else { continue };
        let all = model.run.explained.iter().chain(&model.run.kept);
        let cases = model.run.mistakes.iter().flat_map(|found| &found.cases).filter_map(|case| case.picture.as_ref());
        let picture = all.flat_map(|e| &e.pictures).chain(cases).find(|p| p.blob == hash);
        let suspect = || model.run.alarms.iter().flat_map(|alarm| &alarm.images).find(|image| image.blob == hash);
        let png = png(&picture.map(drawn).or_else(|| Some(suspected(suspect()?))).unwrap_or_else(filters));
        update(model, Msg::Blob { hash, png });
    }
}

pub fn png(image: &RgbImage) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

/// A picture of the right kind: a bright disc on a blue ground, stripes for channels, heat in one corner.
fn drawn(picture: &Picture) -> RgbImage {
    let sample = RgbImage::from_fn(64, 64, |x, y| {
        let (dx, dy) = (f64::from(x) - 32.0, f64::from(y) - 28.0);
        if dx.hypot(dy) < 20.0 { Rgb([230, 190, 120]) } else { Rgb([30, 60 + y as u8, 110]) }
    });
    match &picture.kind {
        PictureKind::Sample => sample,
        PictureKind::Activations { .. } => {
            let values: Vec<f32> = (0..32 * 8 * 8).map(|i| ((i * (1 + i / 64)) % 13) as f32).collect();
            grid(&values, [32, 8, 8], columns_for(32, 8, 8, 1.0), Colormap::Viridis)
        }
        PictureKind::GradCam { .. } => overlay(&sample, &[1.0, 0.3, 0.2, 0.0], [2, 2], 0.4, Colormap::Jet),
        // Another corner is hot in each epoch.
        PictureKind::Heat { .. } => {
            let epoch: u32 = picture.blob.rsplit('-').next().unwrap().parse().unwrap();
            RgbImage::from_fn(2, 2, |x, y| Rgb([if 2 * y + x == epoch % 4 { 255 } else { 40 }; 3]))
        }
    }
}

/// Of a batch that went wrong: each of another shade.
fn suspected(image: &Suspect) -> RgbImage {
    let shade = (image.sample * 7 % 200) as u8;
    RgbImage::from_fn(16, 16, |x, y| if x + y < 16 { Rgb([shade, 90, 200 - shade]) } else { Rgb([20, 30, 40]) })
}

fn filters() -> RgbImage {
    let one = |shade: u8| RgbImage::from_fn(8, 8, |x, y| Rgb([(x * 30) as u8, (y * 30) as u8, shade]));
    mosaic(&(0..16).map(|filter| one(filter * 16)).collect::<Vec<_>>(), 4)
}

/// Presses keys and gathers what they cause.
pub fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    parse(keys).into_iter().flat_map(|key| update(model, Msg::Key(key))).collect()
}

/// `jjf<enter>`, `<c-l>`: single characters, and names between angle brackets.
fn parse(keys: &str) -> Vec<KeyEvent> {
    let mut out = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let (code, modifiers, used) = match rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
            Some((name, _)) => {
                let (code, modifiers) = named(name);
                (code, modifiers, name.len() + 2)
            }
            None => (KeyCode::Char(c), KeyModifiers::NONE, c.len_utf8()),
        };
        out.push(KeyEvent::new(code, modifiers));
        rest = &rest[used..];
    }
    out
}

fn named(name: &str) -> (KeyCode, KeyModifiers) {
    if let Some(c) = name.strip_prefix("c-").and_then(|c| c.chars().next()) {
        return (KeyCode::Char(c), KeyModifiers::CONTROL);
    }
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "s-tab" => KeyCode::BackTab,
        "up" => KeyCode::Up,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "down" => KeyCode::Down,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "backspace" => KeyCode::Backspace,
        other => panic!("no key is called {other}"),
    };
    (code, KeyModifiers::NONE)
}

pub fn screen(model: &Model) -> Terminal<TestBackend> {
    let (columns, rows) = model.view.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(model, frame)).unwrap();
    terminal
}
