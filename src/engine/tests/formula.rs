//! The numbers of `tests/reference/keras_formula.py`, and the ways between Keras's layouts and ours.

use tch::{Kind, Tensor};

/// 64 bits of a text (Fowler, Noll, Vo).
pub fn fnv1a(text: &str) -> u64 {
    let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    text.bytes().fold(0xCBF2_9CE4_8422_2325, add)
}

fn bits(start: u64, index: u64) -> u64 {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut z = start.wrapping_add((index + 1).wrapping_mul(GOLDEN));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Uniform in ±`scale`.
pub fn floats(name: &str, count: usize, scale: f32) -> Vec<f32> {
    let start = fnv1a(name);
    let unit = |index| ((bits(start, index) >> 40) as f32) * 2.0_f32.powi(-23) - 1.0;
    (0..count as u64).map(|index| unit(index) * scale).collect()
}

pub fn bytes(name: &str, count: usize) -> Vec<u8> {
    let start = fnv1a(name);
    (0..count as u64).map(|index| (bits(start, index) >> 56) as u8).collect()
}

/// As [`floats`], but the first 4093 elements over and over: networks have a hundred million weights.
pub fn tiled(name: &str, count: usize, scale: f32) -> Tensor {
    const PERIOD: usize = 4093;
    let once = Tensor::from_slice(&floats(name, count.min(PERIOD), scale));
    once.repeat([count.div_ceil(PERIOD) as i64]).narrow(0, 0, count as i64).to_kind(Kind::Float)
}

/// `[n, h, w, c]` values to a `[n, c, h, w]` tensor; vectors stay as they are.
pub fn from_keras_map(values: &[f32], shape: &[i64]) -> Tensor {
    let tensor = Tensor::from_slice(values).reshape(shape);
    if shape.len() == 4 { tensor.permute([0, 3, 1, 2]) } else { tensor }
}

/// The reverse of [`from_keras_map`].
pub fn to_keras_map(tensor: &Tensor) -> Vec<f32> {
    let tensor = tensor.detach();
    let tensor = if tensor.dim() == 4 { tensor.permute([0, 2, 3, 1]) } else { tensor };
    Vec::try_from(tensor.contiguous().reshape([-1])).unwrap()
}

/// A parameter in Keras's order of elements to our shape: kernels are (h, w, in, out) there, depthwise ones (h, w, in,
/// multiplier), dense ones (in, out).
pub fn from_keras_parameter(values: &[f32], shape: &[i64]) -> Tensor {
    from_keras_order(&Tensor::from_slice(values), shape)
}

/// The same for values that are a tensor already.
pub fn from_keras_order(tensor: &Tensor, shape: &[i64]) -> Tensor {
    match *shape {
        // Of one channel each: (in, multiplier) is the order of our outputs, and with one input (in, out) is too.
        [out, 1, height, width] => tensor.reshape([height, width, out]).permute([2, 0, 1]).reshape(shape),
        [out, inputs, height, width] => tensor.reshape([height, width, inputs, out]).permute([3, 2, 0, 1]),
        [out, inputs] => tensor.reshape([inputs, out]).permute([1, 0]),
        _ => tensor.reshape(shape),
    }
}

/// The reverse of [`from_keras_parameter`].
pub fn to_keras_parameter(tensor: &Tensor) -> Vec<f32> {
    let tensor = tensor.detach();
    let tensor = match tensor.size()[..] {
        [out, 1, height, width] => tensor.reshape([out, height, width]).permute([1, 2, 0]),
        [_, _, _, _] => tensor.permute([2, 3, 1, 0]),
        [_, _] => tensor.permute([1, 0]),
        _ => tensor,
    };
    Vec::try_from(tensor.contiguous().reshape([-1])).unwrap()
}
