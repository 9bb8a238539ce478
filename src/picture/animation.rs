//! Several pictures as one file that moves: GIF, which everything shows, or APNG, which keeps all colours. Bytes come out; nobody is
//! asked where they go.

use image::{Delay, Frame, RgbImage, RgbaImage, buffer::ConvertBuffer as _};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    Gif,
    Apng,
}

/// Milliseconds that a frame stays.
const EACH: u16 = 80;
/// And the last one.
const LAST: u16 = 2000;

/// The frames one after the other, for ever; all have the size of the first. The reason comes back where that cannot be.
pub fn animated(frames: &[RgbImage], motion: Motion) -> Result<Vec<u8>, String> {
    let Some(first) = frames.first() else { return Err("there are no pictures to animate".into()) };
    if frames.iter().any(|frame| frame.dimensions() != first.dimensions()) {
        return Err("the pictures of an animation differ in size".into());
    }
    let stays = |index: usize| if index + 1 == frames.len() { LAST } else { EACH };
    let mut bytes = Vec::new();
    match motion {
        Motion::Gif => {
            let mut encoder = image::codecs::gif::GifEncoder::new_with_speed(&mut bytes, 10);
            let refused = |error: image::ImageError| error.to_string();
            encoder.set_repeat(image::codecs::gif::Repeat::Infinite).map_err(refused)?;
            for (index, frame) in frames.iter().enumerate() {
                let picture: RgbaImage = frame.convert();
                let delay = Delay::from_numer_denom_ms(stays(index).into(), 1);
                encoder.encode_frame(Frame::from_parts(picture, 0, 0, delay)).map_err(refused)?;
            }
        }
        Motion::Apng => {
            let refused = |error: png::EncodingError| error.to_string();
            let mut encoder = png::Encoder::new(&mut bytes, first.width(), first.height());
            encoder.set_color(png::ColorType::Rgb);
            encoder.set_depth(png::BitDepth::Eight);
            encoder.set_animated(frames.len() as u32, 0).map_err(refused)?;
            let mut writer = encoder.write_header().map_err(refused)?;
            for (index, frame) in frames.iter().enumerate() {
                writer.set_frame_delay(stays(index), 1000).map_err(refused)?;
                writer.write_image_data(frame.as_raw()).map_err(refused)?;
            }
            writer.finish().map_err(refused)?;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Cursor;

    use image::{AnimationDecoder as _, Rgb, codecs};

    use super::*;

    fn frames() -> Vec<RgbImage> {
        [10, 120, 250].map(|value| RgbImage::from_pixel(6, 4, Rgb([value, 255 - value, 40]))).to_vec()
    }

    #[test]
    fn every_frame_is_read_back_from_an_apng() {
        let bytes = animated(&frames(), Motion::Apng).unwrap();
        let decoder = codecs::png::PngDecoder::new(Cursor::new(&bytes)).unwrap().apng().unwrap();
        let back: Vec<RgbImage> = decoder.into_frames().map(|frame| frame.unwrap().into_buffer().convert()).collect();
        assert_eq!(back, frames());
    }

    #[test]
    fn every_frame_is_read_back_from_a_gif_in_colours_that_are_near() {
        let bytes = animated(&frames(), Motion::Gif).unwrap();
        let decoder = codecs::gif::GifDecoder::new(Cursor::new(&bytes)).unwrap();
        let back: Vec<RgbImage> = decoder.into_frames().map(|frame| frame.unwrap().into_buffer().convert()).collect();
        assert_eq!(back.len(), 3);
        for (ours, back) in frames().iter().zip(&back) {
            assert_eq!(ours.dimensions(), back.dimensions());
            assert!(ours.as_raw().iter().zip(back.as_raw()).all(|(a, b)| a.abs_diff(*b) <= 8));
        }
    }

    #[test]
    fn nothing_and_unequal_sizes_are_refused() {
        assert!(animated(&[], Motion::Gif).is_err());
        assert!(animated(&[RgbImage::new(1, 1), RgbImage::new(2, 1)], Motion::Apng).is_err());
    }
}
