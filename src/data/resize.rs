//! Pixels to another size or number of channels, with Pillow's filters, so that a network sees what Keras's `load_img` shows it.
//! Nearest neighbour picks pixels and makes no new colours; the others average over all that a target pixel covers.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::{Interpolation, Pixels, Size};

/// The picture at the target size and with its number of channels.
pub(super) fn to(pixels: Pixels, size: Size, interpolation: Interpolation) -> Pixels {
    let pixels = with_channels(pixels, size.channels);
    if pixels.size == size {
        return pixels;
    }
    let Size { height, width, channels } = pixels.size;
    let stored = Stored {
        bytes: &pixels.bytes,
        channels: channels as usize,
        height: height as usize,
        width: width as usize,
        extent: [f64::from(height), f64::from(width)],
    };
    // What cannot be averaged is a picture without pixels.
    let bytes = averaged(&stored, size, interpolation).unwrap_or_else(|| picked(&pixels, size));
    Pixels { size, bytes }
}

fn picked(pixels: &Pixels, size: Size) -> Vec<u8> {
    let channels = size.channels as usize;
    let rows = nearest(pixels.size.height, size.height);
    let columns = nearest(pixels.size.width, size.width);
    let mut bytes = Vec::with_capacity(size.bytes());
    let stride = pixels.size.width as usize * channels;
    for row in rows {
        let line = &pixels.bytes[row * stride..(row + 1) * stride];
        for &column in &columns {
            bytes.extend_from_slice(&line[column * channels..(column + 1) * channels]);
        }
    }
    bytes
}

/// The source pixel under the centre of each target pixel. The position is summed up, as in `ImagingScaleAffine` of Pillow,
/// because the rounding of that sum decides where a centre falls on an edge.
fn nearest(from: u32, to: u32) -> Vec<usize> {
    let step = f64::from(from) / f64::from(to);
    let mut position = step * 0.5;
    let mut picked = Vec::with_capacity(to as usize);
    for _ in 0..to {
        picked.push((position as usize).min(from as usize - 1));
        position += step;
    }
    picked
}

/// The filter behind a word of Keras's; none for nearest.
fn filter(interpolation: Interpolation) -> Option<FilterType> {
    Some(match interpolation {
        Interpolation::Nearest => return None,
        Interpolation::Box => FilterType::Box,
        Interpolation::Bilinear => FilterType::Bilinear,
        Interpolation::Hamming => FilterType::Hamming,
        Interpolation::Bicubic => FilterType::CatmullRom,
        Interpolation::Lanczos => FilterType::Lanczos3,
    })
}

/// How many times more pixels a side than the target has a picture must keep, when it is made smaller by averaging whole squares
/// first; `None` where it may not be. Narrower and sharper filters show more of a difference (Pillow's `reducing_gap` of 2 is "indistinguishable").
pub(super) fn margin(interpolation: Interpolation) -> Option<usize> {
    match interpolation {
        Interpolation::Nearest => None,
        Interpolation::Bilinear => Some(1),
        Interpolation::Box | Interpolation::Hamming | Interpolation::Bicubic | Interpolation::Lanczos => Some(2),
    }
}

/// Rows of pixels that are to be resized.
pub(super) struct Stored<'a> {
    pub(super) bytes: &'a [u8],
    /// 1 to 4.
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Height and width of what counts, from the upper left corner.
    pub(super) extent: [f64; 2],
}

/// `[size.height, size.width, stored.channels]`. Nothing for nearest, or without pixels.
pub(super) fn averaged(stored: &Stored<'_>, size: Size, interpolation: Interpolation) -> Option<Vec<u8>> {
    let kind = match stored.channels {
        1 => PixelType::U8,
        2 => PixelType::U8x2,
        3 => PixelType::U8x3,
        _ => PixelType::U8x4,
    };
    let from = ImageRef::new(stored.width as u32, stored.height as u32, stored.bytes, kind).ok()?;
    let mut to = Image::new(size.width, size.height, kind);
    let [height, width] = stored.extent;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter(interpolation)?))
        .crop(0.0, 0.0, width, height)
        .use_alpha(false);
    Resizer::new().resize(&from, &mut to, &options).ok()?;
    Some(to.into_vec())
}

/// Grey to RGB repeats the value; RGB to grey is ITU-R 601-2 luma in Pillow's fixed-point form (`L = R*299/1000 + …`).
fn with_channels(pixels: Pixels, channels: u32) -> Pixels {
    let size = Size { channels, ..pixels.size };
    let bytes = match (pixels.size.channels, channels) {
        (1, 3) => pixels.bytes.iter().flat_map(|&value| [value; 3]).collect(),
        (3, 1) => pixels.bytes.chunks_exact(3).map(|rgb| luma(rgb[0], rgb[1], rgb[2])).collect(),
        _ => pixels.bytes,
    };
    Pixels { size, bytes }
}

pub(super) fn luma(red: u8, green: u8, blue: u8) -> u8 {
    ((u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000) >> 16) as u8
}
