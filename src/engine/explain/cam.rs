//! Class activation maps from a layer's activations and gradients: the formulas alone. Each takes both as `[n, c, h, w]`, 32-bit and
//! without a graph, and gives `[n, h, w]` before what speaks against the class is cut off. They follow `pytorch-grad-cam` 1.5.

use tch::{Kind, Tensor};

use crate::error::Result;

const OVER_SPACE: &[i64] = &[2, 3];

/// Channels weighted by the mean of their gradients (arXiv:1610.02391, equations 1 and 2).
pub fn grad_cam(activations: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    weighted(activations, &gradient.f_mean_dim(OVER_SPACE, true, Kind::Float)?)
}

/// Weighted by positive gradients, each by its share in them (arXiv:1710.11063, equation 19).
pub fn grad_cam_plus_plus(activations: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    const EPSILON: f64 = 1e-6;
    let square = gradient.f_square()?;
    let cube = square.f_mul(gradient)?;
    let sum = activations.f_sum_dim_intlist(OVER_SPACE, true, Kind::Float)?;
    let share = square.f_div(&square.f_mul_scalar(2.0)?.f_add(&sum.f_mul(&cube)?)?.f_add_scalar(EPSILON)?)?;
    let weights = gradient.f_relu()?.f_mul(&share)?.f_sum_dim_intlist(OVER_SPACE, true, Kind::Float)?;
    weighted(activations, &weights)
}

/// Every place weighted by its own positive gradient (`LayerCAM`, equations 6 and 7).
pub fn layer_cam(activations: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    weighted(activations, &gradient.f_relu()?)
}

/// Every place weighted by its own gradient (arXiv:2011.08891, equation 4).
pub fn hires_cam(activations: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    weighted(activations, gradient)
}

/// Weighted by gradients in proportion to the activations (arXiv:2008.02312, equation 10).
pub fn xgrad_cam(activations: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    const EPSILON: f64 = 1e-7;
    let sum = activations.f_sum_dim_intlist(OVER_SPACE, true, Kind::Float)?.f_add_scalar(EPSILON)?;
    let weights = gradient.f_mul(activations)?.f_div(&sum)?.f_sum_dim_intlist(OVER_SPACE, true, Kind::Float)?;
    weighted(activations, &weights)
}

/// The first principal component of the channels over space (arXiv:2008.00299; centred, as `pytorch-grad-cam` does). No class has a
/// say in it. Its sign, which the decomposition leaves open, is that of the channels' mean.
pub fn eigen_cam(activations: &Tensor) -> Result<Tensor> {
    let [pictures, channels, height, width] = size4(activations);
    let mut maps = Vec::with_capacity(pictures as usize);
    for picture in 0..pictures {
        let places = activations.f_select(0, picture)?.f_reshape([channels, height * width])?.f_transpose(0, 1)?;
        let centred = places.f_sub(&places.f_mean_dim([0_i64].as_slice(), true, Kind::Float)?)?;
        let (_, _, directions) = centred.f_contiguous()?.f_svd(true, true)?;
        let map = centred.f_mv(&directions.f_select(1, 0)?)?;
        let alike = map.f_dot(&centred.f_mean_dim([1_i64].as_slice(), false, Kind::Float)?)?.f_double_value(&[])?;
        let map = if alike < 0.0 { map.f_neg()? } else { map };
        maps.push(map.f_reshape([height, width])?);
    }
    Ok(Tensor::f_stack(&maps, 0)?)
}

/// The sum of the channels with their weights, `[n, c, 1, 1]` or one a place.
pub fn weighted(activations: &Tensor, weights: &Tensor) -> Result<Tensor> {
    Ok(activations.f_mul(weights)?.f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Float)?)
}

/// To 0–1 for each picture of `[n, h, w]`: negative values cut off, then by the largest. A picture in which nothing is positive is
/// all zero.
pub fn normalised(maps: &Tensor) -> Result<Tensor> {
    let positive = maps.f_relu()?;
    let most = positive.f_amax([1_i64, 2].as_slice(), true)?;
    // Subnormal maxima would make noise of the division.
    let least = f64::from(f32::MIN_POSITIVE);
    let seen = most.f_ge(least)?.f_to_kind(Kind::Float)?;
    Ok(positive.f_div(&most.f_clamp_min(least)?)?.f_mul(&seen)?)
}

pub fn size4(tensor: &Tensor) -> [i64; 4] {
    let size = tensor.size();
    [size[0], size[1], size[2], size[3]]
}
