//! Readings over time as a filled area, in braille dots two across and four down a cell; in ASCII one column a cell.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::tui::theme::{Role, Theme};

/// What much of it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing but that it is busy.
    Busy,
    /// That there is little left.
    Full,
    Calm,
}

impl Tone {
    /// Of what stands so high, 0–1.
    pub fn role(self, share: f64) -> Role {
        match self {
            Self::Calm => Role::Frozen,
            Self::Busy if share < 0.5 => Role::Train,
            Self::Busy if share < 0.8 => Role::Accent,
            Self::Busy => Role::Good,
            Self::Full if share < 0.7 => Role::Train,
            Self::Full if share < 0.9 => Role::Warning,
            Self::Full => Role::Bad,
        }
    }
}

/// How many readings fit side by side.
pub fn columns(theme: &Theme, width: u16) -> usize {
    usize::from(width) * if theme.appearance.ascii { 1 } else { 2 }
}

/// Readings of 0–1, the newest last, from the left edge on. Even the least that is there leaves a dot.
pub fn draw(theme: &Theme, readings: &[Option<f64>], tone: Tone, area: Rect, buffer: &mut Buffer) {
    let (across, down) = if theme.appearance.ascii { (1, theme.symbols.levels.len()) } else { (2, 4) };
    let whole = usize::from(area.height) * down;
    let dots = |reading: Option<f64>| {
        reading.map_or(0, |share| ((share.clamp(0.0, 1.0) * whole as f64).round() as usize).max(1))
    };
    for x in 0..area.width {
        let first = usize::from(x) * across;
        let heights: Vec<usize> = (first..first + across).map(|at| dots(readings.get(at).copied().flatten())).collect();
        for y in 0..area.height {
            let below = usize::from(y) * down;
            let own: Vec<usize> = heights.iter().map(|height| height.saturating_sub(below).min(down)).collect();
            if own.iter().all(|dots| *dots == 0) {
                break;
            }
            let symbol = if across == 1 {
                theme.symbols.levels[own[0] - 1].to_owned()
            } else {
                braille(own[0], own[1]).to_string()
            };
            // By where it stands, so that the eye sees how high a peak is.
            let role = tone.role((f64::from(y) + 0.5) / f64::from(area.height));
            let style = if area.height == 1 {
                tone.role(heights.iter().copied().max().unwrap_or(0) as f64 / whole as f64)
            } else {
                role
            };
            if let Some(cell) = buffer.cell_mut((area.x + x, area.bottom() - 1 - y)) {
                cell.set_symbol(&symbol).set_style(theme.style(style));
            }
        }
    }
}

/// So many dots from the ground up in each of two columns.
fn braille(left: usize, right: usize) -> char {
    const LEFT: [u32; 5] = [0, 0x40, 0x44, 0x46, 0x47];
    const RIGHT: [u32; 5] = [0, 0x80, 0xa0, 0xb0, 0xb8];
    char::from_u32(0x2800 + LEFT[left.min(4)] + RIGHT[right.min(4)]).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{picture::Depth, tui::Appearance};

    fn drawn(readings: &[Option<f64>], height: u16, ascii: bool) -> Vec<String> {
        let theme = Theme::new(Appearance { ascii, ..Appearance::new(Depth::Mono, false) });
        let area = Rect::new(0, 0, 2, height);
        let mut buffer = Buffer::empty(area);
        draw(&theme, readings, Tone::Busy, area, &mut buffer);
        (0..height)
            .map(|y| (0..2).filter_map(|x| buffer.cell((x, y))).map(ratatui::buffer::Cell::symbol).collect())
            .collect()
    }

    #[test]
    fn an_area_stands_on_the_ground() {
        let readings = [Some(1.0), Some(0.5), Some(0.0), None];
        assert_eq!(drawn(&readings, 1, false), ["⣧⡀"]);
        assert_eq!(drawn(&readings, 2, false), ["⡇ ", "⣿⡀"]);
        assert_eq!(drawn(&[Some(1.0), Some(0.0)], 1, true), ["#_"]);
    }
}
