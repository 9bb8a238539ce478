//! What can be told of a picture file without decoding it: size, colours, orientation, and whether its end is there.

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageFormat, ImageReader};

use super::{acceptable, explained, format, guarded, jpeg_is_whole, kind};
use crate::data::DataError;

/// How the pixels of a file are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Colour {
    Grey,
    GreyAlpha,
    Palette,
    Rgb,
    Rgba,
    /// Four inks, as print shops store JPEGs.
    Cmyk,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// `png`, `jpg`, `bmp`, `gif` or `webp`; told by content.
    pub format: &'static str,
    /// As stored, before [`Probe::orientation`].
    pub width: u32,
    pub height: u32,
    pub colour: Colour,
    /// Of a sample, or of an index into the palette.
    pub bits: u8,
    /// EXIF's 1 (upright) to 8; 1 where the file does not say.
    pub orientation: u8,
    /// False where the file ends before its picture does. Damage within shows only in decoding.
    pub is_whole: bool,
}

impl Probe {
    /// Height and width as it is shown.
    pub fn shown(&self) -> [u32; 2] {
        if self.orientation >= 5 { [self.width, self.height] } else { [self.height, self.width] }
    }
}

impl Colour {
    pub fn name(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::GreyAlpha => "grey with alpha",
            Self::Palette => "palette",
            Self::Rgb => "RGB",
            Self::Rgba => "RGBA",
            Self::Cmyk => "CMYK",
        }
    }
}

/// Reads a picture's facts. Refuses what is no picture by its header, and what decoding would refuse for its size.
pub fn probe(path: &Path) -> Result<Probe, DataError> {
    explained(path, facts)
}

pub(in crate::data) fn facts(bytes: &[u8]) -> Result<Probe, String> {
    let format = format(bytes)?;
    let (width, height, colour, orientation) = guarded(format, || {
        let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder()?;
        let (width, height) = decoder.dimensions();
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        Ok((width, height, decoder.color_type(), orientation))
    })?;
    acceptable((width, height))?;
    let (colour, bits) = stored(bytes, format).unwrap_or_else(|| decoded(colour));
    let orientation = orientation.to_exif();
    Ok(Probe { format: kind(format), width, height, colour, bits, orientation, is_whole: is_whole(bytes, format) })
}

/// As the library would hand it out.
fn decoded(colour: ColorType) -> (Colour, u8) {
    let bits = (colour.bytes_per_pixel() / colour.channel_count()).saturating_mul(8);
    let colour = match (colour.has_color(), colour.has_alpha()) {
        (false, false) => Colour::Grey,
        (false, true) => Colour::GreyAlpha,
        (true, false) => Colour::Rgb,
        (true, true) => Colour::Rgba,
    };
    (colour, bits)
}

/// What the library does not tell: palettes, inks, depths below a byte.
fn stored(bytes: &[u8], format: ImageFormat) -> Option<(Colour, u8)> {
    match format {
        // The first chunk, IHDR: depth, then kind (PNG, 11.2.1).
        ImageFormat::Png => {
            let colour = match bytes.get(25)? {
                0 => Colour::Grey,
                2 => Colour::Rgb,
                3 => Colour::Palette,
                4 => Colour::GreyAlpha,
                _ => Colour::Rgba,
            };
            Some((colour, *bytes.get(24)?))
        }
        ImageFormat::Gif => Some((Colour::Palette, (bytes.get(10)? & 7) + 1)),
        // biBitCount of any header but the oldest, which has 12 bytes.
        ImageFormat::Bmp if bytes.get(14)? != &12 => match bytes.get(28)? {
            &bits @ 1..=8 => Some((Colour::Palette, bits)),
            _ => None,
        },
        ImageFormat::Jpeg => {
            let frame = jpeg_frame(bytes)?;
            let colour = match frame.get(5)? {
                1 => Colour::Grey,
                3 => Colour::Rgb,
                4 => Colour::Cmyk,
                _ => return None,
            };
            Some((colour, frame[0]))
        }
        _ => None,
    }
}

/// The first SOF segment: precision, height, width, number of components (ISO 10918-1, B.2.2).
fn jpeg_frame(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(2..)?;
    loop {
        let (&[0xff, marker], after) = rest.split_first_chunk()? else { return None };
        if marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        let (&length, after_length) = after.split_first_chunk()?;
        let (segment, next) = after_length.split_at_checked(usize::from(u16::from_be_bytes(length)).checked_sub(2)?)?;
        match marker {
            // C4, C8 and CC are no frames.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => return Some(segment),
            _ => rest = next,
        }
    }
}

fn is_whole(bytes: &[u8], format: ImageFormat) -> bool {
    let length_at = |at: usize| {
        bytes
            .get(at..at + 4)
            .and_then(|four| four.try_into().ok())
            .map_or(u64::MAX, |four| u32::from_le_bytes(four).into())
    };
    let length = bytes.len() as u64;
    match format {
        ImageFormat::Jpeg => jpeg_is_whole(bytes),
        // The end chunk is empty; its checksum never changes.
        ImageFormat::Png => memchr::memmem::rfind(bytes, b"IEND\xae\x42\x60\x82").is_some(),
        ImageFormat::Gif => bytes.iter().rev().find(|&&byte| byte != 0) == Some(&0x3b),
        // Some writers leave the file's size out.
        ImageFormat::Bmp => length_at(2) <= length || length_at(2) == u64::MAX,
        ImageFormat::WebP => length_at(4).saturating_add(8) <= length,
        _ => true,
    }
}
