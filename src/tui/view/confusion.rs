//! A confusion matrix as a map of heat: a row for each class, a column for what its images were taken for, and beside it how much of each
//! class is found and how much of what is called so is.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::text::bar;
use crate::{
    event::Shown,
    tui::{
        figures, guard,
        model::Model,
        theme::{Role, Theme},
    },
};

/// Cells of a class's name.
const NAME: u16 = 10;
/// Of precision and recall, with a bar each.
const FIGURES: u16 = 28;
/// Without bars.
const PLAIN: u16 = 16;

/// Of few classes the cells are large: it is a map, and its colours are read before its numbers.
const LARGEST: u16 = 12;

/// How wide a matrix of so many classes wants to be.
pub fn width(classes: u16, most: u16) -> u16 {
    let cell = if classes <= 4 { LARGEST } else { 6 };
    let least = NAME + PLAIN + 8;
    let wanted = (NAME + 1 + cell * classes + FIGURES).clamp(least, most.max(least));
    // Whole cells take less than that, mostly.
    let grid = Grid::of(wanted, classes);
    (NAME + 1 + grid.cell * classes + grid.figures).clamp(least, wanted)
}

/// How many rows it has where there are enough, in so many columns.
pub fn rows(classes: u16, width: u16) -> u16 {
    1 + classes * Grid::of(width, classes).height()
}

struct Grid {
    /// Of each column of counts.
    cell: u16,
    /// Of precision and recall; 0 where there is no room.
    figures: u16,
}

impl Grid {
    fn of(width: u16, classes: u16) -> Self {
        let room = width.saturating_sub(NAME + 1);
        let fits = |figures: u16, least: u16| room.saturating_sub(figures) / classes.max(1) >= least;
        let figures = if fits(FIGURES, 4) {
            FIGURES
        } else if fits(PLAIN, 2) {
            PLAIN
        } else {
            0
        };
        let most = if classes <= 4 { LARGEST } else { 7 };
        Self { cell: (room.saturating_sub(figures) / classes.max(1)).clamp(1, most), figures }
    }

    /// A cell of the terminal is twice as high as wide, so that the map is about a square.
    fn height(&self) -> u16 {
        if self.cell < 4 { 1 } else { self.cell / 2 }
    }
}

pub fn draw(model: &Model, theme: &Theme, shown: &Shown, area: Rect, buffer: &mut Buffer) {
    let classes = shown.counts.len() as u16;
    let grid = Grid::of(area.width, classes);
    let names: Vec<String> = (0..shown.counts.len()).map(|at| name(model, shown, at)).collect();
    let faint = theme.style(Role::Faint);
    let mut rows = area.rows();
    if let Some(row) = rows.next() {
        let mut spans = vec![Span::styled(guard::column("truth", usize::from(NAME) + 1, ""), faint)];
        for name in &names {
            spans.push(Span::styled(heading(theme, name, grid.cell.into()), faint));
        }
        let titles = if grid.figures == FIGURES { "  precision    recall" } else { "    prec    rec" };
        spans.push(Span::styled(if grid.figures > 0 { titles } else { "" }, faint));
        Line::from(spans).render(row, buffer);
    }
    let height = grid.height().min(area.height.saturating_sub(1) / classes.max(1)).max(1);
    let mut top = area.y + 1;
    for (truth, name) in names.iter().enumerate() {
        if top + height > area.bottom() {
            let left = Rect { y: area.bottom() - 1, height: 1, ..area };
            Line::styled(guard::column(&format!("and {} more", names.len() - truth), left.width.into(), ""), faint)
                .render(left, buffer);
            break;
        }
        let row = Rect { y: top + (height - 1) / 2, height: 1, ..area };
        let label = Rect { width: NAME.min(area.width), ..row };
        Line::styled(guard::fit(name, NAME.into(), theme.symbols.ellipsis), theme.style(Role::Text))
            .render(label, buffer);
        cells(
            theme,
            shown,
            truth,
            grid.cell,
            Rect { x: area.x + NAME + 1, y: top, width: area.width.saturating_sub(NAME + 1), height },
            buffer,
        );
        if grid.figures > 0 {
            let x = area.x + NAME + 1 + grid.cell * classes + 2;
            let place = Rect { x, width: area.right().saturating_sub(x), ..row };
            class_figures(theme, shown, truth, grid.figures == FIGURES, place, buffer);
        }
        top += height;
    }
}

fn name(model: &Model, shown: &Shown, at: usize) -> String {
    match shown.classes.get(at) {
        Some(class) => guard::clean(&model.run.class(*class)).into_owned(),
        None => format!("{} others", shown.of as usize - shown.classes.len()),
    }
}

fn heading(theme: &Theme, name: &str, cell: usize) -> String {
    if cell < 3 {
        return guard::column(name, cell, "");
    }
    // Of two letters none is spent on a mark that there were more.
    let ellipsis = if cell < 6 { "" } else { theme.symbols.ellipsis };
    guard::column_right(&guard::fit(name, cell - 1, ellipsis), cell, "")
}

/// Shares of the row's images: what is right in one colour, what is wrong in another.
fn cells(theme: &Theme, shown: &Shown, truth: usize, width: u16, area: Rect, buffer: &mut Buffer) {
    let row = &shown.counts[truth];
    let total: u64 = row.iter().sum();
    for (predicted, &count) in (0..).zip(row) {
        let place = Rect { x: area.x + predicted * width, width, ..area }.intersection(area);
        let share = count as f64 / total.max(1) as f64;
        let right = usize::from(predicted) == truth;
        let ground = theme.shade(if right { Role::Train } else { Role::Bad }, share);
        let text = match count {
            0 if width >= 3 => theme.symbols.separator.to_owned(),
            0 => " ".to_owned(),
            _ if usize::from(width) > figures::short_count(count).len() => figures::short_count(count),
            // No room for a number: how many, as a column.
            _ => {
                let levels = theme.symbols.levels;
                levels[(share * (levels.len() - 1) as f64).round() as usize].to_owned()
            }
        };
        let ink = match (ground, count) {
            (_, 0) => theme.style(Role::BarEmpty),
            (Some((_, ink)), _) => Style::new().fg(ink),
            (None, _) => theme.style(if right { Role::Strong } else { Role::Bad }),
        };
        if let Some((ground, _)) = ground.filter(|_| count > 0) {
            buffer.set_style(place, Style::new().bg(ground));
        }
        let text = guard::column_right(&text, usize::from(place.width).saturating_sub(usize::from(width / 5)), "");
        let middle = Rect { y: place.y + place.height.saturating_sub(1) / 2, height: place.height.min(1), ..place };
        Span::styled(text, ink).render(middle, buffer);
    }
}

fn class_figures(theme: &Theme, shown: &Shown, at: usize, bars: bool, area: Rect, buffer: &mut Buffer) {
    let Some(class) = shown.figures.get(at) else { return };
    let mut spans = Vec::new();
    for (value, role) in [(class.precision(), Role::Validation), (class.recall(), Role::Train)] {
        let text = value.map_or_else(|| "–".to_owned(), figures::whole_percent);
        if bars {
            spans.extend(bar(theme, value.unwrap_or(0.0), 6, role));
        }
        spans.push(Span::styled(guard::column_right(&text, 6, ""), theme.style(Role::Text)));
        spans.push(Span::raw(" "));
    }
    Line::from(spans).render(area, buffer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_takes_what_it_needs() {
        assert_eq!(width(2, 80), 63);
        assert_eq!(width(10, 60), 57);
        let grid = |width, classes| {
            let grid = Grid::of(width, classes);
            (grid.cell, grid.figures)
        };
        assert_eq!(grid(63, 2), (12, FIGURES));
        assert_eq!(grid(47, 2), (4, FIGURES));
        assert_eq!(grid(39, 10), (2, 0), "numbers of two digits have no room");
        assert_eq!(grid(90, 31), (2, PLAIN));
        assert_eq!(grid(30, 31), (1, 0));
        assert_eq!((rows(2, 63), rows(31, 90)), (13, 32));
    }
}
