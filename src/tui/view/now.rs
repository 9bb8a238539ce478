//! The newest figures, beside those of the best epoch, each with its course in one row.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{Place, text::trend};
use crate::{
    event::{EpochEnded, Metrics},
    tui::{
        figures, guard,
        model::Model,
        theme::{Role, Theme},
    },
};

/// One row of the table.
struct Figure {
    name: &'static str,
    role: Role,
    now: Option<f64>,
    /// At the epoch whose checkpoint is the best.
    best: Option<f64>,
    /// Smoothed as the curves are.
    course: Vec<f64>,
    write: fn(f64) -> String,
    /// Which way is better: −1 down, 1 up, 0 neither.
    better: i8,
}

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let best = best(model);
    let mut title = vec![Span::styled("now", theme.style(Role::Accent))];
    if let Some(best) = best {
        let text = format!(" {} {} is epoch {}", theme.symbols.separator, theme.symbols.best, best.epoch);
        title.push(Span::styled(text, theme.style(Role::Faint)));
    }
    let area = place.open(&theme, Line::from(title), buffer);
    let mut rows = area.rows();
    if let Some(row) = rows.next() {
        heading(&theme, row, buffer);
    }
    for (figure, row) in table(model, best).into_iter().zip(rows) {
        draw_figure(&theme, &figure, row, buffer);
    }
}

fn best(model: &Model) -> Option<&EpochEnded> {
    let step = model.run.best.as_ref()?.step;
    model.run.epochs.iter().find(|epoch| epoch.step == step)
}

fn table(model: &Model, best: Option<&EpochEnded>) -> Vec<Figure> {
    let run = &model.run;
    let smoothing = model.view.curves.smoothing;
    let loss = |metrics: Metrics| metrics.loss;
    let accuracy = |metrics: Metrics| metrics.accuracy;
    let train = |name, curve: &crate::state::Curve, of: fn(Metrics) -> f64, write, better| {
        let course = smoothing.apply(curve.buckets().iter().map(|bucket| bucket.mean));
        let now = course.last().copied();
        Figure { name, role: Role::Train, now, best: best.map(|epoch| of(epoch.train)), course, write, better }
    };
    let validation = |name, of: fn(Metrics) -> f64, write, better| {
        let course: Vec<f64> = run.epochs.iter().filter_map(|epoch| epoch.validation.map(of)).collect();
        let now = course.last().copied();
        let best = best.and_then(|epoch| epoch.validation.map(of));
        Figure { name, role: Role::Validation, now, best, course, write, better }
    };
    let alone = |name, curve: &crate::state::Curve, write| {
        let course: Vec<f64> = curve.buckets().iter().map(|bucket| bucket.mean).collect();
        let now = course.last().copied();
        Figure { name, role: Role::Text, now, best: None, course, write, better: 0 }
    };
    let gap = |epoch: &EpochEnded| epoch.validation.map(|validation| validation.loss - epoch.train.loss);
    let gaps: Vec<f64> = run.epochs.iter().filter_map(gap).collect();
    vec![
        train("train loss", &run.curves.loss, loss, figures::loss, -1),
        validation("val loss", loss, figures::loss, -1),
        train("train acc", &run.curves.accuracy, accuracy, figures::percent, 1),
        validation("val acc", accuracy, figures::percent, 1),
        Figure {
            name: "loss gap",
            role: Role::Text,
            now: gaps.last().copied(),
            best: best.and_then(gap),
            course: gaps,
            write: figures::loss,
            better: -1,
        },
        alone("rate", &run.curves.learning_rate, figures::rate),
        alone("images/s", &run.curves.images_per_second, |speed| figures::count(speed.max(0.0).round() as u64)),
        alone("data wait", &run.curves.data_wait, figures::whole_percent),
    ]
}

const NAME: usize = 10;
const NUMBER: usize = 7;

fn heading(theme: &Theme, row: Rect, buffer: &mut Buffer) {
    let title = |text: &str| guard::column_right(text, NUMBER, "");
    let change = format!("{} best", theme.symbols.change);
    let text = format!("{}{} {} {}", " ".repeat(NAME), title("now"), title(theme.symbols.best), title(&change));
    Span::styled(text, theme.style(Role::Faint)).render(row, buffer);
}

fn draw_figure(theme: &Theme, figure: &Figure, row: Rect, buffer: &mut Buffer) {
    let number = |value: Option<f64>| {
        let text = value.map_or_else(String::new, |value| {
            if value.is_finite() { (figure.write)(value) } else { figures::figure(value) }
        });
        guard::column_right(&text, NUMBER, "")
    };
    let change = figure.now.zip(figure.best).map(|(now, best)| now - best);
    let (change, tone) = match change.filter(|change| change.is_finite()) {
        None => (String::new(), Role::Faint),
        Some(change) => {
            let sign = if change < 0.0 { "-" } else { "+" };
            let tone = match f64::from(figure.better) * change {
                0.0 => Role::Faint,
                gain if gain > 0.0 => Role::Good,
                _ => Role::Warning,
            };
            (format!("{sign}{}", (figure.write)(change.abs())), tone)
        }
    };
    let mut spans = vec![
        Span::styled(guard::column(figure.name, NAME, ""), theme.style(Role::Faint)),
        Span::styled(number(figure.now), theme.style(Role::Strong)),
        Span::raw(" "),
        Span::styled(number(figure.best), theme.style(Role::Text)),
        Span::raw(" "),
        Span::styled(guard::column_right(&change, NUMBER, ""), theme.style(tone)),
    ];
    let room = usize::from(row.width).saturating_sub(NAME + 3 * NUMBER + 4);
    if room >= 6 {
        spans.push(Span::raw("  "));
        spans.push(Span::styled(trend(theme, &figure.course, room), theme.style(figure.role)));
    }
    Line::from(spans).render(row, buffer);
}
