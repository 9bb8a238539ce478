//! From the model to the screen. Drawing changes nothing but the frame.

mod alarms;
mod area;
mod bars;
mod charts;
mod chosen_layer;
mod columns;
mod command_line;
mod confusion;
pub mod content;
mod cores;
mod curves;
mod dialog;
mod digits;
mod footer;
mod gauges;
mod header;
mod help;
mod layer_facts;
mod layers;
mod lens;
mod log;
mod machine;
mod mistakes;
mod now;
mod pick;
mod pictures;
mod plot;
mod series;
mod starting;
mod tabs;
pub(super) mod text;
mod tiles;
mod tree;

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::Rect,
    style::{Color, Style},
    text::{Line, Span},
    widgets::{Block, Widget},
};

use super::{
    actions::Action,
    layout::layout,
    model::Model,
    page::{Page, Pane},
    prompt::Prompt,
    theme::{Role, Theme},
};

/// Draws the whole dashboard.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    draw_panes(model, frame);
    draw_boxes(model, frame);
}

/// Everything but what lies over it.
pub fn draw_panes(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    let layout = layout((area.width, area.height), model.view.page);
    header::draw_header(model, layout.header, buffer);
    tabs::draw(model, layout.tabs, buffer);
    header::draw_progress(model, layout.progress, buffer);
    header::draw_meters(model, layout.meters, buffer);
    for (pane, area) in layout.panes() {
        let place = Place { area, framed: !layout.compact };
        match pane {
            Pane::Curves => curves::draw(model, place, buffer),
            Pane::Layers if model.view.page == Page::Layers => tree::draw(model, place, buffer),
            Pane::Layers => layers::draw(model, place, buffer),
            Pane::Pictures => pictures::draw(model, place, buffer),
            Pane::Log => log::draw(model, place, buffer),
            Pane::Figures => now::draw(model, place, buffer),
            Pane::Mistakes => mistakes::draw(model, place, buffer),
            Pane::Machine => machine::draw(model, place, buffer),
            Pane::Alarms => alarms::draw(model, place, buffer),
        }
    }
    footer::draw(model, layout.footer, buffer);
}

/// Questions, messages and help, over the panes.
pub fn draw_boxes(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    dialog::draw(model, area, buffer);
    if let Some(Prompt::Help { scrolled }) = &model.view.prompt {
        help::draw(model, *scrolled, area, buffer);
    }
    if let Some(Prompt::Command(line)) = &model.view.prompt {
        command_line::draw(model, line, model.layout().footer, buffer);
    }
    if let Some(Prompt::Pick { what, cursor }) = &model.view.prompt {
        pick::draw(model, what, *cursor, area, buffer);
    }
    if model.view.appearance.ascii {
        only_ascii(buffer);
    }
}

pub use alarms::{suspect_at, suspects_shown};
pub use curves::{columns as chart_columns, step_at};
pub use layers::layer_at;
pub use log::lines as log_lines;
pub use mistakes::mistake_at;
pub use tree::row_at;

/// The page whose name is at a place on the screen.
pub fn page_at(model: &Model, at: (u16, u16)) -> Option<Page> {
    tabs::places(model, model.layout().tabs)
        .into_iter()
        .find(|(_, area)| area.contains(at.into()))
        .map(|(page, _)| page)
}

/// The action whose key is at a place in the last row.
pub fn action_at(model: &Model, at: (u16, u16)) -> Option<&'static Action> {
    footer::action_at(model, model.layout().footer, at)
}

/// Where a pane is drawn, and how.
#[derive(Clone, Copy)]
struct Place {
    area: Rect,
    /// With a border, which small screens have no room for.
    framed: bool,
}

impl Place {
    /// Draws the frame, or in its place a title line, and gives what is left inside.
    fn open(self, theme: &Theme, title: Line<'_>, buffer: &mut Buffer) -> Rect {
        if !self.framed {
            let first = Rect { height: self.area.height.min(1), ..self.area };
            title.render(first, buffer);
            return Rect { y: first.bottom(), height: self.area.height - first.height, ..self.area };
        }
        let mut spans = vec![Span::raw(" ")];
        spans.extend(title.spans);
        spans.push(Span::raw(" "));
        // What has no ink of its own would take on the frame's.
        for span in &mut spans {
            span.style.fg.get_or_insert(Color::Reset);
        }
        let block = Block::bordered()
            .border_set(theme.symbols.border)
            .border_style(theme.style(Role::Border))
            .title(Line::from(spans));
        let inner = block.inner(self.area);
        block.render(self.area, buffer);
        inner
    }

    /// Says on the frame that a list goes on above or below what is shown of it.
    fn tell_more(self, theme: &Theme, above: usize, below: usize, buffer: &mut Buffer) {
        if !self.framed || above + below == 0 || self.area.width < 24 {
            return;
        }
        let symbols = theme.symbols;
        let way = |count: usize, mark: &str| (count > 0).then(|| format!("{mark} {count} more"));
        let text =
            [way(above, symbols.up), way(below, symbols.down)].into_iter().flatten().collect::<Vec<_>>().join("  ");
        let line = Line::styled(format!(" {text} "), Style { fg: Some(Color::Reset), ..theme.style(Role::Text) });
        let width = (line.width() as u16).min(self.area.width.saturating_sub(2));
        let x = self.area.right().saturating_sub(width + 2);
        line.render(Rect { x, y: self.area.bottom().saturating_sub(1), width, height: 1 }, buffer);
    }
}

/// The last gate for terminals that know no other characters: names may hold any.
pub(super) fn only_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            cell.set_symbol("?");
        }
    }
}
