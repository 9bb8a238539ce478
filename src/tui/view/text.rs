//! Small pieces that several panes share: bars, sparklines, lines that drop what does not fit.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use crate::tui::{
    guard,
    theme::{Role, Theme},
};

/// A horizontal bar of `width` cells, filled to `share` in steps of half a cell.
pub fn bar(theme: &Theme, share: f64, width: usize, role: Role) -> Vec<Span<'static>> {
    let halves = (share.clamp(0.0, 1.0) * width as f64 * 2.0).round() as usize;
    let (full, half) = (halves / 2, halves % 2);
    let symbols = theme.symbols;
    vec![
        Span::styled(symbols.bar_full.repeat(full) + if half == 1 { symbols.bar_half } else { "" }, theme.style(role)),
        Span::styled(symbols.bar_empty.repeat(width - full - half), theme.style(Role::BarEmpty)),
    ]
}

/// Readings as a row of little columns, from zero to the greatest of them; values that are no numbers leave a gap.
pub fn sparkline(theme: &Theme, values: &[f64], width: usize) -> String {
    let levels = theme.symbols.levels;
    let values = condense(values, width);
    let high = values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
    values
        .iter()
        .map(|v| match v.is_finite() {
            true if high > 0.0 => levels[((v / high).max(0.0) * (levels.len() - 1) as f64).round() as usize],
            true => levels[0],
            false => " ",
        })
        .collect()
}

/// Readings as a row of little columns between the least and the greatest of them: their course, not their size.
pub fn trend(theme: &Theme, values: &[f64], width: usize) -> String {
    let levels = theme.symbols.levels;
    let values = condense(values, width);
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let level =
        |v: f64| if high > low { ((v - low) / (high - low) * (levels.len() - 1) as f64).round() as usize } else { 0 };
    values.iter().map(|v| if v.is_finite() { levels[level(*v)] } else { " " }).collect()
}

/// Means of neighbours, so that at most `width` values remain.
fn condense(values: &[f64], width: usize) -> Vec<f64> {
    if width == 0 {
        return Vec::new();
    }
    values
        .chunks(values.len().div_ceil(width).max(1))
        .map(|part| part.iter().sum::<f64>() / part.len() as f64)
        .collect()
}

/// Pieces of a line in order of importance, joined by `gap`: from the first that does not fit on, all are left out.
pub fn as_fits(pieces: Vec<Vec<Span<'static>>>, gap: &str, width: usize) -> Line<'static> {
    let mut line = Line::default();
    for piece in pieces {
        let lead = if line.spans.is_empty() { 0 } else { guard::width(gap) };
        let own: usize = piece.iter().map(Span::width).sum();
        if line.width() + lead + own > width {
            break;
        }
        if lead > 0 {
            line.push_span(Span::raw(gap.to_owned()));
        }
        line.spans.extend(piece);
    }
    line
}

/// `left` and `right` on one row. Where both do not fit, `left` is cut.
pub fn ends(left: Line<'_>, right: Line<'_>, area: Rect, buffer: &mut Buffer) {
    let own = (right.width() as u16).min(area.width);
    let rest = area.width - own;
    left.render(Rect { width: rest.saturating_sub(u16::from(own > 0)), ..area }, buffer);
    right.render(Rect { x: area.x + rest, width: own, ..area }, buffer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{picture::Depth, tui::Appearance};

    fn theme() -> Theme {
        Theme::new(Appearance::new(Depth::Mono, false))
    }

    #[test]
    fn a_bar_fills_in_half_cells() {
        let drawn = |share| bar(&theme(), share, 4, Role::Train).iter().map(|s| s.content.as_ref()).collect::<String>();
        assert_eq!([0.0, 0.125, 0.5, 1.0, 7.0, f64::NAN].map(drawn), ["────", "╸───", "━━──", "━━━━", "━━━━", "────"]);
    }

    #[test]
    fn a_sparkline_stands_on_zero() {
        assert_eq!(sparkline(&theme(), &[0.0, 3.5, 7.0], 9), "▁▅█");
        assert_eq!(sparkline(&theme(), &[6.0, 7.0], 9), "▇█", "a small change is no mountain");
        assert_eq!(sparkline(&theme(), &[0.0], 9), "▁");
        assert_eq!(sparkline(&theme(), &[0.0, f64::NAN, 1.0], 9), "▁ █");
        assert_eq!(sparkline(&theme(), &[0.0, 0.0, 1.0, 1.0], 2), "▁█");
    }

    #[test]
    fn a_trend_fills_its_row() {
        assert_eq!(trend(&theme(), &[6.0, 6.5, f64::NAN, 7.0], 9), "▁▅ █");
        assert_eq!(trend(&theme(), &[3.0, 3.0], 9), "▁▁");
        assert_eq!(trend(&theme(), &[], 9), "");
    }

    #[test]
    fn what_does_not_fit_is_left_out_with_all_after_it() {
        let piece = |t: &str| vec![Span::raw(t.to_owned())];
        let line = as_fits(vec![piece("abc"), piece("defgh"), piece("i")], " ", 8);
        assert_eq!(line.to_string(), "abc");
    }
}
