//! A photograph as networks are measured on ImageNet: its shorter side brought to a length, then the middle of it: torchvision's
//! `Resize` and `CenterCrop` of a Pillow picture.

use std::path::Path;

use super::{DataError, Interpolation, Pixels, Size, decode, resize};

/// What of the picture is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// All of it, whatever becomes of its proportions.
    Squash,
    /// The middle, after the shorter side was brought to so many pixels.
    Middle(u32),
}

/// Reads and decodes one file, whole, and frames it.
pub fn decode_framed(
    path: &Path,
    framing: Framing,
    size: Size,
    interpolation: Interpolation,
) -> Result<Pixels, DataError> {
    size.check()?;
    let whole = decode::decode_whole(path)?;
    let Framing::Middle(shorter) = framing else { return Ok(resized(whole, size, interpolation)) };
    let Size { height, width, .. } = whole.size;
    let longer = |long: u32, short: u32| (u64::from(shorter) * u64::from(long) / u64::from(short.max(1))) as u32;
    let (height, width) =
        if width <= height { (longer(height, width), shorter) } else { (shorter, longer(width, height)) };
    let scaled = Size { height: height.max(size.height), width: width.max(size.width), channels: size.channels };
    scaled.check()?;
    Ok(middle(&resized(whole, scaled, interpolation), size))
}

/// Row by row first and then column by column, each rounded to whole levels, which is Pillow's order. The library takes the other
/// one where it may choose; a level of 255 here and there moves a probability by a hundredth.
fn resized(pixels: Pixels, size: Size, interpolation: Interpolation) -> Pixels {
    let narrow = Size { width: size.width, height: pixels.size.height, channels: size.channels };
    resize::to(resize::to(pixels, narrow, interpolation), size, interpolation)
}

/// `size` must not be larger than the picture.
fn middle(pixels: &Pixels, size: Size) -> Pixels {
    let channels = size.channels as usize;
    let (top, left) = (margin(pixels.size.height, size.height), margin(pixels.size.width, size.width));
    let row = pixels.size.width as usize * channels;
    let mut bytes = Vec::with_capacity(size.bytes());
    for line in pixels.bytes.chunks_exact(row).skip(top).take(size.height as usize) {
        bytes.extend_from_slice(&line[left * channels..][..size.width as usize * channels]);
    }
    Pixels { size, bytes }
}

/// Python's `round((from - to) / 2)`, which takes halves to the even number.
fn margin(from: u32, to: u32) -> usize {
    let twice = from - to;
    let half = twice / 2;
    (if twice % 2 == 1 { half + half % 2 } else { half }) as usize
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_middle_is_where_torchvision_finds_it() {
        // [round(n / 2) for n in range(8)] of Python 3.
        assert_eq!((0..8).map(|more| margin(10 + more, 10)).collect::<Vec<_>>(), [0, 0, 1, 2, 2, 2, 3, 4]);
        let size = Size { height: 4, width: 5, channels: 1 };
        let pixels = Pixels { size, bytes: (0..20).collect() };
        let found = middle(&pixels, Size { height: 2, width: 2, channels: 1 });
        // torchvision.transforms.functional.center_crop(arange(20).reshape(1, 4, 5), 2): top 1, left round(1.5) = 2.
        assert_eq!(found.bytes, [7, 8, 12, 13]);
    }

    #[test]
    fn the_shorter_side_decides_and_the_longer_one_is_rounded_down() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wide.png");
        image::RgbImage::from_fn(451, 300, |x, _| image::Rgb([(x / 2) as u8; 3])).save(&path).unwrap();
        let size = Size { height: 224, width: 224, channels: 3 };
        let framed = decode_framed(&path, Framing::Middle(256), size, Interpolation::Bilinear).unwrap();
        assert_eq!(framed.size, size);
        // 451 * 256 / 300 = 384 columns, of which those from 80 on are shown: their middle is that of the ramp.
        let middle = framed.bytes[(112 * 224 + 112) * 3];
        assert!((112..=113).contains(&middle), "{middle}");
        let squashed = decode_framed(&path, Framing::Squash, size, Interpolation::Bilinear).unwrap();
        assert!(squashed.bytes[0] < 3 && squashed.bytes[223 * 3] > 222);
    }
}
