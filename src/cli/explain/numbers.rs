//! The files that the engine's answers name: tensors of floats and bytes.

use std::path::Path;

use image::RgbImage;

use crate::{
    error::{Error, Result},
    run::checkpoint::{self, DType, TensorData},
};

pub struct Numbers(Vec<(String, TensorData)>);

impl Numbers {
    pub fn read(file: &str) -> Result<Self> {
        let (tensors, ()) = checkpoint::read(Path::new(file))?;
        Ok(Self(tensors))
    }

    /// Shape and values, row-major.
    pub fn floats(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
        let tensor = self.find(name, DType::F32)?;
        let value = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        Ok((tensor.shape.clone(), tensor.bytes.chunks_exact(4).map(value).collect()))
    }

    /// Pictures `[n, h, w, c]`, grey or RGB.
    pub fn pictures(&self, name: &str) -> Result<Vec<RgbImage>> {
        let tensor = self.find(name, DType::U8)?;
        let &[_, height, width, colours @ (1 | 3)] = &tensor.shape[..] else {
            return Err(Error::internal(format!("pictures of the shape {:?}", tensor.shape)));
        };
        let picture = |bytes: &[u8]| {
            RgbImage::from_fn(width as u32, height as u32, |x, y| {
                let at = (y as usize * width + x as usize) * colours;
                image::Rgb([0, 1, 2].map(|colour: usize| bytes[at + colour.min(colours - 1)]))
            })
        };
        Ok(tensor.bytes.chunks_exact((height * width * colours).max(1)).map(picture).collect())
    }

    fn find(&self, name: &str, dtype: DType) -> Result<&TensorData> {
        let found = self.0.iter().find(|(own, tensor)| own == name && tensor.dtype == dtype);
        found.map(|(_, tensor)| tensor).ok_or_else(|| Error::internal(format!("the engine's answer holds no {name}")))
    }
}
