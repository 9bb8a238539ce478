//! The tensors that a network owns, by name: made from the seed alone, the same numbers on every device.
//! They are never replaced, only written into, so that autograd, the optimiser and the checkpoint mean the same ones.

use std::ops::Range;

use tch::{Device, Kind, Tensor};

use super::error::Result;
use super::shim;
use frostline::arch::{Arch, Initializer, Parameter};
use frostline::data::random::{self, Purpose};
use frostline::weights::Values;

/// One parameter.
pub struct Weight {
    /// `layer/parameter`, for example `conv2d_1/kernel`.
    pub name: String,
    /// Position in [`Arch::layers`].
    pub layer: usize,
    /// False for moving statistics.
    pub learned: bool,
    /// f32 in `PyTorch`'s layout; kernels of convolutions are channels-last in memory.
    pub tensor: Tensor,
}

/// All parameters, in the order of the layers and of Keras within each.
pub struct Weights {
    all: Vec<Weight>,
    of_layer: Vec<Range<usize>>,
}

impl Weights {
    pub fn new(arch: &Arch, seed: u64, device: Device) -> Result<Self> {
        let mut all = Vec::new();
        let mut of_layer = Vec::new();
        for (index, layer) in arch.layers().iter().enumerate() {
            let first = all.len();
            for parameter in &layer.parameters {
                let tensor = initial(parameter, seed, all.len() as u64, device)?;
                all.push(Weight {
                    name: format!("{}/{}", layer.name, parameter.name),
                    layer: index,
                    learned: parameter.learned,
                    tensor: tensor.f_set_requires_grad(parameter.learned)?,
                });
            }
            of_layer.push(first..all.len());
        }
        Ok(Self { all, of_layer })
    }

    pub fn all(&self) -> &[Weight] {
        &self.all
    }

    /// Writes a parameter's numbers, which are as many as it has.
    pub fn fill(&self, values: &Values) -> Result<()> {
        let tensor = &self.of_layer(values.layer)[values.parameter].tensor;
        let _no_grad = tch::no_grad_guard();
        let numbers = Tensor::f_from_slice(&values.numbers)?.f_reshape(tensor.size())?;
        // By element, whatever the two layouts, and across devices.
        tensor.shallow_clone().f_copy_(&numbers)?;
        Ok(())
    }

    /// Positions in [`all`](Self::all).
    pub fn positions(&self, layer: usize) -> Range<usize> {
        self.of_layer[layer].clone()
    }

    pub fn of_layer(&self, layer: usize) -> &[Weight] {
        &self.all[self.positions(layer)]
    }
}

/// Drawn on the processor in the order of the shape, one stream a parameter: what one layer gets depends on no other's size.
fn initial(parameter: &Parameter, seed: u64, position: u64, device: Device) -> Result<Tensor> {
    let shape: Vec<i64> = parameter.shape.iter().map(|&side| side as i64).collect();
    let tensor = match parameter.initializer {
        Initializer::Zeros => Tensor::f_zeros(&shape, (Kind::Float, device))?,
        Initializer::Ones => Tensor::f_ones(&shape, (Kind::Float, device))?,
        Initializer::GlorotUniform { fan_in, fan_out } => {
            let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
            let mut stream = random::stream(seed, Purpose::Initialise, position, 0);
            let values: Vec<f32> =
                (0..parameter.count()).map(|_| random::between(&mut stream, -limit, limit) as f32).collect();
            Tensor::f_from_slice(&values)?.f_reshape(&shape)?.f_to_device(device)?
        }
    };
    // oneDNN and cuDNN convolve channels-last maps without reordering them when the kernels lie the same way.
    if shape.len() == 4 { shim::channels_last(&tensor) } else { Ok(tensor) }
}
