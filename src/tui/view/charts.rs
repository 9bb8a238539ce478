//! One quantity over the whole run: raw steps faint, the smoothed curve over them, validation once an epoch, and what was done to the run.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    symbols::Marker,
    text::{Line, Span},
    widgets::Widget,
};

use super::plot::{Plot, range, ticks};
use crate::{
    command::Command,
    event::Metrics,
    picture::Depth,
    state::{Bucket, What, smooth},
    tui::{
        figures, guard,
        model::Model,
        page::Page,
        theme::{Role, Theme},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    Loss,
    Accuracy,
}

impl Quantity {
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
        }
    }

    fn of(self, metrics: &Metrics) -> f64 {
        match self {
            Self::Loss => metrics.loss,
            Self::Accuracy => metrics.accuracy,
        }
    }

    fn raw(self, model: &Model) -> &[Bucket] {
        match self {
            Self::Loss => model.run.curves.loss.buckets(),
            Self::Accuracy => model.run.curves.accuracy.buckets(),
        }
    }

    /// With `digits` after the point of a loss, or of an accuracy as a share.
    fn write(self, value: f64, digits: usize) -> String {
        match self {
            _ if !value.is_finite() => figures::figure(value),
            Self::Loss if digits == 4 => figures::loss(value),
            Self::Loss => format!("{value:.digits$}"),
            Self::Accuracy if digits == 4 => figures::percent(value),
            Self::Accuracy => format!("{:.0}%", value * 100.0),
        }
    }

    fn write_tick(self, value: f64, decimals: usize) -> String {
        match self {
            Self::Loss => format!("{value:.decimals$}"),
            Self::Accuracy => format!("{:.*}%", decimals.saturating_sub(2), value * 100.0),
        }
    }
}

/// The points of one chart, in steps.
pub struct Series {
    pub train: Vec<(f64, f64)>,
    validation: Vec<(f64, f64)>,
    validation_smooth: Vec<(f64, f64)>,
}

impl Series {
    pub fn new(model: &Model, quantity: Quantity) -> Self {
        let factor = model.smoothing();
        let raw = quantity.raw(model);
        let epochs = model.run.epochs.iter();
        let validation: Vec<(f64, f64)> =
            epochs.filter_map(|e| e.validation.map(|v| (e.step as f64, quantity.of(&v)))).collect();
        let smoothed = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().map(|p| p.0).zip(smooth(points.iter().map(|p| p.1), factor)).collect()
        };
        let raw: Vec<(f64, f64)> = raw.iter().map(|b| (b.step as f64, b.mean)).collect();
        Self { train: smoothed(&raw), validation_smooth: smoothed(&validation), validation }
    }

    /// The newest figures, by name, mark and colour, in the longest wording that fits in `width`.
    pub fn title(&self, quantity: Quantity, theme: &Theme, width: usize) -> Line<'static> {
        let last = |points: &[(f64, f64)]| points.last().map(|p| p.1);
        let (train, validation) = (last(&self.train), last(&self.validation));
        let word = |names: bool, digits: usize| {
            let short = digits < 4 && quantity == Quantity::Accuracy;
            let mut spans = vec![Span::styled(if short { "acc" } else { quantity.name() }, theme.style(Role::Accent))];
            let (rule, point) = (theme.symbols.rule, theme.symbols.point);
            if let Some(value) = train {
                let name = if names { "train " } else { "" };
                let text = format!(" {rule} {name}{}", quantity.write(value, digits));
                spans.push(Span::styled(text, theme.style(Role::Train)));
            }
            if let Some(value) = validation {
                let name = if names { "validation " } else { "" };
                let text = format!(" {point} {name}{}", quantity.write(value, digits));
                spans.push(Span::styled(text, theme.style(Role::Validation)));
            }
            Line::from(spans)
        };
        let wordings = [(true, 4), (false, 4), (false, 2)].map(|(names, digits)| word(names, digits));
        let [.., shortest] = &wordings;
        wordings.iter().find(|line| line.width() <= width).unwrap_or(shortest).clone()
    }
}

pub fn draw(model: &Model, quantity: Quantity, series: &Series, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let raw = quantity.raw(model);
    // Numbers on the left and a blank after them; fewer digits where every cell counts.
    let labels = match area.width {
        0..16 => 0,
        16..30 => 4,
        30.. => 6,
    };
    let bottom = u16::from(area.height >= 4);
    let inner = Rect { x: area.x + labels, width: area.width - labels, height: area.height - bottom, ..area };
    if inner.is_empty() {
        return;
    }
    let steps = model.run.step.max(model.run.steps_per_epoch().into()).max(1);
    let Some(mut y) = range(in_view(raw, series).into_iter()) else { return };
    match quantity {
        Quantity::Loss => y[0] = y[0].max(0.0).min(y[1] * 0.999),
        Quantity::Accuracy => y = [y[0].max(0.0), y[1].min(1.0)],
    }
    let plot = Plot { area: inner, x: [0.0, steps as f64], y };
    let (values, decimals) = ticks(y[0], y[1], usize::from(inner.height / 2).clamp(1, 6));
    for value in values.into_iter().filter(|_| labels > 0) {
        if let Some((_, row)) = plot.cell(0.0, value) {
            let written = quantity.write_tick(value, decimals);
            let room = usize::from(labels) - 1;
            // Where there is no room, the nought before the point is what can go.
            let short = if guard::width(&written) > room { written.trim_start_matches('0') } else { &written };
            let text = guard::column_right(short, room, "");
            let place = Rect { x: area.x, y: row, width: labels, height: 1 };
            Span::styled(text, theme.style(Role::Faint)).render(place, buffer);
        }
    }
    draw_raw(&theme, &plot, raw, model.view.page == Page::Curves, buffer);
    draw_lines(&theme, &plot, series, buffer);
    draw_markers(model, &theme, &plot, buffer);
    let best = model.run.best.as_ref().map(|b| b.step as f64);
    for (x, y) in &series.validation {
        let symbol = if best == Some(*x) { theme.symbols.best } else { theme.symbols.point };
        plot.mark(*x, *y, symbol, theme.style(Role::Validation), buffer);
    }
    if bottom > 0 {
        draw_epochs(model, &theme, &plot, buffer);
    }
}

/// What has to be inside the frame: all that is smooth, and of the raw steps all but the wildest in ten.
fn in_view(raw: &[Bucket], series: &Series) -> Vec<f64> {
    let mut means: Vec<f64> = raw.iter().map(|b| b.mean).filter(|m| m.is_finite()).collect();
    means.sort_by(f64::total_cmp);
    let cut = means.len() / 20;
    let raw = &means[cut..means.len() - cut];
    let ends = raw.first().into_iter().chain(raw.last()).copied();
    let smooth = series.train.iter().chain(&series.validation).chain(&series.validation_smooth).map(|p| p.1);
    ends.chain(smooth).collect()
}

/// The steps as they were measured, means of what was gathered on the way. Their extremes too where there is room: batches are noisy.
fn draw_raw(theme: &Theme, plot: &Plot, raw: &[Bucket], extremes: bool, buffer: &mut Buffer) {
    let marker = match (theme.appearance.ascii, theme.appearance.depth) {
        (true, _) => Marker::Custom('.'),
        // Without colours a line would be taken for the smoothed one.
        (false, Depth::Mono) => Marker::Custom('·'),
        (false, _) => Marker::Braille,
    };
    let faint = theme.color(Role::TrainRaw);
    let means: Vec<(f64, f64)> = raw.iter().map(|b| (b.step as f64, b.mean)).collect();
    plot.line(&means, marker, faint, buffer);
    if extremes {
        let strokes: Vec<(f64, f64, f64)> = raw.iter().map(|b| (b.step as f64, b.min, b.max)).collect();
        plot.strokes(&strokes, marker, faint, buffer);
    }
}

fn draw_lines(theme: &Theme, plot: &Plot, series: &Series, buffer: &mut Buffer) {
    let ascii = theme.appearance.ascii;
    let mono = theme.appearance.depth == Depth::Mono;
    let marker = |plain: char| if ascii { Marker::Custom(plain) } else { Marker::Braille };
    // Few points smoothed exponentially trail far behind themselves: until there are many, the measured ones lead.
    let few = series.validation.len() < 30;
    let (lead, other) = if few {
        (&series.validation, &series.validation_smooth)
    } else {
        (&series.validation_smooth, &series.validation)
    };
    if !mono {
        plot.line(other, marker('.'), theme.color(Role::ValidationRaw), buffer);
    }
    plot.line(lead, marker('-'), theme.color(Role::Validation), buffer);
    plot.line(&series.train, marker('*'), theme.color(Role::Train), buffer);
}

/// A dotted line at each step at which the run was changed, with what was done on top.
fn draw_markers(model: &Model, theme: &Theme, plot: &Plot, buffer: &mut Buffer) {
    let symbols = theme.symbols;
    let mut before: Option<(u16, &str)> = None;
    for marker in &model.run.markers {
        let Some(column) = plot.column(marker.step as f64) else { continue };
        let symbol = match &marker.what {
            What::Resumed => symbols.resumed,
            What::Phase(_) => symbols.phase,
            What::Applied(command) => match command {
                Command::Pause => symbols.paused,
                Command::Resume => symbols.replay,
                Command::Freeze { .. } | Command::FrostLine { layer: Some(_) } => symbols.frost,
                Command::Unfreeze { .. } | Command::FrostLine { layer: None } => symbols.thaw,
                Command::LearningRate { .. } => symbols.rate,
                Command::EndPhase | Command::SkipPhase | Command::InsertPhase { .. } => symbols.phase,
                Command::Checkpoint | Command::Pin { .. } | Command::Unpin { .. } => symbols.save,
                Command::Stop => symbols.stop,
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

/// Epoch numbers below, each under its epoch's last step.
fn draw_epochs(model: &Model, theme: &Theme, plot: &Plot, buffer: &mut Buffer) {
    let row = plot.area.bottom();
    let epochs = model.run.epochs.last().map_or(0, |ended| ended.epoch);
    let room = (f64::from(plot.area.width) / 5.0).max(1.0);
    let stride = ticks_stride(f64::from(epochs) / room);
    let place = |column: u16, text: &str, buffer: &mut Buffer| {
        let width = text.len() as u16;
        let x = (column + 1).saturating_sub(width).max(plot.area.x);
        let area = Rect { x, y: row, width: width.min(plot.area.right().saturating_sub(x)), height: 1 };
        Span::styled(text.to_owned(), theme.style(Role::Faint)).render(area, buffer);
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
