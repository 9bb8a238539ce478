//! From what the home screen knows to cells. Drawing changes nothing but the frame.

use jiff::Timestamp;
use ratatui::{
    Frame,
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Clear, Widget},
};

use super::{
    keys::KEYS,
    list::{Asking, Choice, Configuration, Home, Mark, Run},
};
use crate::tui::{
    figures, guard,
    theme::{Role, Theme},
    view::{
        only_ascii,
        text::{as_fits, ends, trend},
    },
};

/// Cells of the columns after the name. What does not fit is left out, the last first.
const STATE: usize = 12;
const EPOCH: usize = 9;
const ACCURACY: usize = 8;
const WHEN: usize = 16;
const NAME: std::ops::RangeInclusive<usize> = 16..=48;

pub fn draw(home: &Home, frame: &mut Frame<'_>) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < 8 || area.height < 4 {
        return;
    }
    let theme = home.theme();
    let row = |y: u16| Rect { y, height: 1, ..area };
    head(home, &theme, row(0), buffer);
    body_of(home, &theme, place(area), buffer);
    about(home, &theme, row(area.height - 2), buffer);
    foot(home, &theme, row(area.height - 1), buffer);
    match &home.asking {
        Some(Asking::Delete(name)) => question(&theme, name, area, buffer),
        Some(Asking::Help) => help(home, &theme, area, buffer),
        Some(Asking::Filter) | None => {}
    }
    if home.appearance.ascii {
        only_ascii(buffer);
    }
}

fn head(home: &Home, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let title = Line::from(vec![
        Span::styled(format!(" {} ", theme.symbols.frost), theme.style(Role::Frozen)),
        Span::styled("frostline", theme.style(Role::Strong)),
    ]);
    let count = home.listing.as_ref().map(|listing| {
        let live = listing.runs.iter().filter(|run| run.mark.is_live()).count();
        let runs = listing.runs.len();
        let plural = if runs == 1 { "" } else { "s" };
        if live > 0 { format!("{runs} run{plural}, {live} going on ") } else { format!("{runs} run{plural} ") }
    });
    ends(title, Line::styled(count.unwrap_or_default(), theme.style(Role::Faint)), area, buffer);
}

/// A line of the list.
#[derive(Clone, Copy)]
enum Row {
    Runs,
    Configurations,
    Note(&'static str),
    Blank,
    /// One that the cursor can be on.
    Item(usize),
}

fn rows(home: &Home) -> Vec<Row> {
    let Some(listing) = &home.listing else { return vec![Row::Note("reading the runs")] };
    let runs = home.runs().count();
    let mut rows = vec![Row::Runs];
    if runs == 0 {
        let none = listing.runs.is_empty();
        rows.push(Row::Note(if none {
            "none yet: start one of the configurations below"
        } else {
            "none with these words"
        }));
    }
    rows.extend((0..runs).map(Row::Item));
    rows.extend([Row::Blank, Row::Configurations]);
    rows.extend((runs..runs + home.configurations().count()).map(Row::Item));
    rows
}

/// The place of the list on a screen of this size.
fn place(screen: Rect) -> Rect {
    Rect { x: 1, y: 2, width: screen.width.saturating_sub(2), height: screen.height.saturating_sub(4) }
}

/// The rows in sight with their places. The cursor is among them, with its section's title if that fits.
fn in_sight(home: &Home, area: Rect) -> impl Iterator<Item = (Row, Rect)> {
    let rows = rows(home);
    let cursor = rows.iter().position(|row| matches!(row, Row::Item(at) if *at == home.cursor)).unwrap_or(0);
    let height = usize::from(area.height);
    let first = (cursor + 2).saturating_sub(height).min(rows.len().saturating_sub(height));
    rows.into_iter().skip(first).zip(area.rows())
}

/// What the mouse points at, as the cursor counts.
pub fn item_at(home: &Home, (x, y): (u16, u16)) -> Option<usize> {
    let area = place(Rect::new(0, 0, home.size.0, home.size.1));
    in_sight(home, area).find_map(|(row, place)| match row {
        Row::Item(at) if place.contains((x, y).into()) => Some(at),
        _ => None,
    })
}

fn body_of(home: &Home, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let runs: Vec<&Run> = home.runs().collect();
    let configurations: Vec<&Configuration> = home.configurations().collect();
    let columns = Columns::of(width);
    for (row, place) in in_sight(home, area) {
        let line = match row {
            Row::Runs if runs.is_empty() => Line::styled("Runs", theme.style(Role::Accent)),
            Row::Runs => columns.heads(theme),
            Row::Configurations => Line::styled("Start a run of", theme.style(Role::Accent)),
            Row::Note(text) => Line::styled(format!("  {text}"), theme.style(Role::Faint)),
            Row::Blank => Line::default(),
            Row::Item(at) => match (runs.get(at), configurations.get(at.wrapping_sub(runs.len()))) {
                (Some(run), _) => columns.line(run, home, theme, at == home.cursor),
                (None, Some(each)) => configuration(each, theme, at == home.cursor, width),
                (None, None) => continue,
            },
        };
        line.render(place, buffer);
        if matches!(row, Row::Item(at) if at == home.cursor) {
            buffer.set_style(place, theme.style(Role::Selected));
        }
    }
}

/// Which columns there is room for, and how wide the name and the sparkline are.
struct Columns {
    name: usize,
    epoch: bool,
    accuracy: bool,
    when: bool,
    model: usize,
    spark: usize,
}

impl Columns {
    fn of(width: usize) -> Self {
        // The mark, the state and the least of a sparkline.
        let mut rest = width.saturating_sub(2 + STATE + 8 + 1);
        let name = (width * 2 / 5).clamp(*NAME.start(), *NAME.end()).min(rest);
        rest -= name;
        let mut take = |cells: usize| {
            let fits = rest > cells;
            rest -= if fits { cells + 1 } else { 0 };
            fits
        };
        let (epoch, accuracy, when) = (take(EPOCH), take(ACCURACY), take(WHEN));
        let model = if take(24) { 24 } else { 0 };
        Self { name, epoch, accuracy, when, model, spark: (8 + rest).min(40) }
    }

    fn heads(&self, theme: &Theme) -> Line<'static> {
        let ellipsis = theme.symbols.ellipsis;
        let left = |text: &str, cells: usize| guard::column(text, cells, ellipsis);
        let right = |text: &str, cells: usize| guard::column_right(text, cells, ellipsis) + " ";
        let mut heads = left("state", STATE);
        for (shown, text, cells) in [(self.epoch, "epoch", EPOCH), (self.accuracy, "best", ACCURACY)] {
            heads += &if shown { right(text, cells) } else { String::new() };
        }
        heads += &(left("train loss", self.spark) + " ");
        heads += &if self.when { right("newest event", WHEN) } else { String::new() };
        heads += &left("network", self.model);
        Line::from(vec![
            Span::styled(left("Runs", 2 + self.name) + " ", theme.style(Role::Accent)),
            Span::styled(heads, theme.style(Role::Faint)),
        ])
    }

    fn line(&self, run: &Run, home: &Home, theme: &Theme, selected: bool) -> Line<'static> {
        let (mark, role) = mark(run.mark, theme);
        let ellipsis = theme.symbols.ellipsis;
        let weight = if selected || run.mark.is_live() { Role::Strong } else { Role::Text };
        let mut spans = vec![
            Span::styled(format!("{mark} "), theme.style(role)),
            Span::styled(guard::column(&run.name, self.name, ellipsis) + " ", theme.style(weight)),
            Span::styled(guard::column(&run.state, STATE, ellipsis), theme.style(role)),
        ];
        let mut figure = |shown: bool, text: String, cells: usize| {
            if shown {
                spans.push(Span::raw(guard::column_right(&text, cells, ellipsis) + " "));
            }
        };
        let epoch = if run.epochs == 0 { String::new() } else { format!("{}/{}", run.epoch, run.epochs) };
        figure(self.epoch, epoch, EPOCH);
        figure(self.accuracy, run.best_validation_accuracy.map(figures::percent).unwrap_or_default(), ACCURACY);
        let spark = trend(theme, &run.loss, self.spark);
        spans.push(Span::styled(guard::column(&spark, self.spark, ellipsis) + " ", theme.style(Role::Train)));
        if self.when {
            let when = guard::column_right(&when(run, home), WHEN, ellipsis) + " ";
            spans.push(Span::styled(when, theme.style(Role::Faint)));
        }
        if self.model > 0 {
            spans.push(Span::styled(guard::column(&run.model, self.model, ellipsis), theme.style(Role::Faint)));
        }
        Line::from(spans)
    }
}

/// Colours are the mark's only by the way: each has a sign and a word too.
fn mark(mark: Mark, theme: &Theme) -> (&'static str, Role) {
    let symbols = theme.symbols;
    match mark {
        Mark::Live => (symbols.running, Role::Good),
        Mark::Paused => (symbols.paused, Role::Warning),
        Mark::Done => (symbols.check, Role::Accent),
        Mark::Stopped => (symbols.ended, Role::Text),
        Mark::Failed => (symbols.cross, Role::Bad),
        Mark::Cut => (symbols.warning, Role::Warning),
        Mark::New => (symbols.starting, Role::Faint),
    }
}

fn when(run: &Run, home: &Home) -> String {
    let at = run.latest_at_ms.and_then(|ms| Timestamp::from_millisecond(ms as i64).ok());
    at.map_or_else(String::new, |at| at.to_zoned_datetime(home.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string())
}

fn configuration(each: &Configuration, theme: &Theme, selected: bool, width: usize) -> Line<'static> {
    let name = (width * 2 / 5).clamp(*NAME.start(), 32).min(width.saturating_sub(2));
    let ellipsis = theme.symbols.ellipsis;
    let weight = if selected { Role::Strong } else { Role::Text };
    let rest = width.saturating_sub(name + 3);
    Line::from(vec![
        Span::styled(format!("{} ", theme.symbols.arrow), theme.style(Role::Faint)),
        Span::styled(guard::column(&each.name, name, ellipsis) + " ", theme.style(weight)),
        Span::styled(guard::fit(&each.about, rest, ellipsis), theme.style(Role::Faint)),
    ])
}

/// More of what is under the cursor, or what has to be told.
fn about(home: &Home, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (text, style): (String, Style) = match (&home.notice, home.selected()) {
        (Some(notice), _) => {
            let (mark, role) =
                if notice.bad { (theme.symbols.cross, Role::Bad) } else { (theme.symbols.check, Role::Good) };
            (format!("{mark} {}", notice.text), theme.style(role))
        }
        (None, Some(Choice::Run(name))) => {
            let run = home.runs().find(|run| run.name == name);
            let tested =
                run.and_then(|run| run.test_accuracy).map(|share| format!(", test {}", figures::percent(share)));
            let model = run.map(|run| run.model.clone()).unwrap_or_default();
            (format!("{name}: {model}{}", tested.unwrap_or_default()), theme.style(Role::Faint))
        }
        (None, Some(Choice::Configuration(name))) => {
            let about = home.configurations().find(|each| each.name == name).map(|each| each.about.clone());
            (about.unwrap_or_default(), theme.style(Role::Faint))
        }
        (None, None) => (String::new(), theme.style(Role::Faint)),
    };
    let text = guard::fit(&text, usize::from(area.width).saturating_sub(2), theme.symbols.ellipsis);
    Line::styled(format!(" {text}"), style).render(area, buffer);
}

fn foot(home: &Home, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let style = |role| theme.style(role);
    if home.asking == Some(Asking::Filter) {
        let line = Line::from(vec![
            Span::styled(" filter ", style(Role::Accent)),
            Span::styled(guard::clean(&home.filter).into_owned(), style(Role::Strong)),
            Span::styled("_", style(Role::Accent)),
            Span::styled("  Enter keeps it, Esc shows all", style(Role::Faint)),
        ]);
        return line.render(area, buffer);
    }
    let mut pieces = Vec::new();
    if !home.filter.is_empty() {
        let filter = guard::fit(&home.filter, 24, theme.symbols.ellipsis);
        pieces.push(vec![Span::styled(format!("/{filter}"), style(Role::Warning))]);
    }
    pieces.extend(KEYS.iter().filter_map(|key| {
        let (chord, hint) = (key.chords(&home.settings.keymap).first()?, key.hint?);
        let name = Span::styled(chord.to_string(), style(Role::Accent));
        Some(vec![name, Span::styled(format!(" {hint}"), style(Role::Faint))])
    }));
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    as_fits(pieces, "  ", inner.width.into()).render(inner, buffer);
}

fn question(theme: &Theme, name: &str, screen: Rect, buffer: &mut Buffer) {
    let lines = vec![
        (Role::Strong, "Delete this run?".to_owned()),
        (Role::Text, name.to_owned()),
        (Role::Text, "Its weights, curves and pictures are gone then.".to_owned()),
    ];
    let width = lines.iter().map(|(_, text)| guard::width(text)).max().unwrap_or(0) + 4;
    let inner =
        open(theme, "delete", "y deletes, any other key goes back", width, lines.len(), Role::Warning, screen, buffer);
    for ((role, text), row) in lines.into_iter().zip(inner.rows()) {
        let text = guard::fit(&text, inner.width.into(), theme.symbols.ellipsis);
        Line::styled(text, theme.style(role)).render(row, buffer);
    }
}

fn help(home: &Home, theme: &Theme, screen: Rect, buffer: &mut Buffer) {
    const NAMES: usize = 15;
    let inner = open(theme, "keys", "any key closes", 72, KEYS.len(), Role::Focus, screen, buffer);
    for (key, row) in KEYS.iter().zip(inner.rows()) {
        let names = guard::column(&key.names(&home.settings.keymap), NAMES, theme.symbols.ellipsis);
        let rest = usize::from(inner.width).saturating_sub(NAMES + 1);
        let line = Line::from(vec![
            Span::styled(names + " ", theme.style(Role::Strong)),
            Span::raw(guard::fit(key.help, rest, theme.symbols.ellipsis)),
        ]);
        line.render(row, buffer);
    }
}

/// A box in the middle; gives what is inside.
#[expect(clippy::too_many_arguments, reason = "all of it is what is drawn")]
fn open(
    theme: &Theme,
    title: &'static str,
    below: &'static str,
    width: usize,
    lines: usize,
    role: Role,
    screen: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let width = (width.max(guard::width(below) + 4) as u16).min(screen.width);
    let height = (lines as u16 + 2).min(screen.height);
    let area = Rect { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height };
    Clear.render(area, buffer);
    let block = Block::bordered()
        .border_set(theme.symbols.border)
        .border_style(theme.style(role))
        .title(Line::styled(format!(" {title} "), theme.style(Role::Accent)))
        .title_bottom(Line::styled(format!(" {below} "), theme.style(Role::Faint)));
    let inner = block.inner(area);
    block.render(area, buffer);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}
