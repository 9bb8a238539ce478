//! Batch normalisation with Keras's bookkeeping: the moving variance gathers the batch's biased variance (divided by n), where
//! libtorch's own running variance takes the unbiased one (divided by n − 1).

use tch::{Kind, Tensor};

use super::error::Result;

/// A layer's tensors, `[c]` each.
#[derive(Clone, Copy)]
pub struct Statistics<'a> {
    pub gamma: Option<&'a Tensor>,
    pub beta: Option<&'a Tensor>,
    pub moving_mean: &'a Tensor,
    pub moving_variance: &'a Tensor,
}

/// By the moving statistics.
pub fn infer(x: &Tensor, layer: Statistics<'_>, epsilon: f64) -> Result<Tensor> {
    let Statistics { gamma, beta, moving_mean, moving_variance } = layer;
    let statistics = (Some(moving_mean), Some(moving_variance));
    Ok(x.f_batch_norm(gamma, beta, statistics.0, statistics.1, false, 0.0, epsilon, true)?)
}

/// By the batch's own statistics, which go into the moving ones. `momentum` is the share of the old ones that is kept.
pub fn train(x: &Tensor, layer: Statistics<'_>, momentum: f64, epsilon: f64) -> Result<Tensor> {
    let Statistics { gamma, beta, moving_mean, moving_variance } = layer;
    // With a momentum of 1 libtorch leaves the batch's mean and unbiased variance in these two.
    let mean = moving_mean.f_zeros_like()?;
    let variance = moving_variance.f_zeros_like()?;
    let normal = x.f_batch_norm(gamma, beta, Some(&mean), Some(&variance), true, 1.0, epsilon, true)?;

    let _no_grad = tch::no_grad_guard();
    let count: i64 = x.numel() as i64 / mean.numel() as i64;
    // A single value has no spread; libtorch's n / (n − 1) makes that 0/0.
    let variance =
        if count > 1 { variance.f_mul_scalar((count - 1) as f64 / count as f64)? } else { variance.f_zeros_like()? };
    for (moving, batch) in [(moving_mean, mean), (moving_variance, variance)] {
        let batch = batch.f_to_kind(Kind::Float)?.f_mul_scalar(1.0 - momentum)?;
        let mut moving = moving.shallow_clone();
        let _ = moving.f_mul_scalar_(momentum)?.f_add_(&batch)?;
    }
    Ok(normal)
}
