//! How the network sees pictures: the channels of a layer, what in a picture speaks for a class, and what a filter would like to see.
//! Looking leaves weights, their gradients, statistics and random numbers as they are.
//!
//! [`View`] cuts the network at a layer; `cam`, `perturb` and `pixels` explain a class with it, `ascent` and `fourier` paint for a
//! filter, `answers` answers the front end.

mod answers;
pub(super) mod ascent;
mod brush;
mod cam;
pub(super) mod fourier;
pub(super) mod perturb;
pub(super) mod pixels;
mod quadrature;
mod task;
mod truth;
mod view;

use tch::{Device, Kind, Tensor};

use super::error::{EngineError, Result};
use super::network::Network;
pub use brush::paint;
pub use perturb::{Told, Window};
pub use task::Explaining;
pub use view::{View, target};

use frostline::command::Method;
use frostline::trainer::{Explanation, Planes};

/// Points on the way from nothing to the picture; captum's default.
const INTEGRATION_STEPS: usize = 50;
/// Noisy copies of a picture, and their noise as a share of its range (arXiv:1706.03825, section 3.1: 10–20 %).
const NOISES: (usize, f64) = (25, 0.15);
/// Of the noise; the same picture gets the same map.
const SEED: u64 = 0;

/// [`explain`] by Grad-CAM, which nothing interrupts.
pub fn grad_cam(network: &Network, picture: &Tensor, layer: usize, class: Option<u32>) -> Result<Explanation> {
    explain(network, picture, layer, Method::GradCam, class, &mut |_, _| true)
}

/// `picture` is `[1, c, h, w]`, preprocessed. `class` is what the heat explains; the predicted class where it is `None`. No heat comes
/// back when `go_on` says so.
pub fn explain(
    network: &Network,
    picture: &Tensor,
    layer: usize,
    method: Method,
    class: Option<u32>,
    go_on: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Explanation> {
    // Pixels are explained behind the scaling; the layer's activations are shown all the same.
    let view = View::new(network, picture, layer)?;
    let classes = match class.filter(|&class| (class as usize) < network.head().classes()) {
        Some(class) => Tensor::f_from_slice(&[i64::from(class)])?.f_to_device(picture.device())?,
        None => view.predicted()?,
    };
    let mut told = |done: usize, total: usize| if go_on(done, total) { Ok(()) } else { Err(EngineError::Interrupted) };
    let found = if method.looks_at_a_layer() || layer >= view::scaling(network.arch()) {
        attribution(&view, method, &classes, &mut told)
    } else {
        let behind = View::new(network, picture, view::scaling(network.arch()))?;
        attribution(&behind, method, &classes, &mut told)
    };
    let heat = match found {
        Ok(found) => Some(planes(&heat(method, &found)?.f_unsqueeze(1)?)?),
        Err(EngineError::Interrupted) => None,
        Err(error) => return Err(error),
    };
    Ok(Explanation {
        probabilities: numbers(&view.probabilities()?)?,
        activations: planes(&view.activations()?)?,
        heat,
        class: classes.f_int64_value(&[0])? as u32,
    })
}

/// What a method found, before it is made visible: `[n, h, w]` of a layer, or `[n, c, H, W]` of pixels.
pub fn attribution(view: &View<'_>, method: Method, classes: &Tensor, told: Told<'_>) -> Result<Tensor> {
    let layer = |formula: fn(&Tensor, &Tensor) -> Result<Tensor>| {
        let (activations, gradient) = (view.activations()?, view.gradient(classes)?);
        let _no_grad = tch::no_grad_guard();
        formula(&activations, &gradient)
    };
    match method {
        Method::GradCam => layer(cam::grad_cam),
        Method::GradCamPlusPlus => layer(cam::grad_cam_plus_plus),
        Method::LayerCam => layer(cam::layer_cam),
        Method::HiresCam => layer(cam::hires_cam),
        Method::XgradCam => layer(cam::xgrad_cam),
        Method::EigenCam => cam::eigen_cam(&view.activations()?),
        Method::ScoreCam => perturb::score_cam(view, classes, told),
        Method::AblationCam => perturb::ablation_cam(view, classes, told),
        Method::GuidedGradCam => {
            let heat = cam::normalised(&layer(cam::grad_cam)?)?;
            let [_, _, height, width] = cam::size4(&view.input);
            let large = heat.f_unsqueeze(1)?.f_upsample_bilinear2d([height, width], false, None, None)?;
            Ok(pixels::guided_backpropagation(view, classes)?.f_mul(&large)?)
        }
        Method::Saliency => pixels::saliency(view, classes),
        Method::SmoothGrad => {
            let noises = pixels::noises(view, SEED, NOISES.0, NOISES.1)?;
            pixels::smooth_grad(view, classes, noises, told)
        }
        Method::IntegratedGradients => pixels::integrated_gradients(view, classes, INTEGRATION_STEPS, told),
        Method::Occlusion => {
            let [_, _, height, width] = cam::size4(&view.input);
            perturb::occlusion(view, classes, Window::of(height as usize, width as usize), told)
        }
    }
}

/// An [`attribution`] as heat, `[n, h, w]` in 0–1. Gradients at pixels have no side that they take, so the largest size among a
/// pixel's colours counts (arXiv:1312.6034); integrated gradients are summed over them.
pub fn heat(method: Method, attribution: &Tensor) -> Result<Tensor> {
    let _no_grad = tch::no_grad_guard();
    let colours = [1_i64];
    let map = match method {
        Method::Saliency | Method::SmoothGrad | Method::GuidedGradCam => {
            attribution.f_abs()?.f_amax(colours.as_slice(), false)?
        }
        Method::IntegratedGradients => attribution.f_sum_dim_intlist(colours.as_slice(), false, Kind::Float)?,
        _ => attribution.shallow_clone(),
    };
    cam::normalised(&map)
}

/// From `[1, c, h, w]`.
fn planes(map: &Tensor) -> Result<Planes> {
    let [_, channels, height, width] = cam::size4(map).map(|side| side as usize);
    Ok(Planes { channels, height, width, values: numbers(map)? })
}

/// Row-major.
pub fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    let flat = tensor.f_detach()?.f_to_kind(Kind::Float)?.f_to_device(Device::Cpu)?.f_contiguous()?.f_reshape([-1])?;
    Ok(Vec::try_from(flat)?)
}
