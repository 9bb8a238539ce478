//! How many colours the terminal has, and the nearest that it can show.

use std::{cell::Cell, sync::LazyLock};

use ratatui::style::Color;

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The 256 colours of xterm; the first 16 belong to the user's theme and are left alone.
    Indexed,
    /// The 16 colours of the terminal's theme, of which nothing but xterm's defaults can be assumed.
    Sixteen,
    /// None at all: `NO_COLOR`, or a terminal without colours.
    Mono,
}

impl Depth {
    /// `rgb` as this terminal shows it; [`Color::Reset`] where it shows none.
    pub fn color(self, rgb: [u8; 3]) -> Color {
        match self {
            Self::True => Color::Rgb(rgb[0], rgb[1], rgb[2]),
            Self::Indexed => Color::Indexed(nearest_indexed(rgb)),
            Self::Sixteen => Color::Indexed(nearest_of_sixteen(rgb)),
            Self::Mono => Color::Reset,
        }
    }
}

/// The entry of xterm's palette, 16–255, that looks most like `rgb`: the nearest in Oklab. Distances in RGB would turn every dark hue grey.
///
/// The same pictures are drawn many times a second, so that answers are kept.
pub fn nearest_indexed(rgb: [u8; 3]) -> u8 {
    let [r, g, b] = rgb.map(u32::from);
    let key = r << 16 | g << 8 | b;
    // Fibonacci hashing.
    let place = (key.wrapping_mul(0x9E37_79B9) >> (u32::BITS - KNOWN_BITS)) as usize;
    let (known, index) = KNOWN.with(|known| known[place].get());
    if known == key {
        return index;
    }
    let index = searched(rgb);
    KNOWN.with(|known| known[place].set((key, index)));
    index
}

/// The one of xterm's first sixteen that looks most like `rgb`.
fn nearest_of_sixteen(rgb: [u8; 3]) -> u8 {
    const XTERM: [u32; 16] = [
        0x00_0000, 0xcd_0000, 0x00_cd00, 0xcd_cd00, 0x00_00ee, 0xcd_00cd, 0x00_cdcd, 0xe5_e5e5, 0x7f_7f7f, 0xff_0000,
        0x00_ff00, 0xff_ff00, 0x5c_5cff, 0xff_00ff, 0x00_ffff, 0xff_ffff,
    ];
    let wanted = oklab(rgb);
    let distance = |entry: u32| {
        let [_, r, g, b] = entry.to_be_bytes();
        oklab([r, g, b]).iter().zip(wanted).map(|(a, b)| (a - b).powi(2)).sum::<f32>()
    };
    let nearest = XTERM.iter().zip(0_u8..).min_by(|a, b| distance(*a.0).total_cmp(&distance(*b.0)));
    nearest.map_or(0, |(_, index)| index)
}

const KNOWN_BITS: u32 = 12;
thread_local! {
    /// Colours with their nearest entries; none is the key `u32::MAX`.
    static KNOWN: [Cell<(u32, u8)>; 1 << KNOWN_BITS] = const { [const { Cell::new((u32::MAX, 0)) }; 1 << KNOWN_BITS] };
}

fn searched(rgb: [u8; 3]) -> u8 {
    let wanted = oklab(rgb);
    let distance = |entry: &[f32; 3]| (0..3).map(|c| (entry[c] - wanted[c]).powi(2)).sum::<f32>();
    let nearest = PALETTE.iter().zip(16..=255).min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)));
    nearest.map_or(16, |(_, index)| index)
}

/// Entries 16–255 in Oklab.
static PALETTE: LazyLock<Vec<[f32; 3]>> = LazyLock::new(|| (16..=255).map(indexed_rgb).map(oklab).collect());

/// A 6×6×6 cube at 16–231, and 24 greys after it.
fn indexed_rgb(index: u8) -> [u8; 3] {
    const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];
    if index >= 232 {
        return [8 + 10 * (index - 232); 3];
    }
    let i = usize::from(index.saturating_sub(16));
    [CUBE[i / 36], CUBE[i / 6 % 6], CUBE[i % 6]]
}

/// sRGB to Oklab (Ottosson 2020), in which equal distances look equally large.
fn oklab(rgb: [u8; 3]) -> [f32; 3] {
    let [r, g, b] = rgb.map(|v| {
        let v = f32::from(v) / 255.0;
        if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    });
    let l = (0.412_221_47 * r + 0.536_332_54 * g + 0.051_445_99 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_84 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_the_palette_are_themselves() {
        for index in 16..=255u8 {
            // The cube has greys of its own: the same colour under another number.
            assert_eq!(indexed_rgb(nearest_indexed(indexed_rgb(index))), indexed_rgb(index), "entry {index}");
        }
    }

    #[test]
    fn an_answer_that_was_kept_is_the_one_that_is_searched() {
        // More colours than are kept, each asked for before and after others took its place.
        let colors = || (0..=255u8).flat_map(|r| (0..=255).step_by(5).map(move |g| [r, g, r ^ g]));
        for _ in 0..2 {
            assert!(colors().all(|rgb| nearest_indexed(rgb) == searched(rgb)));
        }
    }

    #[test]
    fn a_dark_hue_stays_a_hue() {
        assert_eq!(indexed_rgb(nearest_indexed([40, 90, 40])), [0, 95, 0], "not the grey that is nearer in RGB");
    }

    /// <https://bottosson.github.io/posts/oklab/>: white is (1, 0, 0); red by the reference implementation.
    #[test]
    fn oklab_is_that_of_its_author() {
        let near = |a: [f32; 3], b: [f32; 3]| (0..3).all(|c| (a[c] - b[c]).abs() < 2e-4);
        assert!(near(oklab([255; 3]), [1.0, 0.0, 0.0]), "{:?}", oklab([255; 3]));
        assert!(near(oklab([255, 0, 0]), [0.62796, 0.22486, 0.12585]), "{:?}", oklab([255, 0, 0]));
    }
}
