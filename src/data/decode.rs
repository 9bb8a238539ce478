//! A picture file to pixels at the target size, as Keras's `load_img` gives them: transparency dropped, no rotation by EXIF,
//! nearest-neighbour resize. Refuses pictures whose sides or memory would be absurd, and JPEGs that are cut off.

use std::io::Cursor;
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

/// Checks that a file begins like a picture of an acceptable size. Reads only as much as the header needs.
pub(super) fn check_header(path: &Path) -> Result<(), String> {
    let reader =
        ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(|error| error.to_string())?;
    if reader.format().is_none() {
        return Err(unknown(std::fs::metadata(path).map_or(0, |data| data.len())));
    }
    let (width, height) = reader.into_dimensions().map_err(|error| reason(&error))?;
    acceptable(width, height)
}

fn decode(bytes: &[u8], size: Size) -> Result<Pixels, String> {
    let format = image::guess_format(bytes).map_err(|_| unknown(bytes.len() as u64))?;
    if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
        return Err("the jpeg is cut off".into());
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| reason(&error))?;
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

fn unknown(length: u64) -> String {
    if length == 0 { "the file is empty".into() } else { "not a png, jpeg, bmp, gif or webp image".into() }
}

/// The decoder's own words, in our form.
fn reason(error: &ImageError) -> String {
    if let ImageError::Limits(_) = error {
        return format!("the image is larger than {LONGEST_SIDE} pixels a side or {} MiB decoded", MOST_MEMORY >> 20);
    }
    let text = error.to_string();
    // One line, so that a list of skipped files stays a list.
    let line = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    line.trim_end_matches('.').to_owned()
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
