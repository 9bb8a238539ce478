//! The columns of the tree of layers: which there are, which have room, how wide they are, and in which style each writes its numbers. Units
//! stand in the headings, and what stands below each other is written alike.

use ratatui::{buffer::Buffer, layout::Rect, text::Span, widgets::Widget};

use super::{digits::Digits, layer_facts::Facts};
use crate::{
    state::Layer,
    tui::{
        figures, guard,
        model::Model,
        theme::{Role, Theme},
        tree::Row,
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Kind,
    Output,
    Parameters,
    Share,
    Rate,
    Gradient,
    Update,
    Activation,
    Dead,
    Forward,
    Backward,
    Time,
}

impl Column {
    /// The most telling first: the others go when the page is narrow.
    pub const ALL: [Self; 12] = [
        Self::Parameters,
        Self::Gradient,
        Self::Update,
        Self::Dead,
        Self::Time,
        Self::Activation,
        Self::Rate,
        Self::Output,
        Self::Kind,
        Self::Share,
        Self::Forward,
        Self::Backward,
    ];
    /// As they stand on the screen.
    const ORDER: [Self; 12] = [
        Self::Kind,
        Self::Output,
        Self::Parameters,
        Self::Share,
        Self::Rate,
        Self::Gradient,
        Self::Update,
        Self::Activation,
        Self::Dead,
        Self::Forward,
        Self::Backward,
        Self::Time,
    ];

    /// With the unit that all its numbers have.
    pub fn title(self, theme: &Theme) -> String {
        match self {
            Self::Kind => "kind".into(),
            Self::Output => "output".into(),
            Self::Parameters => "params".into(),
            Self::Share => "of params %".into(),
            Self::Rate => format!("rate {}", theme.symbols.rate),
            Self::Gradient => "gradient".into(),
            // A thousandth is what is aimed at, so thousandths are the unit.
            Self::Update if theme.appearance.ascii => "dw/w e-3".into(),
            Self::Update => format!("{}w/w ‰", theme.symbols.change),
            Self::Activation if theme.appearance.ascii => "mean +- std".into(),
            Self::Activation => "mean ± std".into(),
            Self::Dead => "dead %".into(),
            Self::Forward => "fwd ms".into(),
            Self::Backward => "bwd ms".into(),
            Self::Time => "time %".into(),
        }
    }

    pub fn is_text(self) -> bool {
        matches!(self, Self::Kind | Self::Output)
    }
}

/// Cells of a bar of shares, and of the number behind it.
pub const BAR: usize = 8;
pub const PERCENT: usize = 5;

pub struct Columns {
    pub name: usize,
    /// Each with its cells.
    pub shown: Vec<(Column, usize)>,
}

/// Cells for the cursor and the mark of frost before a name.
pub const MARKS: usize = 4;

pub fn columns(longest: usize, width: usize, cells: impl Fn(Column) -> usize) -> Columns {
    let width = width.saturating_sub(MARKS);
    let name = longest.clamp(10, 26).min(width);
    let mut left = width - name;
    let mut chosen = Vec::new();
    for column in Column::ALL {
        if cells(column) + 2 > left {
            break;
        }
        left -= cells(column) + 2;
        chosen.push(column);
    }
    let shown = Column::ORDER.into_iter().filter(|column| chosen.contains(column));
    let shown = shown.map(|column| (column, cells(column))).collect();
    Columns { name: name + left.min(longest.saturating_sub(name)), shown }
}

pub struct Styles {
    /// Cells of the texts and of the counts of parameters.
    pub kind: usize,
    pub output: usize,
    pub count: usize,
    /// `None` where all are one, which is written as it was typed.
    pub rate: Option<Digits>,
    pub gradient: Digits,
    pub update: Digits,
    pub mean: Digits,
    pub deviation: Digits,
    pub milliseconds: Digits,
    /// Of all layers, and of the slowest and the largest row.
    pub time: [f64; 2],
    pub parameters: [f64; 2],
}

impl Styles {
    pub const RATE: usize = 8;
    pub const GRADIENT: usize = 8;
    pub const UPDATE: usize = 7;
    pub const MEAN: usize = 7;
    pub const DEVIATION: usize = 6;
    pub const MILLISECONDS: usize = 7;

    pub fn of(model: &Model, rows: &[(Row, Option<Facts>)]) -> Self {
        let facts = || rows.iter().filter_map(|(_, facts)| facts.as_ref());
        let layers = &model.run.layers;
        let longest = |of: fn(&Layer) -> &str| layers.iter().map(|layer| guard::width(of(layer))).max().unwrap_or(0);
        let largest = facts().map(|facts| facts.parameters).max().unwrap_or(0);
        let whole: u64 = layers.iter().map(|layer| layer.info.parameters).sum();
        let times = || facts().filter_map(|facts| facts.time);
        let probes = || layers.iter().filter_map(|layer| layer.probe.as_ref());
        let rates = || facts().filter_map(|facts| facts.rate).flatten();
        let both = |[there, back]: [f64; 2]| there + back;
        Self {
            kind: longest(|layer| &layer.info.kind).clamp(10, 20),
            output: longest(|layer| &layer.info.output).clamp(8, 24),
            count: guard::width(&figures::count(largest)).max(6),
            rate: rates().any(|rate| rates().next() != Some(rate)).then(|| Digits::of(rates(), Self::RATE)),
            gradient: Digits::of(facts().filter_map(|facts| facts.gradient), Self::GRADIENT),
            update: Digits::of(facts().filter_map(|facts| facts.update).map(|ratio| ratio * 1e3), Self::UPDATE),
            mean: Digits::of(facts().filter_map(|facts| facts.activation).map(|(mean, _)| mean), Self::MEAN),
            deviation: Digits::of(
                facts().filter_map(|facts| facts.activation).map(|(_, spread)| spread),
                Self::DEVIATION,
            ),
            milliseconds: Digits::of_greatest(times().flatten()),
            time: [
                probes().map(|probe| probe.forward_ms + probe.backward_ms).sum(),
                times().map(both).fold(0.0, f64::max),
            ],
            parameters: [whole as f64, largest as f64],
        }
    }

    pub fn cells(&self, column: Column) -> usize {
        match column {
            Column::Kind => self.kind,
            Column::Output => self.output,
            Column::Parameters => self.count,
            Column::Rate => Self::RATE,
            Column::Gradient => Self::GRADIENT,
            Column::Update => Self::UPDATE.max(8),
            Column::Activation => Self::MEAN + Self::DEVIATION + 3,
            Column::Dead => 6,
            Column::Forward | Column::Backward => Self::MILLISECONDS,
            Column::Share | Column::Time => BAR + PERCENT,
        }
    }
}

pub fn heading(theme: &Theme, columns: &Columns, row: Rect, buffer: &mut Buffer) {
    let mut text = " ".repeat(MARKS) + &guard::column("name", columns.name, "");
    for (column, cells) in &columns.shown {
        let title = column.title(theme);
        text += "  ";
        text +=
            &if column.is_text() { guard::column(&title, *cells, "") } else { guard::column_right(&title, *cells, "") };
    }
    Span::styled(text, theme.style(Role::Faint)).render(row, buffer);
}

/// One or two parts of a whole, in two colours, with the percentage behind: the way there and the way back of the time. The largest row
/// fills its bar.
pub fn shares(theme: &Theme, parts: Option<[f64; 2]>, [whole, largest]: [f64; 2]) -> Vec<Span<'static>> {
    let Some([one, other]) = parts.filter(|_| whole > 0.0) else {
        return vec![Span::raw(" ".repeat(BAR + PERCENT))];
    };
    let cells = |part: f64| (part / largest.max(f64::MIN_POSITIVE) * BAR as f64).round() as usize;
    let both = cells(one + other).min(BAR);
    let first = cells(one).min(both);
    let symbols = theme.symbols;
    let figure = format!("{:.1}", (one + other) / whole * 100.0);
    vec![
        Span::styled(symbols.bar_full.repeat(first), theme.style(Role::Train)),
        Span::styled(symbols.bar_full.repeat(both - first), theme.style(Role::Validation)),
        Span::styled(symbols.bar_empty.repeat(BAR - both), theme.style(Role::BarEmpty)),
        Span::styled(guard::column_right(&figure, PERCENT, ""), theme.style(Role::Text)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_pages_keep_the_telling_columns() {
        let shown = |longest, width| {
            let columns = columns(longest, width, |column| if column == Column::Dead { 6 } else { 9 });
            columns.shown.into_iter().map(|(column, _)| column).collect::<Vec<_>>()
        };
        assert_eq!(shown(15, 42), [Column::Parameters, Column::Gradient]);
        assert_eq!(
            shown(15, 78),
            [Column::Parameters, Column::Gradient, Column::Update, Column::Dead, Column::Time],
            "80 columns"
        );
        assert_eq!(shown(15, 160), Column::ORDER);
    }
}
