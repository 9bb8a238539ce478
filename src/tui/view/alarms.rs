//! A step that went wrong: what happened and where it began, the images of its batch, what was done, and what a person can do now.

use std::fmt::Write as _;

use ratatui::{
    buffer::Buffer,
    layout::{Margin, Rect},
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    Place,
    text::{as_fits, trend},
    tiles::{self, Tile},
};
use crate::{
    event::{Alarm, Found, Picture, PictureKind, Suspect},
    tui::{
        alarms, figures, guard,
        model::Model,
        page::{Page, Pane},
        theme::{Role, Theme},
    },
};

/// Words beside the pictures have at least so many columns.
const WORDS: u16 = 38;
/// With less there are words only.
const LEAST: (u16, u16) = (66, 8);

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let Some((alarm, number)) = model.alarm() else {
        let title = Line::styled(Page::Alarms.name(), theme.style(Role::Accent));
        let area = place.open(&theme, title, buffer);
        Line::styled("no step went wrong", theme.style(Role::Good)).render(area, buffer);
        return;
    };
    let dot = format!(" {} ", theme.symbols.separator);
    let faint = |text: String| vec![Span::styled(text, theme.style(Role::Faint))];
    let of = model.run.alarms.len();
    let mut title = vec![vec![Span::styled("a step that went wrong", theme.style(Role::Accent))]];
    title.push(vec![Span::styled(format!("step {}", figures::count(alarm.step + 1)), theme.style(Role::Warning))]);
    title.push(faint(format!("epoch {}", alarm.epoch)));
    if of > 1 {
        title.push(faint(format!("{number} of {of}")));
    }
    let area = place.open(&theme, as_fits(title, &dot, usize::from(place.area.width).saturating_sub(4)), buffer);
    let parts = Parts::of(area);
    words(model, &theme, alarm, parts.words, buffer);
    if let Some(pictures) = parts.pictures {
        batch(model, &theme, alarm, pictures, buffer);
    }
}

struct Parts {
    words: Rect,
    /// With the line of the chosen image below.
    pictures: Option<Rect>,
}

impl Parts {
    /// Words at the left, pictures in the rest.
    fn of(area: Rect) -> Self {
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return Self { words: area, pictures: None };
        }
        let words = Rect { width: (area.width * 2 / 5).clamp(WORDS, 60), ..area };
        let pictures = Rect { x: words.right() + 2, width: area.width - words.width - 2, ..area };
        Self { words, pictures: Some(pictures) }
    }
}

/// From the top what happened, at the bottom what to do: of both the first lines stay where room is short.
fn words(model: &Model, theme: &Theme, alarm: &Alarm, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let tell = |role: Role, text: &str| {
        guard::wrap(text, width).into_iter().map(move |line| Line::styled(line, theme.style(role))).collect::<Vec<_>>()
    };
    let mut told = tell(Role::Bad, &format!("{} {}", theme.symbols.cross, alarm.what()));
    told.extend(tell(Role::Text, &figures_of(alarm)));
    told.extend(course(model, theme, alarm, width.saturating_sub(12)));
    let (role, text) = beginning(alarm);
    told.extend(tell(role, &text));
    told.extend(tell(Role::Text, &alarms::done(alarm)));
    let remedies = model.remedies();
    let mut keys = Vec::new();
    if remedies.is_empty() {
        let advice =
            "train.on_nonfinite and [train.loss_spike] say what a run does then: pause, skip or warn, rollback, stop";
        keys.extend(guard::wrap(advice, width).into_iter().map(|line| Line::styled(line, theme.style(Role::Faint))));
    } else {
        let wide = remedies.iter().map(|(key, _)| guard::width(key)).max().unwrap_or(1);
        for (key, does) in remedies {
            for (at, line) in guard::wrap(&does, width.saturating_sub(wide + 1)).into_iter().enumerate() {
                let key = if at == 0 { key.as_str() } else { "" };
                keys.push(Line::from(vec![
                    Span::styled(guard::column(key, wide + 1, ""), theme.style(Role::Accent)),
                    Span::styled(line, theme.style(Role::Text)),
                ]));
            }
        }
    }
    let rows = usize::from(area.height);
    // At least half of the rows for what happened, as far as it needs them.
    let below = keys.len().min(rows.saturating_sub(told.len().min(rows.div_ceil(2))));
    let above = told.len().min(rows - below);
    let gap = usize::from(rows > above + below);
    for (line, row) in told.into_iter().take(above).zip(area.rows()) {
        line.render(row, buffer);
    }
    for (line, row) in keys.into_iter().take(below).zip(area.rows().skip(above + gap)) {
        line.render(row, buffer);
    }
}

fn figures_of(alarm: &Alarm) -> String {
    let mut text = match alarm.found {
        // Its sentence has the loss.
        Found::Spike { .. } => String::new(),
        Found::NonFinite { .. } => format!("loss {}, ", figures::loss(alarm.loss)),
    };
    if let Some(rate) = alarm.learning_rate {
        let _ = write!(text, "rate {}, ", figures::rate(rate));
    }
    text + &format!("{} images", figures::count(alarm.count.into()))
}

/// In which layers it began, and where it went from there.
fn beginning(alarm: &Alarm) -> (Role, String) {
    match (&alarm.found, &alarm.layers[..]) {
        (Found::Spike { .. }, _) => (Role::Faint, "a leap begins in no layer: all numbers are finite".into()),
        (_, []) => (Role::Faint, "in no layer: the loss alone is not finite".into()),
        (_, [only]) => (Role::Warning, format!("it began in {only}")),
        (_, [first, others @ ..]) => (Role::Warning, format!("it began in {first}, then {}", others.join(", "))),
    }
}

/// The loss of the steps before it.
fn course(model: &Model, theme: &Theme, alarm: &Alarm, width: usize) -> Option<Line<'static>> {
    let buckets = model.run.curves.loss.buckets();
    let before = &buckets[..buckets.partition_point(|bucket| bucket.step <= alarm.step + 1)];
    let newest: Vec<f64> = before[before.len().saturating_sub(width.min(40))..].iter().map(|b| b.mean).collect();
    (newest.len() > 1).then(|| {
        Line::from(vec![
            Span::styled("loss before ", theme.style(Role::Faint)),
            Span::styled(trend(theme, &newest, width), theme.style(Role::Train)),
        ])
    })
}

/// The images as far as they are kept, and in words the chosen one.
fn batch(model: &Model, theme: &Theme, alarm: &Alarm, area: Rect, buffer: &mut Buffer) {
    let chosen = model.view.alarms.image.min(alarm.images.len().saturating_sub(1));
    for (at, place) in tiles_in(model, alarm, area) {
        let image = &alarm.images[at];
        let picture = Picture { kind: PictureKind::Sample, blob: image.blob.clone(), width: 0, height: 0 };
        let tile = if image.blob.is_empty() { Tile::Words("no picture".into()) } else { Tile::Picture(&picture, None) };
        tiles::draw(model, theme, &tile, &captions(model, image), place, buffer);
        if at == chosen && place.height >= 3 {
            let caption = Rect { y: place.bottom() - 1, height: 1, ..place };
            buffer.set_style(caption, theme.style(Role::Selected));
        }
    }
    let Some(image) = alarm.images.get(chosen) else { return };
    let mut pieces = vec![
        vec![Span::styled(guard::clean(&image.name).into_owned(), theme.style(Role::Strong))],
        vec![Span::styled(
            image.label.map_or_else(String::new, |label| model.run.class(label)),
            theme.style(Role::Text),
        )],
    ];
    pieces.retain(|piece| piece.iter().any(|span| !span.content.is_empty()));
    pieces.push(vec![Span::styled(format!("{} of {}", chosen + 1, alarm.images.len()), theme.style(Role::Faint))]);
    let missing = u64::from(alarm.count).saturating_sub(alarm.images.len() as u64);
    if missing > 0 {
        pieces.push(vec![Span::styled(format!("{missing} more are not kept"), theme.style(Role::Faint))]);
    }
    let row = Rect { y: area.bottom() - 1, height: 1, ..area };
    as_fits(pieces, &format!(" {} ", theme.symbols.separator), area.width.into()).render(row, buffer);
}

/// The longest first: class and file, the file, its class.
fn captions(model: &Model, image: &Suspect) -> Vec<String> {
    let name = guard::clean(&image.name).into_owned();
    let file = name.rsplit('/').next().unwrap_or(&name).to_owned();
    match image.label.map(|label| model.run.class(label)) {
        Some(class) => vec![format!("{class}: {file}"), class],
        None => vec![file, image.sample.to_string()],
    }
}

fn tiles_in(model: &Model, alarm: &Alarm, area: Rect) -> Vec<(usize, Rect)> {
    let area = Rect { height: area.height - 1, ..area };
    let last = alarm.images.len().saturating_sub(1);
    if model.view.alarms.alone && !alarm.images.is_empty() {
        return tiles::boxes(1, area).into_iter().map(|place| (model.view.alarms.image.min(last), place)).collect();
    }
    tiles::boxes(alarm.images.len() as u16, area).into_iter().enumerate().collect()
}

/// The images that are on the page, by their place in the batch, and where.
pub fn suspects_shown(model: &Model) -> Vec<(usize, Rect)> {
    let layout = model.layout();
    let Some((area, (alarm, _))) = layout.pane(Pane::Alarms).zip(model.alarm()) else { return Vec::new() };
    let inside = if layout.compact {
        Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
    } else {
        area.inner(Margin::new(1, 1))
    };
    Parts::of(inside).pictures.map_or_else(Vec::new, |area| tiles_in(model, alarm, area))
}

/// The image at a place on the screen.
pub fn suspect_at(model: &Model, at: (u16, u16)) -> Option<usize> {
    suspects_shown(model).into_iter().find(|(_, place)| place.contains(at.into())).map(|(image, _)| image)
}
