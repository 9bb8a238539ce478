//! What the products with kernels are computed in. Whether a device is faster at bfloat16 than at float32 is measured, not read off
//! its name: processors without units for it convert back and forth and are slower, and some lists of features do not tell.

use std::time::{Duration, Instant};

use tch::{Device, Kind, Tensor};

use super::error::Result;
use super::shim;
use frostline::plan::Precision;

/// Both together take a few hundredths of a second.
const ROUNDS: usize = 5;
/// A smaller gain does not make up for the lost digits.
const WORTHWHILE: f64 = 1.2;

/// The kind, and with `auto` how many times as fast as float32 it was found to be.
pub fn settle(choice: Precision, device: Device) -> Result<(Kind, Option<f64>)> {
    Ok(match choice {
        Precision::Float32 => (Kind::Float, None),
        Precision::MixedBfloat16 => (Kind::BFloat16, None),
        Precision::Auto => {
            let gain = time(Kind::Float, device)?.as_secs_f64() / time(Kind::BFloat16, device)?.as_secs_f64();
            (if gain >= WORTHWHILE { Kind::BFloat16 } else { Kind::Float }, Some(gain))
        }
    })
}

/// As `precision` names it in a configuration.
pub fn name(compute: Kind) -> &'static str {
    if compute == Kind::BFloat16 { "mixed_bfloat16" } else { "float32" }
}

/// Of one convolution, 64 to 64 channels on maps of 64x64, the fastest of a few.
fn time(kind: Kind, device: Device) -> Result<Duration> {
    let _no_grad = tch::no_grad_guard();
    let x = shim::channels_last(&Tensor::f_ones([4, 64, 64, 64], (kind, device))?)?;
    let kernel = shim::channels_last(&Tensor::f_ones([64, 64, 3, 3], (kind, device))?)?;
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let y = x.f_conv2d::<Tensor>(&kernel, None, [1, 1], [1, 1], [1, 1], 1)?;
        // Reading a number waits for a graphics card.
        y.f_select(0, 0)?.f_select(0, 0)?.f_select(0, 0)?.f_select(0, 0)?.f_double_value(&[])?;
        best = best.min(begun.elapsed());
    }
    Ok(best)
}
