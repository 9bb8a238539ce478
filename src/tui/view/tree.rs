//! The page of layers: the tree with what each layer holds, learns and costs, and the frost line across it.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    Place, chosen_layer,
    columns::{Column, MARKS, Styles, columns, heading, shares},
    digits::Digits,
    layer_facts::Facts,
    layers::{first_shown, frost_line},
    text::as_fits,
};
use crate::{
    state::Block,
    tui::{
        figures, guard,
        model::Model,
        page::Pane,
        theme::{Role, Theme},
        tree::Row,
    },
};

pub fn draw(model: &Model, place: Place, buffer: &mut Buffer) {
    let theme = model.theme();
    let area = place.open(&theme, title(model, &theme, place.area.width), buffer);
    let table = Table::of(model, &theme);
    let (list, aside) = split(area, &table);
    let [above, below] = table.draw(list, buffer);
    place.tell_more(&theme, above, below, buffer);
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

/// The list, and the part for the chosen layer: below it where it leaves room, beside it where it is long and the page wide.
fn split(area: Rect, table: &Table<'_>) -> (Rect, Option<Rect>) {
    const BESIDE: u16 = 44;
    const BELOW: u16 = 8;
    let rows = table.rows.len() as u16 + 1;
    if area.width >= 150 && area.height >= 16 && rows + 2 * BELOW > area.height {
        // What the columns do not need is the histograms'.
        let list = Rect { width: (table.width() as u16 + 1).min(area.width - BESIDE - 2), ..area };
        return (list, Some(Rect { x: list.right() + 2, width: area.width - list.width - 2, ..area }));
    }
    if area.width < 60 || area.height < 2 * BELOW + 1 {
        return (area, None);
    }
    let below = if area.height >= 30 { BELOW + 3 } else { BELOW };
    let below = below.max(area.height.saturating_sub(rows + 1));
    let list = Rect { height: area.height - below, ..area };
    (list, Some(Rect { y: list.bottom(), height: below, ..area }))
}

/// The rows with what is known of each, and the style of each column's numbers.
struct Table<'a> {
    model: &'a Model,
    theme: &'a Theme,
    rows: Vec<(Row, Option<Facts>)>,
    longest: usize,
    styles: Styles,
}

impl<'a> Table<'a> {
    fn of(model: &'a Model, theme: &'a Theme) -> Self {
        let rows = model.tree();
        let indent = |row: &Row| match row {
            Row::Block { block, .. } => 2 * block.depth + 2 + guard::width(&block.name),
            Row::Layer { at, depth } => 2 * depth + guard::width(&model.run.layers[*at].info.name),
            Row::FrostLine => 0,
        };
        let longest = rows.iter().map(indent).max().unwrap_or(0);
        let rows: Vec<_> =
            rows.into_iter().map(|row| (facts(model, &row), row)).map(|(facts, row)| (row, facts)).collect();
        let styles = Styles::of(model, &rows);
        Self { model, theme, rows, longest, styles }
    }

    /// Cells that all columns need.
    fn width(&self) -> usize {
        let cells: usize = Column::ALL.into_iter().map(|column| self.styles.cells(column) + 2).sum();
        MARKS + self.longest.max(10) + cells
    }

    fn cursor(&self) -> usize {
        let rows: Vec<Row> = self.rows.iter().map(|(row, _)| row.clone()).collect();
        self.model.tree_cursor(&rows)
    }

    /// How many rows are above what is shown, and how many below.
    fn draw(&self, area: Rect, buffer: &mut Buffer) -> [usize; 2] {
        let theme = self.theme;
        let columns = columns(self.longest, area.width.into(), |column| self.styles.cells(column));
        let heads = u16::from(area.height >= 4);
        let mut lines = area.rows();
        if heads > 0
            && let Some(line) = lines.next()
        {
            heading(theme, &columns, line, buffer);
        }
        let cursor = self.cursor();
        let room = usize::from(area.height - heads);
        let first = first_shown(cursor, self.rows.len(), room);
        for ((at, (row, facts)), line) in self.rows.iter().enumerate().skip(first).zip(lines) {
            let Some(facts) = facts else {
                frost_line(theme, line, buffer);
                continue;
            };
            let selected = at == cursor;
            let mut spans = lead(self.model, theme, row, facts, selected, columns.name);
            for (column, cells) in &columns.shown {
                spans.push(Span::raw("  "));
                spans.extend(self.cell(row, facts, *column, *cells));
            }
            Line::from(spans).render(line, buffer);
            if selected {
                // Over the row that stands: its inks stay.
                buffer.set_style(line, theme.style(Role::Selected));
            }
        }
        [first, self.rows.len().saturating_sub(first + room)]
    }

    fn cell(&self, row: &Row, facts: &Facts, column: Column, cells: usize) -> Vec<Span<'static>> {
        let (theme, symbols, styles) = (self.theme, self.theme.symbols, &self.styles);
        let layers = &self.model.run.layers;
        let number = |value: Option<f64>, digits: Digits, role: Role| match value {
            Some(value) => (digits.write(value), if value.is_finite() { role } else { Role::Bad }),
            None => (String::new(), Role::Faint),
        };
        let learns = facts.frozen[1];
        let (text, role) = match column {
            Column::Kind => match row {
                Row::Block { block, .. } => (format!("{} layers", block.layers.len()), Role::Faint),
                Row::Layer { at, .. } => (layers[*at].info.kind.clone(), Role::Faint),
                Row::FrostLine => (String::new(), Role::Faint),
            },
            Column::Output => {
                let layer = match row {
                    Row::Block { block, .. } => layers.get(block.layers.end - 1),
                    Row::Layer { at, .. } => layers.get(*at),
                    Row::FrostLine => None,
                };
                (layer.map_or_else(String::new, |layer| layer.info.output.clone()), Role::Faint)
            }
            Column::Parameters if facts.parameters == 0 => (String::new(), Role::Faint),
            Column::Parameters => (figures::count(facts.parameters), Role::Text),
            Column::Share => {
                let share = [facts.parameters as f64, 0.0];
                return shares(theme, Some(share).filter(|_| facts.parameters > 0), styles.parameters);
            }
            Column::Rate => match facts.rate {
                Some([low, high]) => {
                    let rate = styles.rate.map_or_else(|| figures::rate(high), |digits| digits.write(high));
                    (if low == high { rate } else { format!("<{rate}") }, Role::Text)
                }
                None => (String::new(), Role::Faint),
            },
            Column::Gradient if facts.moved => (format!("{} MOVED", symbols.cross), Role::Bad),
            Column::Gradient if facts.frozen[0] && !learns => {
                (if facts.intact { format!("{} intact", symbols.check) } else { "frozen".into() }, Role::Frozen)
            }
            Column::Gradient => number(facts.gradient, styles.gradient, Role::Text),
            // A thousandth is what is aimed at: Karpathy's rule of thumb in CS231n, "Ratio of weights:updates".
            Column::Update => {
                let odd = facts.update.is_some_and(|ratio| !(1e-5..3e-2).contains(&ratio) && ratio > 0.0);
                let thousandths = facts.update.map(|ratio| ratio * 1e3);
                number(thousandths, styles.update, if odd { Role::Warning } else { Role::Text })
            }
            Column::Activation => match facts.activation {
                Some((mean, deviation)) => {
                    let sign = if theme.appearance.ascii { "+-" } else { "± " };
                    let mean = guard::column_right(&styles.mean.write(mean), Styles::MEAN, "");
                    let deviation = guard::column_right(&styles.deviation.write(deviation), Styles::DEVIATION, "");
                    (format!("{mean} {sign}{deviation}"), Role::Text)
                }
                None => (String::new(), Role::Faint),
            },
            Column::Dead => match facts.dead {
                Some(share) => (
                    format!("{:.0}", share * 100.0),
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
            Column::Forward => number(facts.time.map(|[there, _]| there), styles.milliseconds, Role::Train),
            Column::Backward => {
                // Nothing is learned from there on down.
                let back = facts.time.map(|[_, back]| back).filter(|back| *back > 0.0);
                number(back, styles.milliseconds, Role::Validation)
            }
            Column::Time => return shares(theme, facts.time, styles.time),
        };
        let text = if column.is_text() {
            guard::column(&text, cells, symbols.ellipsis)
        } else {
            guard::column_right(&text, cells, symbols.ellipsis)
        };
        vec![Span::styled(text, theme.style(role))]
    }
}

fn facts(model: &Model, row: &Row) -> Option<Facts> {
    match row {
        Row::Block { block, .. } => Some(Facts::of(model.run.layers.get(block.layers.clone())?)),
        Row::Layer { at, .. } => Some(Facts::of(&model.run.layers[*at..=*at])),
        Row::FrostLine => None,
    }
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

/// What is at a place on the page.
pub fn row_at(model: &Model, (column, row): (u16, u16)) -> Option<Row> {
    let layout = model.layout();
    let area = layout.pane(Pane::Layers)?;
    let inside = if layout.compact {
        Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
    } else {
        area.inner(ratatui::layout::Margin::new(1, 1))
    };
    let theme = model.theme();
    let table = Table::of(model, &theme);
    let (list, _) = split(inside, &table);
    let heads = u16::from(list.height >= 4);
    let list = Rect { y: list.y + heads, height: list.height - heads, ..list };
    if !list.contains((column, row).into()) {
        return None;
    }
    let first = first_shown(table.cursor(), table.rows.len(), list.height.into());
    table.rows.into_iter().nth(first + usize::from(row - list.y)).map(|(row, _)| row)
}
