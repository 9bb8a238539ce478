//! Explanations against what is known: on drawings whose generator says which pixels tell the classes apart, how often and how much
//! each method looks there, with the run's weights and with those from before training (Adebayo et al. 2018, arXiv:1810.03292); and
//! how fast the class goes or comes when the hottest pixels do (Petsiuk et al. 2018, arXiv:1806.07421).

use tch::{Kind, Tensor};

use super::answers::{Asked, Origin};
use super::cam::size4;
use super::view::View;
use super::{attribution, heat, numbers};
use crate::error::{EngineError, Result as Torched};
use crate::input;
use crate::network::Network;
use crate::stepper::{TorchStepper, shielded};
use crate::{loss, queries};
use frostline::command::Method;
use frostline::data::SourceSpec;
use frostline::data::critters::{self, Critter};
use frostline::error::{Error, Result};
use frostline::event::explain::{Answer, Scored};

/// Parts into which a picture's pixels are taken away or put on.
const STEPS: usize = 32;

/// Scores every method on `count` drawings of the test split.
pub fn check(asked: &Asked, count: usize, methods: &[Method]) -> Result<()> {
    let Origin::Run { path, checkpoint } = &asked.origin else {
        return Err(Error::user("a published network knows no critters", "name a run that was trained on them"));
    };
    let (run, plan, target) = queries::open_for_reading(path)?;
    if !matches!(plan.data.source, SourceSpec::Critters { .. }) || plan.data.size.channels != 3 {
        let hint = "train one with `frostline demo`, or with config/critters.toml";
        return Err(Error::user(format!("run {} was not trained on coloured critters", run.name()), hint));
    }
    let mut trained = queries::restored(&run, &plan, target, *checkpoint)?;
    let rule = plan.phases[0].optimizer;
    let mut untrained = TorchStepper::new(&plan.arch, rule, plan.seed, target, input::Preprocess::default())?;
    let layer = match &asked.layer {
        Some(name) => super::target(trained.looked_at()?.0, name)?,
        None => plan.arch.last_feature_map().ok_or(EngineError::NoMap { network: plan.name.clone() })?,
    };
    let drawings: Vec<(Critter, u32)> = (0..count)
        .map(|at| critters::held_out(plan.data.seed, at, plan.data.size.height, plan.data.size.width))
        .collect();
    // The untrained network is asked first, so that the trained one's maps can be compared with its.
    let mut maps = vec![vec![Vec::new(); count]; methods.len()];
    for (stepper, is_trained) in [(&mut untrained, false), (&mut trained, true)] {
        let (network, preprocess, _) = stepper.looked_at()?;
        for (&method, maps) in methods.iter().zip(&mut maps) {
            let mut sums = Sums::default();
            for ((drawing, class), before) in drawings.iter().zip(maps.iter_mut()) {
                let map = shielded(|| {
                    let pixels = &drawing.pixels;
                    let x = input::pictures(&pixels.bytes, 1, pixels.size, preprocess, network.device())?;
                    sums.add(network, &x, layer, method, *class, &drawing.mask)
                })?;
                if is_trained {
                    sums.likeness.extend(rank_correlation(before, &map));
                }
                *before = map;
            }
            let name = plan.arch.layers()[layer].name.clone();
            queries::print(&Answer::Scored(sums.scored(method, is_trained, name)))?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Sums {
    images: u64,
    right: u64,
    chance: f64,
    hits: u64,
    energy: f64,
    deletion: f64,
    insertion: f64,
    empty: u64,
    likeness: Vec<f64>,
}

impl Sums {
    /// Explains the true class of one picture `[1, c, h, w]`; the map, at the picture's size, comes back.
    fn add(
        &mut self,
        network: &Network,
        x: &Tensor,
        layer: usize,
        method: Method,
        class: u32,
        mask: &[u8],
    ) -> Torched<Vec<f32>> {
        let view = View::new(network, x, layer)?;
        let of = Tensor::f_from_slice(&[i64::from(class)])?.f_to_device(x.device())?;
        let map = heat(method, &attribution(&view, method, &of, &mut |_, _| Ok(()))?)?;
        let _no_grad = tch::no_grad_guard();
        let [_, _, height, width] = size4(&view.input);
        let large = numbers(&map.f_unsqueeze(1)?.f_upsample_bilinear2d([height, width], false, None, None)?)?;
        self.images += 1;
        self.right += u64::from(view.predicted()?.f_int64_value(&[0])? == i64::from(class));
        let tells = |pixel: usize| f64::from(mask[pixel]) / 255.0;
        self.chance += (0..mask.len()).map(tells).sum::<f64>() / mask.len() as f64;
        let order = hottest_first(&large);
        let total: f64 = large.iter().map(|&value| f64::from(value)).sum();
        if total > 0.0 {
            // Half of an edge counts.
            self.hits += u64::from(order.first().is_some_and(|&pixel| mask[pixel] >= 128));
            self.energy +=
                large.iter().enumerate().map(|(at, &value)| f64::from(value) * tells(at)).sum::<f64>() / total;
        } else {
            self.empty += 1;
        }
        let mean = view.input.f_mean_dim([2_i64, 3].as_slice(), true, Kind::Float)?.f_expand_as(&view.input)?;
        self.deletion += probability_on_the_way(&view, &view.input, &mean, &order, class)?;
        self.insertion += probability_on_the_way(&view, &blurred(&view.input)?, &view.input, &order, class)?;
        Ok(large)
    }

    fn scored(self, method: Method, trained: bool, layer: String) -> Scored {
        let images = self.images.max(1) as f64;
        let seen = self.images.saturating_sub(self.empty).max(1) as f64;
        let likeness =
            (!self.likeness.is_empty()).then(|| self.likeness.iter().sum::<f64>() / self.likeness.len() as f64);
        Scored {
            method,
            trained,
            layer,
            images: self.images,
            accuracy: self.right as f64 / images,
            chance: self.chance / images,
            pointing: self.hits as f64 / images,
            energy: self.energy / seen,
            deletion: self.deletion / images,
            insertion: self.insertion / images,
            empty: self.empty,
            likeness,
        }
    }
}

/// Area under the class's probability while pixels go over from one picture to another, the first of `order` first; trapezoids.
fn probability_on_the_way(view: &View<'_>, from: &Tensor, to: &Tensor, order: &[usize], class: u32) -> Torched<f64> {
    let [_, _, height, width] = size4(from);
    let pixels = order.len();
    let mut masks = vec![0.0_f32; (STEPS + 1) * pixels];
    for (step, mask) in masks.chunks_exact_mut(pixels).enumerate() {
        order[..pixels * step / STEPS].iter().for_each(|&pixel| mask[pixel] = 1.0);
    }
    let masks =
        Tensor::f_from_slice(&masks)?.f_reshape([STEPS as i64 + 1, 1, height, width])?.f_to_device(from.device())?;
    let pictures = from.f_add(&to.f_sub(from)?.f_mul(&masks)?)?;
    let logits = view.forward(&pictures, Vec::new(), |_, output| Ok(output))?;
    let curve = numbers(&loss::probabilities(&logits, view.network.head())?.f_select(1, class.into())?)?;
    let area: f32 = curve.windows(2).map(|pair| f32::midpoint(pair[0], pair[1])).sum();
    Ok(f64::from(area) / STEPS as f64)
}

/// Averages over squares of a quarter of the side, twice: shapes are gone, colours stay.
fn blurred(picture: &Tensor) -> Torched<Tensor> {
    let [_, _, height, width] = size4(picture);
    let half = (height.min(width) / 8).max(1);
    let once = |x: &Tensor| x.f_avg_pool2d([2 * half + 1; 2], [1, 1], [half; 2], false, false, None);
    Ok(once(&once(picture)?)?)
}

fn hottest_first(map: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..map.len()).collect();
    order.sort_by(|&a, &b| map[b].total_cmp(&map[a]));
    order
}

/// Spearman's, with the mean rank for equal values; nothing where one of the maps is flat.
fn rank_correlation(one: &[f32], other: &[f32]) -> Option<f64> {
    if one.len() != other.len() {
        return None;
    }
    let (a, b) = (ranks(one), ranks(other));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let size = (product(&a, &a) * product(&b, &b)).sqrt();
    (size > 0.0).then(|| product(&a, &b) / size)
}

fn ranks(values: &[f32]) -> Vec<f64> {
    let order = hottest_first(values);
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let alike = order[first..].iter().take_while(|&&at| values[at] == values[order[first]]).count();
        for &at in &order[first..first + alike] {
            ranks[at] = first as f64 + (alike as f64 - 1.0) / 2.0;
        }
        first += alike;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.spearmanr([1, 2, 2, 4], [3, 1, 2, 5])` is 0.316227766.
    #[test]
    fn ranks_correlate_as_in_scipy() {
        let found = rank_correlation(&[1.0, 2.0, 2.0, 4.0], &[3.0, 1.0, 2.0, 5.0]).unwrap();
        assert!((found - 0.316_227_766).abs() < 1e-9, "{found}");
        assert_eq!(rank_correlation(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[5.0, 6.0, 7.0]), Some(1.0));
    }
}
