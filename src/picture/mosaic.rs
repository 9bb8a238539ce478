//! Pictures of one size in rows, as the book shows filters: with black between them.

use image::{GenericImage as _, Rgb, RgbImage};

/// The book's margin (listing 5.39), in pixels.
const MARGIN: u32 = 5;

/// `across` in a row, in their order. One alone has no margin; of none there is one dark pixel.
pub fn mosaic(pictures: &[RgbImage], across: usize) -> RgbImage {
    let Some(first) = pictures.first() else { return RgbImage::new(1, 1) };
    let columns = across.clamp(1, pictures.len());
    let (across, down) = (columns as u32, pictures.len().div_ceil(columns) as u32);
    let (width, height) = first.dimensions();
    let size = (across * (width + MARGIN) - MARGIN, down * (height + MARGIN) - MARGIN);
    let mut whole = RgbImage::from_pixel(size.0, size.1, Rgb([0; 3]));
    for (picture, index) in pictures.iter().zip(0_u32..) {
        let (column, row) = (index % across, index / across);
        // One of another size that does not fit is left out.
        let _ = whole.copy_from(picture, column * (width + MARGIN), row * (height + MARGIN));
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_filters_stand_in_a_row_with_the_books_margins() {
        let pictures: Vec<RgbImage> = (0..10).map(|value| RgbImage::from_pixel(64, 64, Rgb([value; 3]))).collect();
        let grid = mosaic(&pictures, 8);
        assert_eq!(grid.dimensions(), (8 * 64 + 7 * 5, 2 * 64 + 5));
        assert_eq!((grid.get_pixel(69, 0).0[0], grid.get_pixel(0, 69).0[0], grid.get_pixel(65, 0).0[0]), (1, 8, 0));
        assert_eq!(mosaic(&pictures[..1], 8).dimensions(), (64, 64));
        assert_eq!(mosaic(&[], 8).dimensions(), (1, 1));
    }
}
