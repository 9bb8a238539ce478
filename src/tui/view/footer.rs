//! The last row: the keys that apply now, or what has to be told, or a line to type in.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::command_line;
use crate::tui::{
    actions::{ACTIONS, Action, Group},
    guard,
    model::{Model, Tone},
    prompt::Prompt,
    theme::Role,
};

/// Blanks between two keys.
const GAP: usize = 2;

pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let style = |role| theme.style(role);
    let line = match (&model.view.prompt, &model.view.notice) {
        (Some(Prompt::Command(line)), _) => command_line::row(model, line, area.width.into()),
        (Some(Prompt::Filter { .. }), _) => Line::from(vec![
            Span::styled("lines with ", style(Role::Accent)),
            Span::styled(guard::clean(&model.view.filter.words).into_owned(), style(Role::Strong)),
            Span::styled("_", style(Role::Accent)),
            Span::styled("  Enter keeps it, Esc does not", style(Role::Faint)),
        ]),
        (Some(Prompt::Rate { typed, before, error }), _) => {
            let mut spans = vec![
                Span::styled("learning rate ", style(Role::Accent)),
                Span::styled(format!("(now {before}) "), style(Role::Faint)),
                Span::styled(typed.clone(), style(Role::Strong)),
                Span::styled("_", style(Role::Accent)),
            ];
            match error {
                Some(error) => spans.push(Span::styled(format!("  {error}"), style(Role::Bad))),
                None => spans.push(Span::styled("  Enter sets it, Esc does not", style(Role::Faint))),
            }
            Line::from(spans)
        }
        (Some(Prompt::Phase { typed, error }), _) => {
            let (label, tail) = match error {
                Some(error) => ("phase ", Span::styled(format!("  {error}"), style(Role::Bad))),
                None if typed.is_empty() => {
                    ("phase ", Span::styled("  train=all epochs=2 learning_rate=1e-5", style(Role::Faint)))
                }
                None => ("phase ", Span::styled("  Enter inserts it, Esc does not", style(Role::Faint))),
            };
            // The end of a long line is what is being typed.
            let room = usize::from(area.width).saturating_sub(guard::width(label) + 1);
            let shown: String = typed.chars().skip(typed.chars().count().saturating_sub(room)).collect();
            Line::from(vec![
                Span::styled(label, style(Role::Accent)),
                Span::styled(guard::clean(&shown).into_owned(), style(Role::Strong)),
                Span::styled("_", style(Role::Accent)),
                tail,
            ])
        }
        (_, Some(notice)) => {
            let (mark, role) = match notice.tone {
                Tone::Good => (theme.symbols.check, Role::Good),
                Tone::Plain => (theme.symbols.separator, Role::Accent),
                Tone::Bad => (theme.symbols.cross, Role::Bad),
            };
            let text = guard::fit(&notice.text, usize::from(area.width).saturating_sub(2), theme.symbols.ellipsis);
            Line::from(Span::styled(format!("{mark} {text}"), style(role)))
        }
        _ => keys(model, area.width.into()),
    };
    line.render(area, buffer);
}

/// The keys that apply now and have room, each with its action. The way out and the help page come first in a screen that has no room for all.
fn hints(model: &Model, width: usize) -> Vec<(&'static Action, String, &'static str)> {
    let shown = |action: &&'static Action| {
        // One without a key is left out.
        let key = model.view.settings.keymap.of(action).first()?;
        let hint = action.hint.filter(|_| action.when.holds(model).is_ok())?;
        Some((*action, key.to_string(), hint))
    };
    let (leave, rest): (Vec<_>, Vec<_>) = ACTIONS.iter().partition(|action| action.group == Group::Leave);
    let leave: Vec<_> = leave.iter().filter_map(shown).collect();
    let mut room = width.saturating_sub(leave.iter().map(cells).sum());
    let rest = rest.iter().filter_map(shown);
    let fitting = rest.take_while(|hint| {
        let fits = room + GAP >= cells(hint);
        room = room.saturating_sub(cells(hint));
        fits
    });
    fitting.collect::<Vec<_>>().into_iter().chain(leave).collect()
}

/// Of a key with its word and the blanks behind it.
fn cells((_, key, hint): &(&'static Action, String, &'static str)) -> usize {
    guard::width(key) + 1 + guard::width(hint) + GAP
}

fn keys(model: &Model, width: usize) -> Line<'static> {
    let theme = model.theme();
    let mut line = Line::default();
    for (_, key, hint) in hints(model, width) {
        if !line.spans.is_empty() {
            line.push_span(Span::raw(" ".repeat(GAP)));
        }
        line.push_span(Span::styled(key, theme.style(Role::Accent)));
        line.push_span(Span::styled(format!(" {hint}"), theme.style(Role::Faint)));
    }
    line
}

/// What the mouse points at in the row of keys.
pub fn action_at(model: &Model, area: Rect, (x, y): (u16, u16)) -> Option<&'static Action> {
    if model.view.prompt.is_some() || model.view.notice.is_some() || !area.contains((x, y).into()) {
        return None;
    }
    let mut left = usize::from(x - area.x);
    for hint in hints(model, area.width.into()) {
        let own = cells(&hint);
        if left < own {
            // The blanks behind it belong to nobody.
            return (left + GAP < own).then_some(hint.0);
        }
        left -= own;
    }
    None
}
