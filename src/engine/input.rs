//! From a batch's bytes to the tensors of a step. The only copy is the conversion to float, and it comes out channels-last.

use tch::{Device, Kind, Tensor};

use super::error::{EngineError, Result};
use frostline::arch::Shape;
use frostline::data::{Batch, Served, Size};

/// What becomes of a byte: `x * scale + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preprocess {
    pub scale: f32,
    pub offset: f32,
}

impl Default for Preprocess {
    /// To 0–1.
    fn default() -> Self {
        Self { scale: 1.0 / 255.0, offset: 0.0 }
    }
}

/// Refuses a batch that the network cannot take: libtorch would say so in worse words, and CUDA by ending the process.
pub fn check(batch: &Batch, input: Shape, classes: usize) -> Result<()> {
    check_size(batch.size, input)?;
    let Batch { count, images, labels, mixed, .. } = batch;
    let lighter = mixed.as_ref().map_or(&labels[..], |mix| &mix.labels[..]);
    let pictures = batch.features.as_ref().map_or(*count, Served::pictures);
    if images.len() != pictures * batch.size.bytes() || labels.len() != *count || lighter.len() != *count {
        return Err(EngineError::BatchLength { count: *count, bytes: images.len(), labels: labels.len() });
    }
    match labels.iter().chain(lighter).find(|&&label| label < 0 || label >= classes as i64) {
        Some(&label) => Err(EngineError::Label { label, classes }),
        None => Ok(()),
    }
}

pub fn check_size(found: Size, expected: Shape) -> Result<()> {
    let wanted =
        Shape::Map { height: found.height as usize, width: found.width as usize, channels: found.channels as usize };
    if wanted == expected { Ok(()) } else { Err(EngineError::InputSize { expected, found }) }
}

/// `count` pictures `[h, w, c]` to `[count, c, h, w]`, f32, on `device`.
pub fn pictures(bytes: &[u8], count: usize, size: Size, preprocess: Preprocess, device: Device) -> Result<Tensor> {
    let shape = [count as i64, size.height.into(), size.width.into(), size.channels.into()];
    if bytes.len() != count * size.bytes() {
        return Err(EngineError::BatchLength { count, bytes: bytes.len(), labels: 0 });
    }
    // SAFETY: the tensor covers exactly `bytes` and does not leave this function: `to_kind` copies.
    let view = unsafe { Tensor::f_from_blob(bytes.as_ptr(), &shape, &[], Kind::Uint8, Device::Cpu)? };
    // Bytes travel to the device, a quarter of the floats.
    let mut x = view.f_to_device(device)?.f_permute([0_i64, 3, 1, 2])?.f_to_kind(Kind::Float)?;
    let Preprocess { scale, offset } = preprocess;
    if scale != 1.0 {
        x = x.f_mul_scalar_(f64::from(scale))?;
    }
    if offset != 0.0 {
        x = x.f_add_scalar_(f64::from(offset))?;
    }
    Ok(x)
}

/// `[n]`, i64.
pub fn labels(labels: &[i64], device: Device) -> Result<Tensor> {
    Ok(Tensor::f_from_slice(labels)?.f_to_device(device)?)
}
