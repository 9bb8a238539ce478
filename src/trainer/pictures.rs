//! What the network makes of an image, made visible: bytes and numbers become pictures. No run, no file.

use image::{Rgb, RgbImage};

use super::{Painting, Planes};
use crate::{
    data::Pixels,
    picture::{self, Colormap},
};

/// Sides of a picture that is meant for a thumbnail.
const LARGEST_SIDE: u32 = 512;
/// A thumbnail's longer side at most.
const THUMBNAIL_SIDE: u32 = 112;
/// Grids show no more channels than this; the book's show 32 to 128.
const MOST_CHANNELS: usize = 128;

pub(super) fn rgb(pixels: &Pixels) -> RgbImage {
    let channels = pixels.size.channels as usize;
    RgbImage::from_fn(pixels.size.width, pixels.size.height, |x, y| {
        let at = (y as usize * pixels.size.width as usize + x as usize) * channels;
        let value = |channel: usize| pixels.bytes[at + channel.min(channels - 1)];
        Rgb([value(0), value(1), value(2)])
    })
}

/// The channels as a grid, each scaled as in the book.
pub(super) fn channels(planes: &Planes) -> RgbImage {
    let Planes { channels, height, width, ref values } = *planes;
    let shown = channels.min(MOST_CHANNELS);
    let columns = picture::columns_for(shown, height, width, 1.0);
    let grid = picture::grid(&values[..shown * height * width], [shown, height, width], columns, Colormap::Viridis);
    within(grid, LARGEST_SIDE)
}

/// To be shown beside others.
pub(super) fn thumbnail(image: &RgbImage) -> RgbImage {
    within(image.clone(), THUMBNAIL_SIDE)
}

fn within(image: RgbImage, most: u32) -> RgbImage {
    let largest = image.width().max(image.height());
    if largest <= most {
        return image;
    }
    let side = |length: u32| (length * most / largest).max(1);
    let (width, height) = (side(image.width()), side(image.height()));
    let small = picture::shrink(&image, width as usize, height as usize);
    RgbImage::from_raw(width, height, small.concat()).unwrap_or(image)
}

/// Heat `[1, h, w]` in 0–1 as grey levels, as large as it is: whoever shows it lays it over the image. Without heat one dark pixel.
pub(super) fn levels(heat: Option<&Planes>) -> RgbImage {
    let Some(Planes { height, width, values, .. }) = heat else { return RgbImage::new(1, 1) };
    RgbImage::from_fn(*width as u32, *height as u32, |x, y| {
        let value = values.get(y as usize * width + x as usize).copied().unwrap_or(0.0);
        Rgb([(value.clamp(0.0, 1.0) * 255.0).round() as u8; 3])
    })
}

/// What filters like, in a square.
pub(super) fn filters(painting: &Painting) -> RgbImage {
    let Painting { filters, height, width, channels, bytes, .. } = painting;
    let one = height * width * channels;
    let pictures: Vec<RgbImage> = bytes
        .chunks_exact(one.max(1))
        .map(|bytes| {
            RgbImage::from_fn(*width as u32, *height as u32, |x, y| {
                let at = (y as usize * width + x as usize) * channels;
                Rgb(std::array::from_fn(|colour| bytes[at + colour.min(channels - 1)]))
            })
        })
        .collect();
    picture::mosaic(&pictures, ((*filters as f64).sqrt().ceil() as usize).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_is_kept_at_its_own_size() {
        let heat = Planes { channels: 1, height: 1, width: 3, values: vec![0.0, 0.5, 1.0] };
        let picture = levels(Some(&heat));
        assert_eq!(picture.dimensions(), (3, 1));
        assert_eq!(picture.pixels().map(|pixel| pixel[0]).collect::<Vec<_>>(), [0, 128, 255]);
        assert_eq!(levels(None).dimensions(), (1, 1));
    }

    #[test]
    fn grey_filters_have_three_colours_too() {
        let painting =
            Painting { filters: 5, height: 2, width: 2, channels: 1, bytes: vec![7; 20], ..Painting::default() };
        let picture = filters(&painting);
        assert_eq!(picture.dimensions(), (3 * 2 + 2 * 5, 2 * 2 + 5), "three in a row");
        assert_eq!(picture.get_pixel(0, 0).0, [7; 3]);
    }
}
