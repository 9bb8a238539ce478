//! How many colours the terminal has, and the nearest that it can show.

use ratatui::style::Color;

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The 256 colours of xterm; the first 16 belong to the user's theme and are left alone.
    Indexed,
    /// None at all: `NO_COLOR`, or a terminal without colours.
    Mono,
}

impl Depth {
    /// `rgb` as this terminal shows it; [`Color::Reset`] where it shows none.
    pub fn color(self, rgb: [u8; 3]) -> Color {
        match self {
            Self::True => Color::Rgb(rgb[0], rgb[1], rgb[2]),
            Self::Indexed => Color::Indexed(nearest_indexed(rgb)),
            Self::Mono => Color::Reset,
        }
    }
}

/// Levels of the 6×6×6 cube at 16–231.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The entry of xterm's palette, 16–255, with the least squared distance.
pub fn nearest_indexed(rgb: [u8; 3]) -> u8 {
    let near = rgb.map(|v| (0..6u8).min_by_key(|i| CUBE[usize::from(*i)].abs_diff(v)).unwrap_or(0));
    let cube = near.map(|i| CUBE[usize::from(i)]);
    // The grey ramp: 24 levels, 8, 18, … 238.
    let mean = rgb.iter().map(|v| i32::from(*v)).sum::<i32>() / 3;
    let step = ((mean - 3) / 10).clamp(0, 23) as u8;
    let grey = [8 + 10 * step; 3];
    if distance(rgb, grey) < distance(rgb, cube) { 232 + step } else { 16 + 36 * near[0] + 6 * near[1] + near[2] }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> i32 {
    (0..3).map(|c| (i32::from(a[c]) - i32::from(b[c])).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn palette(index: u8) -> [u8; 3] {
        if index >= 232 {
            return [8 + 10 * (index - 232); 3];
        }
        let i = usize::from(index - 16);
        [CUBE[i / 36], CUBE[i / 6 % 6], CUBE[i % 6]]
    }

    proptest! {
        #[test]
        fn no_palette_entry_is_nearer(rgb in any::<[u8; 3]>()) {
            let best = (16..=255).map(|i| distance(rgb, palette(i))).min().unwrap_or(0);
            prop_assert_eq!(distance(rgb, palette(nearest_indexed(rgb))), best);
        }
    }
}
