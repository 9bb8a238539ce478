//! A drawing as PNG, with two pixels for each of the drawing's, so that thin lines and small words stay readable. The letters are those of an
//! 8×8 bitmap font, with Scale2x's rounding: no font has to be installed or brought along.

use font8x8::legacy::BASIC_LEGACY;
use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, PremultipliedColorU8, Rect, Stroke, StrokeDash,
    Transform,
};

use super::{Anchor, Drawing, Ink, Mark, Text};
use crate::{
    error::{Error, Result},
    text::guard,
};

/// Pixels for one of the drawing's.
const SCALE: f32 = 2.0;
/// Sides of a letter in the font, and here.
const FONT: usize = 8;
const GLYPH: usize = 2 * FONT;

pub fn png(drawing: &Drawing) -> Result<Vec<u8>> {
    let (width, height) = ((drawing.width as f32 * SCALE).ceil() as u32, (drawing.height as f32 * SCALE).ceil() as u32);
    let mut pixels = Pixmap::new(width, height)
        .ok_or_else(|| Error::user(format!("{width}x{height} pixels cannot be drawn"), "choose another --size"))?;
    for mark in &drawing.marks {
        draw(&mut pixels, mark);
    }
    // The ground is opaque, so that colours are what they were.
    let rgb: Vec<u8> = pixels.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| Error::internal(format!("a drawing could not be encoded: {error}")))?;
    Ok(png)
}

fn draw(pixels: &mut Pixmap, mark: &Mark) {
    let scale = Transform::from_scale(SCALE, SCALE);
    match mark {
        Mark::Fill { area, ink } => {
            let [left, top, width, height] = area.map(|side| side as f32);
            if let Some(area) = Rect::from_xywh(left, top, width, height) {
                pixels.fill_rect(area, &paint(*ink), scale, None);
            }
        }
        Mark::Line { points, ink, width, dashed } => {
            let mut path = PathBuilder::new();
            for (at, [x, y]) in points.iter().map(|point| point.map(|side| side as f32)).enumerate() {
                if at == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
            }
            let stroke = Stroke {
                width: *width as f32,
                line_cap: if *dashed { LineCap::Butt } else { LineCap::Round },
                line_join: LineJoin::Round,
                dash: dashed.then(|| StrokeDash::new(vec![4.0, 3.0], 0.0)).flatten(),
                ..Stroke::default()
            };
            if let Some(path) = path.finish() {
                pixels.stroke_path(&path, &paint(*ink), &stroke, scale, None);
            }
        }
        Mark::Dot { at: [x, y], radius, ink } => {
            if let Some(dot) = PathBuilder::from_circle(*x as f32, *y as f32, *radius as f32) {
                pixels.fill_path(&dot, &paint(*ink), FillRule::Winding, scale, None);
            }
        }
        Mark::Text(text) => write(pixels, text),
    }
}

fn paint(Ink { rgb, opacity }: Ink) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    let [_, r, g, b] = rgb.to_be_bytes();
    paint.set_color(Color::from_rgba8(r, g, b, (opacity.clamp(0.0, 1.0) * 255.0).round() as u8));
    paint
}

fn write(pixels: &mut Pixmap, Text { at: [x, y], words, ink, anchor, turned, .. }: &Text) {
    let text = guard::clean(words);
    let length = (text.chars().count() * GLYPH) as i64;
    let before = match anchor {
        Anchor::Start => 0,
        Anchor::Middle => length / 2,
        Anchor::End => length,
    };
    let (left, base) = ((*x as f32 * SCALE).round() as i64, (*y as f32 * SCALE).round() as i64);
    let [_, r, g, b] = ink.rgb.to_be_bytes();
    let Some(ink) = PremultipliedColorU8::from_rgba(r, g, b, 255) else { return };
    for (number, letter) in text.chars().enumerate() {
        for (row, bits) in (0_i64..).zip(glyph(letter)) {
            for column in (0..GLYPH).filter(|column| bits >> column & 1 == 1) {
                // Along the line of writing, and up from it; the font's last row lies below the baseline.
                let (along, up) = ((number * GLYPH + column) as i64 - before, GLYPH as i64 - 3 - row);
                let (x, y) = if *turned { (left - up, base - along) } else { (left + along, base - up) };
                dot(pixels, x, y, ink);
            }
        }
    }
}

fn dot(pixels: &mut Pixmap, x: i64, y: i64, ink: PremultipliedColorU8) {
    let (width, height) = (i64::from(pixels.width()), i64::from(pixels.height()));
    if (0..width).contains(&x) && (0..height).contains(&y) {
        pixels.pixels_mut()[(y * width + x) as usize] = ink;
    }
}

/// A letter twice as large, its corners rounded as Scale2x does it; what the font lacks is a question mark. Bit 0 is the left one.
fn glyph(letter: char) -> [u16; GLYPH] {
    let font = BASIC_LEGACY.get(letter as usize).copied().unwrap_or(BASIC_LEGACY['?' as usize]);
    let bit = |x: i32, y: i32| {
        let inside = (0..FONT as i32).contains(&x) && (0..FONT as i32).contains(&y);
        inside && font[y as usize] >> x & 1 == 1
    };
    let mut large = [0; GLYPH];
    for y in 0..FONT as i32 {
        for x in 0..FONT as i32 {
            let (up, left, right, down) = (bit(x, y - 1), bit(x - 1, y), bit(x + 1, y), bit(x, y + 1));
            let own = bit(x, y);
            let corners = if up != down && left != right {
                [
                    [if left == up { up } else { own }, if up == right { right } else { own }],
                    [if left == down { left } else { own }, if down == right { right } else { own }],
                ]
            } else {
                [[own; 2]; 2]
            };
            for (row, pair) in corners.into_iter().enumerate() {
                for (column, set) in pair.into_iter().enumerate() {
                    large[2 * y as usize + row] |= u16::from(set) << (2 * x as usize + column);
                }
            }
        }
    }
    large
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_drawing_has_twice_its_pixels_and_its_colours() {
        let mut drawing = Drawing::new(40.0, 20.0);
        drawing.fill([10.0, 5.0, 10.0, 10.0], Ink::solid(0x00_72b2));
        drawing.text([25.0, 15.0], "H", 11.0, Anchor::Start);
        let picture = image::load_from_memory(&png(&drawing).unwrap()).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (80, 40));
        assert_eq!(picture.get_pixel(30, 20).0, [0x00, 0x72, 0xb2]);
        assert_eq!(picture.get_pixel(2, 2).0, [255; 3]);
        let inked = |xs: std::ops::Range<u32>| xs.flat_map(|x| (0..40).map(move |y| (x, y)));
        assert!(inked(50..66).any(|(x, y)| picture.get_pixel(x, y).0 == [0x33; 3]));
        assert!(inked(66..80).all(|(x, y)| picture.get_pixel(x, y).0 == [255; 3]));
    }

    #[test]
    fn letters_keep_their_straight_lines() {
        // The font's vertical bar is two pixels wide, so four here; its ends are rounded.
        assert!(glyph('|')[1..5].iter().all(|row| row.count_ones() == 4));
        assert_eq!(glyph('日'), glyph('?'));
    }
}
