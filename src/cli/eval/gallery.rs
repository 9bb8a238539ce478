//! The pictures of the images that tell most: each as the network got it, and the heat over it for the class it was given and for its own.

use std::{collections::HashMap, path::Path};

use image::RgbImage;

use super::{Heard, document::Drawing};
use crate::{
    cli::explain::numbers::Numbers,
    error::{Error, Result},
    event::evaluation::{Looked, PICTURE},
    picture::{Colormap, enlarge, overlay},
};

/// Smaller ones are enlarged by whole pixels.
const SMALLEST: u32 = 160;
/// The chapter's.
const STRENGTH: f32 = 0.4;

/// The files of one image, in the report's folder.
pub struct Shown {
    image: String,
    /// With a remark where nothing speaks for the class.
    maps: Vec<(u32, String, bool)>,
}

/// Writes the pictures of all that was looked at.
pub fn write(folder: &Path, heard: &Heard) -> Result<HashMap<u32, Shown>> {
    heard.looked.values().map(|looked| Ok((looked.sample, written(folder, looked)?))).collect()
}

fn written(folder: &Path, looked: &Looked) -> Result<Shown> {
    let numbers = Numbers::read(&looked.file)?;
    let picture = numbers.pictures(PICTURE)?.pop().ok_or_else(|| Error::internal("an image without a picture"))?;
    let longest = picture.width().max(picture.height()).max(1);
    let picture = if longest < SMALLEST { enlarge(&picture, SMALLEST.div_ceil(longest) * longest) } else { picture };
    let save = |name: String, picture: &RgbImage| super::save(picture, &folder.join(&name)).map(|()| name);
    let mut maps = Vec::new();
    for map in &looked.maps {
        let (shape, heat) = numbers.floats(&map.heat)?;
        let &[height, width] = &shape[..] else {
            return Err(Error::internal(format!("a heat map of the shape {shape:?}")));
        };
        let over = overlay(&picture, &heat, [height, width], STRENGTH, Colormap::Jet);
        maps.push((map.class, save(format!("{}-{}.png", looked.sample, map.class), &over)?, map.empty));
    }
    Ok(Shown { image: save(format!("{}.png", looked.sample), &picture)?, maps })
}

impl Shown {
    /// The image, the map for the class that it was given, and the one for its own where that is another.
    pub fn drawings(&self, image: &str) -> Vec<Option<Drawing>> {
        let map = |at: usize| {
            self.maps
                .get(at)
                .map(|(class, file, _)| Drawing { file: file.clone(), alt: format!("{image}, class {class}") })
        };
        vec![Some(Drawing { file: self.image.clone(), alt: image.to_owned() }), map(0), map(1)]
    }

    /// Black does not tell that nothing speaks for a class.
    pub fn remarks(&self, classes: &[String]) -> Vec<String> {
        let name = |class: u32| classes.get(class as usize).cloned().unwrap_or_else(|| class.to_string());
        let empty = self.maps.iter().filter(|(.., empty)| *empty);
        empty.map(|(class, ..)| format!("nothing in it speaks for {}", name(*class))).collect()
    }
}
