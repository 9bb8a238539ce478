//! How strongly each layer is pulled, and how far it has moved since the epoch began.

use tch::{Kind, Tensor};

use super::error::Result;
use super::freeze::Seals;
use super::network::Network;
use super::optimizer::Gradient;
use frostline::event::LayerMeters;

/// The weights at the start of the epoch.
pub struct Meters {
    /// In the order of `Weights::all`. `None` for what has not been trainable since then, and so has not moved.
    start: Vec<Option<Tensor>>,
}

impl Meters {
    pub fn new(network: &Network) -> Result<Self> {
        let mut meters = Self { start: network.weights().all().iter().map(|_| None).collect() };
        meters.begin_epoch(network)?;
        Ok(meters)
    }

    /// A copy of the trainable weights, and of them only: a frozen base costs no memory.
    pub fn begin_epoch(&mut self, network: &Network) -> Result<()> {
        self.start.iter_mut().for_each(|start| *start = None);
        self.remember(network, network.trainable())
    }

    /// A layer that was frozen until now may move from here on.
    pub fn thawed(&mut self, network: &Network, layer: usize) -> Result<()> {
        self.remember(network, network.weights().positions(layer))
    }

    fn remember(&mut self, network: &Network, positions: impl IntoIterator<Item = usize>) -> Result<()> {
        let _no_grad = tch::no_grad_guard();
        for position in positions {
            if self.start[position].is_none() {
                let tensor = &network.weights().all()[position].tensor;
                let mut copy = tensor.f_empty_like()?;
                copy.f_copy_(tensor)?;
                self.start[position] = Some(copy);
            }
        }
        Ok(())
    }

    /// One entry for each layer with parameters. `gradients` are those of the last step.
    pub fn read(&self, network: &Network, seals: &Seals, gradients: &[Gradient]) -> Result<Vec<LayerMeters>> {
        let _no_grad = tch::no_grad_guard();
        let weights = network.weights();
        let mut squares = Squares::default();
        for (position, gradient) in gradients {
            squares.add(weights.all()[*position].layer, Quantity::Gradient, gradient)?;
        }
        for (weight, start) in weights.all().iter().zip(&self.start) {
            if let (true, Some(start)) = (weight.learned, start) {
                squares.add(weight.layer, Quantity::Start, start)?;
                squares.add(weight.layer, Quantity::Moved, &weight.tensor.f_sub(start)?)?;
            }
        }
        let layers = network.arch().layers();
        let sums = squares.sums(layers.len())?;
        let mut meters = Vec::new();
        for (index, layer) in layers.iter().enumerate().filter(|(_, layer)| !layer.parameters.is_empty()) {
            let [gradient, start, moved] = sums[index];
            meters.push(LayerMeters {
                name: layer.name.clone(),
                gradient_norm: gradient.filter(|_| !network.is_frozen(index)).map(f64::sqrt),
                weight_change: match (start, moved) {
                    (Some(start), Some(moved)) if moved != 0.0 => (moved / start).sqrt(),
                    _ => 0.0,
                },
                frozen_intact: seals.intact(network, index)?,
            });
        }
        Ok(meters)
    }
}

#[derive(Clone, Copy)]
enum Quantity {
    Gradient,
    Start,
    Moved,
}

/// Sums of squares by layer, fetched from the device all at once.
#[derive(Default)]
struct Squares {
    whose: Vec<(usize, Quantity)>,
    norms: Vec<Tensor>,
}

impl Squares {
    fn add(&mut self, layer: usize, quantity: Quantity, tensor: &Tensor) -> Result<()> {
        self.whose.push((layer, quantity));
        self.norms.push(tensor.f_norm()?);
        Ok(())
    }

    fn sums(&self, layers: usize) -> Result<Vec<[Option<f64>; 3]>> {
        let mut sums = vec![[None; 3]; layers];
        if self.norms.is_empty() {
            return Ok(sums);
        }
        let norms = Vec::<f64>::try_from(Tensor::f_stack(&self.norms, 0)?.f_to_kind(Kind::Double)?)?;
        for (&(layer, quantity), norm) in self.whose.iter().zip(norms) {
            *sums[layer][quantity as usize].get_or_insert(0.0) += norm * norm;
        }
        Ok(sums)
    }
}
