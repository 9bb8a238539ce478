//! How the network sees one picture: the channels of a layer, and Grad-CAM there (arXiv:1610.02391). The network runs in
//! inference mode and is cut at the layer, so weights, their gradients, statistics and random numbers stay as they are.

use tch::{Device, Kind, Tensor};

use super::error::{EngineError, Result};
use super::loss;
use super::network::{Mode, Network, Taps};
use frostline::arch::Shape;
use frostline::plan::Head;
use frostline::trainer::{Explanation, Planes};

/// The layer's position, if its output is a feature map.
pub fn target(network: &Network, layer: &str) -> Result<usize> {
    let unknown = || EngineError::UnknownLayer { layer: layer.to_owned() };
    let position = network.arch().position(layer).ok_or_else(unknown)?;
    match network.arch().layers()[position].output {
        Shape::Map { .. } => Ok(position),
        output @ Shape::Vector(_) => Err(EngineError::NotAMap { layer: layer.to_owned(), output }),
    }
}

/// `picture` is `[1, c, h, w]`, preprocessed. `class` is what the heat explains; the predicted class where it is `None`.
pub fn explain(network: &Network, picture: &Tensor, layer: usize, class: Option<u32>) -> Result<Explanation> {
    let mut cut = None;
    let mut taps = Taps::new(vec![layer], |_, output| {
        let leaf = output.f_detach()?.f_set_requires_grad(true)?;
        cut = Some(leaf.shallow_clone());
        Ok(leaf)
    });
    let logits = network.forward(picture, Mode::Infer, &mut taps)?;
    drop(taps);
    let activations = cut.expect("the tapped layer is part of the network");

    let head = network.head();
    let class = match class {
        Some(class) => class,
        None => loss::predictions(&logits, head)?.f_int64_value(&[0])? as u32,
    };
    // The score before the sigmoid or softmax; of a single logit, what speaks against it speaks for the first class.
    let score = match head {
        Head::Binary if class == 0 => logits.f_neg()?,
        Head::Binary => logits.shallow_clone(),
        Head::Categorical { .. } => logits.f_select(1, class.into())?,
    }
    .f_sum(Kind::Float)?;
    let heat = grad_cam(&score, &activations)?;
    let _no_grad = tch::no_grad_guard();
    let probabilities = loss::probabilities(&logits, head)?.f_reshape([-1])?;
    Ok(Explanation {
        probabilities: Vec::try_from(probabilities.f_to_device(Device::Cpu)?)?,
        activations: planes(&activations)?,
        heat: planes(&heat)?,
        class,
    })
}

/// `[1, 1, h, w]` in 0–1: the channels weighted by the mean of their gradients, summed, and what speaks against the class cut off.
fn grad_cam(score: &Tensor, activations: &Tensor) -> Result<Tensor> {
    // libtorch follows a null pointer where a root has no gradient.
    if !score.requires_grad() {
        return Ok(activations.f_detach()?.f_sum_dim_intlist([1_i64].as_slice(), true, Kind::Float)?.f_zeros_like()?);
    }
    let gradient = Tensor::f_run_backward(&[score], &[activations], false, false)?.swap_remove(0);
    let _no_grad = tch::no_grad_guard();
    let weights = gradient.f_mean_dim([2_i64, 3].as_slice(), true, Kind::Float)?;
    let cam = activations.f_mul(&weights)?.f_sum_dim_intlist([1_i64].as_slice(), true, Kind::Float)?.f_relu()?;
    let most = cam.f_max()?.f_double_value(&[])?;
    // Subnormal maxima would make noise of the division.
    if most < f64::from(f32::MIN_POSITIVE) { Ok(cam.f_zeros_like()?) } else { Ok(cam.f_div_scalar(most)?) }
}

/// From `[1, c, h, w]`.
fn planes(map: &Tensor) -> Result<Planes> {
    let size = map.size();
    let values = Vec::try_from(
        map.f_detach()?.f_to_kind(Kind::Float)?.f_to_device(Device::Cpu)?.f_contiguous()?.f_reshape([-1])?,
    )?;
    Ok(Planes { channels: size[1] as usize, height: size[2] as usize, width: size[3] as usize, values })
}
