//! Grad-CAM's heat map laid over its image.

use image::{Rgb, RgbImage};

use super::{Colormap, upsample};

/// `heat` `[h, w]` with values 0–1, brought to the image's size and laid over it in the map's colours; the book's are jet.
///
/// The book (listing 5.43) adds `strength` times the coloured map to the image and lets the sum clip, with a strength of 0.4. Here the sum is
/// divided by `1 + strength` instead, so that bright images (a garment, a white background) keep their heat.
///
/// # Panics
/// If `heat` does not hold `h·w` numbers.
pub fn overlay(image: &RgbImage, heat: &[f32], shape: [usize; 2], strength: f32, map: Colormap) -> RgbImage {
    let (width, height) = image.dimensions();
    let heat = upsample(heat, shape, [height as usize, width as usize]);
    let mut out = image.clone();
    for (pixel, value) in out.pixels_mut().zip(heat) {
        let hot = map.color(value);
        let mix = |c: usize| ((f32::from(pixel[c]) + strength * f32::from(hot[c])) / (1.0 + strength)).round() as u8;
        *pixel = Rgb([mix(0), mix(1), mix(2)]);
    }
    out
}

/// `heat` `[h, w]` alone, in the map's colours, at another size.
///
/// # Panics
/// If `heat` does not hold `h·w` numbers.
pub fn tinted(heat: &[f32], shape: [usize; 2], [height, width]: [usize; 2], map: Colormap) -> RgbImage {
    let heat = upsample(heat, shape, [height, width]);
    RgbImage::from_fn(width as u32, height as u32, |x, y| Rgb(map.color(heat[y as usize * width + x as usize])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overlay_is_the_books_sum_brought_into_range() {
        let image = RgbImage::from_pixel(2, 1, Rgb([255, 255, 255]));
        let out = overlay(&image, &[0.0, 1.0], [1, 2], 0.4, Colormap::Jet);
        // jet(0) = [0, 0, 128] and jet(1) = [128, 0, 0]: (255 + 0.4·128) / 1.4 = 218.7, 255 / 1.4 = 182.1.
        assert_eq!(out.get_pixel(0, 0).0, [182, 182, 219]);
        assert_eq!(out.get_pixel(1, 0).0, [219, 182, 182]);
    }

    #[test]
    fn a_coarse_map_covers_the_whole_image() {
        let image = RgbImage::from_pixel(6, 4, Rgb([0; 3]));
        let out = overlay(&image, &[1.0], [1, 1], 0.4, Colormap::Turbo);
        assert!(out.pixels().all(|p| p == out.get_pixel(0, 0)));
    }
}
