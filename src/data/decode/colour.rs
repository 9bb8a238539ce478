//! From a JPEG's planes to pixels at the target size. Planes are resized first and become colours then: both steps are linear, so
//! the order matters to rounding only, there are fewer pixels to convert, and chroma needs no upsampling of its own.

use multiversion::multiversion;

use super::jpeg::Plane;
use crate::data::resize::{self, Stored};
use crate::data::{Interpolation, Pixels, Size};

/// One (grey) or three (`YCbCr`) planes at the target size and number of channels. Luma is the grey of a colour picture.
pub(super) fn to_pixels(planes: &[Plane], size: Size, interpolation: Interpolation) -> Option<Pixels> {
    let resized = |planes: &[Plane]| {
        let (bytes, channels) = packed(planes)?;
        let Plane { stride: width, rows: height, .. } = planes[0];
        let extent = [planes[0].height, planes[0].width];
        resize::averaged(&Stored { bytes: &bytes, channels, height, width, extent }, size, interpolation)
    };
    let bytes = match (planes, size.channels) {
        ([_, ..], 1) => resized(&planes[..1])?,
        ([_], _) => resized(planes)?.into_iter().flat_map(|value| [value; 3]).collect(),
        ([luma, blue, red], _) => {
            let dimensions = |plane: &Plane| (plane.stride, plane.rows);
            if dimensions(blue) != dimensions(red) {
                return None;
            }
            if dimensions(luma) == dimensions(blue) {
                rgb(&resized(planes)?)
            } else {
                let (luma, chroma) = (resized(&planes[..1])?, resized(&planes[1..])?);
                let all = luma.iter().zip(chroma.chunks_exact(2)).flat_map(|(&y, chroma)| [y, chroma[0], chroma[1], 0]);
                rgb(&all.collect::<Vec<u8>>())
            }
        }
        _ => return None,
    };
    Some(Pixels { size, bytes })
}

/// Planes of one size side by side in each pixel; three are filled up to four, which resize faster.
fn packed(planes: &[Plane]) -> Option<(Vec<u8>, usize)> {
    Some(match planes {
        [only] => (only.bytes.clone(), 1),
        [a, b] => (a.bytes.iter().zip(&b.bytes).flat_map(|(&a, &b)| [a, b]).collect(), 2),
        [a, b, c] => {
            let mut all = vec![0; 4 * a.bytes.len()];
            for (((pixel, &a), &b), &c) in all.chunks_exact_mut(4).zip(&a.bytes).zip(&b.bytes).zip(&c.bytes) {
                pixel.copy_from_slice(&(u32::from(a) | u32::from(b) << 8 | u32::from(c) << 16).to_le_bytes());
            }
            (all, 4)
        }
        _ => return None,
    })
}

/// JFIF's colours of `YCbCr` pixels of four bytes, in libjpeg's fixed-point form (`jdcolor.c`).
#[multiversion(targets("x86_64+avx2"))]
fn rgb(pixels: &[u8]) -> Vec<u8> {
    const AT_ONCE: usize = 16;
    // Each pixel is stored as four bytes, of which the next one's colours overwrite the last.
    let mut out = vec![0; pixels.len() / 4 * 3 + 1];
    let pixel = |four: &[u8]| i32::from_le_bytes([four[0], four[1], four[2], 0]);
    let colour = |pixel: i32| {
        let (luma, blue, red) = (pixel & 255, (pixel >> 8 & 255) - 128, (pixel >> 16 & 255) - 128);
        let r = luma + ((91_881 * red + 32_768) >> 16);
        let g = luma + ((-22_554 * blue - 46_802 * red + 32_768) >> 16);
        let b = luma + ((116_130 * blue + 32_768) >> 16);
        r.clamp(0, 255) | g.clamp(0, 255) << 8 | b.clamp(0, 255) << 16
    };
    let mut at = 0;
    let mut put = |colour: i32| {
        out[at..at + 4].copy_from_slice(&colour.to_le_bytes());
        at += 3;
    };
    let mut chunks = pixels.chunks_exact(4 * AT_ONCE);
    for chunk in &mut chunks {
        let colours: [i32; AT_ONCE] = std::array::from_fn(|i| colour(pixel(&chunk[4 * i..4 * i + 4])));
        colours.into_iter().for_each(&mut put);
    }
    chunks.remainder().chunks_exact(4).for_each(|four| put(colour(pixel(four))));
    out.truncate(pixels.len() / 4 * 3);
    out
}
