//! What a picture on the screen is made of: a blob as it came, or heat with the image that it is of. The same whether it is drawn in glyphs or
//! in pixels; only the number of dots differs.

use std::borrow::Cow;

use image::RgbImage;

use crate::{
    event::{Picture, PictureKind},
    picture::{overlay, shrink, tinted},
    tui::{lens::Style, model::Model, page::Page, pixels},
};

pub struct Content<'a> {
    own: &'a RgbImage,
    heat: Option<Heat<'a>>,
}

struct Heat<'a> {
    /// With its blob's name.
    image: Option<(&'a str, &'a RgbImage)>,
    style: Style,
}

impl<'a> Content<'a> {
    /// A picture, with the image that it is of. `None` while a part of it is not here.
    pub fn of(model: &'a Model, picture: &Picture, image: Option<&'a Picture>) -> Option<Self> {
        let own = model.view.album.get(&picture.blob)?;
        if !matches!(picture.kind, PictureKind::Heat { .. }) {
            return Some(Self { own, heat: None });
        }
        let style = model.view.lens.style();
        let image = image.and_then(|image| Some((image.blob.as_str(), model.view.album.get(&image.blob)?)));
        (image.is_some() || style.strength.is_none()).then_some(Self { own, heat: Some(Heat { image, style }) })
    }

    /// That on the screen whose blob has this name.
    pub fn named(model: &'a Model, blob: &str) -> Option<Self> {
        let seen = if model.view.page == Page::Mistakes {
            model.verdict().map(|verdict| (verdict.explained, verdict.sample))
        } else {
            model.seen().map(|seen| (seen.explained, seen.sample))
        };
        let picture = seen.and_then(|(explained, _)| explained.pictures.iter().find(|picture| picture.blob == blob));
        match picture {
            Some(picture) => Self::of(model, picture, seen.and_then(|(_, sample)| sample)),
            None => model.view.album.get(blob).map(|own| Self { own, heat: None }),
        }
    }

    /// Width and height, which settle its shape.
    pub fn dimensions(&self) -> (u32, u32) {
        self.heat.as_ref().and_then(|heat| heat.image).map_or(self.own.dimensions(), |(_, image)| image.dimensions())
    }

    /// What it is besides its blob: of two pictures with the same name and version every pixel is the same.
    pub fn version(&self) -> String {
        let Some(Heat { image, style }) = &self.heat else { return String::new() };
        format!("{} {style:?}", image.map_or("", |(name, _)| name))
    }

    /// With dots for `[height, width]` of them; a blob as it came, whatever its size.
    pub fn at(&self, [height, width]: [usize; 2]) -> Cow<'a, RgbImage> {
        let Some(heat) = &self.heat else { return Cow::Borrowed(self.own) };
        let values: Vec<f32> = self.own.pixels().map(|pixel| f32::from(pixel[0]) / 255.0).collect();
        let shape = [self.own.height() as usize, self.own.width() as usize];
        let Heat { image, style } = heat;
        let (Some((_, image)), Some(strength)) = (image, style.strength) else {
            return Cow::Owned(tinted(&values, shape, [height, width], style.map));
        };
        let dots = shrink(image, width, height).concat();
        match RgbImage::from_raw(width as u32, height as u32, dots) {
            Some(image) => Cow::Owned(overlay(&image, &values, shape, strength, style.map)),
            None => Cow::Borrowed(image),
        }
    }

    /// As many dots as a box of so many pixels is worth: those of the image, or squares of them, and not more than there is room for.
    pub fn in_pixels(&self, (width, height): (u32, u32)) -> Cow<'a, RgbImage> {
        /// Smooth heat alone needs no more; terminals scale it.
        const SMOOTH: u32 = 240;
        let box_of = |width: u32, height: u32| self.at([height.max(1) as usize, width.max(1) as usize]);
        match &self.heat {
            Some(Heat { image: Some((_, image)), style }) if style.strength.is_some() => {
                let (w, h) = image.dimensions();
                let times = pixels::magnification((w, h), (width, height));
                if times == 0 { box_of(width, height) } else { box_of(w * times, h * times) }
            }
            _ => box_of(width.min(SMOOTH), height.min(SMOOTH)),
        }
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::picture::Colormap;

    fn laid<'a>(heat: &'a RgbImage, image: Option<&'a RgbImage>, strength: Option<f32>) -> Content<'a> {
        let style = Style { map: Colormap::Jet, strength };
        Content { own: heat, heat: Some(Heat { image: image.map(|image| ("image", image)), style }) }
    }

    #[test]
    fn heat_lies_over_its_image_or_stands_alone() {
        let heat = RgbImage::from_fn(2, 1, |x, _| Rgb([x as u8 * 255; 3]));
        let grey = RgbImage::from_pixel(8, 4, Rgb([100; 3]));
        let over = laid(&heat, Some(&grey), Some(0.4));
        let dots = over.at([4, 8]);
        // jet(1) = [128, 0, 0]: (100 + 0.4·128) / 1.4 = 108, 100 / 1.4 = 71.
        assert_eq!((dots.dimensions(), dots.get_pixel(7, 0).0), ((8, 4), [108, 71, 71]));
        assert_eq!(laid(&heat, None, None).at([4, 8]).get_pixel(7, 0).0, [128, 0, 0]);
    }

    #[test]
    fn pixels_are_whole_multiples_of_the_images() {
        let heat = RgbImage::new(2, 2);
        let digit = RgbImage::new(28, 28);
        assert_eq!(laid(&heat, Some(&digit), Some(0.4)).in_pixels((200, 180)).dimensions(), (168, 168));
        assert_eq!(laid(&heat, Some(&digit), Some(0.4)).in_pixels((20, 20)).dimensions(), (20, 20));
        assert_eq!(laid(&heat, None, None).in_pixels((400, 400)).dimensions(), (240, 240));
        assert_eq!(Content { own: &digit, heat: None }.in_pixels((200, 200)).dimensions(), (28, 28));
    }

    #[test]
    fn another_image_or_style_is_another_version() {
        let (heat, grey) = (RgbImage::new(2, 2), RgbImage::new(4, 4));
        let versions =
            [laid(&heat, Some(&grey), Some(0.4)), laid(&heat, Some(&grey), Some(0.7)), laid(&heat, None, None)];
        let [a, b, c] = versions.map(|content| content.version());
        assert!(a != b && b != c && a != c);
        assert_eq!(Content { own: &heat, heat: None }.version(), "");
    }
}
