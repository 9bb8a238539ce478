//! One quantity over the run: raw steps faint, the smoothed curve over them, validation once an epoch, other runs behind, and what was done
//! to the run.

use ratatui::{
    buffer::Buffer,
    layout::{Alignment, Rect},
    symbols::Marker,
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    plot::{Plot, Scale, range},
    series::Series,
};
use crate::{
    command::Command,
    picture::Depth,
    state::What,
    tui::{
        figures, guard,
        model::Model,
        theme::{Role, Theme},
    },
};

/// What a chart shows of its series.
#[derive(Clone, Copy)]
pub struct Aspect<'a> {
    /// The first and the last step.
    pub window: [f64; 2],
    pub log: bool,
    /// The step under it.
    pub crosshair: Option<f64>,
    /// The least and the greatest reading in every column of pixels.
    pub envelope: bool,
    pub others: &'a [(Role, Series<'a>)],
}

/// Cells left of a chart for numbers and a blank after them; fewer digits where every cell counts.
fn labels(area: Rect) -> u16 {
    match area.width {
        0..16 => 0,
        16..30 => 4,
        30..60 => 6,
        60.. => 8,
    }
}

/// The part of a chart that holds its curves.
pub fn inside(area: Rect) -> Rect {
    let (labels, bottom) = (labels(area), u16::from(area.height >= 4));
    Rect { x: area.x + labels, width: area.width - labels, height: area.height - bottom, ..area }
}

pub fn draw(model: &Model, series: &Series<'_>, aspect: Aspect<'_>, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let inner = inside(area);
    if inner.is_empty() {
        return;
    }
    let metric = series.metric;
    let Some(scale) = scale(series, aspect) else {
        let text = if metric.is_of_epochs() { "after the first validation" } else { "not measured yet" };
        let middle = Rect { y: inner.y + inner.height / 2, height: 1, ..inner };
        Line::styled(text, theme.style(Role::Faint)).alignment(Alignment::Center).render(middle, buffer);
        return;
    };
    let plot = Plot { area: inner, x: aspect.window, scale };
    let (values, decimals) = scale.ticks(usize::from(inner.height / 2).clamp(1, 6));
    let mut before = String::new();
    for value in values.into_iter().filter(|_| labels(area) > 0) {
        if let Some((_, row)) = plot.cell(aspect.window[0], value) {
            let written = metric.write_tick(value, decimals);
            let room = usize::from(labels(area)) - 1;
            // Where there is no room, the nought before the point is what can go.
            let short = if guard::width(&written) > room { written.trim_start_matches('0') } else { &written };
            // Half a number would be another one, and the same twice says nothing.
            if guard::width(short) > room || *short == before {
                continue;
            }
            let text = guard::column_right(short, room, "");
            short.clone_into(&mut before);
            let place = Rect { x: area.x, y: row, width: labels(area), height: 1 };
            Span::styled(text, theme.style(Role::Faint)).render(place, buffer);
        }
    }
    draw_raw(&theme, &plot, series, aspect.envelope, buffer);
    let line = if theme.appearance.ascii { Marker::Custom('-') } else { Marker::Braille };
    for (role, other) in aspect.others {
        plot.line(other.lead(), line, theme.color(*role), buffer);
    }
    draw_lines(&theme, &plot, series, buffer);
    draw_markers(model, &theme, &plot, buffer);
    let best = model.run.best.as_ref().map(|b| b.step as f64);
    for (x, y) in &series.validation {
        let symbol = if best == Some(*x) { theme.symbols.best } else { theme.symbols.point };
        plot.mark(*x, *y, symbol, theme.style(Role::Validation), buffer);
    }
    let label = aspect.crosshair.and_then(|step| draw_crosshair(&theme, &plot, step, buffer));
    if inner.height < area.height {
        draw_epochs(model, &theme, &plot, label.unwrap_or_default(), buffer);
    }
}

/// From the least to the greatest of what has to be inside the frame.
fn scale(series: &Series<'_>, aspect: Aspect<'_>) -> Option<Scale> {
    let [low, high] = series.metric.bounds();
    let values = in_view(series, aspect);
    if aspect.log
        && let Some(y) = range(values.iter().filter(|value| **value > 0.0).map(|value| value.log10()))
    {
        return Some(Scale { y: coarse(y), log: true });
    }
    let [from, to] = coarse(range(values.into_iter())?);
    // Air around the curve, but none where no value can be.
    let (from, to) = (from.max(low), to.min(high));
    let from = from.min(to - to.abs().max(1e-6) * 1e-3);
    Some(Scale { y: [from, to], log: false })
}

/// A little wider, so that not every new reading moves all the others: by at most a fifth of the range, a twentieth as a rule.
fn coarse([from, to]: [f64; 2]) -> [f64; 2] {
    let grain = 10f64.powf((to - from).log10().floor()) / 10.0;
    if grain > 0.0 && grain.is_finite() {
        [(from / grain).floor() * grain, (to / grain).ceil() * grain]
    } else {
        [from, to]
    }
}

/// Of the raw steps all but the wildest in ten, and all that is smooth.
fn in_view(series: &Series<'_>, aspect: Aspect<'_>) -> Vec<f64> {
    let [start, end] = aspect.window;
    let inside = |points: &[(f64, f64)]| -> Vec<f64> {
        points.iter().filter(|p| (start..=end).contains(&p.0) && p.1.is_finite()).map(|p| p.1).collect()
    };
    let raw: Vec<(f64, f64)> = series.raw.iter().map(|b| (b.step as f64, b.mean)).collect();
    let mut means = inside(&raw);
    means.sort_by(f64::total_cmp);
    let cut = means.len() / 20;
    let raw = &means[cut..means.len() - cut];
    let mut values: Vec<f64> = raw.first().into_iter().chain(raw.last()).copied().collect();
    for points in [&series.train, &series.validation, &series.validation_smooth] {
        values.extend(inside(points));
    }
    for (_, other) in aspect.others {
        values.extend(inside(other.lead()));
    }
    values
}

/// The steps as they were measured, means of what was gathered on the way. Their extremes too where there is room: batches are noisy.
fn draw_raw(theme: &Theme, plot: &Plot, series: &Series<'_>, envelope: bool, buffer: &mut Buffer) {
    if !series.metric.is_noisy() {
        return;
    }
    let marker = match (theme.appearance.ascii, theme.appearance.depth) {
        (true, _) => Marker::Custom('.'),
        // Without colours a line would be taken for the smoothed one.
        (false, Depth::Mono) => Marker::Custom('·'),
        (false, _) => Marker::Braille,
    };
    let faint = theme.color(Role::TrainRaw);
    let means: Vec<(f64, f64)> = series.raw.iter().map(|b| (b.step as f64, b.mean)).collect();
    plot.line(&means, marker, faint, buffer);
    if envelope {
        let strokes: Vec<(f64, f64, f64)> = series.raw.iter().map(|b| (b.step as f64, b.min, b.max)).collect();
        plot.strokes(&strokes, marker, faint, buffer);
    }
}

fn draw_lines(theme: &Theme, plot: &Plot, series: &Series<'_>, buffer: &mut Buffer) {
    let ascii = theme.appearance.ascii;
    let mono = theme.appearance.depth == Depth::Mono;
    let marker = |plain: char| if ascii { Marker::Custom(plain) } else { Marker::Braille };
    for stretch in &series.abandoned {
        plot.line(stretch, marker('.'), theme.color(Role::Border), buffer);
    }
    let (lead, other) = if series.validation_leads() {
        (&series.validation, &series.validation_smooth)
    } else {
        (&series.validation_smooth, &series.validation)
    };
    if !mono {
        plot.line(other, marker('.'), theme.color(Role::ValidationRaw), buffer);
    }
    plot.strong_line(lead, marker('-'), theme.color(Role::Validation), buffer);
    plot.strong_line(&series.train, marker('*'), theme.color(Role::Train), buffer);
}

/// A line through the chart at a step, with the step below. Gives the place of that.
fn draw_crosshair(theme: &Theme, plot: &Plot, step: f64, buffer: &mut Buffer) -> Option<Rect> {
    let column = plot.column(step)?;
    let style = theme.style(Role::Accent);
    for row in plot.area.y..plot.area.bottom() {
        let Some(cell) = buffer.cell_mut((column, row)) else { continue };
        if matches!(cell.symbol(), " ") || cell.symbol() == theme.symbols.marker_line {
            cell.set_symbol(theme.symbols.axis);
        }
        cell.set_style(style);
    }
    let text = figures::count(step.round().max(0.0) as u64);
    let width = text.len() as u16;
    if plot.area.width <= width + 2 {
        return None;
    }
    let x = column.saturating_sub(width / 2).clamp(plot.area.x, plot.area.right() - width);
    let place = Rect { x, y: plot.area.bottom(), width, height: 1 }.intersection(buffer.area);
    Span::styled(text, style).render(place, buffer);
    Some(place)
}

/// A dotted line at each step at which the run was changed, with what was done on top.
fn draw_markers(model: &Model, theme: &Theme, plot: &Plot, buffer: &mut Buffer) {
    let symbols = theme.symbols;
    let mut before: Option<(u16, &str)> = None;
    for marker in &model.run.markers {
        let Some(column) = plot.column(marker.step as f64) else { continue };
        let symbol = match &marker.what {
            What::Resumed | What::Branched(_) | What::Undone(_) => symbols.resumed,
            What::Phase(_) => symbols.phase,
            What::Applied(command) => match command {
                Command::Pause | Command::Step { .. } | Command::Epoch => symbols.paused,
                Command::Resume => symbols.replay,
                Command::Freeze { .. } | Command::FrostLine { layer: Some(_) } => symbols.frost,
                Command::Unfreeze { .. } | Command::FrostLine { layer: None } => symbols.thaw,
                Command::LearningRate { .. } | Command::ScaleRate { .. } | Command::Schedule { .. } => symbols.rate,
                Command::Augmentation { .. }
                | Command::BatchSize { .. }
                | Command::MicroBatch { .. }
                | Command::Dropout { .. }
                | Command::WeightDecay { .. } => symbols.change,
                Command::Note { .. } | Command::Evaluate { .. } => symbols.point,
                Command::EndPhase | Command::SkipPhase | Command::InsertPhase { .. } => symbols.phase,
                Command::Checkpoint | Command::Pin { .. } | Command::Unpin { .. } => symbols.save,
                Command::Undo => symbols.resumed,
                Command::Stop | Command::Abort => symbols.stop,
            },
        };
        let symbol = match before {
            Some((at, other)) if at == column && other != symbol => symbols.several,
            _ => symbol,
        };
        before = Some((column, symbol));
        for row in plot.area.y..plot.area.bottom() {
            let Some(cell) = buffer.cell_mut((column, row)) else { continue };
            if row == plot.area.y {
                cell.set_symbol(symbol).set_style(theme.style(Role::Frozen));
            } else if cell.symbol() == " " {
                cell.set_symbol(symbols.marker_line).set_style(theme.style(Role::Border));
            }
        }
    }
}

/// Epoch numbers below, each under its epoch's last step, but none that would touch what is at `taken`.
fn draw_epochs(model: &Model, theme: &Theme, plot: &Plot, taken: Rect, buffer: &mut Buffer) {
    let row = plot.area.bottom();
    let epochs = model.run.epochs.last().map_or(0, |ended| ended.epoch);
    let room = (f64::from(plot.area.width) / 5.0).max(1.0);
    let stride = ticks_stride(f64::from(epochs) / room);
    let place = |column: u16, text: &str, buffer: &mut Buffer| {
        let width = text.len() as u16;
        let x = (column + 1).saturating_sub(width).max(plot.area.x);
        let area = Rect { x, y: row, width: width.min(plot.area.right().saturating_sub(x)), height: 1 };
        if taken.is_empty() || area.right() < taken.x || area.x > taken.right() {
            Span::styled(text.to_owned(), theme.style(Role::Faint)).render(area, buffer);
        }
    };
    if epochs == 0 || model.run.epoch <= 1 {
        place(plot.area.x + 6, "epoch 1", buffer);
        return;
    }
    // Not every epoch has as many steps: phases have batches of their own, and end in the middle of one.
    for ended in model.run.epochs.iter().filter(|ended| ended.epoch % stride == 0) {
        if let Some(column) = plot.column(ended.step as f64) {
            place(column, &ended.epoch.to_string(), buffer);
        }
    }
}

/// The round number of epochs between labels that are at least `least` epochs apart.
fn ticks_stride(least: f64) -> u32 {
    let mut stride = 1;
    for factor in [2, 5, 2].into_iter().cycle() {
        if f64::from(stride) >= least {
            break;
        }
        stride = if factor == 5 { stride / 2 * 5 } else { stride * 2 };
    }
    stride
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epoch_labels_keep_their_distance() {
        assert_eq!([0.2, 1.0, 1.1, 2.5, 7.0, 30.0, 120.0].map(ticks_stride), [1, 1, 2, 5, 10, 50, 200]);
    }
}
