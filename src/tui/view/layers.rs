//! The network from input to output, with the frost line between what is frozen and what learns.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{Place, digits::Digits};
use crate::{
    state::Layer,
    tui::{
        figures, guard,
        model::Model,
        page::Pane,
        theme::{Role, Theme},
    },
};

/// A column of the table. They go when the pane is narrow, the last of [`Column::ALL`] first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Parameters,
    Gradient,
    Change,
    Output,
    Kind,
}

impl Column {
    /// The most telling first.
    const ALL: [Self; 5] = [Self::Parameters, Self::Gradient, Self::Change, Self::Output, Self::Kind];
    /// As they stand on the screen.
    const ORDER: [Self; 5] = [Self::Kind, Self::Output, Self::Parameters, Self::Gradient, Self::Change];

    fn width(self) -> usize {
        match self {
            Self::Kind => 13,
            Self::Output => 20,
            Self::Parameters => 5,
            Self::Gradient => 8,
            Self::Change => 7,
        }
    }

    fn title(self, theme: &Theme) -> String {
        match self {
            Self::Kind => "kind".into(),
            Self::Output => "output".into(),
            Self::Parameters => "param".into(),
            Self::Gradient => "gradient".into(),
            Self::Change => format!("{}w", theme.symbols.change),
        }
    }
}

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let run = &model.run;
    let mut title = vec![Span::styled("layers", theme.style(Role::Accent))];
    if let (Some(trainable), Some(total)) = (run.trainable_parameters, run.total_parameters) {
        let text = if place.area.width >= 50 {
            format!(
                " {} {} of {} parameters learn",
                theme.symbols.separator,
                figures::count(trainable),
                figures::count(total)
            )
        } else {
            format!(
                " {} {} of {} learn",
                theme.symbols.separator,
                figures::short_count(trainable),
                figures::short_count(total)
            )
        };
        title.push(Span::styled(text, theme.style(Role::Faint)));
    }
    let area = place.open(&theme, Line::from(title), buffer);
    let columns = columns(run.layers.iter().map(|l| guard::width(&l.info.name)).max().unwrap_or(0), area.width.into());
    let mut rows = area.rows();
    if area.height >= 4
        && let Some(row) = rows.next()
    {
        heading(&theme, &columns, row, buffer);
    }
    let styles = Styles::of(&run.layers);
    let details = details(model, &theme, &columns, styles);
    let entries = entries(model);
    let room = usize::from(area.height) - usize::from(area.height >= 4);
    let first = first_entry(model, &entries, room);
    place.tell_more(&theme, first, entries.len().saturating_sub(first + room), buffer);
    // What the columns have no room for is told of the selected layer, where the list leaves room.
    if !details.is_empty() && room > entries.len() + details.len() {
        let rows = Rect { y: area.bottom() - details.len() as u16, height: details.len() as u16, ..area }.rows();
        for (line, row) in details.into_iter().zip(rows) {
            line.render(row, buffer);
        }
    }
    for (entry, row) in entries.iter().skip(first).zip(rows) {
        match entry {
            Some(at) => layer(model, &theme, *at, &columns, styles, row, buffer),
            None => frost_line(&theme, row, buffer),
        }
    }
}

/// How the numbers of a column are written, all alike.
#[derive(Clone, Copy)]
struct Styles {
    gradient: Digits,
    change: Digits,
}

impl Styles {
    fn of(layers: &[Layer]) -> Self {
        Self {
            gradient: Digits::of(layers.iter().filter_map(|layer| layer.gradient_norm), Column::Gradient.width()),
            change: Digits::of(layers.iter().filter_map(|layer| layer.weight_change), Column::Change.width()),
        }
    }
}

/// The layers by number; the frost line is a row of its own between them.
fn entries(model: &Model) -> Vec<Option<usize>> {
    let line = model.run.frost_line();
    (0..model.run.layers.len())
        .flat_map(|at| if line > 0 && at + 1 == line { vec![Some(at), None] } else { vec![Some(at)] })
        .collect()
}

fn first_entry(model: &Model, entries: &[Option<usize>], room: usize) -> usize {
    let cursor = entries.iter().position(|entry| *entry == Some(model.view.cursor)).unwrap_or(0);
    first_shown(cursor, entries.len(), room)
}

/// The layer at a place on the screen.
pub fn layer_at(model: &Model, (_, row): (u16, u16)) -> Option<usize> {
    let layout = model.layout();
    let area = layout.pane(Pane::Layers)?;
    let frame = if layout.compact { (1, 0) } else { (1, 1) };
    let (top, height) = (area.y + frame.0, area.height.saturating_sub(frame.0 + frame.1));
    let heading = u16::from(height >= 4);
    let at = usize::from(row.checked_sub(top + heading)?);
    let entries = entries(model);
    let room = usize::from(height - heading);
    (at < room).then(|| entries.get(first_entry(model, &entries, room) + at).copied().flatten())?
}

fn details(model: &Model, theme: &Theme, columns: &Columns, styles: Styles) -> Vec<Line<'static>> {
    let Some(layer) = model.selected() else { return Vec::new() };
    let missing = |column: Column| !columns.shown.contains(&column);
    let mut rows = Vec::new();
    if missing(Column::Kind) || missing(Column::Output) {
        let text = format!("{} {} {}", layer.info.kind, theme.symbols.arrow, layer.info.output);
        rows.push(Line::from(vec![
            Span::styled(format!("{} ", guard::clean(&layer.info.name)), theme.style(Role::Strong)),
            Span::styled(guard::clean(&text).into_owned(), theme.style(Role::Faint)),
        ]));
    }
    if missing(Column::Change) && layer.info.parameters > 0 {
        let (gradient, role) = cell(theme, layer, Column::Gradient, styles, Role::Text);
        let (change, _) = cell(theme, layer, Column::Change, styles, Role::Text);
        rows.push(Line::from(vec![
            Span::styled(if layer.frozen { "" } else { "gradient " }, theme.style(Role::Faint)),
            Span::styled(gradient, theme.style(role)),
            Span::styled(format!("  {}w ", theme.symbols.change), theme.style(Role::Faint)),
            Span::styled(change, theme.style(Role::Text)),
        ]));
    }
    rows
}

/// The row at the top, such that the cursor keeps two rows of company where it can.
pub(super) fn first_shown(cursor: usize, rows: usize, room: usize) -> usize {
    let company = room.saturating_sub(1).min(2);
    (cursor + 1 + company).saturating_sub(room).min(rows.saturating_sub(room)).min(cursor)
}

/// Cells for the cursor and the two marks before a name.
const MARKS: usize = 4;

struct Columns {
    name: usize,
    shown: Vec<Column>,
}

fn columns(longest: usize, width: usize) -> Columns {
    let width = width.saturating_sub(MARKS);
    let name = longest.clamp(8, 24).min(width);
    let mut left = width - name;
    let mut chosen = Vec::new();
    for column in Column::ALL {
        if column.width() + 1 > left {
            break;
        }
        left -= column.width() + 1;
        chosen.push(column);
    }
    let shown = Column::ORDER.into_iter().filter(|c| chosen.contains(c)).collect();
    Columns { name: name + left.min(longest.saturating_sub(name)), shown }
}

fn heading(theme: &Theme, columns: &Columns, row: Rect, buffer: &mut Buffer) {
    let mut text = " ".repeat(MARKS) + &guard::column("name", columns.name, "");
    for column in &columns.shown {
        text.push(' ');
        let title = column.title(theme);
        text += &match column {
            Column::Kind | Column::Output => guard::column(&title, column.width(), ""),
            _ => guard::column_right(&title, column.width(), ""),
        };
    }
    Span::styled(text, theme.style(Role::Faint)).render(row, buffer);
}

pub(super) fn frost_line(theme: &Theme, row: Rect, buffer: &mut Buffer) {
    let label = format!(" {} frost line {} ", theme.symbols.frost, theme.symbols.frost);
    let rules = usize::from(row.width).saturating_sub(guard::width(&label));
    let text = theme.symbols.rule.repeat(rules / 2) + &label + &theme.symbols.rule.repeat(rules - rules / 2);
    Span::styled(text, theme.style(Role::Frozen)).render(row, buffer);
}

fn layer(model: &Model, theme: &Theme, at: usize, columns: &Columns, styles: Styles, row: Rect, buffer: &mut Buffer) {
    let layer = &model.run.layers[at];
    let info = &layer.info;
    let symbols = theme.symbols;
    let selected = at == model.view.cursor;
    let ink = match (info.parameters, layer.frozen) {
        _ if model.suspects(&info.name) => Role::Bad,
        (0, _) => Role::Faint,
        (_, true) => Role::Frozen,
        (_, false) => Role::Text,
    };
    let shown = model.explained().and_then(crate::state::shown_layer) == Some(info.name.as_str());
    let frost = if model.suspects(&info.name) {
        Span::styled(symbols.warning, theme.style(Role::Bad))
    } else if model.view.pending.touches(&info.name) {
        Span::styled(symbols.ellipsis, theme.style(Role::Warning))
    } else {
        Span::styled(if layer.frozen { symbols.frost } else { " " }, theme.style(Role::Frozen))
    };
    let mut spans = vec![
        Span::styled(if selected { symbols.cursor } else { " " }, theme.style(Role::Accent)),
        frost,
        Span::styled(if shown { symbols.shown } else { " " }, theme.style(Role::Accent)),
        Span::raw(" "),
        Span::styled(guard::column(&info.name, columns.name, symbols.ellipsis), theme.style(ink)),
    ];
    for column in &columns.shown {
        let (text, role) = cell(theme, layer, *column, styles, ink);
        let text = match column {
            Column::Kind | Column::Output => guard::column(&text, column.width(), symbols.ellipsis),
            _ => guard::column_right(&text, column.width(), symbols.ellipsis),
        };
        spans.push(Span::raw(" "));
        spans.push(Span::styled(text, theme.style(role)));
    }
    Line::from(spans).render(row, buffer);
    if selected {
        // Over the row that stands: its inks stay.
        buffer.set_style(row, theme.style(Role::Selected));
    }
}

fn cell(theme: &Theme, layer: &Layer, column: Column, styles: Styles, ink: Role) -> (String, Role) {
    let symbols = theme.symbols;
    let none = || (String::new(), Role::Faint);
    match column {
        Column::Kind => (layer.info.kind.clone(), Role::Faint),
        Column::Output => (layer.info.output.clone(), Role::Faint),
        Column::Parameters if layer.info.parameters == 0 => none(),
        Column::Parameters => (figures::short_count(layer.info.parameters), ink),
        Column::Gradient => match (layer.frozen, layer.intact, layer.gradient_norm) {
            (true, Some(true), _) => (format!("{} intact", symbols.check), Role::Frozen),
            (true, Some(false), _) => (format!("{} MOVED", symbols.cross), Role::Bad),
            (true, None, _) => ("frozen".into(), Role::Frozen),
            (false, _, Some(norm)) => (styles.gradient.write(norm), if norm.is_finite() { ink } else { Role::Bad }),
            (false, _, None) => none(),
        },
        Column::Change => match layer.weight_change {
            Some(change) if layer.info.parameters > 0 => (styles.change.write(change), ink),
            _ => none(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_panes_keep_the_telling_columns() {
        assert_eq!(columns(15, 28).shown, [Column::Parameters]);
        assert_eq!(columns(15, 34).shown, [Column::Parameters, Column::Gradient], "80 columns show both");
        assert_eq!(columns(12, 44).shown, [Column::Parameters, Column::Gradient, Column::Change]);
        assert_eq!(columns(12, 80).shown, Column::ORDER);
    }

    #[test]
    fn the_cursor_is_always_on_the_screen() {
        for room in 1..12 {
            for cursor in 0..30 {
                let first = first_shown(cursor, 30, room);
                assert!(first <= cursor && cursor < first + room, "row {cursor} of {room}: first is {first}");
            }
        }
    }
}
