//! What each kind of layer does to its tensors, without its activation. Feature maps are `[n, c, h, w]` and channels-last in memory.
//! Where libtorch and Keras differ (padding of `same`, averages at the border, the order of flattening), this is Keras.

use tch::{Device, Kind, Tensor};

use super::error::Result;
use super::shim;
use frostline::arch::{Activation, Affine, Padding, Window, same_padding};

/// Rows and columns to put around a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Border {
    pub top: usize,
    pub bottom: usize,
    pub left: usize,
    pub right: usize,
}

impl Border {
    /// What `window` asks for on a map of this size.
    fn of(window: Window, [height, width]: [usize; 2]) -> Self {
        match window.padding {
            Padding::Valid => Self { top: 0, bottom: 0, left: 0, right: 0 },
            Padding::Symmetric([rows, columns]) => Self { top: rows, bottom: rows, left: columns, right: columns },
            Padding::Same => {
                let extent = window.extent();
                let (top, bottom) = same_padding(height, extent[0], window.strides[0]);
                let (left, right) = same_padding(width, extent[1], window.strides[1]);
                Self { top, bottom, left, right }
            }
        }
    }

    /// `[rows, columns]` to hand to an operation of libtorch that pads both sides alike.
    fn even(self) -> Option<[i64; 2]> {
        (self.top == self.bottom && self.left == self.right).then_some([self.top as i64, self.left as i64])
    }
}

pub fn pad(x: &Tensor, border: Border, value: f64) -> Result<Tensor> {
    let Border { top, bottom, left, right } = border;
    let sides = [left, right, top, bottom].map(|side| side as i64);
    Ok(x.f_pad(sides, "constant", value)?)
}

/// `kernel` is `[out, in / groups, kh, kw]`.
pub fn convolve(x: &Tensor, kernel: &Tensor, bias: Option<&Tensor>, window: Window, groups: usize) -> Result<Tensor> {
    let border = Border::of(window, sides(x));
    let (strides, dilation) = (ints(window.strides), ints(window.dilation));
    let groups = groups as i64;
    let by_onednn = (x.device(), x.kind()) == (Device::Cpu, Kind::Float) && tch::utils::has_mkldnn();
    let run = |x: &Tensor, padding: [i64; 2]| {
        if by_onednn {
            // libtorch itself takes another kernel for a single small picture, and for 1x1 convolutions of fewer than sixteen on one
            // thread, which is half as fast there. A picture is to get the same bits in every batch and shard: what is frozen is kept.
            x.f_mkldnn_convolution(kernel, bias, padding, strides, dilation, groups)
        } else {
            x.f_conv2d(kernel, bias, strides, padding, dilation, groups)
        }
    };
    Ok(match border.even() {
        Some(padding) => run(x, padding)?,
        None => run(&pad(x, border, 0.0)?, [0, 0])?,
    })
}

/// With `relu` a `ReLU` follows.
pub fn max_pool(x: &Tensor, window: Window, relu: bool) -> Result<Tensor> {
    let border = Border::of(window, sides(x));
    let (size, strides, dilation) = (ints(window.size), ints(window.strides), ints(window.dilation));
    if (size, strides, dilation, border.even()) == ([2, 2], [2, 2], [1, 1], Some([0, 0]))
        && let Some(pooled) = shim::pool(x, relu)?
    {
        return Ok(pooled);
    }
    let run = |x: &Tensor, padding: [i64; 2]| x.f_max_pool2d(size, strides, padding, dilation, false);
    let pooled = match border.even() {
        Some(padding) => run(x, padding)?,
        None => run(&pad(x, border, f64::NEG_INFINITY)?, [0, 0])?,
    };
    if relu { activate_in_place(pooled, Activation::Relu) } else { Ok(pooled) }
}

/// Padding does not count. A window is never dilated.
pub fn average_pool(x: &Tensor, window: Window) -> Result<Tensor> {
    let border = Border::of(window, sides(x));
    let (size, strides) = (ints(window.size), ints(window.strides));
    let run = |x: &Tensor, padding: [i64; 2]| x.f_avg_pool2d(size, strides, padding, false, false, None);
    if let Some(padding) = border.even() {
        return Ok(run(x, padding)?);
    }
    // Averages over whole windows, zeros included, divided by the share of each window that is picture.
    let [height, width] = sides(x).map(|side| side as i64);
    let picture = Tensor::f_ones([1, 1, height, width], (Kind::Float, x.device()))?;
    let share = run(&pad(&picture, border, 0.0)?, [0, 0])?;
    Ok(run(&pad(x, border, 0.0)?, [0, 0])?.f_div(&share)?)
}

pub fn global_max_pool(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_amax([2_i64, 3].as_slice(), false)?)
}

pub fn global_average_pool(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_mean_dim([2_i64, 3].as_slice(), false, Kind::Float)?)
}

/// In Keras's order (h, w, c): a view of a channels-last map, not a copy.
pub fn flatten(x: &Tensor) -> Result<Tensor> {
    let batch = x.size()[0];
    if x.dim() == 2 {
        return Ok(x.shallow_clone());
    }
    Ok(x.f_permute([0_i64, 2, 3, 1])?.f_reshape([batch, -1])?)
}

pub fn rescale(x: &Tensor, scale: f64, offset: f64) -> Result<Tensor> {
    let scaled = x.f_mul_scalar(scale)?;
    if offset == 0.0 { Ok(scaled) } else { Ok(scaled.f_add_scalar(offset)?) }
}

/// `x` is a map of values in 0–1; `by` has a factor and an offset for each of its channels.
pub fn preprocess(x: &Tensor, by: &Affine) -> Result<Tensor> {
    let x = if by.reversed { shim::channels_last(&x.f_flip([1_i64])?)? } else { x.shallow_clone() };
    let spread = |values: &[f64]| -> Result<Tensor> {
        let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
        Ok(Tensor::f_from_slice(&values)?.f_to_device(x.device())?.f_reshape([1, -1, 1, 1])?)
    };
    Ok(x.f_mul(&spread(&by.factors)?)?.f_add(&spread(&by.offsets)?)?)
}

/// Not in place: `x` stays what it is.
pub fn activate(x: Tensor, activation: Activation) -> Result<Tensor> {
    Ok(match activation {
        Activation::Linear => x,
        Activation::Relu => x.f_relu()?,
        Activation::Relu6 => x.f_relu6()?,
        Activation::LeakyRelu => shim::leaky_relu(&x, 0.2)?,
        Activation::Elu => x.f_elu()?,
        Activation::Silu => x.f_silu()?,
        Activation::Gelu => x.f_gelu("none")?,
        Activation::Tanh => x.f_tanh()?,
        Activation::Sigmoid => x.f_sigmoid()?,
        // Keras's axis −1, the channels.
        Activation::Softmax => x.f_softmax(1, Kind::Float)?,
    })
}

/// In place where that is exact and saves memory traffic. `x` must be nobody else's, and the operation that made it must not
/// need its result for the backward pass.
pub fn activate_in_place(mut x: Tensor, activation: Activation) -> Result<Tensor> {
    Ok(match activation {
        Activation::Relu => x.f_relu_()?,
        Activation::Relu6 => x.f_relu6_()?,
        other => activate(x, other)?,
    })
}

fn sides(x: &Tensor) -> [usize; 2] {
    let size = x.size();
    [size[2] as usize, size[3] as usize]
}

fn ints(pair: [usize; 2]) -> [i64; 2] {
    pair.map(|side| side as i64)
}
