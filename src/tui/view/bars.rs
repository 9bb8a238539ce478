//! A histogram as little columns, with its range below.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::text::ends;
use crate::{
    event::Histogram,
    tui::{
        figures,
        theme::{Role, Theme},
    },
};

/// `missing` stands in its place where there is none.
pub fn draw(
    theme: &Theme,
    name: &str,
    histogram: Option<&Histogram>,
    role: Role,
    missing: &str,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height < 2 {
        return;
    }
    let faint = theme.style(Role::Faint);
    let top = Rect { height: 1, ..area };
    let Some(histogram) = histogram.filter(|histogram| !histogram.counts.is_empty()) else {
        Line::from(vec![Span::styled(name.to_owned(), theme.style(role)), Span::styled(format!(" {missing}"), faint)])
            .render(top, buffer);
        return;
    };
    let total: u64 = histogram.counts.iter().map(|count| u64::from(*count)).sum();
    let values = Line::styled(format!("{} values", figures::short_count(total)), faint);
    ends(Line::styled(name.to_owned(), theme.style(role)), values, top, buffer);
    let scale = u16::from(area.height >= 4);
    let body = Rect { y: area.y + 1, height: area.height - 1 - scale, ..area };
    columns(theme, &histogram.counts, role, body, buffer);
    if scale > 0 {
        let row = Rect { y: area.bottom() - 1, height: 1, ..area };
        let edge = |value: f64| Line::styled(figures::figure(value), faint);
        ends(edge(histogram.low), edge(histogram.high), row, buffer);
        // Where zero lies, if it lies between.
        let share = -histogram.low / (histogram.high - histogram.low);
        let at = area.x + (share * f64::from(area.width.saturating_sub(1))).round().max(0.0) as u16;
        let clear = |symbol: &str| symbol == " ";
        if (0.05..0.95).contains(&share)
            && let Some(cell) = buffer.cell_mut((at, row.y)).filter(|cell| clear(cell.symbol()))
        {
            cell.set_symbol("0").set_style(faint);
        }
    }
}

/// Over the whole width, from the ground up in eighths of a cell.
fn columns(theme: &Theme, counts: &[u32], role: Role, area: Rect, buffer: &mut Buffer) {
    let levels = theme.symbols.levels;
    let highest = f64::from(counts.iter().copied().max().unwrap_or(0).max(1));
    let steps = levels.len() as f64;
    for x in 0..area.width {
        let count = f64::from(counts[usize::from(x) * counts.len() / usize::from(area.width)]);
        // Whatever is there at all can be seen.
        let height = (count / highest * f64::from(area.height) * steps).max(f64::from(u8::from(count > 0.0)));
        for y in 0..area.height {
            let own = height - f64::from(y) * steps;
            let level = own.round().clamp(0.0, steps) as usize;
            let Some(level) = level.checked_sub(1) else { break };
            if let Some(cell) = buffer.cell_mut((area.x + x, area.bottom() - 1 - y)) {
                cell.set_symbol(levels[level]).set_style(theme.style(role));
            }
        }
    }
}
