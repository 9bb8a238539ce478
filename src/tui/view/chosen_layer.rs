//! The layer under the cursor in words, and how its weights and gradients are spread.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::bars;
use crate::tui::{
    figures, guard,
    model::Model,
    theme::{Role, Theme},
};

pub fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(layer) = model.selected() else { return };
    let info = &layer.info;
    let probe = layer.probe.as_ref();
    let faint = theme.style(Role::Faint);
    let mut lines = vec![
        Line::from(vec![
            Span::styled(guard::clean(&info.name).into_owned(), theme.style(Role::Strong)),
            Span::styled(format!(" {}", info.kind), faint),
        ]),
        Line::styled(
            format!("{} {} {} parameters", info.output, theme.symbols.separator, figures::count(info.parameters)),
            faint,
        ),
    ];
    if let Some(probe) = probe {
        let milliseconds = |value: f64| format!("{} ms", figures::figure(value));
        lines.push(Line::from(vec![
            Span::styled("there ", faint),
            Span::styled(milliseconds(probe.forward_ms), theme.style(Role::Train)),
            Span::styled(", back ", faint),
            Span::styled(milliseconds(probe.backward_ms), theme.style(Role::Validation)),
        ]));
    }
    let weights = probe.and_then(|probe| probe.weights.as_ref());
    let gradients = probe.and_then(|probe| probe.gradients.as_ref());
    let two = [("weights", weights, Role::Train), ("gradients", gradients, Role::Validation)];
    let beside = area.height < 16;
    let words = if beside { 1 } else { lines.len() as u16 };
    if beside {
        // One line for all that is to be said.
        let spans = lines.into_iter().flat_map(|line| [line.spans, vec![Span::raw("  ")]].concat());
        lines = vec![Line::from(spans.collect::<Vec<_>>())];
    }
    for (line, row) in lines.into_iter().zip(area.rows()) {
        line.render(row, buffer);
    }
    let rest = Rect { y: area.y + words, height: area.height.saturating_sub(words), ..area };
    let half = if beside {
        Rect { width: rest.width.saturating_sub(3) / 2, ..rest }
    } else {
        Rect { y: rest.y + 1, height: (rest.height.saturating_sub(2) / 2).min(12), ..rest }
    };
    for (number, (name, histogram, role)) in (0..).zip(two) {
        let place = if beside {
            Rect { x: half.x + number * (half.width + 3), ..half }
        } else {
            Rect { y: half.y + number * (half.height + 1), ..half }
        };
        let missing = match (info.parameters, layer.frozen, name) {
            (0, ..) => "no weights".to_owned(),
            (_, true, "gradients") => "frozen: no gradient".to_owned(),
            _ if model.is_live() => theme.symbols.ellipsis.to_owned(),
            _ => "none was read".to_owned(),
        };
        bars::draw(theme, name, histogram, role, &missing, place.intersection(area), buffer);
    }
}
