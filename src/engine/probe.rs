//! What a few pictures do to every layer: means, spreads, dead units, and how long each layer takes there and back; and how the weights
//! and their gradients are spread. Runs in inference mode on tensors of its own: weights, gradients, statistics and random numbers stay
//! as they are, so that a run is the same whether somebody looks or not.

use std::time::Instant;

use tch::{Device, Kind, Tensor};

use super::error::Result;
use super::explain::numbers;
use super::loss;
use super::network::{Mode, Network, Taps};
use super::optimizer::Gradient;
use super::shim;
use frostline::arch::{Activation, Source};
use frostline::event::{Histogram, LayerProbe};

/// Values of a tensor that a histogram looks at.
const SAMPLED: i64 = 1 << 16;

/// One entry a layer. `input` are pictures as the network takes them, `labels` their classes, `[n]` of i64.
pub fn layers(network: &Network, input: &Tensor, labels: &Tensor) -> Result<Vec<LayerProbe>> {
    let layers = network.arch().layers();
    let mut way = Way::new(network);
    let mut probes = Vec::with_capacity(layers.len());
    let mut read = Vec::with_capacity(layers.len());
    for (index, layer) in layers.iter().enumerate() {
        let forward_ms = way.forward(index, input)?;
        read.push(Reading::of(&way.outputs[index], way.is_rectified(index))?);
        probes.push(LayerProbe { name: layer.name.clone(), forward_ms: short(forward_ms), ..LayerProbe::default() });
    }
    for (probe, reading) in probes.iter_mut().zip(read) {
        reading.fill(probe)?;
    }
    for (index, milliseconds) in way.backward(labels)? {
        probes[index].backward_ms = short(milliseconds);
    }
    Ok(probes)
}

/// Of the layer's kernel, or its factors, and of its gradient in the last step.
pub fn histograms(
    network: &Network,
    layer: usize,
    gradients: &[Gradient],
) -> Result<(Option<Histogram>, Option<Histogram>)> {
    let weights = network.weights();
    let Some(first) = weights.positions(layer).find(|&position| weights.all()[position].learned) else {
        return Ok((None, None));
    };
    let gradient = gradients.iter().find(|(position, _)| *position == first);
    let gradient = gradient.map(|(_, gradient)| histogram(gradient)).transpose()?.flatten();
    Ok((histogram(&weights.all()[first].tensor)?, gradient))
}

fn histogram(tensor: &Tensor) -> Result<Option<Histogram>> {
    let _no_grad = tch::no_grad_guard();
    let flat = tensor.f_detach()?.f_reshape([-1])?;
    let count = flat.size()[0];
    let stride = (count / SAMPLED).max(1);
    let sampled = flat.f_slice(0, None, None, stride)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    let found = Histogram::of(&numbers(&sampled)?);
    Ok(found.map(|found| Histogram { low: short(found.low), high: short(found.high), ..found }))
}

/// Four digits are more than a screen shows, and the journal keeps them.
pub fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// The network layer by layer, each cut off from the one before, so that the way back can be gone in the same steps.
struct Way<'a> {
    network: &'a Network,
    /// Whether anything is to be learned in a layer or below it.
    learns: Vec<bool>,
    /// What each layer read, with what it was read from: leaves.
    inputs: Vec<Vec<(Source, Tensor)>>,
    outputs: Vec<Tensor>,
}

impl<'a> Way<'a> {
    fn new(network: &'a Network) -> Self {
        let mut learns = vec![false; network.arch().layers().len()];
        for position in network.trainable() {
            learns[network.weights().all()[position].layer] = true;
        }
        for (index, layer) in network.arch().layers().iter().enumerate() {
            let below = |source: &Source| matches!(source, Source::Layer(read) if learns[*read]);
            learns[index] |= layer.inputs.iter().any(below);
        }
        Self { network, learns, inputs: Vec::new(), outputs: Vec::new() }
    }

    /// Milliseconds of the next layer.
    fn forward(&mut self, index: usize, input: &Tensor) -> Result<f64> {
        let mut inputs: Vec<(Source, Tensor)> = Vec::new();
        for &source in &self.network.arch().layers()[index].inputs {
            if inputs.iter().any(|(there, _)| *there == source) {
                continue;
            }
            let leaf = match source {
                Source::Input => input.shallow_clone(),
                Source::Layer(read) => self.outputs[read].f_detach()?.f_set_requires_grad(self.learns[read])?,
            };
            inputs.push((source, leaf));
        }
        // Every layer counts as looked at: none writes over what it reads, and each does its own activation.
        let all = (0..self.network.arch().layers().len()).collect();
        let mut taps = Taps::new(all, |_, output| Ok(output));
        let begun = Instant::now();
        let output = self.network.run_layers(&[index], &inputs, &[index], Mode::Infer, &mut taps)?.swap_remove(0);
        let milliseconds = self.since(begun);
        self.inputs.push(inputs);
        self.outputs.push(output);
        Ok(milliseconds)
    }

    /// Milliseconds of each layer that takes part in the way back, from the last one down.
    fn backward(&mut self, labels: &Tensor) -> Result<Vec<(usize, f64)>> {
        let last = self.outputs.len() - 1;
        if !self.learns[last] {
            return Ok(Vec::new());
        }
        let logits = self.outputs[last].f_detach()?.f_set_requires_grad(true)?;
        let loss = loss::mean(&logits, labels, self.network.head())?;
        let mut gradients: Vec<Option<Tensor>> = self.outputs.iter().map(|_| None).collect();
        gradients[last] = Tensor::f_run_backward(&[&loss], &[&logits], false, false)?.pop();
        let weights = self.network.weights();
        let trainable = self.network.trainable();
        let mut times = Vec::new();
        for index in (0..=last).rev() {
            let Some(gradient) = gradients[index].take().filter(|_| self.outputs[index].requires_grad()) else {
                continue;
            };
            let leaves: Vec<&(Source, Tensor)> =
                self.inputs[index].iter().filter(|(_, leaf)| leaf.requires_grad()).collect();
            let own = trainable.iter().filter(|&&position| weights.all()[position].layer == index);
            let asked: Vec<&Tensor> =
                leaves.iter().map(|(_, leaf)| leaf).chain(own.map(|&position| self.network.used(position))).collect();
            let begun = Instant::now();
            let found = shim::gradients(&self.outputs[index], &gradient, &asked, false)?;
            times.push((index, self.since(begun)));
            for ((source, _), gradient) in leaves.iter().zip(found).filter(|(_, gradient)| gradient.defined()) {
                let Source::Layer(read) = *source else { continue };
                gradients[read] = Some(match gradients[read].take() {
                    None => gradient,
                    Some(sum) => sum.f_add(&gradient)?,
                });
            }
        }
        Ok(times)
    }

    /// Whether the layer ends in a `ReLU` that is computed: what it leaves at zero, learns nothing.
    fn is_rectified(&self, index: usize) -> bool {
        let layer = &self.network.arch().layers()[index];
        matches!(layer.op.activation(), Activation::Relu | Activation::Relu6)
    }

    fn since(&self, begun: Instant) -> f64 {
        if let Device::Cuda(card) = self.network.device() {
            // A card only takes orders; what they take, it has to be waited for.
            tch::Cuda::synchronize(card as i64);
        }
        begun.elapsed().as_secs_f64() * 1e3
    }
}

/// Figures of one output, still on the device: deviation, mean, and the share of dead units.
struct Reading {
    figures: Vec<Tensor>,
}

impl Reading {
    fn of(output: &Tensor, rectified: bool) -> Result<Self> {
        let _no_grad = tch::no_grad_guard();
        let output = output.f_detach()?.f_to_kind(Kind::Float)?;
        // Of a single value there is no unbiased deviation.
        let (deviation, mean) = output.f_std_mean(false)?;
        let mut figures = vec![deviation, mean];
        if rectified {
            let others: Vec<i64> = (0..output.dim() as i64).filter(|&axis| axis != 1).collect();
            figures.push(output.f_amax(others.as_slice(), false)?.f_le(0.0)?.f_to_kind(Kind::Float)?.f_mean(None)?);
        }
        Ok(Self { figures })
    }

    fn fill(self, probe: &mut LayerProbe) -> Result<()> {
        let figures: Vec<f64> =
            numbers(&Tensor::f_stack(&self.figures, 0)?)?.into_iter().map(|value| short(f64::from(value))).collect();
        (probe.deviation, probe.mean, probe.dead) = (figures[0], figures[1], figures.get(2).copied());
        Ok(())
    }
}
