//! The ascent of filters one step at a time, for those who watch a run: the pictures lie with the caller between two steps, and weights
//! may change meanwhile.

use tch::{Device, Tensor};

use super::ascent::{self, Goal};
use super::numbers;
use crate::error::Result;
use crate::input::Preprocess;
use crate::network::Network;
use crate::shards::Shards;
use frostline::arch::Shape;
use frostline::event::explain::FILTER_SIDE;
use frostline::trainer::Painting;

/// Of the noise to begin with.
const SEED: u64 = 0;

/// One step for the layer's first filters. A layer for which no picture is large enough, nor as large as the network's own, is refused
/// in words.
pub fn paint(
    network: &Network,
    shards: Option<&Shards>,
    preprocess: Preprocess,
    layer: usize,
    painting: &mut Painting,
) -> Result<Option<String>> {
    let filters: Vec<usize> = (0..painting.filters).collect();
    let goal = Goal { network, shards, preprocess, layer, filters: &filters };
    let levels = if painting.levels.is_empty() {
        let sides = match sides(network, layer) {
            Ok(sides) => sides,
            Err(reason) => return Ok(Some(reason)),
        };
        [painting.height, painting.width] = sides;
        painting.channels = goal.colours();
        goal.noise(SEED, sides)?
    } else {
        let shape = [painting.filters, painting.channels, painting.height, painting.width].map(|side| side as i64);
        let levels = Tensor::f_from_slice(&painting.levels)?.f_reshape(shape)?;
        // As noise lies in memory, and as convolutions like it.
        let levels = levels.f_permute([0_i64, 2, 3, 1])?.f_contiguous()?.f_permute([0_i64, 3, 1, 2])?;
        levels.f_to_device(network.device())?
    };
    let (levels, _) = ascent::step(&goal, &levels, ascent::RATE)?;
    let seen = ascent::deprocessed(&levels)?;
    painting.levels = numbers(&levels)?;
    painting.bytes = Vec::try_from(seen.f_to_device(Device::Cpu)?.f_contiguous()?.f_reshape([-1])?)?;
    painting.done += 1;
    Ok(None)
}

/// The book's small squares where they are large enough for the layer, else pictures as large as the network's.
fn sides(network: &Network, layer: usize) -> std::result::Result<[usize; 2], String> {
    let arch = network.arch();
    let input = arch.input();
    let square = Shape::Map { height: FILTER_SIDE as usize, width: FILTER_SIDE as usize, channels: input.channels() };
    let mut reason = String::new();
    for shape in [square, input] {
        match (arch.output_for(layer, shape), shape) {
            (Ok(_), Shape::Map { height, width, .. }) => return Ok([height, width]),
            (Err(error), _) => reason = error.to_string(),
            (Ok(_), Shape::Vector(_)) => {}
        }
    }
    Err(reason)
}
