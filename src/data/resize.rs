//! Pixels to another size or number of channels, with Pillow's choice of pixels, so that a network sees what Keras's
//! `load_img` shows it. Nearest neighbour only: no new colours are made.

use super::{Pixels, Size};

/// The picture at the target size. Whole pixels are picked, never blended.
pub(super) fn to(pixels: Pixels, size: Size) -> Pixels {
    let pixels = with_channels(pixels, size.channels);
    if pixels.size == size {
        return pixels;
    }
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
    Pixels { size, bytes }
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
