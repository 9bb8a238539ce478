//! The characters that stand for a small block of pixels.

use ratatui::symbols::pixel::{OCTANTS, QUADRANTS, SEXTANTS};

/// Which characters draw a picture. Finer ones need a newer font: quadrants are everywhere, sextants are missing in xterm, octants
/// break the layout of terminals and multiplexers that do not know their width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glyphs {
    /// `▀`: two pixels a cell.
    Half,
    /// `▚`: 2×2.
    Quadrant,
    /// `🬗`: 2×3, Unicode 13.
    Sextant,
    /// `𜵊`: 2×4, Unicode 16.
    Octant,
    /// No character beyond ASCII: coloured blanks, or a ramp of letters without colour.
    Ascii,
}

impl Glyphs {
    pub const ALL: [Self; 5] = [Self::Half, Self::Quadrant, Self::Sextant, Self::Octant, Self::Ascii];

    pub fn name(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::Quadrant => "quadrant",
            Self::Sextant => "sextant",
            Self::Octant => "octant",
            Self::Ascii => "ascii",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.name() == name)
    }

    /// The next kind, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|g| *g == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// Pixels a cell: columns and rows.
    pub fn resolution(self) -> (usize, usize) {
        match self {
            Self::Ascii => (1, 1),
            Self::Half => (1, 2),
            Self::Quadrant => (2, 2),
            Self::Sextant => (2, 3),
            Self::Octant => (2, 4),
        }
    }

    /// The character whose ink covers the pixels of `bits`; bit `i` is pixel `i`, row by row.
    pub fn symbol(self, bits: usize) -> char {
        match self {
            Self::Ascii => [' ', '#'][bits],
            Self::Half => [' ', '▀', '▄', '█'][bits],
            Self::Quadrant => QUADRANTS[bits],
            Self::Sextant => SEXTANTS[bits],
            Self::Octant => OCTANTS[bits],
        }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthChar;

    use super::*;

    #[test]
    fn every_glyph_takes_one_cell() {
        for glyphs in Glyphs::ALL {
            let (w, h) = glyphs.resolution();
            for bits in 0..1 << (w * h) {
                assert_eq!(glyphs.symbol(bits).width(), Some(1), "{} {bits:#b}", glyphs.name());
            }
        }
    }

    #[test]
    fn names_and_cycle_reach_every_kind() {
        for glyphs in Glyphs::ALL {
            assert_eq!(Glyphs::from_name(glyphs.name()), Some(glyphs));
        }
        let mut seen = vec![Glyphs::Half];
        while seen.last().is_some_and(|g| g.next() != Glyphs::Half) {
            seen.extend(seen.last().map(|g| g.next()));
        }
        assert_eq!(seen, Glyphs::ALL);
    }
}
