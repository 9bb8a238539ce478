//! The last row: the keys that apply now, or what has to be told, or a line to type in.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{command_line, text::as_fits};
use crate::tui::{
    actions::ACTIONS,
    guard,
    model::{Model, Tone},
    prompt::Prompt,
    theme::Role,
};

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

/// The way out and the help page come first in a screen that has no room for all.
fn keys(model: &Model, width: usize) -> Line<'static> {
    let theme = model.theme();
    let piece = |action: &'static crate::tui::actions::Action| {
        // One without a key is left out.
        let key = model.view.settings.keymap.of(action).first()?;
        action.hint.filter(|_| action.when.holds(model).is_ok()).map(|hint| {
            vec![
                Span::styled(key.to_string(), theme.style(Role::Accent)),
                Span::styled(format!(" {hint}"), theme.style(Role::Faint)),
            ]
        })
    };
    let (leave, rest): (Vec<_>, Vec<_>) = ACTIONS.iter().partition(|a| a.group == crate::tui::actions::Group::Leave);
    let last: Vec<_> = leave.into_iter().filter_map(piece).collect();
    let own: usize = last.iter().flatten().map(Span::width).sum::<usize>() + 2 * last.len();
    let mut line = as_fits(rest.into_iter().filter_map(piece).collect(), "  ", width.saturating_sub(own));
    for piece in last {
        if !line.spans.is_empty() {
            line.push_span(Span::raw("  "));
        }
        line.spans.extend(piece);
    }
    line
}
