//! Explanations by the gradient at the pixels: saliency, its mean over noise, integrated gradients, and guided backpropagation. All
//! give `[n, c, H, W]`, 32-bit, in the units of the score per unit of the network's input.

use tch::{Kind, Tensor};

use super::perturb::Told;
use super::quadrature;
use super::view::{View, gradient, scores};
use crate::error::Result;
use crate::shim;
use frostline::arch::Activation;
use frostline::data::random::{self, Purpose};

/// Absolute gradient (arXiv:1312.6034, section 3).
pub fn saliency(view: &View<'_>, classes: &Tensor) -> Result<Tensor> {
    Ok(at_pixels(view, &view.input, classes)?.f_abs()?)
}

/// The mean of [`saliency`] over the pictures with each of the noises added (arXiv:1706.03825; the mean is of absolute gradients, as
/// in captum's `NoiseTunnel`).
pub fn smooth_grad(
    view: &View<'_>,
    classes: &Tensor,
    noises: impl ExactSizeIterator<Item = Result<Tensor>>,
    told: Told<'_>,
) -> Result<Tensor> {
    let count = noises.len();
    let mut sum = view.input.f_zeros_like()?;
    for (done, noise) in (1..).zip(noises) {
        sum = sum.f_add(&at_pixels(view, &view.input.f_add(&noise?)?, classes)?.f_abs()?)?;
        told(done, count)?;
    }
    Ok(sum.f_div_scalar(count.max(1) as f64)?)
}

/// Normal noise for `smooth_grad`, with `share` of each picture's range as its standard deviation.
pub fn noises(
    view: &View<'_>,
    seed: u64,
    count: usize,
    share: f64,
) -> Result<impl ExactSizeIterator<Item = Result<Tensor>>> {
    let each = [1_i64, 2, 3];
    let span = view.input.f_amax(each.as_slice(), true)?.f_sub(&view.input.f_amin(each.as_slice(), true)?)?;
    let deviation = span.f_mul_scalar(share)?;
    let (shape, device) = (view.input.size(), view.input.device());
    let elements: i64 = shape.iter().product();
    Ok((0..count).map(move |draw| {
        let mut stream = random::stream(seed, Purpose::Explain, draw as u64, 0);
        let normal: Vec<f32> = (0..elements).map(|_| random::normal(&mut stream) as f32).collect();
        Ok(Tensor::f_from_slice(&normal)?.f_reshape(&shape)?.f_to_device(device)?.f_mul(&deviation)?)
    }))
}

/// Along the straight line from zero, by Gauss and Legendre's rule with `steps` points, as captum does (arXiv:1703.01365, equation 1).
/// Signed: what spoke against the class is negative, and all of it sums up to the score minus that of zero.
pub fn integrated_gradients(view: &View<'_>, classes: &Tensor, steps: usize, told: Told<'_>) -> Result<Tensor> {
    let mut sum = view.input.f_zeros_like()?;
    for (done, (node, weight)) in (1..).zip(quadrature::gauss_legendre(steps)) {
        let on_the_way = view.input.f_mul_scalar(node)?;
        sum = sum.f_add(&at_pixels(view, &on_the_way, classes)?.f_mul_scalar(weight)?)?;
        told(done, steps)?;
    }
    Ok(sum.f_mul(&view.input)?)
}

/// The gradient that remains when each `ReLU` lets pass back only what is positive (arXiv:1412.6806, section 3.4).
///
/// The graph is cut behind every `ReLU`, and followed back from cut to cut.
pub fn guided_backpropagation(view: &View<'_>, classes: &Tensor) -> Result<Tensor> {
    let input = leaf(&view.input)?;
    let layers = view.network.arch().layers();
    let rectifies = |index: &usize| matches!(layers[*index].op.activation(), Activation::Relu | Activation::Relu6);
    let mut leaves = vec![input.shallow_clone()];
    let mut outputs = Vec::new();
    let logits = view.forward(&input, view.layers().filter(rectifies).collect(), |_, output| {
        let cut = leaf(&output)?;
        leaves.push(cut.shallow_clone());
        outputs.push(output);
        Ok(cut)
    })?;
    let score = scores(&logits, view.network.head(), classes)?.f_sum(Kind::Float)?;
    let mut found: Vec<Option<Tensor>> = leaves.iter().map(|_| None).collect();
    let spread = |root: &Tensor, given: &Tensor, up_to: usize, found: &mut Vec<Option<Tensor>>| -> Result<()> {
        if !root.requires_grad() {
            return Ok(());
        }
        let inputs: Vec<&Tensor> = leaves[..up_to].iter().collect();
        // Kept: two cuts may share what lies below them.
        let gradients = shim::gradients(root, given, &inputs, true)?;
        for (slot, gradient) in found.iter_mut().zip(gradients).filter(|(_, gradient)| gradient.defined()) {
            *slot = Some(match slot.take() {
                Some(sum) => sum.f_add(&gradient)?,
                None => gradient,
            });
        }
        Ok(())
    };
    spread(&score, &score.f_detach()?.f_ones_like()?, leaves.len(), &mut found)?;
    for (index, output) in outputs.iter().enumerate().rev() {
        if let Some(gradient) = found[index + 1].take() {
            spread(output, &gradient.f_relu()?, index + 1, &mut found)?;
        }
    }
    Ok(match found[0].take() {
        Some(gradient) => gradient.f_to_kind(Kind::Float)?,
        None => view.input.f_zeros_like()?,
    })
}

/// Of each score by `inputs`, which are like the view's.
fn at_pixels(view: &View<'_>, inputs: &Tensor, classes: &Tensor) -> Result<Tensor> {
    let input = leaf(inputs)?;
    let score = view.scores_of(&input, classes)?.f_sum(Kind::Float)?;
    gradient(&score, &input)
}

fn leaf(tensor: &Tensor) -> Result<Tensor> {
    Ok(tensor.f_detach()?.f_set_requires_grad(true)?)
}
