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
    /// Copies of what trains, by position, of before a step that is to be measured.
    before: Vec<(usize, Tensor)>,
}

impl Meters {
    pub fn new(network: &Network) -> Result<Self> {
        let start = network.weights().all().iter().map(|_| None).collect();
        let mut meters = Self { start, before: Vec::new() };
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
                self.start[position] = Some(copy(&network.weights().all()[position].tensor)?);
            }
        }
        Ok(())
    }

    /// The next step is to be measured.
    pub fn brace(&mut self, network: &Network) -> Result<()> {
        let _no_grad = tch::no_grad_guard();
        self.before.clear();
        for position in network.trainable() {
            self.before.push((position, copy(&network.weights().all()[position].tensor)?));
        }
        Ok(())
    }

    /// ‖w′ − w‖ / ‖w‖ of each layer since [`brace`](Self::brace), which is forgotten; of those that may have moved.
    pub fn update_ratios(&mut self, network: &Network) -> Result<Vec<Option<f64>>> {
        let _no_grad = tch::no_grad_guard();
        let weights = network.weights();
        let mut squares = Squares::default();
        for (position, before) in std::mem::take(&mut self.before) {
            let weight = &weights.all()[position];
            squares.add(weight.layer, Quantity::Start, &before)?;
            squares.add(weight.layer, Quantity::Moved, &weight.tensor.f_sub(&before)?)?;
        }
        let sums = squares.sums(network.arch().layers().len())?;
        Ok(sums.into_iter().map(|[_, start, moved]| ratio(start, moved)).collect())
    }

    /// One entry for each layer with parameters. `gradients` are those of the last step; `rate_of` gives a layer's rate in it.
    pub fn read(
        &self,
        network: &Network,
        seals: &Seals,
        gradients: &[Gradient],
        rate_of: impl Fn(usize) -> Option<f64>,
    ) -> Result<Vec<LayerMeters>> {
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
                weight_change: ratio(start, moved).unwrap_or(0.0),
                frozen_intact: seals.intact(network, index)?,
                learning_rate: rate_of(index).filter(|_| !network.is_frozen(index)),
            });
        }
        Ok(meters)
    }
}

fn copy(tensor: &Tensor) -> Result<Tensor> {
    let mut copy = tensor.f_empty_like()?;
    copy.f_copy_(tensor)?;
    Ok(copy)
}

/// Of two norms, given their squares. What did not move, moved by 0, even from 0.
fn ratio(start: Option<f64>, moved: Option<f64>) -> Option<f64> {
    let (start, moved) = (start?, moved?);
    Some(if moved == 0.0 { 0.0 } else { (moved / start).sqrt() })
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
