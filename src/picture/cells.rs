//! A picture as text: every cell gets the two colours and the glyph with the least squared error. The search over all ink patterns is exact.

use image::RgbImage;
use ratatui::{buffer::Buffer, layout::Rect, style::Color};

use super::{Depth, Glyphs, shrink};

/// Dark to bright, for terminals without colours.
const RAMP: &[u8] = b" .:-=+*#%@";

/// The largest rectangle in `area`, centred, in which an image of `width`×`height` pixels keeps its shape.
/// A cell is taken to be twice as high as wide, which no common font misses by much.
pub fn fit(width: u32, height: u32, area: Rect) -> Rect {
    if width == 0 || height == 0 || area.is_empty() {
        return Rect { width: 0, height: 0, ..area };
    }
    let (w, h) = (f64::from(width), f64::from(height));
    let scale = (f64::from(area.width) / w).min(2.0 * f64::from(area.height) / h);
    let columns = ((w * scale).round() as u16).clamp(1, area.width);
    let rows = ((h * scale / 2.0).round() as u16).clamp(1, area.height);
    Rect { x: area.x + (area.width - columns) / 2, y: area.y + (area.height - rows) / 2, width: columns, height: rows }
}

/// A picture as it was painted once, to be put on the screen again and again: the search for its cells costs more than a frame's rest.
#[derive(Clone, Debug)]
pub struct Painting {
    cells: Buffer,
}

impl Painting {
    /// As [`paint`] draws it on `columns`×`rows` cells.
    pub fn new(image: &RgbImage, [columns, rows]: [u16; 2], glyphs: Glyphs, depth: Depth, light: bool) -> Self {
        let mut cells = Buffer::empty(Rect::new(0, 0, columns, rows));
        paint(image, cells.area, glyphs, depth, light, &mut cells);
        Self { cells }
    }

    /// Puts it there, with its corner at that of `area` and no further than that.
    pub fn hang(&self, area: Rect, buffer: &mut Buffer) {
        let seen = area.intersection(buffer.area);
        for position in seen.positions() {
            let own = (position.x - area.x, position.y - area.y);
            if let (Some(cell), Some(painted)) = (buffer.cell_mut(position), self.cells.cell(own)) {
                *cell = painted.clone();
            }
        }
    }
}

/// Draws `image` over the whole of `area`; see [`fit`] for an area of its shape.
///
/// Without colours the brightness becomes a ramp of ASCII characters, brightest where the terminal is brightest: `light` says that it
/// writes dark on light.
pub fn paint(image: &RgbImage, area: Rect, glyphs: Glyphs, depth: Depth, light: bool, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    if area.is_empty() || image.width() == 0 || image.height() == 0 {
        return;
    }
    if depth == Depth::Mono {
        return paint_ramp(image, area, light, buffer);
    }
    let (across, down) = glyphs.resolution();
    let width = usize::from(area.width) * across;
    let pixels = shrink(image, width, usize::from(area.height) * down);
    let mut block = Vec::with_capacity(across * down);
    for (row, y) in area.rows().zip(0..) {
        for (cell, x) in row.columns().zip(0..) {
            block.clear();
            block.extend((0..across * down).map(|i| pixels[(y * down + i / across) * width + x * across + i % across]));
            let found = two_colours(&block);
            if let Some(cell) = buffer.cell_mut((cell.x, cell.y)) {
                let ink = if found.bits == 0 { Color::Reset } else { depth.color(found.ink) };
                cell.set_char(glyphs.symbol(found.bits)).set_fg(ink).set_bg(depth.color(found.paper));
            }
        }
    }
}

fn paint_ramp(image: &RgbImage, area: Rect, light: bool, buffer: &mut Buffer) {
    let pixels = shrink(image, area.width.into(), area.height.into());
    let luma: Vec<f32> =
        pixels.iter().map(|[r, g, b]| 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)).collect();
    let (low, high) = luma.iter().fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    for (at, position) in area.positions().enumerate() {
        // Stretched to the picture's own range: ten levels are too few to waste.
        let bright = if high > low { (luma[at] - low) / (high - low) } else { high / 255.0 };
        let level = if light { 1.0 - bright } else { bright };
        if let Some(cell) = buffer.cell_mut(position) {
            cell.reset();
            cell.set_char(char::from(RAMP[(level * (RAMP.len() - 1) as f32).round() as usize]));
        }
    }
}

struct TwoColours {
    bits: usize,
    ink: [u8; 3],
    paper: [u8; 3],
}

/// The pattern and the two colours that miss `block` by the least squared error.
///
/// With the colours at the means of their pixels, the error is `Σ|p|² − |S₁|²/k − |S₀|²/(n−k)`, so the best pattern has the largest sum of the
/// last two terms. The last pixel is always paper: the other half of the patterns are complements. Patterns are visited in Gray order, in which
/// each differs from the one before by one pixel.
fn two_colours(block: &[[u8; 3]]) -> TwoColours {
    let count = block.len();
    let total = block.iter().fold([0i32; 3], |sum, p| std::array::from_fn(|c| sum[c] + i32::from(p[c])));
    let square = |s: [i32; 3]| s.iter().map(|v| i64::from(*v).pow(2)).sum::<i64>() as f64;
    let mut ink_sum = [0i32; 3];
    let mut bits = 0usize;
    let mut best = (square(total) / count as f64, 0, ink_sum);
    for step in 1..1usize << (count - 1) {
        let flipped = step.trailing_zeros() as usize;
        bits ^= 1 << flipped;
        let sign = if bits >> flipped & 1 == 1 { 1 } else { -1 };
        for c in 0..3 {
            ink_sum[c] += sign * i32::from(block[flipped][c]);
        }
        let inked = f64::from(bits.count_ones());
        let paper_sum = std::array::from_fn(|c| total[c] - ink_sum[c]);
        let gain = square(ink_sum) / inked + square(paper_sum) / (count as f64 - inked);
        // A hair's gain is rounding, and a plain cell looks better than a glyph in two equal colours.
        if gain > best.0 + 1e-6 {
            best = (gain, bits, ink_sum);
        }
    }
    let (_, bits, ink_sum) = best;
    let inked = bits.count_ones() as i32;
    let mean = |sum: i32, n: i32| ((sum + n / 2) / n.max(1)) as u8;
    TwoColours {
        bits,
        ink: ink_sum.map(|s| mean(s, inked)),
        paper: std::array::from_fn(|c| mean(total[c] - ink_sum[c], count as i32 - inked)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use image::Rgb;
    use proptest::prelude::*;

    use super::*;

    fn rgb(color: Color) -> [u8; 3] {
        match color {
            Color::Rgb(r, g, b) => [r, g, b],
            other => panic!("{other:?} is no 24-bit colour"),
        }
    }

    /// The pixels that the cells show.
    fn seen(buffer: &Buffer, glyphs: Glyphs) -> Vec<[u8; 3]> {
        let (across, down) = glyphs.resolution();
        let (w, h) = (buffer.area.width as usize * across, buffer.area.height as usize * down);
        (0..w * h)
            .map(|i| {
                let (x, y) = (i % w, i / w);
                let cell = buffer.cell(((x / across) as u16, (y / down) as u16)).unwrap();
                let symbol = cell.symbol().chars().next().unwrap();
                let bits = (0..1 << (across * down)).find(|b| glyphs.symbol(*b) == symbol).unwrap();
                let inked = bits >> (y % down * across + x % across) & 1 == 1;
                rgb(if inked { cell.fg } else { cell.bg })
            })
            .collect()
    }

    fn error(a: &[[u8; 3]], b: &[[u8; 3]]) -> i64 {
        a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (i64::from(*a) - i64::from(*b)).pow(2)).sum()
    }

    fn colourful() -> impl Strategy<Value = Glyphs> {
        prop::sample::select(vec![Glyphs::Half, Glyphs::Quadrant, Glyphs::Sextant, Glyphs::Octant, Glyphs::Ascii])
    }

    proptest! {
        #[test]
        fn a_two_colour_cell_is_reproduced_exactly(glyphs in colourful(), pattern in any::<u8>(), a in any::<[u8; 3]>(), b in any::<[u8; 3]>()) {
            let (w, h) = glyphs.resolution();
            let image = RgbImage::from_fn(w as u32, h as u32, |x, y| Rgb(if pattern >> (y * w as u32 + x) & 1 == 1 { a } else { b }));
            let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
            paint(&image, buffer.area, glyphs, Depth::True, false, &mut buffer);
            let pixels: Vec<[u8; 3]> = image.pixels().map(|p| p.0).collect();
            prop_assert_eq!(seen(&buffer, glyphs), pixels);
        }

        #[test]
        fn no_pattern_has_a_smaller_error(pixels in prop::collection::vec(any::<[u8; 3]>(), 8)) {
            let found = two_colours(&pixels);
            let drawn = |bits: usize, ink: [u8; 3], paper: [u8; 3]| -> Vec<[u8; 3]> {
                (0..8).map(|i| if bits >> i & 1 == 1 { ink } else { paper }).collect()
            };
            let reached = error(&drawn(found.bits, found.ink, found.paper), &pixels);
            for bits in 0..256usize {
                let mean = |want: usize| -> [u8; 3] {
                    let own: Vec<&[u8; 3]> = (0..8).filter(|i| bits >> i & 1 == want).map(|i| &pixels[i]).collect();
                    std::array::from_fn(|c| {
                        (own.iter().map(|p| f64::from(p[c])).sum::<f64>() / own.len().max(1) as f64).round() as u8
                    })
                };
                // Colours are whole numbers: each of 24 values may add a quarter to the squared error.
                prop_assert!(reached <= error(&drawn(bits, mean(1), mean(0)), &pixels) + 6);
            }
        }

        #[test]
        fn a_picture_fits_its_box_and_keeps_its_shape(w in 1u32..2000, h in 1u32..2000, bw in 1u16..200, bh in 1u16..100) {
            let area = Rect::new(3, 2, bw, bh);
            let fitted = fit(w, h, area);
            prop_assert_eq!(fitted, fitted.intersection(area));
            prop_assert!(fitted.width == bw || fitted.height == bh);
        }
    }

    #[test]
    fn a_square_takes_twice_as_many_columns_as_rows() {
        assert_eq!(fit(28, 28, Rect::new(0, 0, 40, 10)), Rect::new(10, 0, 20, 10));
        assert_eq!(fit(100, 50, Rect::new(0, 0, 40, 40)), Rect::new(0, 15, 40, 10));
    }

    #[test]
    fn without_colours_brightness_is_a_ramp_of_letters() {
        let image = RgbImage::from_fn(10, 1, |x, _| Rgb([x as u8 * 28; 3]));
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
        paint(&image, buffer.area, Glyphs::Quadrant, Depth::Mono, false, &mut buffer);
        assert_eq!(buffer, Buffer::with_lines([" .:-=+*#%@"]));
        paint(&image, buffer.area, Glyphs::Quadrant, Depth::Mono, true, &mut buffer);
        assert_eq!(buffer, Buffer::with_lines(["@%#*+=-:. "]));
    }

    #[test]
    fn a_painting_hangs_as_it_was_painted() {
        let image = RgbImage::from_fn(16, 16, |x, y| Rgb([x as u8 * 16, y as u8 * 16, 99]));
        let area = Rect::new(2, 1, 8, 4);
        let screen = |width| Buffer::empty(Rect::new(0, 0, width, 9));
        let (mut painted, mut hung, mut narrow) = (screen(12), screen(12), screen(9));
        paint(&image, area, Glyphs::Quadrant, Depth::True, false, &mut painted);
        let painting = Painting::new(&image, [8, 4], Glyphs::Quadrant, Depth::True, false);
        painting.hang(area, &mut hung);
        assert_eq!(hung, painted);
        // What hangs over the edge is cut off, not squeezed in.
        painting.hang(area, &mut narrow);
        assert!(narrow.area.positions().all(|at| narrow.cell(at) == painted.cell(at)));
    }

    #[test]
    fn an_area_outside_the_screen_is_left_alone() {
        let image = RgbImage::from_pixel(4, 4, Rgb([9; 3]));
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 2));
        paint(&image, Rect::new(3, 1, 50, 50), Glyphs::Half, Depth::True, false, &mut buffer);
        assert_eq!(rgb(buffer.cell((3, 1)).unwrap().bg), [9; 3]);
        assert_eq!(buffer.cell((2, 1)).unwrap().bg, Color::Reset);
    }
}
