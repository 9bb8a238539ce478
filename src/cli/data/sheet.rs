//! A contact sheet: pictures in rows, each with a caption in an 8×8 bitmap font under it, as one image.

use font8x8::legacy::BASIC_LEGACY;
use image::{GenericImage as _, Rgb, RgbImage};

use crate::{picture::enlarge, text::guard};

/// Pixels between two tiles, and around all.
const GAP: u32 = 6;
/// Two lines.
const CAPTION: u32 = 26;
pub const GLYPH: u32 = 8;
const GROUND: Rgb<u8> = Rgb([24; 3]);
const INK: Rgb<u8> = Rgb([208; 3]);
/// Smaller pictures are enlarged by whole pixels, so that one of 28×28 can be seen and its caption read.
const SMALLEST: u32 = 112;

/// One picture of a sheet.
#[derive(Clone, Debug)]
pub struct Tile {
    pub picture: RgbImage,
    /// One line or two.
    pub caption: String,
}

impl Tile {
    /// Enlarged where it would be too small.
    pub fn new(picture: &RgbImage, caption: impl Into<String>) -> Self {
        let times = SMALLEST.div_ceil(picture.width().max(picture.height()).max(1));
        Self { picture: enlarge(picture, times * picture.width().max(picture.height())), caption: caption.into() }
    }
}

/// The rows below each other; all tiles have the same size.
pub fn sheet(rows: &[Vec<Tile>]) -> RgbImage {
    let tiles = || rows.iter().flatten().map(|tile| &tile.picture);
    let width = tiles().map(RgbImage::width).max().unwrap_or(1);
    let height = tiles().map(RgbImage::height).max().unwrap_or(1);
    let across = rows.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let row_height = height + CAPTION + GAP;
    let full = (GAP + across * (width + GAP), GAP + rows.len() as u32 * row_height);
    let mut sheet = RgbImage::from_pixel(full.0, full.1, GROUND);
    for (row, top) in rows.iter().zip((0..).map(|row| GAP + row * row_height)) {
        for (tile, left) in row.iter().zip((0..).map(|column| GAP + column * (width + GAP))) {
            // It fits: the sheet was made for the largest.
            let _ = sheet.copy_from(&tile.picture, left, top);
            for (line, down) in tile.caption.lines().take(2).zip([4, 15]) {
                write(&mut sheet, line, left, top + height + down, width, INK);
            }
        }
    }
    sheet
}

/// The pictures of one row without captions, for a terminal, which writes its own.
pub fn strip(row: &[Tile]) -> RgbImage {
    let height = row.iter().map(|tile| tile.picture.height()).max().unwrap_or(1);
    let gaps = GAP * row.len().saturating_sub(1) as u32;
    let width = row.iter().map(|tile| tile.picture.width()).sum::<u32>() + gaps;
    let mut strip = RgbImage::from_pixel(width.max(1), height, GROUND);
    let mut left = 0;
    for tile in row {
        let _ = strip.copy_from(&tile.picture, left, 0);
        left += tile.picture.width() + GAP;
    }
    strip
}

/// One line from `left` on, cut at `room` pixels; what the font lacks becomes a question mark.
pub fn write(sheet: &mut RgbImage, text: &str, left: u32, top: u32, room: u32, ink: Rgb<u8>) {
    for (at, letter) in tail(text, (room / GLYPH) as usize).chars().enumerate() {
        let glyph = BASIC_LEGACY.get(letter as usize).copied().unwrap_or(BASIC_LEGACY['?' as usize]);
        for (y, row) in (top..).zip(glyph) {
            for (x, bit) in (left + at as u32 * GLYPH..).zip(0..GLYPH) {
                if row >> bit & 1 == 1 && x < sheet.width() && y < sheet.height() {
                    sheet.put_pixel(x, y, ink);
                }
            }
        }
    }
}

/// The last `most` characters: the end of a path tells the pictures of a folder apart.
fn tail(text: &str, most: usize) -> String {
    let text = guard::clean(text);
    let count = text.chars().count();
    if count <= most {
        text.into_owned()
    } else {
        format!("..{}", text.chars().skip(count + 2 - most.max(2)).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_stand_in_rows_with_room_for_their_captions() {
        let tile = |value| Tile { picture: RgbImage::from_pixel(20, 10, Rgb([value; 3])), caption: "a".into() };
        let sheet = sheet(&[vec![tile(200), tile(201)], vec![tile(202)]]);
        assert_eq!(sheet.dimensions(), (6 + 2 * 26, 6 + 2 * 42));
        assert_eq!(
            (sheet.get_pixel(6, 6).0[0], sheet.get_pixel(32, 6).0[0], sheet.get_pixel(6, 48).0[0]),
            (200, 201, 202)
        );
        let inked = (16..30).any(|y| (6..14).any(|x| *sheet.get_pixel(x, y) == INK));
        assert!(inked && *sheet.get_pixel(40, 50) == GROUND);
        assert_eq!(strip(&[tile(1), tile(2)]).dimensions(), (46, 10));
    }

    #[test]
    fn a_digit_becomes_large_enough_for_its_caption() {
        let digit = Tile::new(&RgbImage::new(28, 28), "7");
        assert_eq!(digit.picture.dimensions(), (112, 112));
        assert_eq!(Tile::new(&RgbImage::new(150, 100), "").picture.dimensions(), (150, 100));
    }

    #[test]
    fn a_long_caption_keeps_its_end() {
        assert_eq!(
            tail("data/train/cats/cat.0.jpg", 12),
            "..cat.0.jpg"[..].replace("..cat", "../cat").as_str()[..12].to_owned()
        );
        assert_eq!(tail("cat.0.jpg", 12), "cat.0.jpg");
    }
}
