//! The layer under the cursor in words, and how its weights and gradients are spread; where there is room for more, the weights of every layer.

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

/// Higher columns say nothing more.
const HIGHEST: u16 = 14;

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
            Span::styled("forward ", faint),
            Span::styled(milliseconds(probe.forward_ms), theme.style(Role::Train)),
            Span::styled(", backward ", faint),
            Span::styled(milliseconds(probe.backward_ms), theme.style(Role::Validation)),
        ]));
    }
    let weights = probe.and_then(|probe| probe.weights.as_ref());
    let gradients = probe.and_then(|probe| probe.gradients.as_ref());
    let two = [("weights", weights, Role::Train), ("gradients", gradients, Role::Validation)];
    // Below each other where it is narrow and high.
    let beside = area.height < 16 || area.width > 3 * area.height;
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
    // What there is nothing to draw of takes a line, and what is left over has to be worth a row of small ones.
    let room = if beside { rest.height } else { rest.height.saturating_sub(2) / 2 };
    let height = match (weights, gradients) {
        (None, None) => room.min(2),
        _ if beside && room < HIGHEST + 8 => room,
        _ => room.min(HIGHEST),
    };
    let half = if beside {
        Rect { width: rest.width.saturating_sub(3) / 2, height, ..rest }
    } else {
        Rect { y: rest.y + 1, height, ..rest }
    };
    let used = if beside { half.bottom() } else { half.bottom() + half.height + 1 };
    let others = Rect { y: used + 1, height: area.bottom().saturating_sub(used + 1), ..area };
    every_layer(model, theme, others, buffer);
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

/// Of each layer with weights a small histogram, in the network's order, as many as there is room for.
fn every_layer(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    /// With its name above and its ends below.
    const WIDE: u16 = 24;
    const HIGH: u16 = 5;
    let layers: Vec<_> =
        model.run.layers.iter().filter_map(|layer| Some((layer, layer.probe.as_ref()?.weights.as_ref()?))).collect();
    if layers.len() < 2 || area.height < HIGH + 1 || area.width < WIDE {
        return;
    }
    let most = area.width / (WIDE + 2);
    let down = (layers.len() as u16).div_ceil(most.max(1)).min((area.height - 1) / HIGH).max(1);
    let across = (layers.len() as u16).div_ceil(down).min(most).max(1);
    let (width, height) = ((area.width + 2) / across - 2, ((area.height - 1) / down).min(2 * HIGH));
    let shown = layers.len().min(usize::from(down * across));
    let which = if shown < layers.len() {
        format!("the first {shown} of {} layers", layers.len())
    } else {
        "every layer".into()
    };
    let title = Line::styled(format!("weights of {which}, when it was last looked at"), theme.style(Role::Faint));
    title.render(Rect { height: 1, ..area }, buffer);
    for (at, (layer, histogram)) in (0..down * across).zip(layers) {
        let place = Rect {
            x: area.x + at % across * (width + 2),
            y: area.y + 1 + at / across * height,
            width,
            height: height - u16::from(height > HIGH),
        };
        let role = if layer.frozen { Role::Frozen } else { Role::Train };
        let name = guard::fit(&layer.info.name, usize::from(width).saturating_sub(14), theme.symbols.ellipsis);
        bars::draw(theme, &name, Some(histogram), role, "", place.intersection(area), buffer);
    }
}
