//! What a filter would like to see: gradient ascent on pictures, one a filter, all of a grid in one optimisation. The rule is the
//! book's (ch. 5.4.2): from grey noise, steps of a normalised gradient, and its de-processing. Only the layers up to the filter's run,
//! and of the filter's layer only the channels that are wanted.

use std::ops::Range;

use tch::{Kind, Tensor};

use super::view::{gradient, run, scaling};
use crate::error::{EngineError, Result};
use crate::input::Preprocess;
use crate::network::Network;
use crate::pass::Shared;
use crate::shards::Shards;
use crate::trunk::Cost;
use crate::{layers, shim};
use frostline::arch::{Op, Shape, Source};
use frostline::data::random::{self, Purpose};

/// The book's, in grey levels a step.
pub const RATE: f64 = 1.0;
/// Of the gradient's normalisation.
const EPSILON: f64 = 1e-5;

/// Which filters are to be shown what they like.
#[derive(Clone, Copy)]
pub struct Goal<'a> {
    pub network: &'a Network,
    pub shards: Option<&'a Shards>,
    pub preprocess: Preprocess,
    pub layer: usize,
    pub filters: &'a [usize],
}

/// Is told after a step how many are done, the pictures `[filters, c, h, w]` in grey levels, and what each filter put out, on
/// average, before the step.
pub type Watching<'a> = &'a mut dyn FnMut(usize, &Tensor, &[f32]) -> Result<()>;

impl Goal<'_> {
    /// Refuses filters that are not there.
    pub fn check(&self) -> Result<()> {
        let layer = &self.network.arch().layers()[self.layer];
        let Shape::Map { channels, .. } = layer.output else {
            return Err(EngineError::NotAMap { layer: layer.name.clone(), output: layer.output });
        };
        match self.filters.iter().find(|&&filter| filter >= channels) {
            Some(&filter) => Err(EngineError::NoFilter { layer: layer.name.clone(), filter, channels }),
            None => Ok(()),
        }
    }

    /// Channels of a picture.
    pub fn colours(&self) -> usize {
        self.network.arch().input().channels()
    }

    /// Grey with a little noise, 128 to 148, `[filters, c, h, w]`, channels-last in memory. A filter's noise is its own, whichever
    /// others are shown.
    pub fn noise(&self, seed: u64, [height, width]: [usize; 2]) -> Result<Tensor> {
        let colours = self.colours();
        let mut values = Vec::with_capacity(self.filters.len() * height * width * colours);
        for &filter in self.filters {
            let mut stream = random::stream(seed, Purpose::Explain, filter as u64, 0);
            values.extend((0..height * width * colours).map(|_| (random::unit(&mut stream) * 20.0 + 128.0) as f32));
        }
        let shape = [self.filters.len(), height, width, colours].map(|side| side as i64);
        let pictures = Tensor::f_from_slice(&values)?.f_reshape(shape)?.f_permute([0_i64, 3, 1, 2])?;
        Ok(pictures.f_to_device(self.network.device())?)
    }

    /// What one grey level is in the units of the network's first learning layer, averaged over the colours.
    fn unit(&self) -> Result<f64> {
        let _no_grad = tch::no_grad_guard();
        let shape = [1, self.colours() as i64, 1, 1];
        let options = (Kind::Float, self.network.device());
        let through = |pictures: Tensor| {
            let Preprocess { scale, offset } = self.preprocess;
            let input = layers::rescale(&pictures, scale.into(), offset.into())?;
            run(self.network, 0..scaling(self.network.arch()), &input)
        };
        let (dark, grey) = (through(Tensor::f_zeros(shape, options)?)?, through(Tensor::f_ones(shape, options)?)?);
        Ok(grey.f_sub(&dark)?.f_abs()?.f_mean(Kind::Float)?.f_double_value(&[])?)
    }

    /// Works on the pictures shard by shard, each on one thread. `parts` have one row a filter, and so has what `work` gives.
    pub fn in_shards(
        &self,
        parts: &[&Tensor],
        work: impl Fn(&Network, &[usize], Vec<Tensor>) -> Result<Vec<Tensor>> + Sync,
    ) -> Result<Vec<Tensor>> {
        let whole = || vec![Range { start: 0, end: self.filters.len() }];
        let cost = Cost::of(self.network.arch(), 0..=self.layer);
        let ranges = self.shards.map_or_else(whole, |shards| shards.of(self.filters.len(), cost));
        let mut items = Vec::with_capacity(ranges.len());
        for range in ranges {
            let (start, length) = (range.start as i64, range.len() as i64);
            let rows = parts.iter().map(|part| Ok(part.f_narrow(0, start, length)?)).collect::<Result<Vec<_>>>()?;
            items.push((self.filters[range].to_vec(), rows));
        }
        let shared = Shared(self.network);
        let work = |(filters, rows): (Vec<usize>, Vec<Tensor>)| work(shared.network(), &filters, rows);
        let results = match self.shards {
            Some(shards) => shards.map(items, work)?,
            None => items.into_iter().map(work).collect::<Result<Vec<_>>>()?,
        };
        let columns = results.first().map_or(0, Vec::len);
        (0..columns)
            .map(|column| {
                let rows: Vec<&Tensor> = results.iter().map(|parts| &parts[column]).collect();
                Ok(Tensor::f_cat(&rows, 0)?)
            })
            .collect()
    }
}

/// `steps` steps of `rate` grey levels (times a gradient whose mean square is one) from `pictures`, which are grey levels,
/// `[filters, c, h, w]`. Every picture climbs for its own filter, by a gradient that is normalised by itself.
pub fn climb(goal: &Goal<'_>, mut pictures: Tensor, steps: usize, rate: f64, watching: Watching<'_>) -> Result<Tensor> {
    for done in 1..=steps {
        let (moved, means) = step(goal, &pictures, rate)?;
        pictures = moved;
        watching(done, &pictures, &super::numbers(&means)?)?;
    }
    Ok(pictures)
}

/// One of them: the pictures after it, and what each filter put out before, on average, `[filters]`.
pub fn step(goal: &Goal<'_>, pictures: &Tensor, rate: f64) -> Result<(Tensor, Tensor)> {
    goal.check()?;
    let epsilon = EPSILON * goal.unit()?;
    let (layer, preprocess) = (goal.layer, goal.preprocess);
    let mut moved = goal.in_shards(&[pictures], |network, filters, mut rows| {
        let leaf = rows.swap_remove(0).f_detach()?.f_set_requires_grad(true)?;
        let means = means(network, preprocess, layer, filters, &leaf)?;
        let uphill = gradient(&means.f_sum(Kind::Float)?, &leaf)?;
        let _no_grad = tch::no_grad_guard();
        let size = uphill.f_square()?.f_mean_dim([1_i64, 2, 3].as_slice(), true, Kind::Float)?.f_sqrt()?;
        let step = uphill.f_div(&size.f_add_scalar(epsilon)?)?.f_mul_scalar(rate)?;
        Ok(vec![leaf.f_detach()?.f_add(&step)?, means.f_detach()?])
    })?;
    let means = moved.swap_remove(1);
    Ok((moved.swap_remove(0), means))
}

/// What each picture's own filter puts out, on average over the map, `[filters]`.
pub fn means(
    network: &Network,
    preprocess: Preprocess,
    layer: usize,
    filters: &[usize],
    pictures: &Tensor,
) -> Result<Tensor> {
    let input = layers::rescale(pictures, preprocess.scale.into(), preprocess.offset.into())?;
    // `[pictures, filters, h, w]`; of that the diagonal, `[h, w, filters]`.
    let own = maps(network, layer, filters, &input)?.f_diagonal(0, 0, 1)?;
    Ok(own.f_mean_dim([0_i64, 1].as_slice(), false, Kind::Float)?)
}

/// The wanted channels of the layer. A plain convolution computes no others.
fn maps(network: &Network, layer: usize, filters: &[usize], input: &Tensor) -> Result<Tensor> {
    let wanted: Vec<i64> = filters.iter().map(|&filter| filter as i64).collect();
    let wanted = Tensor::f_from_slice(&wanted)?.f_to_device(input.device())?;
    let described = &network.arch().layers()[layer];
    let &Op::Conv2d { window, groups: 1, activation, .. } = &described.op else {
        return Ok(run(network, 0..layer + 1, input)?.f_index_select(1, &wanted)?);
    };
    let below = match described.inputs[0] {
        Source::Input => input.shallow_clone(),
        Source::Layer(read) => run(network, 0..read + 1, input)?,
    };
    let first = network.weights().positions(layer).start;
    let chosen = |name: &str| -> Result<Option<Tensor>> {
        let position = described.parameters.iter().position(|parameter| parameter.name == name);
        let of = |position: usize| Ok(network.used(first + position).f_detach()?.f_index_select(0, &wanted)?);
        position.map(of).transpose()
    };
    let kernel = chosen("kernel")?.expect("a convolution has a kernel");
    let kernel = shim::channels_last(&kernel)?;
    let map = layers::convolve(&below.f_to_kind(kernel.kind())?, &kernel, chosen("bias")?.as_ref(), window, 1)?;
    layers::activate(map, activation)
}

/// As bytes `[n, h, w, c]`: each picture brought to mean 0.5 and standard deviation 0.1, cut to 0–1 (the book's `deprocess_image`).
pub fn deprocessed(pictures: &Tensor) -> Result<Tensor> {
    let _no_grad = tch::no_grad_guard();
    let all = [1_i64, 2, 3];
    let centred = pictures.f_sub(&pictures.f_mean_dim(all.as_slice(), true, Kind::Float)?)?;
    let spread = centred.f_square()?.f_mean_dim(all.as_slice(), true, Kind::Float)?.f_sqrt()?.f_add_scalar(1e-5)?;
    let unit = centred.f_div(&spread)?.f_mul_scalar(0.1)?.f_add_scalar(0.5)?.f_clamp(0.0, 1.0)?;
    bytes(&unit.f_mul_scalar(255.0)?)
}

/// Grey levels `[n, c, h, w]` to bytes `[n, h, w, c]`, cut off, not rounded, as `NumPy`'s `astype` does.
pub fn bytes(levels: &Tensor) -> Result<Tensor> {
    let levels = levels.f_detach()?.f_clamp(0.0, 255.0)?.f_permute([0_i64, 2, 3, 1])?;
    Ok(levels.f_to_kind(Kind::Uint8)?.f_contiguous()?)
}
