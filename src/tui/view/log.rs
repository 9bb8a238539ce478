//! What happened, in words, newest last.

use jiff::Timestamp;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{Place, text::as_fits};
use crate::{
    command::Command,
    event::{
        CheckpointKind, DataOpened, Ended, EpochEnded, Event, Level, Outcome, PhaseEnded, PhaseStarted, RunStarted,
        SplitName, Stage, Stamped,
    },
    tui::{
        figures, guard,
        logbook::Entry,
        model::Model,
        page::Page,
        theme::{Role, Theme},
    },
};

/// The lines that are told, oldest first; on the page of the machine, those that the filter lets pass.
pub fn lines(model: &Model) -> Vec<Entry<'_>> {
    let point = model.theme().symbols.point;
    let filter = (model.view.page == Page::Machine).then_some(&model.view.filter);
    let told = model.run.log.iter().filter_map(|stamped| {
        let (level, text) = tell(stamped, point)?;
        Some(Entry { stamped, level, text })
    });
    told.filter(|entry| filter.is_none_or(|filter| filter.passes(entry.level, &entry.text))).collect()
}

/// What the filter lets pass, in words.
fn filtered(model: &Model) -> Option<String> {
    let filter = Some(&model.view.filter).filter(|filter| !filter.is_none())?;
    let least = match filter.least {
        None => "all levels",
        Some(Level::Error) => "errors",
        Some(_) => "warnings and errors",
    };
    let words =
        if filter.words.is_empty() { String::new() } else { format!(" with \"{}\"", guard::clean(&filter.words)) };
    Some(format!("{least}{words}"))
}

/// How many lines there are, which of them are told, and whether the newest is among what is seen.
fn title(model: &Model, theme: &Theme, told: usize, width: usize) -> Line<'static> {
    let piece = |text: String, role: Role| vec![Span::styled(text, theme.style(role))];
    let mut pieces = vec![piece("log".into(), Role::Accent)];
    let back = model.view.log_back.min(told);
    let lines = |count: usize| if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    if model.view.page == Page::Machine {
        if let Some(filter) = filtered(model) {
            let all = model.run.log.iter().filter(|stamped| tell(stamped, "").is_some()).count();
            pieces.push(piece(format!("{told} of {}", lines(all)), Role::Text));
            pieces.push(piece(filter, Role::Warning));
        } else {
            pieces.push(piece(lines(told), Role::Text));
        }
        if back == 0 {
            let state = if model.is_live() { "following" } else { "to its end" };
            pieces.push(piece(state.into(), Role::Faint));
        }
    }
    if back > 0 {
        pieces.push(piece(format!("{} back, Esc follows", lines(back)), Role::Warning));
    }
    as_fits(pieces, &format!(" {} ", theme.symbols.separator), width.saturating_sub(4))
}

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let lines = lines(model);
    let area = place.open(&theme, title(model, &theme, lines.len(), place.area.width.into()), buffer);
    let shown = lines.len() - model.view.log_back.min(lines.len());
    let clock_width: u16 = if area.width >= 34 { 9 } else { 0 };
    let room = usize::from(area.width.saturating_sub(clock_width));
    // Among other panes a line is a line: what it has no room for is on the page of its own.
    let whole = model.view.page == Page::Machine;
    let mut bottom = area.bottom();
    let mut drawn = 0;
    // From the newest up, until the pane is full.
    'all: for Entry { stamped, level, text } in lines[..shown].iter().rev() {
        let (role, mark) = match level {
            Level::Info => (Role::Text, ""),
            Level::Warning => (Role::Warning, theme.symbols.warning),
            Level::Error => (Role::Bad, theme.symbols.cross),
        };
        let brief = match &stamped.event {
            Event::EpochEnded(ended) if !whole => brief_epoch(model, ended, theme.symbols.point, room),
            _ => None,
        };
        let text = brief.as_ref().unwrap_or(text);
        let text = if mark.is_empty() { text.clone() } else { format!("{mark} {text}") };
        let rows = if whole { guard::wrap(&text, room) } else { vec![guard::fit(&text, room, theme.symbols.ellipsis)] };
        for (at, line) in rows.iter().enumerate().rev() {
            if bottom == area.y {
                break 'all;
            }
            bottom -= 1;
            let clock = match (at, clock_width) {
                (_, 0) => String::new(),
                (0, _) => clock(model, stamped.at_ms) + " ",
                _ => " ".repeat(clock_width.into()),
            };
            let line = Line::from(vec![
                Span::styled(clock, theme.style(Role::Faint)),
                Span::styled(line.clone(), theme.style(role)),
            ]);
            line.render(Rect { y: bottom, height: 1, ..area }, buffer);
        }
        drawn += 1;
    }
    if whole {
        place.tell_more(&theme, shown - drawn, lines.len() - shown, buffer);
    }
}

/// An epoch on one line, without what is least important; `None` where all of it has room, or nothing would be left.
fn brief_epoch(model: &Model, ended: &EpochEnded, point: &str, room: usize) -> Option<String> {
    let EpochEnded { epoch, train, validation, .. } = ended;
    let digits = model.run.epochs_planned().max(1).to_string().len();
    let seconds = figures::duration(ended.train_seconds + ended.validation_seconds);
    let accuracy = |share: f64| figures::percent(share).trim_end_matches(" %").to_owned();
    let (loss, own) = (figures::loss(train.loss), accuracy(train.accuracy));
    let wordings = match validation {
        Some(validation) => {
            let (val_loss, val) = (figures::loss(validation.loss), accuracy(validation.accuracy));
            vec![
                format!("epoch {epoch:>digits$}: {loss} {point} {val_loss}, {own} {point} {val} %, {seconds}"),
                format!("epoch {epoch:>digits$}: {loss} {point} {val_loss}, {own} {point} {val} %"),
                format!("epoch {epoch:>digits$}: {point} {val_loss}, {own} {point} {val} %"),
                format!("epoch {epoch:>digits$}: {point} {val_loss}, {point} {val} %"),
                format!("epoch {epoch:>digits$}: {point} {val} %"),
            ]
        }
        None => vec![
            format!("epoch {epoch:>digits$}: {loss}, {own} %, {seconds}"),
            format!("epoch {epoch:>digits$}: {loss}, {own} %"),
            format!("epoch {epoch:>digits$}: {own} %"),
        ],
    };
    wordings.into_iter().find(|text| guard::width(text) <= room)
}

fn clock(model: &Model, at_ms: u64) -> String {
    let Ok(at) = Timestamp::from_millisecond(at_ms as i64) else { return "--:--:--".into() };
    at.to_zoned_datetime(model.view.zone.clone()).strftime("%H:%M:%S").to_string()
}

/// An event as a line; `point` stands before figures of validation, as in the charts. `None`: the rest of the screen says it.
fn tell(stamped: &Stamped, point: &str) -> Option<(Level, String)> {
    let info = |text: String| Some((Level::Info, text));
    match &stamped.event {
        Event::RunStarted(RunStarted { resumed: Some(from), .. }) => {
            info(format!("goes on from step {}, epoch {}", figures::count(from.step), from.epoch))
        }
        Event::RunStarted(run) => info(format!("{}: {} epochs of {}", run.run, run.epochs, run.model)),
        Event::Stage { stage, detail } => info(stage_text(*stage, detail)),
        Event::DataOpened(DataOpened { classes, train, validation, test, .. }) => info(format!(
            "{} classes; {} images to train, {} to validate, {} to test",
            classes.len(),
            figures::count(*train),
            figures::count(*validation),
            figures::count(*test)
        )),
        Event::DeviceReady(device) => info(format!("{}: {}, libtorch {}", device.device, device.name, device.libtorch)),
        Event::PhaseStarted(PhaseStarted { phase, count, name, .. }) => {
            info(format!("phase {phase} of {count}: {name}"))
        }
        Event::PhaseEnded(PhaseEnded { name, how, restored, .. }) => {
            let restored = if *restored { ", back to its best weights" } else { "" };
            info(format!("{name} {}{restored}", how.words()))
        }
        Event::EpochEnded(ended) => Some(epoch(ended, point)),
        Event::LearningRate { rate, why, layers, .. } => {
            let of = if layers.is_empty() { String::new() } else { format!(" of {}", layers.join(", ")) };
            info(format!("learning rate{of} {} ({why})", figures::rate(*rate)))
        }
        // The last one is written every epoch and on every request, which has a line of its own.
        Event::Checkpoint(saved) if saved.kind == CheckpointKind::Best => {
            info(format!("best saved, step {}", figures::count(saved.step)))
        }
        Event::Answered(answered) => match &answered.outcome {
            // The event that follows tells the rate, and who set it.
            Outcome::Applied
                if matches!(
                    answered.request,
                    Command::LearningRate { .. } | Command::ScaleRate { .. } | Command::Schedule { .. }
                ) =>
            {
                None
            }
            Outcome::Applied if matches!(answered.request, Command::Evaluate { .. } | Command::Undo) => None,
            Outcome::Applied if answered.request == Command::Checkpoint => {
                info(format!("{}: checkpoint saved, step {}", answered.by, figures::count(answered.step)))
            }
            Outcome::Applied => info(format!("{}: {}", answered.by, answered.request)),
            Outcome::Rejected { reason } => {
                Some((Level::Warning, format!("{}: {} refused, {reason}", answered.by, answered.request)))
            }
        },
        Event::Skipped { split, total, files } => {
            let first = files.first().map_or_else(String::new, |f| format!("; {}: {}", f.path, f.reason));
            Some((Level::Warning, format!("left out of {}, unreadable: {total}{first}", split_name(*split))))
        }
        Event::Tested(tested) => info(format!(
            "test: loss {}, accuracy {} on {} images",
            figures::loss(tested.metrics.loss),
            figures::percent(tested.metrics.accuracy),
            figures::count(tested.images)
        )),
        Event::Alarm(alarm) => Some((Level::Warning, alarm.told())),
        Event::Branched(branched) => {
            info(format!("a branch of {} from step {} on", branched.from, figures::count(branched.step)))
        }
        Event::Undone(undone) => info(format!(
            "back to step {}, before {}; {} steps are given up",
            figures::count(undone.to),
            undone.what,
            figures::count(undone.from - undone.to)
        )),
        Event::Measured(measured) => info(format!(
            "{} at step {}: loss {}, accuracy {}",
            split_name(measured.split),
            figures::count(measured.step),
            figures::loss(measured.metrics.loss),
            figures::percent(measured.metrics.accuracy)
        )),
        Event::Log { level, message } => Some((*level, message.clone())),
        Event::RunEnded(ended) => Some(match &ended.how {
            Ended::Completed { early: false } => (Level::Info, "all epochs done".into()),
            Ended::Completed { early: true } => (Level::Info, "stopped early: no more progress".into()),
            Ended::Stopped { by } => (Level::Info, format!("stopped by {by}")),
            Ended::Aborted { by } => (Level::Info, format!("aborted by {by}, without saving")),
            Ended::Failed { message, .. } => (Level::Error, message.clone()),
        }),
        _ => None,
    }
}

fn epoch(ended: &EpochEnded, point: &str) -> (Level, String) {
    let EpochEnded { epoch, train, validation, .. } = ended;
    let both = |train: String, validation: Option<String>| match validation {
        Some(validation) => format!("{train} {point} {validation}"),
        None => train,
    };
    let text = format!(
        "epoch {epoch}: {}, {}, {}",
        both(figures::loss(train.loss), validation.map(|v| figures::loss(v.loss))),
        both(figures::percent(train.accuracy), validation.map(|v| figures::percent(v.accuracy))),
        figures::duration(ended.train_seconds + ended.validation_seconds)
    );
    (if train.loss.is_finite() { Level::Info } else { Level::Error }, text)
}

/// A stage while it lasts and in the log: `opening the data: 2,000 images`.
pub fn stage_text(stage: Stage, detail: &str) -> String {
    let stage = match stage {
        Stage::LoadingLibtorch => "loading libtorch",
        Stage::OpeningData => "opening the data",
        Stage::BuildingNetwork => "building the network",
        Stage::Restoring => "restoring the checkpoint",
        Stage::FirstBatch => "computing the first batch",
    };
    if detail.is_empty() { stage.into() } else { format!("{stage}: {detail}") }
}

fn split_name(split: SplitName) -> &'static str {
    match split {
        SplitName::Train => "training",
        SplitName::Validation => "validation",
        SplitName::Test => "the test",
    }
}
