//! What looking costs: Grad-CAM of one image, and a grid of pictures that filters like.

use frostline::{
    arch::Arch,
    data::Split,
    error::{Error, Result},
    event::bench::What,
    plan::Plan,
};

use super::{Windows, rates, stepper, tell};
use crate::{
    explain::{
        self,
        ascent::{self, Goal},
    },
    input,
    stepper::{Target, shielded},
};

/// A grid of the book's, and the steps that each of its pictures takes.
const GRID: usize = 64;
const STEPS: f64 = 40.0;

/// One forward pass, and one backward that stops at the layer.
pub fn grad_cam(plan: &Plan, train: &Split, target: Target, layer: Option<&str>, windows: Windows) -> Result<()> {
    let mut stepper = stepper(plan, target)?;
    let pixels = train.load(0, plan.data.size)?;
    let (network, preprocess, _) = stepper.looked_at()?;
    let layer = position(network.arch(), layer)?;
    let values = rates(windows, 1.0, || {
        shielded(|| {
            let picture = input::pictures(&pixels.bytes, 1, pixels.size, preprocess, network.device())?;
            explain::grad_cam(network, &picture, layer, None).map(drop)
        })
    })?;
    let above: u64 = plan.arch.layers()[layer + 1..].iter().map(|layer| layer.flops).sum();
    tell(What::GradCam, values, 1, plan.arch.flops() + above, None)
}

/// Steps of one optimisation for all filters of the grid, told as pictures of the book's forty steps a second.
pub fn filters(plan: &Plan, target: Target, layer: Option<&str>, windows: Windows) -> Result<()> {
    let mut stepper = stepper(plan, target)?;
    let (network, preprocess, shards) = stepper.looked_at()?;
    let layer = position(network.arch(), layer)?;
    let channels = network.arch().layers()[layer].output.channels();
    let filters: Vec<usize> = (0..channels.min(GRID)).collect();
    let goal = Goal { network, shards, preprocess, layer, filters: &filters };
    let sides = [plan.data.size.height, plan.data.size.width].map(|side| side as usize);
    let mut pictures = shielded(|| goal.noise(plan.seed, sides))?;
    let values = rates(windows, filters.len() as f64 / STEPS, || {
        pictures = shielded(|| ascent::climb(&goal, pictures.shallow_clone(), 1, 1.0, &mut |_, _, _| Ok(())))?;
        Ok(())
    })?;
    // Forward, and the gradient by each layer's input.
    let step: u64 = plan.arch.layers()[..=layer].iter().map(|layer| 2 * layer.flops).sum();
    tell(What::Filters, values, filters.len(), step * STEPS as u64, None)
}

fn position(arch: &Arch, layer: Option<&str>) -> Result<usize> {
    match layer {
        Some(layer) => arch.position(layer).ok_or_else(|| {
            Error::user(format!("there is no layer \"{layer}\""), "`frostline summary CONFIG` lists the layers")
        }),
        None => arch.last_feature_map().ok_or_else(|| {
            Error::user("the network has no feature map to explain", "`--only` leaves parts of the measurement out")
        }),
    }
}
