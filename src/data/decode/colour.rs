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
                rgb(resized(planes)?)
            } else {
                let (luma, chroma) = (resized(&planes[..1])?, resized(&planes[1..])?);
                let mut all = vec![0; 4 * luma.len()];
                for ((pixel, &luma), chroma) in all.chunks_exact_mut(4).zip(&luma).zip(chroma.chunks_exact(2)) {
                    pixel.copy_from_slice(&[luma, chroma[0], chroma[1], 0]);
                }
                rgb(all)
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
        [a, b] => {
            let mut both = vec![0; 2 * a.bytes.len()];
            for ((pixel, &a), &b) in both.chunks_exact_mut(2).zip(&a.bytes).zip(&b.bytes) {
                pixel.copy_from_slice(&[a, b]);
            }
            (both, 2)
        }
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

/// RGB of `YCbCr` pixels of four bytes.
fn rgb(mut pixels: Vec<u8>) -> Vec<u8> {
    let (pixels, _) = pixels.as_chunks_mut::<4>();
    recolour(pixels);
    let mut colours = vec![0; 3 * pixels.len()];
    for (colour, &[r, g, b, _]) in colours.as_chunks_mut().0.iter_mut().zip(&*pixels) {
        *colour = [r, g, b];
    }
    colours
}

/// JFIF's colours, in libjpeg's fixed-point form (`jdcolor.c`). In place and a pixel a number: so it becomes vector code.
#[multiversion(targets("x86_64+avx2"))]
fn recolour(pixels: &mut [[u8; 4]]) {
    for pixel in pixels {
        let stored = i32::from_le_bytes(*pixel);
        let (luma, blue, red) = (stored & 255, (stored >> 8 & 255) - 128, (stored >> 16 & 255) - 128);
        let r = luma + ((91_881 * red + 32_768) >> 16);
        let g = luma + ((-22_554 * blue - 46_802 * red + 32_768) >> 16);
        let b = luma + ((116_130 * blue + 32_768) >> 16);
        *pixel = (r.clamp(0, 255) | g.clamp(0, 255) << 8 | b.clamp(0, 255) << 16).to_le_bytes();
    }
}
