//! Explanations that only ask what the score becomes when something is changed: channels that mask the picture (Score-CAM), channels
//! that are silenced (Ablation-CAM), windows that are covered (occlusion). Many forward passes, no backward one.

use tch::{Device, Kind, Tensor};

use super::cam::{size4, weighted};
use super::view::View;
use crate::error::Result;

/// Is told how many of how many forward passes are done.
pub type Told<'a> = &'a mut dyn FnMut(usize, usize) -> Result<()>;

/// Variants of a picture that go through the network together.
const TOGETHER: i64 = 16;

/// Channels weighted by the softmax of what the picture scores through each as a mask (arXiv:1910.01279, algorithm 1; scores are
/// logits and corners are aligned, as in `pytorch-grad-cam`). `[n, h, w]` for `classes` `[n]`.
pub fn score_cam(view: &View<'_>, classes: &Tensor, told: Told<'_>) -> Result<Tensor> {
    let activations = view.activations()?;
    let [pictures, channels, ..] = size4(&activations);
    let [_, _, height, width] = size4(&view.input);
    let _no_grad = tch::no_grad_guard();
    let mut weights = Vec::new();
    for picture in 0..pictures {
        let (input, class) = (view.input.f_narrow(0, picture, 1)?, classes.f_narrow(0, picture, 1)?);
        let own = activations.f_narrow(0, picture, 1)?;
        let mut scores = Vec::new();
        for first in (0..channels).step_by(TOGETHER as usize) {
            let count = TOGETHER.min(channels - first);
            let large = own.f_narrow(1, first, count)?.f_upsample_bilinear2d([height, width], true, None, None)?;
            let masks = stretched(&large)?.f_transpose(0, 1)?;
            scores.push(view.scores_of(&input.f_mul(&masks)?, &class.f_expand([count], false)?)?);
            told((picture * channels + first + count) as usize, (pictures * channels) as usize)?;
        }
        weights.push(Tensor::f_cat(&scores, 0)?.f_softmax(0, Kind::Float)?);
    }
    weighted(&activations, &Tensor::f_stack(&weights, 0)?.f_reshape([pictures, channels, 1, 1])?)
}

/// Each channel of `[n, c, h, w]` to 0–1. One that is the same everywhere shows nothing: what it differs by is rounding.
fn stretched(maps: &Tensor) -> Result<Tensor> {
    let space = [2_i64, 3];
    let least = maps.f_amin(space.as_slice(), true)?;
    let span = maps.f_amax(space.as_slice(), true)?.f_sub(&least)?;
    let size = maps.f_abs()?.f_amax(space.as_slice(), true)?;
    let varies = span.f_gt_tensor(&size.f_mul_scalar(1e-6)?)?.f_to_kind(Kind::Float)?;
    Ok(maps.f_sub(&least)?.f_div(&span.f_add_scalar(1e-8)?)?.f_mul(&varies)?)
}

/// Channels weighted by the share of the score that is lost when each is set to zero (WACV 2020, equation 3). The share is of the
/// score's size: divided by a negative score, as the paper writes it, the map would explain the opposite.
pub fn ablation_cam(view: &View<'_>, classes: &Tensor, told: Told<'_>) -> Result<Tensor> {
    let activations = view.activations()?;
    let [pictures, channels, ..] = size4(&activations);
    let _no_grad = tch::no_grad_guard();
    let whole = view.scores(classes)?;
    let size = whole.f_abs()?.f_clamp_min(f64::from(f32::MIN_POSITIVE))?;
    let mut weights = Vec::new();
    for picture in 0..pictures {
        let (own, class) = (activations.f_narrow(0, picture, 1)?, classes.f_narrow(0, picture, 1)?);
        let mut scores = Vec::new();
        for first in (0..channels).step_by(TOGETHER as usize) {
            let count = TOGETHER.min(channels - first);
            let without: Vec<f32> = (0..count * channels)
                .map(|at| if at % channels == first + at / channels { 0.0 } else { 1.0 })
                .collect();
            let mask = Tensor::f_from_slice(&without)?.f_reshape([count, channels, 1, 1])?;
            let ablated = own.f_mul(&mask.f_to_device(own.device())?)?;
            scores.push(view.scores_with(picture as usize, &ablated, &class)?);
            told((picture * channels + first + count) as usize, (pictures * channels) as usize)?;
        }
        let lost = whole.f_narrow(0, picture, 1)?.f_sub(&Tensor::f_cat(&scores, 0)?)?;
        weights.push(lost.f_div(&size.f_narrow(0, picture, 1)?)?);
    }
    weighted(&activations, &Tensor::f_stack(&weights, 0)?.f_reshape([pictures, channels, 1, 1])?)
}

/// A window that is slid over a picture, `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub size: [usize; 2],
    pub stride: [usize; 2],
}

impl Window {
    /// An eighth of a side, moved by half of itself.
    pub fn of(height: usize, width: usize) -> Self {
        let size = [height, width].map(|side| side.div_ceil(8).max(1));
        Self { size, stride: size.map(|side| side.div_ceil(2)) }
    }

    /// Where it begins along an axis; the last one may stand out, and is cut.
    fn starts(self, axis: usize, length: usize) -> impl Iterator<Item = usize> + Clone {
        let count = length.saturating_sub(self.size[axis]).div_ceil(self.stride[axis]) + 1;
        (0..count).map(move |step| step * self.stride[axis])
    }
}

/// How much of the score each pixel's windows took when they were covered with zero, on average (arXiv:1311.2901; averaged over
/// windows as captum 0.9 does). `[n, H, W]` at the pictures' size, negative where covering helped the class.
pub fn occlusion(view: &View<'_>, classes: &Tensor, window: Window, told: Told<'_>) -> Result<Tensor> {
    let [pictures, _, height, width] = size4(&view.input);
    let [rows, columns] = [height as usize, width as usize];
    let _no_grad = tch::no_grad_guard();
    let whole: Vec<f32> = Vec::try_from(view.scores(classes)?.f_to_device(Device::Cpu)?)?;
    let places: Vec<(usize, usize)> =
        window.starts(0, rows).flat_map(|top| window.starts(1, columns).map(move |left| (top, left))).collect();
    let inside = |(top, left): (usize, usize)| {
        let (bottom, right) = ((top + window.size[0]).min(rows), (left + window.size[1]).min(columns));
        (top..bottom).flat_map(move |y| y * columns + left..y * columns + right)
    };
    let all = places.len();
    let mut maps = Vec::new();
    for picture in 0..pictures {
        let (input, class) = (view.input.f_narrow(0, picture, 1)?, classes.f_narrow(0, picture, 1)?);
        let (mut lost, mut covered) = (vec![0.0_f64; rows * columns], vec![0_u32; rows * columns]);
        for (chunk, places) in (1..).zip(places.chunks(TOGETHER as usize)) {
            let mut masks = vec![1.0_f32; places.len() * rows * columns];
            for (mask, &place) in masks.chunks_exact_mut(rows * columns).zip(places) {
                inside(place).for_each(|pixel| mask[pixel] = 0.0);
            }
            let masks = Tensor::f_from_slice(&masks)?.f_reshape([places.len() as i64, 1, height, width])?;
            let variants = input.f_mul(&masks.f_to_device(input.device())?)?;
            let scores = view.scores_of(&variants, &class.f_expand([places.len() as i64], false)?)?;
            let scores: Vec<f32> = Vec::try_from(scores.f_to_device(Device::Cpu)?)?;
            for (score, &place) in scores.iter().zip(places) {
                for pixel in inside(place) {
                    lost[pixel] += f64::from(whole[picture as usize] - score);
                    covered[pixel] += 1;
                }
            }
            let done = (chunk * TOGETHER as usize).min(all);
            told(picture as usize * all + done, pictures as usize * all)?;
        }
        let means: Vec<f32> =
            lost.iter().zip(&covered).map(|(lost, &covered)| (lost / f64::from(covered.max(1))) as f32).collect();
        maps.push(Tensor::f_from_slice(&means)?.f_reshape([height, width])?);
    }
    Ok(Tensor::f_stack(&maps, 0)?)
}
