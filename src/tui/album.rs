//! Pictures that came from the run, decoded and kept small, as they were painted last, and which of them were asked for.

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{HashSet, VecDeque},
};

use image::{ImageFormat, ImageReader, RgbImage, imageops::FilterType};
use ratatui::{buffer::Buffer, layout::Rect};

use super::appearance::Appearance;
use crate::picture::{Painting, fit};

#[derive(Debug, Default)]
pub struct Album {
    /// Oldest first.
    pictures: VecDeque<(String, RgbImage)>,
    asked: HashSet<String>,
    /// Asked for in vain: the run keeps only so many.
    missing: HashSet<String>,
    /// The newest last. It only spares work, so drawing may add to it.
    paintings: RefCell<VecDeque<(Painted, Painting)>>,
}

/// What a painting is of, and how it was painted.
#[derive(Clone, Debug, PartialEq)]
struct Painted {
    hash: String,
    cells: [u16; 2],
    appearance: Appearance,
}

impl Album {
    const MOST: usize = 32;
    /// No terminal shows more dots than this across, and a smaller picture draws faster.
    const SIDE: u32 = 640;

    pub fn get(&self, hash: &str) -> Option<&RgbImage> {
        self.pictures.iter().find(|(h, _)| h == hash).map(|(_, picture)| picture)
    }

    /// Of all pictures that are here.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pictures.iter().map(|(hash, _)| hash.as_str())
    }

    /// Draws what is made of pictures that are here in the middle of `area`, as large as it fits: `name` says of which and how. False if
    /// there is nothing to draw.
    pub fn paint_made<'a>(
        &self,
        name: String,
        (width, height): (u32, u32),
        area: Rect,
        appearance: Appearance,
        make: impl FnOnce(Rect) -> Option<Cow<'a, RgbImage>>,
        buffer: &mut Buffer,
    ) -> bool {
        let place = fit(width, height, area);
        let painted = Painted { hash: name, cells: [place.width, place.height], appearance };
        let mut paintings = self.paintings.borrow_mut();
        if let Some((_, painting)) = paintings.iter().find(|(key, _)| *key == painted) {
            painting.hang(place, buffer);
            return true;
        }
        let Some(image) = make(place) else { return false };
        let Appearance { glyphs, depth, light, .. } = appearance;
        let painting = Painting::new(&image, painted.cells, glyphs, depth, light);
        painting.hang(place, buffer);
        paintings.push_back((painted, painting));
        if paintings.len() > Self::MOST {
            paintings.pop_front();
        }
        true
    }

    /// Whether `hash` has to be asked for; from now on it counts as asked.
    pub fn ask(&mut self, hash: &str) -> bool {
        self.get(hash).is_none() && !self.is_missing(hash) && self.asked.insert(hash.to_owned())
    }

    /// The run has no such picture any more.
    pub fn miss(&mut self, hash: String) {
        self.asked.remove(&hash);
        self.missing.insert(hash);
    }

    pub fn is_missing(&self, hash: &str) -> bool {
        self.missing.contains(hash)
    }

    /// Takes a PNG in.
    pub fn put(&mut self, hash: String, png: &[u8]) -> Result<(), image::ImageError> {
        self.asked.remove(&hash);
        self.missing.remove(&hash);
        let mut reader = ImageReader::with_format(std::io::Cursor::new(png), ImageFormat::Png);
        let mut limits = image::Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(16_384), Some(16_384));
        reader.limits(limits);
        let picture = reader.decode()?;
        let picture = if picture.width().max(picture.height()) > Self::SIDE {
            picture.resize(Self::SIDE, Self::SIDE, FilterType::Triangle)
        } else {
            picture
        };
        self.pictures.retain(|(h, _)| *h != hash);
        self.paintings.get_mut().retain(|(painted, _)| painted.hash != hash);
        self.pictures.push_back((hash, picture.into_rgb8()));
        if self.pictures.len() > Self::MOST {
            self.pictures.pop_front();
        }
        Ok(())
    }

    /// What was asked of a connection that is gone will not come.
    pub fn forget_asked(&mut self) {
        self.asked.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn paint(album: &Album, hash: &str, area: Rect, look: Appearance, buffer: &mut Buffer) -> bool {
        let Some(image) = album.get(hash) else { return false };
        album.paint_made(hash.to_owned(), image.dimensions(), area, look, |_| Some(Cow::Borrowed(image)), buffer)
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = std::io::Cursor::new(Vec::new());
        RgbImage::new(width, height).write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    #[test]
    fn a_picture_is_asked_for_once() {
        let mut album = Album::default();
        assert!(album.ask("a"));
        assert!(!album.ask("a"), "it is on its way");
        album.put("a".into(), &png(4, 4)).unwrap();
        assert!(!album.ask("a"), "it is here");
        album.forget_asked();
        assert!(album.ask("b"));
    }

    #[test]
    fn a_picture_that_is_not_kept_is_not_asked_for_again() {
        let mut album = Album::default();
        assert!(album.ask("a"));
        album.miss("a".into());
        assert!(album.is_missing("a") && !album.ask("a"));
        album.put("a".into(), &png(1, 1)).unwrap();
        assert!(!album.is_missing("a"), "it was computed again");
    }

    #[test]
    fn a_picture_that_comes_anew_is_painted_anew() {
        let appearance = Appearance::detect(|_| None);
        let mut album = Album::default();
        let area = Rect::new(0, 0, 2, 1);
        let colour = |album: &Album| {
            let mut buffer = Buffer::empty(area);
            assert!(paint(album, "a", area, appearance, &mut buffer));
            buffer.cell((0, 0)).unwrap().bg
        };
        album.put("a".into(), &png(4, 4)).unwrap();
        let black = colour(&album);
        assert_eq!(colour(&album), black);
        let mut white = std::io::Cursor::new(Vec::new());
        RgbImage::from_pixel(4, 4, image::Rgb([255; 3])).write_to(&mut white, ImageFormat::Png).unwrap();
        album.put("a".into(), &white.into_inner()).unwrap();
        assert_ne!(colour(&album), black);
        assert!(!paint(&album, "b", area, appearance, &mut Buffer::empty(area)));
    }

    #[test]
    fn the_oldest_pictures_make_room() {
        let mut album = Album::default();
        for i in 0..=Album::MOST {
            album.put(i.to_string(), &png(1, 1)).unwrap();
        }
        assert!(album.get("0").is_none() && album.get("1").is_some());
    }

    #[test]
    fn big_pictures_are_kept_small_and_broken_ones_refused() {
        let mut album = Album::default();
        album.put("big".into(), &png(2000, 1000)).unwrap();
        assert_eq!(album.get("big").map(RgbImage::dimensions), Some((640, 320)));
        assert!(album.put("broken".into(), b"no picture").is_err());
    }
}
