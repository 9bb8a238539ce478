//! The confusion matrix as a picture: a row a true class, a column a prediction, bright where many of the row's images are.

use image::{Rgb, RgbImage};

use crate::{cli::data::sheet, picture::Colormap};

/// The matrix is about as large.
const SIDE: u32 = 640;
/// Cells of this size hold a number and have theirs on the margin.
const WRITTEN: u32 = 30;
const LARGEST: u32 = 80;
const MARGIN: u32 = 34;
const GROUND: Rgb<u8> = Rgb([255; 3]);
const DARK: Rgb<u8> = Rgb([20; 3]);
const LIGHT: Rgb<u8> = Rgb([240; 3]);

/// Classes by their numbers; a class without images has a dark row.
pub fn confusion(counts: &[Vec<u64>]) -> RgbImage {
    let classes = counts.len() as u32;
    let cell = (SIDE / classes.max(1)).clamp(1, LARGEST);
    let side = MARGIN + cell * classes;
    let mut picture = RgbImage::from_pixel(side + 1, side + 1, GROUND);
    let written = cell >= WRITTEN;
    for (truth, row) in counts.iter().enumerate() {
        let support: u64 = row.iter().sum();
        for (predicted, &count) in row.iter().enumerate() {
            let share = count as f32 / support.max(1) as f32;
            let [left, top] = [predicted, truth].map(|at| MARGIN + at as u32 * cell);
            let colour = Rgb(Colormap::Viridis.color(share));
            for y in top..top + cell.saturating_sub(u32::from(cell > 3)).max(1) {
                for x in left..left + cell.saturating_sub(u32::from(cell > 3)).max(1) {
                    picture.put_pixel(x, y, colour);
                }
            }
            if written {
                let ink = if share > 0.6 { DARK } else { LIGHT };
                centred(&mut picture, &short(count), [left, top], [cell, cell], ink);
            }
        }
    }
    if written {
        for class in 0..classes {
            let at = MARGIN + class * cell;
            centred(&mut picture, &class.to_string(), [0, at], [MARGIN, cell], DARK);
            centred(&mut picture, &class.to_string(), [at, 12], [cell, MARGIN - 12], DARK);
        }
    }
    // Rows are the truth, columns what was predicted.
    sheet::write(&mut picture, "predicted", MARGIN, 4, side, DARK);
    picture
}

fn centred(picture: &mut RgbImage, text: &str, [left, top]: [u32; 2], [width, height]: [u32; 2], ink: Rgb<u8>) {
    let wide = text.len() as u32 * sheet::GLYPH;
    let left = left + width.saturating_sub(wide) / 2;
    sheet::write(picture, text, left, top + height.saturating_sub(sheet::GLYPH) / 2, width, ink);
}

/// At most three characters below a million, so that it fits its cell.
fn short(count: u64) -> String {
    match count {
        0..1000 => count.to_string(),
        1000..1_000_000 => format!("{}k", count / 1000),
        _ => format!("{}M", count / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_shares_and_large_cells_hold_their_numbers() {
        let picture = confusion(&[vec![30, 10], vec![0, 0]]);
        assert_eq!(picture.dimensions(), (MARGIN + 161, MARGIN + 161));
        let corner = |x, y| picture.get_pixel(MARGIN + x, MARGIN + y).0;
        assert_eq!(corner(0, 0), Colormap::Viridis.color(0.75));
        assert_eq!(corner(80, 0), Colormap::Viridis.color(0.25));
        assert_eq!(corner(80, 80), Colormap::Viridis.color(0.0), "a class without images");
        let inked = |ink| picture.pixels().filter(|pixel| **pixel == ink).count();
        assert!(inked(DARK) > 20 && inked(LIGHT) > 20);
        assert_eq!([7, 1234, 2_500_000].map(short), ["7", "1k", "2M"]);
    }

    #[test]
    fn a_thousand_classes_are_a_thousand_pixels() {
        let counts: Vec<Vec<u64>> =
            (0..1000).map(|at| (0..1000).map(|other| u64::from(at == other)).collect()).collect();
        assert_eq!(confusion(&counts).dimensions(), (MARGIN + 1001, MARGIN + 1001));
        assert_eq!(confusion(&[]).dimensions(), (MARGIN + 1, MARGIN + 1));
    }
}
