//! Where numbers stopped being finite: the first layer forward whose output has one that is not, or the layers whose gradients have.
//! It computes the step once more, which only a step that failed pays for, and leaves the moving statistics to the caller.

use super::error::Result;
use super::network::{Mode, Network, Taps};
use super::optimizer::Gradient;
use super::shim;
use frostline::event::NonFinite;
use frostline::trainer::Trouble;
use tch::Tensor;

/// Layers that are named at most.
const NAMED: usize = 8;

/// Layers whose own weights are not finite; a loss that is none follows from them, whatever the pictures are.
pub fn weights(network: &Network) -> Result<Trouble> {
    let mut positions = Vec::new();
    for weight in network.weights().all() {
        if positions.last() != Some(&weight.layer) && !shim::finite(&[&weight.tensor])? {
            positions.push(weight.layer);
        }
    }
    let what = if positions.is_empty() { NonFinite::Loss } else { NonFinite::Weights };
    Ok(Trouble { what, layers: named(network, positions.into_iter()) })
}

/// Of a loss that is not finite: the layers whose outputs are not, in the order in which they are computed. `pictures` are
/// `[n, c, h, w]`, as the step saw them. None, where all outputs are and only the loss is not.
pub fn forward(network: &Network, pictures: &Tensor, mode: Mode) -> Result<Trouble> {
    let _no_grad = tch::no_grad_guard();
    let mut positions = Vec::new();
    let look = |layer, output: Tensor| {
        if !shim::finite(&[&output])? {
            positions.push(layer);
        }
        Ok(output)
    };
    let mut taps = Taps::new((0..network.arch().layers().len()).collect(), look);
    let _ = network.forward(pictures, mode, &mut taps)?;
    drop(taps);
    Ok(Trouble { what: NonFinite::Loss, layers: named(network, positions.into_iter()) })
}

/// Of gradients that are not finite under a loss that is. They arise from the last layer to the first.
pub fn backward(network: &Network, gradients: &[Gradient]) -> Result<Trouble> {
    let mut positions = Vec::new();
    for (position, gradient) in gradients {
        if !shim::finite(&[gradient])? {
            positions.push(network.weights().all()[*position].layer);
        }
    }
    positions.sort_unstable();
    positions.dedup();
    Ok(Trouble { what: NonFinite::Gradient, layers: named(network, positions.into_iter().rev()) })
}

fn named(network: &Network, positions: impl Iterator<Item = usize>) -> Vec<String> {
    positions.take(NAMED).map(|layer| network.arch().layers()[layer].name.clone()).collect()
}
