//! The `?` page: keys, made from the table of actions, and what the marks on the screen mean.

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
    theme::{Role, Theme},
};

/// Cells for the names of keys.
const KEYS: usize = 15;
/// Two columns need this much.
const WIDE: u16 = 110;

pub fn draw(model: &Model, scrolled: u16, screen: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let wide = screen.width >= WIDE;
    let width = if wide { screen.width.min(140) } else { screen.width.min(84) };
    let column = usize::from(if wide { (width - 5) / 2 } else { width.saturating_sub(4) });
    let groups: Vec<Vec<Line<'_>>> = Group::ALL.iter().map(|group| keys_of(model, &theme, *group, column)).collect();
    let [steer, look, curves, pages, go, leave] = groups.try_into().unwrap_or_default();
    let marks = marks(&theme, column);
    let columns = if wide {
        vec![stack([steer, look, leave]), stack([curves, pages, go, marks])]
    } else {
        vec![stack([steer, look, curves, pages, go, leave, marks])]
    };

    let rows = columns.iter().map(Vec::len).max().unwrap_or(0) as u16;
    let height = (rows + 2).min(screen.height);
    let area = Rect { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height };
    Clear.render(area, buffer);
    let more = rows > height.saturating_sub(2);
    let below = if more { " j k scroll, any other key closes " } else { " any key closes " };
    let block = Block::bordered()
        .border_set(theme.symbols.border)
        .border_style(theme.style(Role::Focus))
        .title(Line::styled(" keys and marks ", theme.style(Role::Accent)))
        .title_bottom(Line::styled(below, theme.style(Role::Faint)));
    let inner = block.inner(area);
    block.render(area, buffer);
    let skip = scrolled.min(rows.saturating_sub(inner.height));
    for (at, lines) in columns.into_iter().enumerate() {
        let x = inner.x + 1 + at as u16 * (column as u16 + 1);
        let part = Rect { x, width: (column as u16).min(inner.right().saturating_sub(x)), ..inner };
        for (line, row) in lines.into_iter().skip(skip.into()).zip(part.rows()) {
            line.render(row, buffer);
        }
    }
}

fn keys_of(model: &Model, theme: &Theme, group: Group, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(group.title(), theme.style(Role::Accent))];
    for action in ACTIONS.iter().filter(|a| a.group == group) {
        // What cannot be done now is faint; why, the key itself tells.
        let role = if action.when.holds(model).is_ok() { Role::Text } else { Role::Faint };
        lines.extend(entry(theme, &keys::names(model.view.settings.keymap.of(action)), action.help, role, width));
    }
    lines
}

fn marks(theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let s = theme.symbols;
    let meanings = [
        (s.frost, "a frozen layer; on the curves: something was frozen"),
        (s.check, "intact: a frozen layer's weights have not moved by a bit"),
        (s.shown, "the layer of which pictures are shown"),
        (s.rule, "training, smoothed over the single steps behind it (s changes how much)"),
        (s.point, "validation, measured once an epoch; the faint line is its smoothed course, which lags behind it"),
        (s.best, "the epoch of the best checkpoint"),
        (s.rate, "the learning rate was set"),
        (s.thaw, "something was thawed"),
        (s.paused, "paused"),
        (s.save, "a checkpoint was asked for"),
        (s.resumed, "another engine went on from a checkpoint"),
        (s.several, "several of these at nearly the same step"),
    ];
    let mut lines = vec![Line::styled("Marks", theme.style(Role::Accent))];
    for (mark, meaning) in meanings {
        lines.extend(entry(theme, mark, meaning, Role::Text, width));
    }
    lines
}

/// A key or a mark, and its meaning on as many lines as it takes.
fn entry(theme: &Theme, name: &str, meaning: &str, role: Role, width: usize) -> Vec<Line<'static>> {
    let lines = guard::wrap(meaning, width.saturating_sub(KEYS + 1).max(8)).into_iter().enumerate();
    lines
        .map(|(at, text)| {
            let name = guard::column(if at == 0 { name } else { "" }, KEYS, theme.symbols.ellipsis);
            Line::from(vec![Span::styled(name + " ", theme.style(Role::Strong)), Span::styled(text, theme.style(role))])
        })
        .collect()
}

/// Sections under each other, a blank line between them.
fn stack<const N: usize>(sections: [Vec<Line<'static>>; N]) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for section in sections {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(section);
    }
    lines
}
