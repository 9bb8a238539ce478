//! The page of the machine: how busy processor, memory, card and disk are, over time and to scale, and the whole log beside it. What is
//! measured is [`super::gauges`]'s.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    Place, area, cores,
    gauges::{self, Gauge, bytes},
    log,
    text::{as_fits, bar, ends},
};
use crate::{
    event::Load,
    tui::{
        figures, guard,
        model::Model,
        theme::{Role, Theme},
    },
};

/// At least so much of the past.
const LEAST_MS: u64 = 60_000;
/// And at most so much, unless the run is looked back at.
const MOST_MS: u64 = 15 * 60_000;

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let (meters, lines) = split(place.area);
    if let Some(meters) = meters {
        draw_meters(model, Place { area: meters, ..place }, buffer);
    }
    log::draw(model, Place { area: lines, ..place }, buffer);
}

/// Side by side where it is wide; one above the other where it is high enough; else the log alone.
fn split(area: Rect) -> (Option<Rect>, Rect) {
    if area.width >= 110 {
        let left = Rect { width: area.width / 2, ..area };
        return (Some(left), Rect { x: left.right(), width: area.width - left.width, ..area });
    }
    if area.height < 12 {
        return (None, area);
    }
    let above = Rect { height: area.height * 3 / 5, ..area };
    (Some(above), Rect { y: above.bottom(), height: area.height - above.height, ..area })
}

fn draw_meters(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let readings = &model.run.machine;
    let now_ms = model.run.clock.now_ms;
    let begun = readings.iter().next().map_or(now_ms, |(at, _)| at);
    let span_ms = now_ms.saturating_sub(begun).clamp(LEAST_MS, MOST_MS);
    let mut title = vec![vec![Span::styled("machine", theme.style(Role::Accent))]];
    let faint = |text: String| vec![Span::styled(text, theme.style(Role::Faint))];
    if let Some(device) = &model.run.device {
        title.push(faint(guard::clean(&device.name).into_owned()));
    }
    title.push(faint(format!("the last {}", figures::time_taken(span_ms as f64 / 1000.0))));
    let dot = format!(" {} ", theme.symbols.separator);
    let inside = place.open(&theme, as_fits(title, &dot, usize::from(place.area.width).saturating_sub(4)), buffer);
    let Some(load) = readings.newest() else {
        let text = if model.is_live() { "the first reading is on its way" } else { "nothing was read in this run" };
        Line::styled(text, theme.style(Role::Faint)).render(Rect { height: inside.height.min(1), ..inside }, buffer);
        return;
    };
    let span = gauges::Span { now_ms, span_ms, columns: 0 };
    let pane = Pane { model, theme: &theme, load, span, area: inside };
    if inside.height >= 3 * gauges::count(load) + Pane::FIXED { pane.charts(buffer) } else { pane.lines(buffer) }
}

struct Pane<'a> {
    model: &'a Model,
    theme: &'a Theme,
    load: &'a Load,
    /// Without its columns, which are settled by the width of the graphs.
    span: gauges::Span,
    area: Rect,
}

impl Pane<'_> {
    /// Rows besides the charts: cores, the axis of time, the disk, the run's own files, and a card that there is none of.
    const FIXED: u16 = 5;
    /// Cells of a name and of a figure, in rows that stand below each other.
    const NAME: usize = 12;
    const NOW: usize = 9;

    fn gauges(&self, columns: usize) -> Vec<Gauge> {
        gauges::all(self.model, self.load, gauges::Span { columns, ..self.span })
    }

    /// A chart for each, with its scale at the left and the time below the last.
    fn charts(&self, buffer: &mut Buffer) {
        /// Higher graphs say nothing more.
        const MOST: u16 = 12;
        let (theme, area) = (self.theme, self.area);
        let rows_of_cores = cores::rows(self.load.cores.len(), area.width, (area.height / 8).max(1));
        let fixed = Self::FIXED - 1 + rows_of_cores;
        // The scales stand below each other, so the widest of their labels settles where all graphs begin.
        let scale = self.gauges(0).iter().map(|gauge| guard::width(&gauge.top)).max().unwrap_or(0) as u16 + 1;
        let graphs = area.width.saturating_sub(scale);
        let gauges = self.gauges(area::columns(theme, graphs));
        let (count, rows) = (gauges.len() as u16, area.height.saturating_sub(fixed));
        let mut top = area.y;
        for (at, gauge) in (0..).zip(&gauges) {
            let height = (rows / count + u16::from(at < rows % count)).min(MOST);
            let place = Rect { y: top, height, ..area }.intersection(area);
            chart(theme, gauge, scale, place, buffer);
            top += height;
            if gauge.name == "processor" && rows_of_cores > 0 {
                let place = Rect { y: top, height: rows_of_cores, ..area }.intersection(area);
                cores::draw(theme, &self.load.cores, place, buffer);
                top += rows_of_cores;
            }
        }
        let row = |y: u16| Rect { y, height: 1, ..area }.intersection(area);
        let axis = Rect { x: area.x + scale, width: graphs, ..row(top) };
        let ago = format!("{} ago", figures::time_taken(self.span.span_ms as f64 / 1000.0));
        let faint = theme.style(Role::Faint);
        ends(Line::styled(ago, faint), Line::styled("now", faint), axis, buffer);
        self.below(Rect { y: top + 1, height: area.bottom().saturating_sub(top + 1), ..area }, buffer);
    }

    /// A row for each, where there is no room for more.
    fn lines(&self, buffer: &mut Buffer) {
        let (theme, area) = (self.theme, self.area);
        let words = Self::NAME + Self::NOW + 2;
        let graph = (usize::from(area.width).saturating_sub(words) / 2).min(40);
        let gauges = self.gauges(area::columns(theme, graph as u16));
        let mut top = area.y;
        let mut next = || {
            top += 1;
            Rect { y: top - 1, height: 1, ..area }.intersection(area)
        };
        for gauge in &gauges {
            let row = next();
            let mut said = vec![self.lead(gauge.name, &gauge.now)];
            said.extend(self.words(gauge.figures.iter().chain(&gauge.range)));
            let room = usize::from(area.width).saturating_sub(graph + 2);
            as_fits(said, "  ", room).render(row, buffer);
            let graph = Rect { x: area.right().saturating_sub(graph as u16), width: graph as u16, ..row };
            area::draw(theme, &gauge.course, gauge.tone, graph.intersection(row), buffer);
            if gauge.name == "processor" && self.load.cores.len() > 1 {
                cores::draw(theme, &self.load.cores, next(), buffer);
            }
        }
        self.below(Rect { y: top, height: area.bottom().saturating_sub(top), ..area }, buffer);
    }

    fn lead(&self, name: &str, now: &str) -> Vec<Span<'static>> {
        vec![
            Span::styled(guard::column(name, Self::NAME, ""), self.theme.style(Role::Accent)),
            Span::styled(guard::column_right(now, Self::NOW, ""), self.theme.style(Role::Strong)),
        ]
    }

    fn words<'a>(&self, texts: impl Iterator<Item = &'a String>) -> Vec<Vec<Span<'static>>> {
        let faint = self.theme.style(Role::Faint);
        texts.map(|text| vec![Span::styled(guard::clean(text).into_owned(), faint)]).collect()
    }

    /// The disk as a gauge, what of it is the run's own, and whether there is a card.
    fn below(&self, area: Rect, buffer: &mut Buffer) {
        let Self { theme, load, model, .. } = self;
        let mut rows = area.rows();
        if let Some(row) = rows.next().filter(|_| load.disk_total > 0) {
            let used = load.disk_total - load.disk_free.min(load.disk_total);
            let share = used as f64 / load.disk_total as f64;
            let mut said = vec![self.lead("disk", &figures::whole_percent(share))];
            said.push(bar(theme, share, 20.min(usize::from(area.width) / 6), area::Tone::Full.role(share)));
            let texts = [
                format!("{} free of {}", bytes(load.disk_free), bytes(load.disk_total)),
                format!("{} used", bytes(used)),
            ];
            said.extend(self.words(texts.iter()));
            as_fits(said, "  ", area.width.into()).render(row, buffer);
        }
        if let Some((taken, row)) = load.run_bytes.and_then(|taken| Some((taken, rows.next()?))) {
            let mut said = vec![self.lead("this run", &bytes(taken))];
            let growth = gauges::growth(&model.run.machine, self.span).map(|growth| match growth {
                ..0.0 => format!("shrinks by {} a minute", bytes(-growth as u64)),
                _ => format!("grows by {} a minute", bytes(growth as u64)),
            });
            said.extend(self.words(growth.iter().chain(std::iter::once(&"in its folder".to_owned()))));
            as_fits(said, "  ", area.width.into()).render(row, buffer);
        }
        let device = model.run.device.as_ref().map(|device| device.device.as_str());
        let why = match device {
            Some("cpu") if load.card.is_none() => "none is used: this run computes on the processor",
            Some(_) if load.card.is_none() => "its driver tells nothing of it (NVML cannot be read)",
            _ => return,
        };
        if let Some(row) = rows.next() {
            let name = guard::column("card", Self::NAME, "");
            let line = vec![
                Span::styled(name, theme.style(Role::Accent)),
                Span::styled(format!("  {why}"), theme.style(Role::Faint)),
            ];
            Line::from(line).render(row, buffer);
        }
    }
}

/// What it is in words, what it went through at the right, and below them its course between 0 and the end of the scale.
fn chart(theme: &Theme, gauge: &Gauge, scale: u16, place: Rect, buffer: &mut Buffer) {
    if place.height == 0 {
        return;
    }
    let faint = theme.style(Role::Faint);
    let mut pieces = vec![vec![
        Span::styled(gauge.name, theme.style(Role::Accent)),
        Span::raw("  "),
        Span::styled(gauge.now.clone(), theme.style(Role::Strong)),
    ]];
    pieces.extend(gauge.figures.iter().map(|text| vec![Span::styled(guard::clean(text).into_owned(), faint)]));
    let range = gauge.range.clone().unwrap_or_default();
    let room = usize::from(place.width).saturating_sub(guard::width(&range) + 2);
    let words = as_fits(pieces, "  ", room);
    ends(words, Line::styled(range, faint), Rect { height: 1, ..place }, buffer);
    let graph =
        Rect { x: place.x + scale, y: place.y + 1, width: place.width.saturating_sub(scale), height: place.height - 1 };
    let last = graph.height.saturating_sub(1);
    for (at, row) in (0..).zip(graph.rows()) {
        let label = match at {
            0 => gauge.top.as_str(),
            at if at == last => "0",
            _ => "",
        };
        let symbol = if label.is_empty() { theme.symbols.axis } else { theme.symbols.axis_tick_left };
        let label = guard::column_right(label, usize::from(scale).saturating_sub(1), "");
        let axis = Rect { x: place.x, width: scale, ..row };
        Line::from(vec![Span::styled(label, faint), Span::styled(symbol, theme.style(Role::Border))])
            .render(axis, buffer);
    }
    area::draw(theme, &gauge.course, gauge.tone, graph, buffer);
}
