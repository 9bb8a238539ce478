//! The page of the machine: how busy processor, memory, card and disk are, over time, and the whole log beside it.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{Place, area, log, text::as_fits};
use crate::{
    event::Load,
    tui::{
        figures, guard,
        model::Model,
        theme::{Role, Theme},
    },
};

/// One thing that is measured: figures now, and its course.
struct Gauge {
    name: &'static str,
    /// The most telling first; what does not fit is left out.
    figures: Vec<String>,
    /// 0–1; `None` where nothing was read.
    course: Vec<Option<f64>>,
    tone: area::Tone,
}

/// At least so much of the past.
const LEAST_MS: u64 = 2 * 60_000;
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
    let now = model.run.clock.now_ms;
    let begun = readings.iter().next().map_or(now, |(at, _)| at);
    let span = now.saturating_sub(begun).clamp(LEAST_MS, MOST_MS);
    let mut title = vec![vec![Span::styled("machine", theme.style(Role::Accent))]];
    let faint = |text: String| vec![Span::styled(text, theme.style(Role::Faint))];
    if let Some(device) = &model.run.device {
        title.push(faint(guard::clean(&device.name).into_owned()));
    }
    title.push(faint(format!("the last {}", figures::time_taken(span as f64 / 1000.0))));
    let dot = format!(" {} ", theme.symbols.separator);
    let inside = place.open(&theme, as_fits(title, &dot, usize::from(place.area.width).saturating_sub(4)), buffer);
    let Some(load) = readings.newest() else {
        let text = if model.is_live() { "the first reading is on its way" } else { "nothing was read in this run" };
        Line::styled(text, theme.style(Role::Faint)).render(Rect { height: inside.height.min(1), ..inside }, buffer);
        return;
    };
    let gauges = gauges(model, load, area::columns(&theme, inside.width), span);
    let (heights, with_cores) = heights(inside.height, gauges.len() as u16, load.cores.len());
    let mut top = inside.y;
    if with_cores {
        cores(&theme, load, Rect { y: top, height: 1, ..inside }, buffer);
        top += 1;
    }
    for (gauge, height) in gauges.iter().zip(heights) {
        draw_gauge(&theme, gauge, Rect { y: top, height, ..inside }.intersection(inside), buffer);
        top += height;
    }
}

/// Rows for each gauge, as even as they can be, and whether there is one for the cores.
fn heights(rows: u16, gauges: u16, cores: usize) -> (Vec<u16>, bool) {
    /// Higher graphs say nothing more.
    const MOST: u16 = 7;
    let with_cores = cores > 1 && rows > 2 * gauges;
    let rows = rows - u16::from(with_cores);
    let shown = gauges.min(rows);
    let each = |at: u16| (rows / shown.max(1) + u16::from(at < rows % shown.max(1))).min(MOST);
    ((0..shown).map(each).collect(), with_cores)
}

fn gauges(model: &Model, load: &Load, columns: usize, span: u64) -> Vec<Gauge> {
    let run = &model.run;
    let course = |of: &dyn Fn(&Load) -> Option<f64>| run.machine.columns(columns, span, run.clock.now_ms, of);
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let most = |of: fn(&Load) -> f64| run.machine.iter().map(|(_, load)| of(load)).fold(f64::MIN_POSITIVE, f64::max);
    let mut all = Vec::new();
    if let Some(card) = &load.card {
        let utilisation = |load: &Load| load.card.as_ref().map(|card| card.utilisation);
        let mut said = vec![figures::whole_percent(card.utilisation)];
        said.extend(card.power.map(|watts| match card.power_limit {
            Some(limit) => format!("{watts:.0} of {limit:.0} W"),
            None => format!("{watts:.0} W"),
        }));
        said.extend(card.temperature.map(|degrees| format!("{degrees:.0} °C")));
        said.push(card.name.clone());
        all.push(Gauge { name: "card", figures: said, course: course(&utilisation), tone: area::Tone::Busy });
        let memory = |load: &Load| load.card.as_ref().and_then(|card| share(card.memory_used, card.memory_total));
        let said = vec![of(card.memory_used, card.memory_total)];
        all.push(Gauge { name: "card memory", figures: said, course: course(&memory), tone: area::Tone::Full });
    }
    let mut said = vec![
        figures::whole_percent(load.processor),
        format!("own {}", figures::whole_percent(load.own_processor)),
        format!("load {:.1}", load.load_average),
    ];
    said.extend(load.temperature.map(|degrees| format!("{degrees:.0} °C")));
    let of_processor = |load: &Load| Some(load.processor);
    all.push(Gauge { name: "processor", figures: said, course: course(&of_processor), tone: area::Tone::Busy });
    let memory = |load: &Load| share(load.memory_used, load.memory_total);
    let said = vec![of(load.memory_used, load.memory_total), format!("own {}", bytes(load.own_memory))];
    all.push(Gauge { name: "memory", figures: said, course: course(&memory), tone: area::Tone::Full });
    let held = load.tensors;
    let peak = most(|load| load.tensors.peak as f64);
    let tensors = |load: &Load| Some(load.tensors.used as f64 / peak);
    let said = vec![bytes(held.used), format!("spare {}", bytes(held.spare)), format!("peak {}", bytes(held.peak))];
    all.push(Gauge { name: "tensors", figures: said, course: course(&tensors), tone: area::Tone::Calm });
    let waits: Vec<f64> = run.curves.data_wait.buckets().iter().map(|bucket| bucket.mean).collect();
    let said = vec![
        run.latest.as_ref().map_or_else(|| "–".into(), |steps| figures::percent(steps.data_wait)),
        "of the steps' time".into(),
    ];
    all.push(Gauge { name: "waiting for data", figures: said, course: last(&waits, columns), tone: area::Tone::Busy });
    let disk = |load: &Load| share(load.disk_total - load.disk_free.min(load.disk_total), load.disk_total);
    let said = vec![format!("{} free of {}", bytes(load.disk_free), bytes(load.disk_total))];
    all.push(Gauge { name: "disk", figures: said, course: course(&disk), tone: area::Tone::Full });
    all
}

/// The newest of them, at the right.
fn last(values: &[f64], columns: usize) -> Vec<Option<f64>> {
    let shown = &values[values.len().saturating_sub(columns)..];
    let missing = std::iter::repeat_n(None, columns - shown.len());
    missing.chain(shown.iter().map(|value| Some(*value).filter(|value| value.is_finite()))).collect()
}

fn of(part: u64, whole: u64) -> String {
    format!("{} of {}", bytes(part), bytes(whole))
}

/// `1.4 GB`: powers of 1000, as discs and cards are sold.
fn bytes(count: u64) -> String {
    match count {
        0..1_000_000 => format!("{} kB", count / 1000),
        1_000_000..1_000_000_000 => format!("{} MB", count / 1_000_000),
        1_000_000_000..100_000_000_000 => format!("{:.1} GB", count as f64 / 1e9),
        _ => format!("{} GB", count / 1_000_000_000),
    }
}

fn draw_gauge(theme: &Theme, gauge: &Gauge, place: Rect, buffer: &mut Buffer) {
    if place.height == 0 {
        return;
    }
    let mut pieces = vec![vec![Span::styled(gauge.name, theme.style(Role::Accent))]];
    for (at, text) in gauge.figures.iter().enumerate() {
        let role = if at == 0 { Role::Strong } else { Role::Faint };
        pieces.push(vec![Span::styled(guard::clean(text).into_owned(), theme.style(role))]);
    }
    let words = as_fits(pieces, "  ", place.width.into());
    let used = words.width() as u16 + 2;
    words.render(Rect { height: 1, ..place }, buffer);
    if place.height > 1 {
        let graph = Rect { y: place.y + 1, height: place.height - 1, ..place };
        area::draw(theme, &gauge.course, gauge.tone, graph, buffer);
    } else if place.width > used + 8 {
        // On the line itself, what is left of it.
        let graph = Rect { x: place.x + used, width: place.width - used, height: 1, ..place };
        let shown = area::columns(theme, graph.width).min(gauge.course.len());
        area::draw(theme, &gauge.course[gauge.course.len() - shown..], gauge.tone, graph, buffer);
    }
}

/// A column for each core, as busy as it is.
fn cores(theme: &Theme, load: &Load, row: Rect, buffer: &mut Buffer) {
    let levels = theme.symbols.levels;
    let mut spans = vec![Span::styled("cores ", theme.style(Role::Faint))];
    for percent in load.cores.iter().take(usize::from(row.width).saturating_sub(6)) {
        let level = (f64::from(*percent) / 100.0 * (levels.len() - 1) as f64).round() as usize;
        let role = area::Tone::Busy.role(f64::from(*percent) / 100.0);
        spans.push(Span::styled(levels[level.min(levels.len() - 1)], theme.style(role)));
    }
    Line::from(spans).render(row, buffer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(
            [0, 999_999, 1_500_000, 1_450_000_000, 270_000_000_000].map(bytes),
            ["0 kB", "999 kB", "1 MB", "1.4 GB", "270 GB"]
        );
    }

    #[test]
    fn gauges_share_the_rows() {
        assert_eq!(heights(20, 5, 8), (vec![4, 4, 4, 4, 3], true));
        assert_eq!(heights(7, 5, 8), (vec![2, 2, 1, 1, 1], false));
        assert_eq!(heights(3, 5, 1), (vec![1, 1, 1], false), "the first are shown");
        assert_eq!(heights(0, 5, 4), (vec![], false));
        assert_eq!(heights(90, 5, 1).0, [7; 5]);
    }

    #[test]
    fn the_newest_readings_stand_at_the_right() {
        assert_eq!(last(&[0.1, f64::NAN], 3), [None, Some(0.1), None]);
        assert_eq!(last(&[0.1, 0.2, 0.3], 2), [Some(0.2), Some(0.3)]);
    }
}
