//! Boxes over the middle of the screen: the questions before a stop and the end of a phase, a failed run, a lost connection.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::Line,
    widgets::{Block, Clear, Widget},
};

use crate::{
    event::Ended,
    tui::{
        guard,
        model::{Connection, Model},
        prompt::Prompt,
        theme::Role,
    },
};

pub fn draw(model: &Model, screen: Rect, buffer: &mut Buffer) {
    if model.view.prompt == Some(Prompt::Stop) {
        let text = vec![
            (Role::Strong, "Stop this run?".to_owned()),
            (Role::Text, "It saves a checkpoint and ends; train --resume goes on from there.".to_owned()),
        ];
        return show(model, "stop", Role::Warning, text, "y stops, any other key goes back", screen, buffer);
    }
    if model.view.prompt == Some(Prompt::Undo) {
        let (title, lost) = match model.run.last_intervention() {
            None => ("Undo the last intervention?".to_owned(), "The steps since are given up".to_owned()),
            Some((step, command)) => (
                format!("Undo {command}?"),
                format!("Back to step {step}: {} steps are given up", model.run.step.saturating_sub(step)),
            ),
        };
        let text = vec![(Role::Strong, title), (Role::Text, format!("{lost}, and stay in the journal."))];
        return show(model, "undo", Role::Warning, text, "y undoes, any other key goes back", screen, buffer);
    }
    if model.view.prompt == Some(Prompt::Abort) {
        let text = vec![
            (Role::Strong, "Abort this run?".to_owned()),
            (
                Role::Text,
                "It ends at once and saves nothing: what it did since its last checkpoint is lost.".to_owned(),
            ),
        ];
        return show(model, "abort", Role::Bad, text, "y aborts, any other key goes back", screen, buffer);
    }
    if model.view.prompt == Some(Prompt::EndPhase) {
        let (title, next, keys) = match model.run.phase() {
            Some((phase, at, of)) if (at as usize) < of => (
                format!("End phase {at} of {of}, {}?", phase.name),
                "Its epoch is validated as far as it is, and the next phase begins; a skip begins it at once.",
                "e ends it, s skips to the next, any other key goes back",
            ),
            _ => (
                "End this phase? It is the last one.".to_owned(),
                "Its epoch is validated as far as it is, then the best weights are tested, and the run is complete.",
                "e ends it, any other key goes back",
            ),
        };
        let text = vec![(Role::Strong, title), (Role::Text, next.to_owned())];
        return show(model, "phase", Role::Warning, text, keys, screen, buffer);
    }
    if !model.is_told_of_an_end() {
        return;
    }
    if let Connection::Lost { reason, log_tail } = &model.connection {
        let mut text = vec![(Role::Strong, reason.clone())];
        if !log_tail.is_empty() {
            text.push((Role::Text, String::new()));
            let whose = if model.view.host.is_none() { "of engine.log" } else { "that ssh printed" };
            text.push((Role::Faint, format!("the last lines {whose}:")));
            text.extend(log_tail.iter().map(|line| (Role::Text, line.clone())));
        }
        return show(
            model,
            "connection lost",
            Role::Bad,
            text,
            match model.view.host {
                None => "r resumes from the last checkpoint, q quits, Esc looks at the curves",
                Some(_) => "r connects again, q quits, Esc looks at the curves",
            },
            screen,
            buffer,
        );
    }
    let ended = model.run.ended.as_ref().filter(|_| !matches!(model.connection, Connection::Connecting { .. }));
    if let Some(Ended::Failed { message, hint, .. }) = ended.map(|e| &e.how) {
        let mut text = vec![(Role::Strong, message.clone())];
        if let Some(hint) = hint {
            text.push((Role::Text, String::new()));
            text.push((Role::Accent, hint.clone()));
        }
        let keys = match model.view.host {
            None => "r resumes from the last checkpoint, q quits, Esc looks at the curves",
            Some(_) => "q quits, Esc looks at the curves",
        };
        show(model, "the run failed", Role::Bad, text, keys, screen, buffer);
    }
}

fn show(
    model: &Model,
    title: &str,
    tone: Role,
    text: Vec<(Role, String)>,
    keys: &str,
    screen: Rect,
    buffer: &mut Buffer,
) {
    let theme = model.theme();
    let inside = usize::from(screen.width.min(76).saturating_sub(4));
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (role, text) in text {
        let wrapped = if text.is_empty() { vec![String::new()] } else { guard::wrap(&text, inside) };
        lines.extend(wrapped.into_iter().map(|line| Line::styled(line, theme.style(role))));
    }
    let longest = lines.iter().map(Line::width).max().unwrap_or(0).max(guard::width(keys)).min(inside);
    let width = (longest as u16 + 4).min(screen.width);
    let height = (lines.len() as u16 + 2).min(screen.height);
    let area = Rect { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height };
    Clear.render(area, buffer);
    let block = Block::bordered()
        .border_set(theme.symbols.border)
        .border_style(theme.style(tone))
        .title(Line::styled(format!(" {title} "), theme.style(tone)))
        .title_bottom(Line::styled(
            guard::fit(&format!(" {keys} "), inside + 2, theme.symbols.ellipsis),
            theme.style(Role::Faint),
        ));
    let inner = block.inner(area);
    block.render(area, buffer);
    for (line, row) in lines.into_iter().zip(inner.rows()) {
        line.render(Rect { x: row.x + 1, width: row.width.saturating_sub(1), ..row }, buffer);
    }
}
