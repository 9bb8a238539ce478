//! Each core of the processor with its number and how busy it is: as bars where there is room, else as columns side by side.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{area::Tone, text::bar};
use crate::tui::{
    figures, guard,
    theme::{Role, Theme},
};

/// Cells of the name before the first row.
const NAME: usize = 6;
/// Cells of a figure, and between two cores.
const FIGURE: usize = 6;
const GAP: usize = 2;
/// A shorter bar says nothing.
const LEAST: usize = 6;

/// Bars side by side.
struct Bars {
    across: usize,
    /// Cells of a number and of a bar.
    number: usize,
    bar: usize,
}

impl Bars {
    /// `None` where columns have to do.
    fn of(cores: usize, width: u16, rows: u16) -> Option<Self> {
        let number = cores.saturating_sub(1).to_string().len();
        let room = usize::from(width).saturating_sub(NAME);
        let most = (room + GAP) / (number + 1 + LEAST + FIGURE + GAP);
        if most == 0 || cores.div_ceil(most) > rows.into() {
            return None;
        }
        // As even as they can be: 8 cores where 7 have room are two rows of four.
        let across = cores.div_ceil(cores.div_ceil(most));
        let bar = ((room + GAP) / across).saturating_sub(number + 1 + FIGURE + GAP).min(24);
        Some(Self { across, number, bar })
    }
}

/// Rows that so many cores take, of at most so many; a single core is the processor, of which all is said.
pub fn rows(cores: usize, width: u16, most: u16) -> u16 {
    match Bars::of(cores, width, most) {
        _ if cores < 2 => 0,
        Some(bars) => cores.div_ceil(bars.across) as u16,
        None => 1,
    }
}

pub fn draw(theme: &Theme, cores: &[u8], place: Rect, buffer: &mut Buffer) {
    let share = |percent: u8| f64::from(percent) / 100.0;
    let faint = theme.style(Role::Faint);
    let Some(bars) = Bars::of(cores.len(), place.width, place.height) else {
        return columns(theme, cores, Rect { height: place.height.min(1), ..place }, buffer);
    };
    for (row, (line, part)) in place.rows().zip(cores.chunks(bars.across)).enumerate() {
        let mut spans = vec![Span::styled(guard::column(if row == 0 { "cores" } else { "" }, NAME, ""), faint)];
        for (at, percent) in part.iter().enumerate() {
            let number = (row * bars.across + at).to_string();
            let role = Tone::Busy.role(share(*percent));
            spans.push(Span::styled(guard::column_right(&number, bars.number, ""), faint));
            spans.push(Span::raw(" "));
            spans.extend(bar(theme, share(*percent), bars.bar, role));
            let figure = guard::column_right(&figures::whole_percent(share(*percent)), FIGURE, "");
            spans.push(Span::styled(figure, theme.style(Role::Text)));
            spans.push(Span::raw(" ".repeat(GAP)));
        }
        Line::from(spans).render(line, buffer);
    }
}

/// `cores 0 to 63  ▁▃▇…  busiest 98 %`
fn columns(theme: &Theme, cores: &[u8], row: Rect, buffer: &mut Buffer) {
    let levels = theme.symbols.levels;
    let faint = theme.style(Role::Faint);
    let lead = format!("cores 0 to {}  ", cores.len().saturating_sub(1));
    let busiest = cores.iter().copied().max().unwrap_or(0);
    let tail = format!("  busiest {}", figures::whole_percent(f64::from(busiest) / 100.0));
    let room = usize::from(row.width).saturating_sub(guard::width(&lead) + guard::width(&tail));
    let mut spans = vec![Span::styled(lead, faint)];
    // Of more cores than there is room for, the busiest of neighbours.
    for part in cores.chunks(cores.len().div_ceil(room.max(1)).max(1)) {
        let share = f64::from(part.iter().copied().max().unwrap_or(0)) / 100.0;
        let level = (share * (levels.len() - 1) as f64).round() as usize;
        spans.push(Span::styled(levels[level.min(levels.len() - 1)], theme.style(Tone::Busy.role(share))));
    }
    spans.push(Span::styled(tail, faint));
    Line::from(spans).render(row, buffer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_stand_in_even_rows() {
        assert_eq!(rows(1, 90, 4), 0);
        assert_eq!(rows(2, 78, 1), 1);
        assert_eq!(rows(8, 98, 4), 2);
        let bars = Bars::of(8, 98, 4).map(|bars| (bars.across, bars.bar));
        assert_eq!(bars, Some((4, 13)));
        assert_eq!(rows(64, 98, 4), 1, "columns");
        assert!(Bars::of(64, 98, 4).is_none());
    }
}
