//! A picture file to pixels at the target size: turned as its EXIF orientation says, transparency dropped, resized as Keras's
//! `load_img` resizes. Refuses pictures whose sides or memory would be absurd before it allocates, and JPEGs that are cut off.

mod colour;
mod jpeg;
mod probe;

use std::error::Error as _;
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{DataError, Interpolation, Pixels, Size, resize};
pub(super) use probe::facts;
pub use probe::{Colour, Probe, probe};

/// Longer pictures are refused before they are decoded.
pub(super) const LONGEST_SIDE: u32 = 16_384;
/// And so are those of more pixels, a sixth of a GiB in RGB; Pillow warns from there on (`MAX_IMAGE_PIXELS`).
const MOST_PIXELS: u64 = (1 << 30) / 4 / 3;
/// The decoder's buffers.
const MOST_MEMORY: u64 = 256 << 20;

/// What counts as a picture in a class folder.
pub(super) const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "gif", "webp"];

/// Changes with what is made of a file, so that a cache of an older make is not taken for this one's.
pub(super) const MAKE: u32 = 1;

/// Reads and decodes one file. The format is told by content, not by name; of an animation the first frame counts.
pub fn decode_file(path: &Path, size: Size, interpolation: Interpolation) -> Result<Pixels, DataError> {
    size.check()?;
    explained(path, |bytes| decode(bytes, size, interpolation))
}

/// Reads and decodes one file at its own size, turned upright, grey or RGB as it is stored.
pub fn decode_whole(path: &Path) -> Result<Pixels, DataError> {
    explained(path, |bytes| full(bytes, format(bytes)?))
}

fn explained<T>(path: &Path, decode: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<T, DataError> {
    let bytes = std::fs::read(path).map_err(|error| DataError::reading(path, "image", error))?;
    decode(&bytes).map_err(|reason| DataError::Decode { name: path.display().to_string(), reason })
}

/// Enough for the header of nearly every picture, and for that of one with a thumbnail before it.
const HEADERS: [u64; 2] = [1 << 12, 1 << 16];

/// Checks that a file begins like a picture of an acceptable size. Reads the whole of it only where the header is long.
pub(super) fn check_header(path: &Path) -> Result<(), String> {
    let reading = |error: std::io::Error| error.to_string();
    let mut file = File::open(path).map_err(reading)?;
    let mut bytes = Vec::new();
    for enough in HEADERS {
        let more = enough - bytes.len() as u64;
        Read::by_ref(&mut file).take(more).read_to_end(&mut bytes).map_err(reading)?;
        match dimensions(&bytes) {
            Err(_) if bytes.len() as u64 == enough => {}
            result => return result.and_then(acceptable),
        }
    }
    file.read_to_end(&mut bytes).map_err(reading)?;
    dimensions(&bytes).and_then(acceptable)
}

/// Width and height as stored, from the header alone.
pub(super) fn dimensions(bytes: &[u8]) -> Result<(u32, u32), String> {
    let format = format(bytes)?;
    guarded(format, || ImageReader::with_format(Cursor::new(bytes), format).into_dimensions())
}

/// A decoder that panics at a damaged file costs that file, not the run. It owns all that it changes, so nothing is left torn.
fn guarded<T>(format: ImageFormat, decode: impl FnOnce() -> Result<T, ImageError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(result) => result.map_err(|error| reason(&error, format)),
        Err(_) => Err(format!("damaged {}: the decoder gave up", kind(format))),
    }
}

fn kind(format: ImageFormat) -> &'static str {
    format.extensions_str().first().copied().unwrap_or("image")
}

fn format(bytes: &[u8]) -> Result<ImageFormat, String> {
    match image::guess_format(bytes) {
        Ok(format) if format.reading_enabled() => Ok(format),
        _ if bytes.is_empty() => Err("the file is empty".into()),
        _ => Err("not a png, jpeg, bmp, gif or webp image".into()),
    }
}

pub(super) fn decode(bytes: &[u8], size: Size, interpolation: Interpolation) -> Result<Pixels, String> {
    let format = format(bytes)?;
    if let (ImageFormat::Jpeg, Some(margin)) = (format, resize::margin(interpolation))
        && let Some(pixels) = reduced(bytes, size, interpolation, margin)
    {
        return Ok(pixels);
    }
    Ok(resize::to(full(bytes, format)?, size, interpolation))
}

/// A JPEG by way of a smaller one. Nothing where the library has to look at it, since it is unusual, damaged or too big.
fn reduced(bytes: &[u8], size: Size, interpolation: Interpolation, margin: usize) -> Option<Pixels> {
    let mut jpeg = jpeg::Reader::new(bytes)?;
    let [height, width] = jpeg.dimensions();
    acceptable((width, height)).ok()?;
    let orientation = jpeg.take_exif().and_then(|exif| Orientation::from_exif_chunk(&exif));
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    let stored = if swaps_sides(orientation) { Size { height: size.width, width: size.height, ..size } } else { size };
    let planes = jpeg.planes(stored.height as usize * margin, stored.width as usize * margin)?;
    turned(colour::to_pixels(&planes, stored, interpolation)?, orientation)
}

fn swaps_sides(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}

fn turned(pixels: Pixels, orientation: Orientation) -> Option<Pixels> {
    if orientation == Orientation::NoTransforms {
        return Some(pixels);
    }
    let Size { height, width, channels } = pixels.size;
    let mut picture: DynamicImage = match channels {
        1 => image::GrayImage::from_raw(width, height, pixels.bytes)?.into(),
        _ => image::RgbImage::from_raw(width, height, pixels.bytes)?.into(),
    };
    picture.apply_orientation(orientation);
    Some(flatten(picture))
}

/// Every pixel of the file, upright.
fn full(bytes: &[u8], format: ImageFormat) -> Result<Pixels, String> {
    if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
        return Err("the jpeg is cut off".into());
    }
    acceptable(dimensions(bytes)?)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits.clone());
    let picture = guarded(format, || {
        let mut decoder = reader.into_decoder()?;
        limits.reserve(decoder.total_bytes())?;
        // What is wrong with the remarks beside a picture does not spoil the picture.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    })?;
    Ok(flatten(picture))
}

/// 8 bits, grey or RGB. Dropping alpha is what Pillow's `convert("RGB")` does: the colour under a transparent pixel shows.
fn flatten(picture: DynamicImage) -> Pixels {
    let (height, width) = (picture.height(), picture.width());
    let (channels, bytes) = if picture.color().has_color() {
        (3, picture.into_rgb8().into_raw())
    } else {
        (1, picture.into_luma8().into_raw())
    };
    Pixels { size: Size { height, width, channels }, bytes }
}

fn acceptable((width, height): (u32, u32)) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err(format!("the image has no pixels ({width}x{height})"));
    }
    if width > LONGEST_SIDE || height > LONGEST_SIDE {
        return Err(format!("{width}x{height} pixels are more than {LONGEST_SIDE} a side"));
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!("{width}x{height} pixels are more than {} million", MOST_PIXELS / 1_000_000));
    }
    Ok(())
}

/// The decoder's own words behind ours, on one line, so that a list of skipped files stays a list.
fn reason(error: &ImageError, format: ImageFormat) -> String {
    let kind = kind(format);
    let cause = match error {
        ImageError::Limits(_) => {
            return format!("more than {LONGEST_SIDE} pixels a side or {} MiB decoded", MOST_MEMORY >> 20);
        }
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            return format!("the {kind} is cut off");
        }
        ImageError::Decoding(error) => error.source().map(ToString::to_string),
        _ => None,
    };
    let text = cause.unwrap_or_else(|| error.to_string());
    format!("damaged {kind}: {}", text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.'))
}

/// The decoder fills what is missing with grey without a word; a network would learn that grey. Entropy-coded data never
/// holds FF D9 (a zero is stuffed after FF), so a whole file has its end marker after the start of its last scan.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let last = |marker| memchr::memmem::rfind(bytes, marker);
    match (last(&[0xff, 0xda]), last(&[0xff, 0xd9])) {
        (Some(scan), Some(end)) => end > scan,
        _ => false,
    }
}
