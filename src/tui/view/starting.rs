//! Before the first step: what is going on, since when. A blank screen would look like a hang.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::log::stage_text;
use crate::tui::{
    figures, guard,
    model::{Connection, Model},
    theme::Role,
};

pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let run = &model.run;
    let mut done: Vec<String> = Vec::new();
    if let Some(device) = &run.device {
        done.push(format!("libtorch {} on {}, {}", device.libtorch, device.device, device.name));
    }
    if let Some(data) = &run.data {
        let images = figures::count(data.train + data.validation + data.test);
        done.push(format!("{images} images of {} classes", data.classes.len()));
    }
    if let Some(parameters) = run.total_parameters {
        done.push(format!("{} layers, {} parameters", run.layers.len(), figures::count(parameters)));
    }
    let now = match (&model.connection, &run.stage) {
        (Connection::Connecting { what }, None) => what.clone(),
        (_, Some((stage, detail))) => stage_text(*stage, detail),
        (_, None) => "waiting for the first step".into(),
    };
    let spinner = theme.symbols.spinner;
    let turning = spinner[model.view.ticks as usize % spinner.len()];
    let width = usize::from(area.width);
    let room = width.saturating_sub(4);
    let mut lines: Vec<Line<'_>> = done
        .iter()
        .map(|text| {
            Line::from(vec![
                Span::styled(format!("  {} ", theme.symbols.check), theme.style(Role::Good)),
                Span::styled(guard::fit(text, room, theme.symbols.ellipsis), theme.style(Role::Faint)),
            ])
        })
        .collect();
    let clock = format!(" {} s", model.waited());
    lines.push(Line::from(vec![
        Span::styled(format!("  {turning} "), theme.style(Role::Accent)),
        Span::styled(
            guard::fit(&now, room.saturating_sub(clock.len()), theme.symbols.ellipsis),
            theme.style(Role::Strong),
        ),
        Span::styled(clock, theme.style(Role::Faint)),
    ]));
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 2;
    for (line, y) in lines.into_iter().zip(top..area.bottom()) {
        line.render(Rect { y, height: 1, ..area }, buffer);
    }
}
