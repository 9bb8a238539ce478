//! Charts of the run: loss and accuracy on the overview, any quantities in a grid on their own page.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    Place,
    charts::{self, Aspect},
    plot::{Plot, Scale},
    series::{self, Series},
    starting,
    text::{as_fits, sparkline},
};
use crate::{
    state::{Metric, Smoothing},
    tui::{
        model::Model,
        page::{Page, Pane},
        theme::{Role, Theme},
    },
};

/// A chart that says something needs as many rows, frame included.
const LEAST_ROWS: u16 = 7;

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    if model.is_starting() {
        let title = Line::from(Span::styled("starting", theme.style(Role::Accent)));
        let inner = place.open(&theme, title, buffer);
        starting::draw(model, inner, buffer);
        return;
    }
    for (metric, area) in charts(model, place.area) {
        chart(model, metric, Place { area, ..place }, buffer);
    }
    if model.view.page == Page::Curves && place.area.height > LEAST_ROWS {
        let row = Rect { y: place.area.bottom() - 1, height: 1, ..place.area };
        settings(model, &theme, row, buffer);
    }
}

/// Which charts stand where: as many as there is room for, and among them the chosen one.
fn charts(model: &Model, area: Rect) -> Vec<(Metric, Rect)> {
    if model.view.page != Page::Curves {
        return [Metric::Loss, Metric::Accuracy].into_iter().zip(split(area)).collect();
    }
    let area = Rect { height: area.height - u16::from(area.height > LEAST_ROWS), ..area };
    let metrics = model.charts();
    let count = metrics.len() as u16;
    let across = across(count, area);
    let rows = count.div_ceil(across).min(area.height / LEAST_ROWS).max(1);
    let chosen = if model.view.curves.alone { 0 } else { model.view.curves.chosen as u16 };
    // The row of the chosen chart is the last one, or none has to go.
    let first = (chosen / across + 1).saturating_sub(rows) * across;
    let (width, height) = (area.width / across, area.height / rows);
    metrics
        .iter()
        .skip(first.into())
        .take((rows * across).into())
        .zip(0u16..)
        .map(|(metric, at)| {
            let (column, row) = (at % across, at / across);
            // The last of a row and of a column take what is left over.
            let width = if column + 1 == across { area.width - column * width } else { width };
            let own = if row + 1 == rows { area.height - row * height } else { height };
            (*metric, Rect { x: area.x + column * (area.width / across), y: area.y + row * height, width, height: own })
        })
        .collect()
}

/// Charts beside each other, so that each is about twice as wide as high to the eye and none is too low to read.
fn across(count: u16, area: Rect) -> u16 {
    const SHAPE: f64 = 2.2;
    let most = (area.width / 50).clamp(1, 3).min(count.max(1));
    let rows = |across: u16| count.div_ceil(across).max(1);
    let readable = |across: &u16| rows(*across) * LEAST_ROWS <= area.height;
    let off = |across: &u16| {
        // A cell is about twice as high as wide.
        let shape = f64::from(area.width / across) / (2.0 * f64::from((area.height / rows(*across)).max(1)));
        (shape / SHAPE).ln().abs()
    };
    (1..=most).filter(readable).min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(most)
}

fn chart(model: &Model, metric: Metric, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let curves = &model.view.curves;
    let smoothing = curves.smoothing;
    let series = Series::new(&model.run, metric, smoothing);
    let own_page = model.view.page == Page::Curves;
    let others = if own_page { series::of_others(&curves.others, metric, smoothing) } else { Vec::new() };
    let crosshair = curves.crosshair.filter(|_| own_page);
    let room = usize::from(place.area.width).saturating_sub(4);
    let mut title = match crosshair {
        Some(step) => series.title_at(&theme, step, &others, room),
        None => series.title(&theme, room),
    };
    let chosen = own_page && !curves.alone && curves.metrics.get(curves.chosen) == Some(&metric);
    if chosen && title.width() + 2 <= room {
        title.spans.insert(0, Span::styled(format!("{} ", theme.symbols.cursor), theme.style(Role::Accent)));
    }
    let inner = place.open(&theme, title, buffer);
    let aspect =
        Aspect { window: window(model), log: own_page && curves.log, crosshair, envelope: own_page, others: &others };
    if inner.height >= 3 && inner.width >= 12 {
        charts::draw(model, &series, aspect, inner, buffer);
    } else {
        let values: Vec<f64> = series.lead().iter().map(|p| p.1).collect();
        let text = sparkline(&theme, &values, inner.width.into());
        Span::styled(text, theme.style(Role::Train)).render(Rect { height: inner.height.min(1), ..inner }, buffer);
    }
}

fn window(model: &Model) -> [f64; 2] {
    let steps = model.steps_shown();
    if model.view.page == Page::Curves { model.view.curves.window.of(steps) } else { [0.0, steps] }
}

/// What the keys are set to, and what is under the crosshair.
fn settings(model: &Model, theme: &Theme, row: Rect, buffer: &mut Buffer) {
    let curves = &model.view.curves;
    let say = |text: String, role: Role| vec![Span::styled(text, theme.style(role))];
    let mut pieces = Vec::new();
    if let Some(step) = curves.crosshair {
        pieces.push(say(format!(" {} {}", theme.symbols.axis, series::place(&model.run, step, theme)), Role::Accent));
    }
    if !curves.others.is_empty() {
        let own = model.run.run.as_ref().map_or("this run", |run| &run.run);
        pieces.push(series::legend(theme, own, &curves.others, usize::from(row.width) / 2).spans);
    }
    let Smoothing { factor, plain } = curves.smoothing;
    let form = if plain { " as in the chapter" } else { " debiased" };
    pieces.push(say(format!(" smoothing {factor}{}", if factor > 0.0 { form } else { "" }), Role::Faint));
    if curves.log {
        pieces.push(say("log axis".into(), Role::Faint));
    }
    if curves.window.span.is_some() {
        let [start, end] = window(model).map(|step| crate::tui::figures::count(step.round() as u64));
        pieces.push(say(format!("steps {start} to {end}"), Role::Faint));
    }
    as_fits(pieces, "   ", row.width.into()).render(row, buffer);
}

/// The plots of the charts on the screen, empty as yet.
fn plots(model: &Model) -> Vec<Plot> {
    let layout = model.layout();
    let Some(area) = layout.pane(Pane::Curves).filter(|_| !model.is_starting()) else { return Vec::new() };
    let inner = |area: Rect| {
        if layout.compact {
            Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area }
        } else {
            area.inner(ratatui::layout::Margin::new(1, 1))
        }
    };
    let scale = Scale { y: [0.0, 1.0], log: false };
    let charts = charts(model, area).into_iter();
    charts.map(|(_, area)| Plot { area: charts::inside(inner(area)), x: window(model), scale }).collect()
}

/// Columns of one chart.
pub fn columns(model: &Model) -> u16 {
    plots(model).first().map_or(0, |plot| plot.area.width)
}

/// The step at a place on the screen, if a chart is there.
pub fn step_at(model: &Model, column: u16, row: u16) -> Option<f64> {
    plots(model).iter().find(|plot| plot.area.contains((column, row).into())).map(|plot| plot.at(column))
}

/// Time runs sideways, so width is worth more than height, until a chart would be too flat to read.
fn split(area: Rect) -> [Rect; 2] {
    if area.height >= 16 {
        let upper = area.height / 2;
        [Rect { height: upper, ..area }, Rect { y: area.y + upper, height: area.height - upper, ..area }]
    } else {
        let left = area.width / 2;
        [Rect { width: left, ..area }, Rect { x: area.x + left, width: area.width - left, ..area }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_are_wider_than_high_and_high_enough() {
        let across = |count, width, height| across(count, Rect::new(0, 0, width, height));
        assert_eq!([1, 2, 4, 6].map(|count| across(count, 132, 36)), [1, 1, 2, 2]);
        assert_eq!([1, 2, 4, 6].map(|count| across(count, 240, 64)), [1, 1, 2, 2]);
        assert_eq!([1, 4].map(|count| across(count, 80, 19)), [1, 1]);
        assert_eq!(across(4, 120, 14), 2, "one over the other there is no room");
    }
}
