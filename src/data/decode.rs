//! A picture file to pixels at the target size, as Keras's `load_img` gives them: transparency dropped, no rotation by EXIF,
//! nearest-neighbour resize. Refuses pictures whose sides or memory would be absurd, and JPEGs that are cut off.

use std::error::Error as _;
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::{DynamicImage, ImageError, ImageFormat, ImageReader, Limits};

use super::{DataError, Pixels, Size, resize};

/// Longer pictures are refused before they are decoded.
pub(super) const LONGEST_SIDE: u32 = 16_384;
/// The decoder's buffers; about 85 million RGB pixels.
const MOST_MEMORY: u64 = 256 << 20;

/// What counts as a picture in a class folder.
pub(super) const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "gif", "webp"];

/// Reads and decodes one file. The format is told by content, not by name; of an animation the first frame counts.
pub fn decode_file(path: &Path, size: Size) -> Result<Pixels, DataError> {
    size.check()?;
    let bytes = std::fs::read(path).map_err(|error| DataError::reading(path, "image", error))?;
    decode(&bytes, size).map_err(|reason| DataError::Decode { name: path.display().to_string(), reason })
}

/// Enough for the header of nearly every picture.
const HEADER: u64 = 1 << 16;

/// Checks that a file begins like a picture of an acceptable size. Reads the whole of it only where the header is long.
pub(super) fn check_header(path: &Path) -> Result<(), String> {
    let reading = |error: std::io::Error| error.to_string();
    let mut file = File::open(path).map_err(reading)?;
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(HEADER).read_to_end(&mut bytes).map_err(reading)?;
    let first = dimensions(&bytes);
    let (width, height) = match first {
        Err(_) if bytes.len() as u64 == HEADER => {
            file.read_to_end(&mut bytes).map_err(reading)?;
            dimensions(&bytes)?
        }
        result => result?,
    };
    acceptable(width, height)
}

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

pub(super) fn decode(bytes: &[u8], size: Size) -> Result<Pixels, String> {
    let format = format(bytes)?;
    if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
        return Err("the jpeg is cut off".into());
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let picture = guarded(format, || reader.decode())?;
    acceptable(picture.width(), picture.height())?;
    Ok(resize::to(flatten(picture), size))
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

fn acceptable(width: u32, height: u32) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err(format!("the image has no pixels ({width}x{height})"));
    }
    if width > LONGEST_SIDE || height > LONGEST_SIDE {
        return Err(format!("{width}x{height} pixels are more than {LONGEST_SIDE} a side"));
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
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|pair| pair == marker);
    match (last([0xff, 0xda]), last([0xff, 0xd9])) {
        (Some(scan), Some(end)) => end > scan,
        _ => false,
    }
}
