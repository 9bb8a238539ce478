//! Pictures that are drawn into the cells once and belong to them from then on: sixels, and iTerm2's inline images. Drawing something else
//! there takes them away.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use icy_sixel::SixelImage;
use image::{RgbImage, buffer::ConvertBuffer};
use ratatui::layout::Rect;

/// `image`, which has exactly the pixels of `area`, as sixels. Nothing where the encoder fails, which it has no reason to.
pub fn sixel(image: &RgbImage, area: Rect) -> Option<String> {
    let rgba: image::RgbaImage = image.convert();
    let (width, height) = image.dimensions();
    let encoded = SixelImage::from_rgba(rgba.into_raw(), width as usize, height as usize).encode().ok()?;
    Some(at(area, &encoded))
}

/// A file of an image over the cells of `area`.
pub fn inline(file: &[u8], area: Rect) -> String {
    let keys = format!(
        "inline=1;size={};width={};height={};preserveAspectRatio=0;doNotMoveCursor=1",
        file.len(),
        area.width,
        area.height
    );
    at(area, &format!("\x1b]1337;File={keys}:{}\x07", BASE64_STANDARD.encode(file)))
}

/// The cursor goes there, and back.
fn at(area: Rect, drawing: &str) -> String {
    format!("\x1b7\x1b[{};{}H{drawing}\x1b8", area.y + 1, area.x + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use image::Rgb;

    use super::*;

    /// Read back by the decoder, which is another program than the encoder: written from the specification, and held to libsixel's.
    #[test]
    fn sixels_have_the_colours_and_the_size_of_the_picture() {
        let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];
        let image = RgbImage::from_fn(32, 20, |x, y| Rgb(colours[usize::from(x >= 16) + 2 * usize::from(y >= 10)]));
        let sent = sixel(&image, Rect::new(3, 1, 4, 1)).unwrap();
        let body = sent.strip_prefix("\x1b7\x1b[2;4H").unwrap().strip_suffix("\x1b8").unwrap();
        let seen = SixelImage::decode(body.as_bytes()).unwrap();
        assert_eq!(seen.width, 32);
        for (x, y) in [(2, 2), (30, 2), (2, 18), (30, 18)] {
            let at = (y * seen.width + x) * 4;
            let wanted = colours[usize::from(x >= 16) + 2 * usize::from(y >= 10)];
            let near = seen.pixels[at..].iter().zip(wanted).all(|(seen, wanted)| seen.abs_diff(wanted) <= 3);
            // Sixel's colours are in hundredths.
            assert!(near, "({x}, {y}): {:?}", &seen.pixels[at..at + 3]);
        }
    }

    #[test]
    fn an_inline_image_says_its_size_in_bytes_and_cells() {
        let sent = inline(b"png", Rect::new(0, 0, 20, 10));
        let wanted = "\x1b7\x1b[1;1H\x1b]1337;File=inline=1;size=3;width=20;height=10;preserveAspectRatio=0;doNotMoveCursor=1:cG5n\x07\x1b8";
        assert_eq!(sent, wanted);
    }
}
