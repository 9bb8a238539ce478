//! A list in a box, to choose several things from.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, Clear, Widget},
};

use super::layers::first_shown;
use crate::tui::{guard, model::Model, prompt::Choice, theme::Role};

pub fn draw(model: &Model, what: &Choice, cursor: usize, screen: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let items = what.items(model);
    let widest = items.iter().map(|(name, _)| guard::width(name)).max().unwrap_or(0).max(30) as u16;
    let width = (widest + 8).min(screen.width);
    let height = (items.len() as u16 + 2).min(screen.height.saturating_sub(2)).max(3).min(screen.height);
    let area = Rect { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height };
    Clear.render(area, buffer);
    let block = Block::bordered()
        .border_set(theme.symbols.border)
        .border_style(theme.style(Role::Focus))
        .title(Line::styled(format!(" {} ", what.title()), theme.style(Role::Accent)))
        .title_bottom(Line::styled(" Space chooses, Esc closes ", theme.style(Role::Faint)));
    let inner = block.inner(area);
    block.render(area, buffer);
    let first = first_shown(cursor, items.len(), inner.height.into());
    for ((at, (name, chosen)), row) in items.iter().enumerate().skip(first).zip(inner.rows()) {
        let mark = if *chosen { theme.symbols.check } else { " " };
        let pointer = if at == cursor { theme.symbols.cursor } else { " " };
        Line::from(vec![
            Span::styled(format!("{pointer} {mark} "), theme.style(Role::Accent)),
            Span::styled(
                guard::fit(name, usize::from(row.width).saturating_sub(5), theme.symbols.ellipsis),
                theme.style(if *chosen { Role::Strong } else { Role::Text }),
            ),
        ])
        .render(row, buffer);
    }
}
