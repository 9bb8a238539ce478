//! The page of layers: the tree with what each layer holds, learns and costs, and the frost line across it.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    Place, chosen_layer,
    layer_facts::Facts,
    layers::{first_shown, frost_line},
    text::as_fits,
};
use crate::{
    state::{Block, Layer},
    tui::{
        figures, guard,
        model::Model,
        page::Pane,
        theme::{Role, Theme},
        tree::Row,
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Kind,
    Output,
    Parameters,
    Rate,
    Gradient,
    Update,
    Activation,
    Dead,
    Time,
}

impl Column {
    /// The most telling first: the others go when the page is narrow.
    const ALL: [Self; 9] = [
        Self::Parameters,
        Self::Gradient,
        Self::Update,
        Self::Dead,
        Self::Time,
        Self::Activation,
        Self::Rate,
        Self::Output,
        Self::Kind,
    ];
    /// As they stand on the screen.
    const ORDER: [Self; 9] = [
        Self::Kind,
        Self::Output,
        Self::Parameters,
        Self::Rate,
        Self::Gradient,
        Self::Update,
        Self::Activation,
        Self::Dead,
        Self::Time,
    ];

    fn width(self) -> usize {
        match self {
            Self::Kind => 15,
            Self::Output => 20,
            Self::Parameters | Self::Dead => 5,
            Self::Rate | Self::Gradient => 8,
            Self::Update => 7,
            Self::Activation => 13,
            Self::Time => BAR + 5,
        }
    }

    fn title(self, theme: &Theme) -> String {
        match self {
            Self::Kind => "kind".into(),
            Self::Output => "output".into(),
            Self::Parameters => "param".into(),
            Self::Rate => format!("rate {}", theme.symbols.rate),
            Self::Gradient => "gradient".into(),
            Self::Update => format!("{}w/w", theme.symbols.change),
            Self::Activation => "activation".into(),
            Self::Dead => "dead".into(),
            Self::Time => "time".into(),
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Kind | Self::Output | Self::Time)
    }
}

/// Cells of a bar of times.
const BAR: usize = 10;

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let area = place.open(&theme, title(model, &theme, place.area.width), buffer);
    let (list, aside) = split(area);
    table(model, &theme, list, buffer);
    if let Some(aside) = aside {
        chosen_layer::draw(model, &theme, aside, buffer);
    }
}

fn title(model: &Model, theme: &Theme, width: u16) -> Line<'static> {
    let run = &model.run;
    let mut pieces = vec![vec![Span::styled("layers", theme.style(Role::Accent))]];
    let faint = |text: String| vec![Span::styled(text, theme.style(Role::Faint))];
    if let (Some(trainable), Some(total)) = (run.trainable_parameters, run.total_parameters) {
        pieces.push(faint(if width >= 60 {
            format!("{} of {} parameters learn", figures::count(trainable), figures::count(total))
        } else {
            format!("{} of {} learn", figures::short_count(trainable), figures::short_count(total))
        }));
    }
    pieces.push(faint(match run.probed {
        Some((step, images)) => {
            let plural = if images == 1 { "" } else { "s" };
            format!("probed with {images} image{plural} at step {}", figures::count(step))
        }
        None if model.is_live() => format!("a probe is on its way{}", theme.symbols.ellipsis),
        None => "never probed".into(),
    }));
    as_fits(pieces, &format!(" {} ", theme.symbols.separator), usize::from(width).saturating_sub(4))
}

/// The list, and the part for the chosen layer: beside it where there is much room, below it where there is some.
fn split(area: Rect) -> (Rect, Option<Rect>) {
    const BESIDE: u16 = 44;
    const BELOW: u16 = 8;
    if area.width >= 150 && area.height >= 16 {
        let list = Rect { width: area.width - BESIDE - 2, ..area };
        return (list, Some(Rect { x: list.right() + 2, width: BESIDE, ..area }));
    }
    if area.width < 60 || area.height < 2 * BELOW + 1 {
        return (area, None);
    }
    let below = if area.height >= 30 { BELOW + 3 } else { BELOW };
    let list = Rect { height: area.height - below, ..area };
    (list, Some(Rect { y: list.bottom(), height: below, ..area }))
}

struct Columns {
    name: usize,
    shown: Vec<Column>,
}

/// Cells for the cursor and the mark of frost before a name.
const MARKS: usize = 4;

fn columns(longest: usize, width: usize) -> Columns {
    let width = width.saturating_sub(MARKS);
    let name = longest.clamp(10, 26).min(width);
    let mut left = width - name;
    let mut chosen = Vec::new();
    for column in Column::ALL {
        if column.width() + 2 > left {
            break;
        }
        left -= column.width() + 2;
        chosen.push(column);
    }
    let shown = Column::ORDER.into_iter().filter(|column| chosen.contains(column)).collect();
    Columns { name: name + left.min(longest.saturating_sub(name)), shown }
}

fn table(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let rows = model.tree();
    let indent = |row: &Row| match row {
        Row::Block { block, .. } => 2 * block.depth + 2 + guard::width(&block.name),
        Row::Layer { at, depth } => 2 * depth + guard::width(&model.run.layers[*at].info.name),
        Row::FrostLine => 0,
    };
    let columns = columns(rows.iter().map(indent).max().unwrap_or(0), area.width.into());
    let heads = u16::from(area.height >= 4);
    let mut lines = area.rows();
    if heads > 0
        && let Some(line) = lines.next()
    {
        heading(theme, &columns, line, buffer);
    }
    let slowest =
        rows.iter().filter_map(|row| facts(model, row)?.time).map(|[there, back]| there + back).fold(0.0, f64::max);
    let whole: f64 =
        model.run.layers.iter().filter_map(|layer| layer.probe.as_ref()).map(|p| p.forward_ms + p.backward_ms).sum();
    let cursor = model.tree_cursor(&rows);
    let first = first_shown(cursor, rows.len(), usize::from(area.height - heads));
    for ((at, row), line) in rows.iter().enumerate().skip(first).zip(lines) {
        let Some(facts) = facts(model, row) else {
            frost_line(theme, line, buffer);
            continue;
        };
        let selected = at == cursor;
        let mut spans = lead(model, theme, row, &facts, selected, columns.name);
        for column in &columns.shown {
            spans.push(Span::raw("  "));
            spans.extend(cell(model, theme, row, &facts, *column, [slowest, whole]));
        }
        Line::from(spans).render(line, buffer);
        if selected {
            // Over the row that stands: its inks stay.
            buffer.set_style(line, Style { fg: None, ..theme.style(Role::Selected) });
        }
    }
}

fn facts(model: &Model, row: &Row) -> Option<Facts> {
    match row {
        Row::Block { block, .. } => Some(Facts::of(model.run.layers.get(block.layers.clone())?)),
        Row::Layer { at, .. } => Some(Facts::of(&model.run.layers[*at..=*at])),
        Row::FrostLine => None,
    }
}

fn heading(theme: &Theme, columns: &Columns, row: Rect, buffer: &mut Buffer) {
    let mut text = " ".repeat(MARKS) + &guard::column("name", columns.name, "");
    for column in &columns.shown {
        let (title, width) = (column.title(theme), column.width());
        text += "  ";
        text +=
            &if column.is_text() { guard::column(&title, width, "") } else { guard::column_right(&title, width, "") };
    }
    Span::styled(text, theme.style(Role::Faint)).render(row, buffer);
}

/// Cursor, frost and the name.
fn lead(model: &Model, theme: &Theme, row: &Row, facts: &Facts, selected: bool, width: usize) -> Vec<Span<'static>> {
    let symbols = theme.symbols;
    let (name, pending) = match row {
        Row::Block { block: Block { name, layers, depth }, folded } => {
            let mark = if *folded { symbols.folded } else { symbols.unfolded };
            let touched =
                model.run.layers[layers.clone()].iter().any(|layer| model.view.pending.touches(&layer.info.name));
            (format!("{}{mark} {name}", "  ".repeat(*depth)), touched)
        }
        Row::Layer { at, depth } => {
            let name = &model.run.layers[*at].info.name;
            (format!("{}{name}", "  ".repeat(*depth)), model.view.pending.touches(name))
        }
        Row::FrostLine => (String::new(), false),
    };
    let ink = match (facts.parameters, facts.frozen, row) {
        _ if model.suspects_row(row) => Role::Bad,
        (_, _, Row::Block { .. }) => Role::Strong,
        (0, ..) => Role::Faint,
        (_, [true, false], _) => Role::Frozen,
        _ => Role::Text,
    };
    let frost = match (pending, facts.frozen) {
        _ if model.suspects_row(row) => (symbols.warning, Role::Bad),
        (true, _) => (symbols.ellipsis, Role::Warning),
        (_, [true, false]) => (symbols.frost, Role::Frozen),
        // A block of which a part is frozen.
        (_, [true, true]) => (symbols.thaw, Role::Frozen),
        _ => (" ", Role::Text),
    };
    vec![
        Span::styled(if selected { symbols.cursor } else { " " }, theme.style(Role::Accent)),
        Span::raw(" "),
        Span::styled(frost.0, theme.style(frost.1)),
        Span::raw(" "),
        Span::styled(guard::column(&name, width, symbols.ellipsis), theme.style(ink)),
    ]
}

fn cell(
    model: &Model,
    theme: &Theme,
    row: &Row,
    facts: &Facts,
    column: Column,
    [slowest, whole]: [f64; 2],
) -> Vec<Span<'static>> {
    let symbols = theme.symbols;
    let of_layer = |text: fn(&Layer) -> &str| match row {
        Row::Layer { at, .. } => text(&model.run.layers[*at]).to_owned(),
        _ => String::new(),
    };
    let learns = facts.frozen[1];
    let number = |value: Option<f64>, role: Role| match value {
        Some(value) => (figures::figure(value), if value.is_finite() { role } else { Role::Bad }),
        None => (String::new(), Role::Faint),
    };
    let (text, role) = match column {
        Column::Kind => match row {
            Row::Block { block, .. } => (format!("{} layers", block.layers.len()), Role::Faint),
            _ => (of_layer(|layer| &layer.info.kind), Role::Faint),
        },
        Column::Output => match row {
            Row::Block { block, .. } => {
                let last = model.run.layers.get(block.layers.end - 1);
                (last.map_or_else(String::new, |layer| layer.info.output.clone()), Role::Faint)
            }
            _ => (of_layer(|layer| &layer.info.output), Role::Faint),
        },
        Column::Parameters if facts.parameters == 0 => (String::new(), Role::Faint),
        Column::Parameters => (figures::short_count(facts.parameters), Role::Text),
        Column::Rate => match facts.rate {
            Some([low, high]) if low == high => (figures::rate(low), Role::Text),
            Some([_, high]) => (format!("<{}", figures::rate(high)), Role::Text),
            None => (String::new(), Role::Faint),
        },
        Column::Gradient if facts.moved => (format!("{} MOVED", symbols.cross), Role::Bad),
        Column::Gradient if facts.frozen[0] && !learns => {
            (if facts.intact { format!("{} intact", symbols.check) } else { "frozen".into() }, Role::Frozen)
        }
        Column::Gradient => number(facts.gradient, Role::Text),
        // A thousandth is what is aimed at: Karpathy's rule of thumb in CS231n, "Ratio of weights:updates".
        Column::Update => {
            let odd = facts.update.is_some_and(|ratio| !(1e-5..3e-2).contains(&ratio) && ratio > 0.0);
            number(facts.update, if odd { Role::Warning } else { Role::Text })
        }
        Column::Activation => match facts.activation {
            Some((mean, deviation)) => {
                let sign = if theme.appearance.ascii { "+-" } else { "±" };
                (format!("{} {sign}{}", brief(mean), brief(deviation)), Role::Text)
            }
            None => (String::new(), Role::Faint),
        },
        Column::Dead => match facts.dead {
            Some(share) => (
                figures::whole_percent(share),
                if share >= 0.4 {
                    Role::Bad
                } else if share >= 0.1 {
                    Role::Warning
                } else {
                    Role::Faint
                },
            ),
            None => (String::new(), Role::Faint),
        },
        Column::Time => return times(theme, facts.time, [slowest, whole]),
    };
    let text = if column.is_text() {
        guard::column(&text, column.width(), symbols.ellipsis)
    } else {
        guard::column_right(&text, column.width(), symbols.ellipsis)
    };
    vec![Span::styled(text, theme.style(role))]
}

/// Two significant digits.
fn brief(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => figures::figure(value),
        0.0 => "0".into(),
        ..0.01 | 1e4.. => format!("{value:.0e}"),
        ..1.0 => format!("{value:.2}"),
        ..10.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// The way there and the way back in two colours, and their share of the whole.
fn times(theme: &Theme, time: Option<[f64; 2]>, [slowest, whole]: [f64; 2]) -> Vec<Span<'static>> {
    let Some([there, back]) = time.filter(|_| whole > 0.0) else {
        return vec![Span::raw(" ".repeat(Column::Time.width()))];
    };
    let cells = |milliseconds: f64| (milliseconds / slowest.max(f64::MIN_POSITIVE) * BAR as f64).round() as usize;
    let both = cells(there + back).min(BAR);
    let first = cells(there).min(both);
    let symbols = theme.symbols;
    vec![
        Span::styled(symbols.bar_full.repeat(first), theme.style(Role::Train)),
        Span::styled(symbols.bar_full.repeat(both - first), theme.style(Role::Validation)),
        Span::styled(symbols.bar_empty.repeat(BAR - both), theme.style(Role::BarEmpty)),
        Span::styled(
            guard::column_right(&figures::whole_percent((there + back) / whole), 5, ""),
            theme.style(Role::Faint),
        ),
    ]
}

/// What is at a place on the page.
pub fn row_at(model: &Model, (column, row): (u16, u16)) -> Option<Row> {
    let layout = model.layout();
    let area = layout.pane(Pane::Layers)?;
    let inside = if layout.compact {
        Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
    } else {
        area.inner(ratatui::layout::Margin::new(1, 1))
    };
    let (list, _) = split(inside);
    let heads = u16::from(list.height >= 4);
    let list = Rect { y: list.y + heads, height: list.height - heads, ..list };
    if !list.contains((column, row).into()) {
        return None;
    }
    let rows = model.tree();
    let first = first_shown(model.tree_cursor(&rows), rows.len(), list.height.into());
    rows.into_iter().nth(first + usize::from(row - list.y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_pages_keep_the_telling_columns() {
        assert_eq!(columns(15, 38).shown, [Column::Parameters, Column::Gradient]);
        assert_eq!(
            columns(15, 78).shown,
            [Column::Parameters, Column::Gradient, Column::Update, Column::Dead, Column::Time],
            "80 columns"
        );
        assert_eq!(columns(15, 150).shown, Column::ORDER);
    }

    #[test]
    fn figures_stay_brief() {
        assert_eq!([0.0, 0.004, 0.123, 4.56, 123.4, -0.5].map(brief), ["0", "4e-3", "0.12", "4.6", "123", "-0.50"]);
    }
}
