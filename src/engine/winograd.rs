//! Which convolutions go Winograd's way (`winograd.cpp`), and their kernels made ready for it, once for as long as the weight stays.

use tch::{Device, Kind, Tensor};

use super::error::Result;
use super::shim::{self, Winograd};
use super::weights::Weight;
use frostline::arch::{Layer, Op, Padding, Shape};

/// Of multiplications, that pay for bringing maps to the points and back.
const LEAST_GAIN: f64 = 1.6;

/// A kernel `[filters, channels, 3, 3]` at the points.
pub struct Prepared {
    version: u32,
    forward: Tensor,
    /// For the way back to the input, where gradients go there.
    turned: Option<Tensor>,
}

/// Rows and columns of zeros around the input, of a layer that gains.
pub fn padding(layer: &Layer, input: Shape, device: Device, compute: Kind) -> Option<usize> {
    let Op::Conv2d { filters, window, groups: 1, .. } = layer.op else { return None };
    let (Shape::Map { channels, .. }, Shape::Map { height, width, .. }) = (input, layer.output) else { return None };
    let fits = (window.size, window.strides, window.dilation) == ([3, 3], [1, 1], [1, 1])
        && (device, compute) == (Device::Cpu, Kind::Float)
        && shim::winograd_takes(channels, filters);
    let padding = match window.padding {
        Padding::Valid => 0,
        Padding::Same | Padding::Symmetric([1, 1]) => 1,
        Padding::Symmetric(_) => return None,
    };
    let tiles = height.div_ceil(4) * width.div_ceil(4);
    let gain = (9 * height * width) as f64 / (36 * tiles) as f64;
    (fits && gain >= LEAST_GAIN).then_some(padding)
}

impl Prepared {
    /// What `before` was, if the weight has not been written to since; else anew. `back` says whether the way back is wanted, or leaves it
    /// as it is.
    pub fn renewed(before: Option<Self>, weight: &Weight, back: Option<bool>) -> Result<Self> {
        let version = shim::version(&weight.tensor);
        let (forward, turned) = match before.filter(|before| before.version == version) {
            Some(before) => (before.forward, before.turned),
            None => (shim::winograd_kernel(&weight.tensor, false)?, None),
        };
        let turned = match back {
            Some(true) if turned.is_none() => Some(shim::winograd_kernel(&weight.tensor, true)?),
            Some(false) => None,
            _ => turned,
        };
        Ok(Self { version, forward, turned })
    }

    /// `relu` asks for the activation too.
    pub fn convolve(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        padding: usize,
        relu: bool,
    ) -> Result<Tensor> {
        let with = Winograd { weight, kernels: &self.forward, turned: self.turned.as_ref(), bias };
        shim::winograd(x, &with, padding, relu)
    }
}
