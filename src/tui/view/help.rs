//! The `?` page, made from the table of actions.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, Clear, Widget},
};

use crate::tui::{
    actions::{ACTIONS, Group},
    guard, keys,
    model::Model,
    theme::Role,
};

const KEYS: usize = 16;

pub fn draw(model: &Model, scrolled: u16, screen: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let width = screen.width.min(92);
    let text_width = usize::from(width).saturating_sub(KEYS + 6).max(8);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for group in Group::ALL {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(group.title(), theme.style(Role::Accent)));
        for action in ACTIONS.iter().filter(|a| a.group == group) {
            // What cannot be done now is faint; why, the key itself tells.
            let role = if action.when.holds(model).is_ok() { Role::Text } else { Role::Faint };
            for (at, text) in guard::wrap(action.help, text_width).into_iter().enumerate() {
                let keys = if at == 0 { keys::names(action.keys) } else { String::new() };
                lines.push(Line::from(vec![
                    Span::styled(guard::column(&keys, KEYS, theme.symbols.ellipsis) + " ", theme.style(Role::Strong)),
                    Span::styled(text, theme.style(role)),
                ]));
            }
        }
    }
    let height = (lines.len() as u16 + 2).min(screen.height);
    let area = Rect { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height };
    Clear.render(area, buffer);
    let more = lines.len() as u16 > height.saturating_sub(2);
    let below = if more { " j k scroll, any other key closes " } else { " any key closes " };
    let block = Block::bordered()
        .border_set(theme.symbols.border_focus)
        .border_style(theme.style(Role::Focus))
        .title(Line::styled(" keys ", theme.style(Role::Accent)))
        .title_bottom(Line::styled(below, theme.style(Role::Faint)));
    let inner = block.inner(area);
    block.render(area, buffer);
    let most = (lines.len() as u16).saturating_sub(inner.height);
    for (line, row) in lines.into_iter().skip(scrolled.min(most).into()).zip(inner.rows()) {
        line.render(Rect { x: row.x + 1, width: row.width.saturating_sub(1), ..row }, buffer);
    }
}
