//! The `:` line in the last row, and above it what the word may become.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, Clear, Widget},
};

use crate::tui::{
    command_line::{CommandLine, candidates, explained},
    guard,
    model::Model,
    theme::Role,
};

/// Candidates at once.
const MOST: usize = 10;

/// The row itself.
pub fn row(model: &Model, line: &CommandLine, width: usize) -> Line<'static> {
    let theme = model.theme();
    let tail = match (&line.error, explained(&line.typed)) {
        (Some(error), _) => (error.clone(), Role::Bad),
        (None, Some((usage, help))) => (format!("{usage}: {help}"), Role::Faint),
        (None, None) if line.typed.is_empty() => ("a command; Tab completes, Up brings back".to_owned(), Role::Faint),
        (None, None) => (String::new(), Role::Faint),
    };
    let room = width.saturating_sub(4);
    // The end of a long line is what is being typed.
    let typed: String = line.typed.chars().skip(line.typed.chars().count().saturating_sub(room)).collect();
    let left = room.saturating_sub(guard::width(&typed) + 1);
    let tail_text = if left >= 12 { guard::fit(&tail.0, left, theme.symbols.ellipsis) } else { String::new() };
    Line::from(vec![
        Span::styled(":", theme.style(Role::Accent)),
        Span::styled(guard::clean(&typed).into_owned(), theme.style(Role::Strong)),
        Span::styled("_  ", theme.style(Role::Accent)),
        Span::styled(tail_text, theme.style(tail.1)),
    ])
}

/// The list above the row.
pub fn draw(model: &Model, line: &CommandLine, footer: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let words = candidates(model, &line.typed);
    let rows = words.len().min(MOST) as u16;
    if rows == 0 || footer.y < rows + 2 {
        return;
    }
    let help = |word: &str| explained(word).map_or("", |(_, help)| help);
    let longest = words.iter().map(|word| guard::width(word)).max().unwrap_or(0);
    let width =
        (longest as u16 + 4 + if words.iter().any(|word| !help(word).is_empty()) { 60 } else { 0 }).min(footer.width);
    let area = Rect { y: footer.y - rows - 2, height: rows + 2, width, ..footer };
    Clear.render(area, buffer);
    let block = Block::bordered().border_set(theme.symbols.border).border_style(theme.style(Role::Border));
    let inner = block.inner(area);
    block.render(area, buffer);
    for (word, row) in words.iter().zip(inner.rows()) {
        let room = usize::from(row.width).saturating_sub(longest + 2);
        Line::from(vec![
            Span::styled(guard::column(word, longest, theme.symbols.ellipsis) + "  ", theme.style(Role::Strong)),
            Span::styled(guard::fit(help(word), room, theme.symbols.ellipsis), theme.style(Role::Faint)),
        ])
        .render(row, buffer);
    }
}
