//! The first rows: which run this is and how it stands, how far it is, how fast it goes.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::text::{as_fits, bar, ends, sparkline};
use crate::{
    command::Command,
    event::{Ended, SplitName, State},
    tui::{
        figures, guard,
        model::{Connection, Model},
        theme::{Role, Theme},
    },
};

pub fn draw_header(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let right = status(model, &theme, area.width);
    let room = usize::from(area.width).saturating_sub(right.width() + 2);
    let dot = format!(" {} ", theme.symbols.separator);
    let mut names = vec![Span::styled(format!("{} ", theme.symbols.frost), theme.style(Role::Frozen))];
    if let Some(run) = &model.run.run {
        let phase = model.run.phase().map(|(phase, at, of)| format!("phase {at} of {of}{dot}{}", phase.name));
        // Which of several phases it is says more than the model's name, and has room first.
        let parts = match &phase {
            Some(phase) => [(&run.run, Role::Strong), (phase, Role::Accent), (&run.model, Role::Faint)],
            None => [(&run.run, Role::Strong), (&run.model, Role::Text), (&run.phase, Role::Faint)],
        };
        // A run is named after its configuration, and mostly so is the model; the only phase mostly has no name of its own.
        let says = |text: &str| !text.is_empty() && text != "train" && !run.run.ends_with(&format!("-{text}"));
        let parts = parts.into_iter().enumerate().filter(|(at, (text, _))| *at == 0 || says(text));
        let mut used = 2;
        for (at, (_, (text, role))) in parts.enumerate() {
            let lead = if at == 0 { 0 } else { guard::width(&dot) };
            let left = room.saturating_sub(used + lead);
            if left < 6 && at > 0 {
                break;
            }
            let text = guard::fit(text, left, theme.symbols.ellipsis);
            used += lead + guard::width(&text);
            if at > 0 {
                names.push(Span::styled(dot.clone(), theme.style(Role::Faint)));
            }
            names.push(Span::styled(text, theme.style(role)));
        }
    } else {
        names.push(Span::styled("frostline", theme.style(Role::Strong)));
    }
    ends(Line::from(names), right, area, buffer);
}

/// The badge, what it is about to become, and the device.
fn status(model: &Model, theme: &Theme, width: u16) -> Line<'static> {
    let symbols = theme.symbols;
    let (mark, word, role) = badge(model, theme);
    let mut line = Line::from(Span::styled(format!("{mark} {word}"), theme.style(role)));
    if let Some(command) = model.view.pending.newest() {
        let doing = match command {
            Command::Pause => "pausing".into(),
            Command::Resume => "resuming".into(),
            Command::Stop => "stopping".into(),
            Command::Abort => "aborting".into(),
            Command::Evaluate { .. } => "evaluating".into(),
            Command::Checkpoint => "saving".into(),
            other => format!("pending: {other}"),
        };
        let doing = guard::fit(&doing, usize::from(width) / 3, symbols.ellipsis);
        line.push_span(Span::styled(
            format!(" {} {doing}{}", symbols.arrow, symbols.ellipsis),
            theme.style(Role::Warning),
        ));
    }
    if let Some(device) = model.run.device.as_ref().filter(|_| width >= 60) {
        let name = if width >= 110 { guard::fit(&device.name, 30, symbols.ellipsis) + " " } else { String::new() };
        let threads =
            if device.device == "cpu" { format!(" {}{}", symbols.times, device.threads) } else { String::new() };
        let text = format!(" {} {name}{}{threads}", symbols.separator, guard::clean(&device.device));
        line.push_span(Span::styled(text, theme.style(Role::Faint)));
    }
    line
}

fn badge(model: &Model, theme: &Theme) -> (&'static str, &'static str, Role) {
    let s = theme.symbols;
    match (&model.connection, &model.run.ended) {
        (Connection::Lost { .. }, _) => (s.cross, "LOST", Role::Bad),
        (_, Some(ended)) => match ended.how {
            Ended::Completed { early: false } => (s.check, "COMPLETED", Role::Good),
            Ended::Completed { early: true } => (s.check, "STOPPED EARLY", Role::Good),
            Ended::Stopped { .. } => (s.ended, "STOPPED", Role::Warning),
            Ended::Aborted { .. } => (s.ended, "ABORTED", Role::Warning),
            Ended::Failed { .. } => (s.cross, "FAILED", Role::Bad),
        },
        (Connection::Replay, None) => (s.replay, "RECORDING", Role::Accent),
        (Connection::Connecting { .. }, None) => (s.starting, "STARTING", Role::Accent),
        (Connection::Live, None) => match model.run.state {
            None | Some(State::Starting) => (s.starting, "STARTING", Role::Accent),
            Some(State::Running) => (s.running, "RUNNING", Role::Good),
            Some(State::Paused) => (s.paused, "PAUSED", Role::Warning),
            Some(State::Evaluating) => (s.busy, "EVALUATING", Role::Validation),
            Some(State::Ended) => (s.ended, "ENDED", Role::Faint),
        },
    }
}

pub fn draw_progress(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let run = &model.run;
    // Nobody knows when a run goes on that has no engine.
    let left = run.remaining().filter(|_| model.is_live());
    // What takes no second any more is over.
    let clock = |seconds: Option<f64>| seconds.filter(|left| *left >= 0.5).map_or_else(String::new, figures::duration);
    let ended = run.epochs.last().is_some_and(|e| e.epoch == run.epoch);
    let (label, share, role) = if let Some((split, done, total)) = run.evaluating {
        let name = match split {
            SplitName::Train => "training set",
            SplitName::Validation => "validating",
            SplitName::Test => "testing",
        };
        (name.to_owned(), done as f64 / total.max(1) as f64, Role::Validation)
    } else {
        let share = if ended { 1.0 } else { run.epoch_share() };
        let label = match run.epochs_planned() {
            0 => "epoch".into(),
            planned => format!("epoch {}/{planned}", run.epoch),
        };
        (label, share, Role::Train)
    };
    let total = if run.is_over() && ended && run.epoch == run.epochs_planned() { 1.0 } else { run.total_share() };
    let rows = [
        (label, share, clock(left.map(|l| l.epoch)), role),
        ("total".to_owned(), total, clock(left.map(|l| l.total)), Role::Accent),
    ];
    if area.height >= 2 {
        for (row, (label, share, eta, role)) in area.rows().zip(rows) {
            progress_line(&theme, &label, share, &eta, role, row.width.into()).render(row, buffer);
        }
    } else {
        let half = area.width.saturating_sub(2) / 2;
        for ((label, share, eta, role), x) in rows.into_iter().zip([area.x, area.x + area.width - half]) {
            progress_line(&theme, &label, share, &eta, role, half.into())
                .render(Rect { x, width: half, ..area }, buffer);
        }
    }
}

fn progress_line(theme: &Theme, label: &str, share: f64, eta: &str, role: Role, width: usize) -> Line<'static> {
    let eta = if eta.is_empty() { String::new() } else { format!(" {eta:>5} left") };
    let tail = format!(" {:>5}{eta}", figures::whole_percent(share));
    let room = width.saturating_sub(guard::width(&tail));
    let label = guard::fit(label, room, theme.symbols.ellipsis);
    let bar_width = room.saturating_sub(guard::width(&label) + 1);
    let mut spans = vec![Span::styled(label, theme.style(Role::Text)), Span::raw(" ")];
    spans.extend(bar(theme, share, bar_width, role));
    spans.push(Span::styled(tail, theme.style(Role::Text)));
    Line::from(spans)
}

/// Speed, waiting, learning rate, what trains, how long it has run; at the end what came of it.
pub fn draw_meters(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme();
    let run = &model.run;
    let mut pieces = Vec::new();
    let word = |text: String, role: Role| Span::styled(text, theme.style(role));
    if let Some(ended) = &run.ended {
        // Over all engines that the run had; `ended` knows of the last one only.
        let ran = if run.clock.elapsed_ms > 0 { run.clock.elapsed_ms as f64 / 1000.0 } else { ended.seconds };
        pieces.push(vec![word(format!("ran {}", figures::duration(ran)), Role::Text)]);
        if let Some(tested) = &run.tested {
            let which = tested.checkpoint.word();
            let text = format!("test accuracy {} ({which} checkpoint)", figures::percent(tested.metrics.accuracy));
            pieces.push(vec![word(text, Role::Good)]);
        }
        if let Some(best) = &run.best {
            pieces.push(vec![word(format!("{} best after epoch {}", theme.symbols.best, best.epoch), Role::Text)]);
        }
    } else if let Some(latest) = &run.latest {
        let spark = |values: Vec<f64>| sparkline(&theme, &values, if area.width >= 100 { 16 } else { 8 });
        let speeds = run.curves.images_per_second.buckets().iter().map(|b| b.mean).collect();
        pieces.push(vec![
            word(figures::count(run.speed.unwrap_or(0.0).max(0.0).round() as u64), Role::Strong),
            word(" images/s ".into(), Role::Faint),
            word(spark(speeds), Role::Train),
        ]);
        let waiting = if latest.data_wait > 0.3 { Role::Warning } else { Role::Strong };
        pieces.push(vec![
            word("data wait ".into(), Role::Faint),
            word(figures::whole_percent(latest.data_wait), waiting),
        ]);
        let rates: Vec<f64> = run.curves.learning_rate.buckets().iter().map(|b| b.mean).collect();
        let mut rate = vec![word("rate ".into(), Role::Faint), word(figures::rate(latest.learning_rate), Role::Strong)];
        // A rate that stands still is no curve.
        if area.width >= 100 && rates.windows(2).any(|pair| pair[0] != pair[1]) {
            rate.push(word(format!(" {}", spark(rates)), Role::Train));
        }
        pieces.push(rate);
    }
    if run.clock.elapsed_ms > 0 && run.ended.is_none() {
        let elapsed = figures::duration(run.clock.elapsed_ms as f64 / 1000.0);
        pieces.push(vec![word("elapsed ".into(), Role::Faint), word(elapsed, Role::Strong)]);
    }
    let skipped: u64 = run.skipped.values().map(|s| s.total).sum();
    if skipped > 0 {
        pieces.push(vec![word(
            format!("{} {skipped} unreadable image{}", theme.symbols.warning, if skipped == 1 { "" } else { "s" }),
            Role::Warning,
        )]);
    }
    if run.clock.missed > 0 {
        pieces.push(vec![word(format!("{} updates skipped on this line", run.clock.missed), Role::Faint)]);
    }
    as_fits(pieces, "   ", area.width.into()).render(area, buffer);
}
