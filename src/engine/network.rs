//! Runs an [`Arch`]: one interpreter over the graph for every model. It gives logits; the last sigmoid or softmax belongs to the loss.
//! Tensors are dropped when nobody reads them any more, and `ReLU`s move behind a max-pool or into place where that changes no number.

use std::ops::Range;

use rand_chacha::rand_core::RngCore;
use tch::{Device, Kind, Tensor};

use super::batch_norm::{self, Statistics};
use super::error::{EngineError, Result};
use super::layers::{self, Border};
use super::shim;
use super::trunk;
use super::weights::{Weight, Weights};
use super::winograd::{self, Prepared};
use frostline::arch::{Activation, Arch, Layer, Op, Source};
use frostline::data::random::{self, Purpose};
use frostline::plan::{Head, ends_in_probabilities};

pub struct Network {
    arch: Arch,
    head: Head,
    weights: Weights,
    /// What kernels are multiplied in.
    compute: Kind,
    /// Copies of kernels and their biases in `compute`, one a weight, where that is not the weights' own kind.
    casts: Vec<Option<Tensor>>,
    /// One a layer: the padding of a convolution that goes Winograd's way, and its kernel once it was asked for.
    prepared: Vec<Option<(usize, Option<Prepared>)>>,
    frozen: Vec<bool>,
    /// The layers that read each layer.
    readers: Vec<Vec<usize>>,
    /// Its last activation is left out.
    ends_in_probabilities: bool,
    device: Device,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dropout drops, by a mask that the run's seed, the step and the layer decide; batch normalisation uses and gathers the
    /// batch's statistics, frozen ones excepted.
    Train {
        seed: u64,
        step: u64,
    },
    Infer,
}

/// What looks at layers' outputs on their way: after the activation, never changed afterwards.
pub struct Taps<'a> {
    wanted: Vec<usize>,
    /// May put another tensor in the place of the layer's output.
    visit: Box<dyn FnMut(usize, Tensor) -> Result<Tensor> + 'a>,
}

impl<'a> Taps<'a> {
    pub fn none() -> Self {
        Self { wanted: Vec::new(), visit: Box::new(|_, output| Ok(output)) }
    }

    /// `visit` gets the layer's position and its output, and says what the readers get.
    pub fn new(wanted: Vec<usize>, visit: impl FnMut(usize, Tensor) -> Result<Tensor> + 'a) -> Self {
        Self { wanted, visit: Box::new(visit) }
    }

    fn wants(&self, layer: usize) -> bool {
        self.wanted.contains(&layer)
    }
}

impl Network {
    /// Every layer trainable; weights from `seed`. Kernels are multiplied in `compute`, and all else is 32-bit.
    pub fn new(arch: &Arch, seed: u64, device: Device, compute: Kind) -> Result<Self> {
        let output = arch.output();
        let head =
            Head::of(arch).ok_or_else(|| EngineError::Head { layer: output.name.clone(), output: output.output })?;
        let mut readers = vec![Vec::new(); arch.layers().len()];
        for (reader, layer) in arch.layers().iter().enumerate() {
            for source in &layer.inputs {
                if let Source::Layer(read) = *source {
                    readers[read].push(reader);
                }
            }
        }
        let weights = Weights::new(arch, seed, device)?;
        let prepared = arch.layers().iter().enumerate().map(|(index, layer)| {
            let padding = winograd::padding(layer, arch.input_shapes(index)[0], device, compute)?;
            Some((padding, None))
        });
        Ok(Self {
            head,
            compute,
            prepared: prepared.collect(),
            casts: weights.all().iter().map(|_| None).collect(),
            weights,
            frozen: vec![false; arch.layers().len()],
            readers,
            ends_in_probabilities: ends_in_probabilities(arch),
            device,
            arch: arch.clone(),
        })
    }

    pub fn arch(&self) -> &Arch {
        &self.arch
    }

    /// In passes from now on.
    pub fn set_dropout(&mut self, layer: usize, share: f64) {
        self.arch.set_dropout(layer, share);
    }

    pub fn head(&self) -> Head {
        self.head
    }

    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    pub fn device(&self) -> Device {
        self.device
    }

    /// What kernels are multiplied in.
    pub fn compute(&self) -> Kind {
        self.compute
    }

    pub fn is_frozen(&self, layer: usize) -> bool {
        self.frozen[layer]
    }

    /// Positions in [`Weights::all`] of what a step changes.
    pub fn trainable(&self) -> Vec<usize> {
        let moves = |weight: &Weight| weight.learned && !self.frozen[weight.layer];
        self.weights.all().iter().enumerate().filter(|(_, weight)| moves(weight)).map(|(index, _)| index).collect()
    }

    /// Makes anew what passes use in place of weights that have changed: copies, where kernels are multiplied in another kind than they
    /// have, and kernels that are made ready for a faster convolution. Call it before a pass; `trains` where gradients are to follow.
    pub fn refresh(&mut self, trains: bool) -> Result<()> {
        let lowest = self.trainable().first().map_or(usize::MAX, |&index| self.weights.all()[index].layer);
        for (layer, prepared) in self.prepared.iter_mut().enumerate() {
            if let Some((_, prepared)) = prepared {
                let back = trains.then_some(layer > lowest);
                *prepared = Some(Prepared::renewed(prepared.take(), &self.weights.of_layer(layer)[0], back)?);
            }
        }
        if self.compute == Kind::Float {
            return Ok(());
        }
        for (weight, cast) in self.weights.all().iter().zip(&mut self.casts) {
            if self.arch.layers()[weight.layer].op.has_kernel() {
                let copy = weight.tensor.f_detach()?.f_to_kind(self.compute)?;
                *cast = Some(copy.f_set_requires_grad(weight.tensor.requires_grad())?);
            }
        }
        Ok(())
    }

    /// What a pass multiplies with, and so what a gradient is by: a position in [`Weights::all`].
    pub fn used(&self, position: usize) -> &Tensor {
        self.casts[position].as_ref().unwrap_or(&self.weights.all()[position].tensor)
    }

    /// A frozen layer's parameters ask for no gradient, and autograd records nothing below the lowest trainable layer.
    pub fn set_frozen(&mut self, layer: usize, frozen: bool) -> Result<()> {
        for weight in self.weights.of_layer(layer).iter().filter(|weight| weight.learned) {
            let _ = weight.tensor.f_set_requires_grad(!frozen)?;
        }
        self.frozen[layer] = frozen;
        Ok(())
    }

    /// The last layer of the part that treats every picture by itself, [`trunk::end`].
    pub fn trunk_end(&self, mode: Mode) -> Option<usize> {
        let trains = mode != Mode::Infer;
        trunk::end(&self.arch, |layer| trains && !self.frozen[layer], trains)
    }

    /// From pictures `[n, c, h, w]`, f32, to logits `[n, classes]`, or `[n, 1]` for a binary head.
    pub fn forward(&self, input: &Tensor, mode: Mode, taps: &mut Taps<'_>) -> Result<Tensor> {
        self.forward_part(0..self.arch.layers().len(), input, mode, taps)
    }

    /// Some layers alone. `input` is what the one before the first of them gave, or the pictures; the last one's output comes back.
    /// Nothing behind the first may read anything further ahead.
    pub fn forward_part(&self, part: Range<usize>, input: &Tensor, mode: Mode, taps: &mut Taps<'_>) -> Result<Tensor> {
        let before = part.start.checked_sub(1).map_or(Source::Input, Source::Layer);
        let last = part.end.checked_sub(1).expect("a network has at least one layer");
        let layers: Vec<usize> = part.collect();
        Ok(self.run_layers(&layers, &[(before, input.shallow_clone())], &[last], mode, taps)?.swap_remove(0))
    }

    /// Runs `layers`, in this order, from what `given` holds: the pictures, and outputs of layers that are not run. The outputs of
    /// `wanted` come back, each of which is run or given; logits are 32-bit.
    pub fn run_layers(
        &self,
        layers: &[usize],
        given: &[(Source, Tensor)],
        wanted: &[usize],
        mode: Mode,
        taps: &mut Taps<'_>,
    ) -> Result<Vec<Tensor>> {
        let mut values = Values::new(self.arch.layers().len());
        for (source, tensor) in given {
            values.give(*source, tensor.shallow_clone());
        }
        let read = layers.iter().flat_map(|&index| &self.arch.layers()[index].inputs);
        for source in read.copied().chain(wanted.iter().map(|&index| Source::Layer(index))) {
            values.announce(source);
        }
        for &index in layers {
            let layer = &self.arch.layers()[index];
            let inputs: Vec<Tensor> = layer.inputs.iter().map(|&source| values.take(source)).collect();
            let output = self.run(index, layer, inputs, mode, taps)?;
            let output = if taps.wants(index) { (taps.visit)(index, output)? } else { output };
            values.give(Source::Layer(index), output);
        }
        let logits = self.arch.layers().len() - 1;
        let mut take = |index: usize| -> Result<Tensor> {
            let value = values.take(Source::Layer(index));
            Ok(if index == logits { value.f_to_kind(Kind::Float)? } else { value })
        };
        wanted.iter().map(|&index| take(index)).collect()
    }

    fn run(&self, index: usize, layer: &Layer, mut inputs: Vec<Tensor>, mode: Mode, taps: &Taps<'_>) -> Result<Tensor> {
        let parameter = |name| self.parameter(index, name);
        let needed = |name| parameter(name).expect("arch lists the parameters of every kind of layer");
        let owned = self.may_overwrite_input(index, taps);
        let x = &if layer.op.has_kernel() { inputs[0].f_to_kind(self.compute)? } else { inputs[0].shallow_clone() };
        let output = match layer.op {
            Op::Conv2d { window, groups, activation, .. } => match &self.prepared[index] {
                Some((padding, Some(prepared))) => {
                    let relu = activation == Activation::Relu && !self.pool_first(index, taps);
                    let output = prepared.convolve(x, needed("kernel"), parameter("bias"), *padding, relu)?;
                    if relu {
                        return Ok(output);
                    }
                    output
                }
                _ => layers::convolve(x, needed("kernel"), parameter("bias"), window, groups)?,
            },
            Op::DepthwiseConv2d { window, .. } => {
                layers::convolve(x, needed("kernel"), parameter("bias"), window, channels(x))?
            }
            Op::SeparableConv2d { window, .. } => {
                let spread = layers::convolve(x, needed("depthwise_kernel"), None, window, channels(x))?;
                layers::convolve(&spread, needed("pointwise_kernel"), parameter("bias"), POINT, 1)?
            }
            Op::Dense { .. } => shim::dense(x, needed("kernel"), parameter("bias"))?,
            Op::BatchNorm { momentum, epsilon, .. } => {
                let statistics = Statistics {
                    gamma: parameter("gamma"),
                    beta: parameter("beta"),
                    moving_mean: needed("moving_mean"),
                    moving_variance: needed("moving_variance"),
                };
                if mode == Mode::Infer || self.frozen[index] {
                    batch_norm::infer(x, statistics, epsilon)?
                } else {
                    batch_norm::train(x, statistics, momentum, epsilon)?
                }
            }
            Op::MaxPool2d { window } => {
                let relu = matches!(layer.inputs[0], Source::Layer(read) if self.pool_first(read, taps));
                layers::max_pool(x, window, relu)?
            }
            Op::AveragePool2d { window } => layers::average_pool(x, window)?,
            Op::GlobalMaxPool2d => layers::global_max_pool(x)?,
            Op::GlobalAveragePool2d => layers::global_average_pool(x)?,
            Op::Flatten => layers::flatten(x)?,
            Op::Dropout { rate } => match mode {
                Mode::Train { seed, step } if rate > 0.0 => {
                    let seed = random::stream(seed, Purpose::Dropout, step, index as u64).next_u64();
                    shim::dropout(x, rate, seed)?
                }
                _ => x.shallow_clone(),
            },
            Op::Add => {
                let mut sum = x.f_add(&inputs[1])?;
                for more in &inputs[2..] {
                    sum = sum.f_add_(more)?;
                }
                sum
            }
            Op::Concatenate => Tensor::f_cat(&inputs, 1)?,
            Op::ZeroPadding2d { top, bottom, left, right } => layers::pad(x, Border { top, bottom, left, right }, 0.0)?,
            Op::Rescaling { scale, offset } => layers::rescale(x, scale, offset)?,
            Op::Preprocessing(ref preprocessing) => {
                let fits = "arch has checked that the numbers fit the channels";
                layers::preprocess(x, &preprocessing.affine(channels(x)).expect(fits))?
            }
            Op::Activation(_) => inputs.swap_remove(0),
        };
        let activation = layer.op.activation();
        let is_last = index + 1 == self.arch.layers().len();
        if (is_last && self.ends_in_probabilities) || self.pool_first(index, taps) {
            Ok(output)
        } else if layer.op.has_kernel() || owned {
            layers::activate_in_place(output, activation)
        } else {
            layers::activate(output, activation)
        }
    }

    /// Whether the layer's `ReLU` waits until after the max-pool that alone reads it: max and `ReLU` commute, their gradients
    /// too, and the pool leaves a quarter of the work.
    fn pool_first(&self, layer: usize, taps: &Taps<'_>) -> bool {
        let [reader] = self.readers[layer][..] else { return false };
        let layers = self.arch.layers();
        layers[layer].op.activation() == Activation::Relu
            && matches!(layers[reader].op, Op::MaxPool2d { .. })
            && !taps.wants(layer)
    }

    /// Whether an activation layer may write over what it reads: it is the only reader, nobody else looks at it, and what made
    /// it keeps its inputs for the backward pass, not this output.
    fn may_overwrite_input(&self, layer: usize, taps: &Taps<'_>) -> bool {
        let layers = self.arch.layers();
        let (Op::Activation(_), Source::Layer(read)) = (&layers[layer].op, layers[layer].inputs[0]) else {
            return false;
        };
        let makes_its_own = match layers[read].op {
            Op::BatchNorm { .. } | Op::Add | Op::Concatenate => true,
            _ => layers[read].op.has_kernel() && layers[read].op.activation() == Activation::Linear,
        };
        makes_its_own && self.readers[read].len() == 1 && !taps.wants(read)
    }

    fn parameter(&self, layer: usize, name: &str) -> Option<&Tensor> {
        let parameters = &self.arch.layers()[layer].parameters;
        let position = parameters.iter().position(|parameter| parameter.name == name)?;
        Some(self.used(self.weights.positions(layer).start + position))
    }
}

/// A 1x1 convolution.
const POINT: frostline::arch::Window = frostline::arch::Window {
    size: [1, 1],
    strides: [1, 1],
    padding: frostline::arch::Padding::Valid,
    dilation: [1, 1],
};

/// The pictures and the layers' outputs on the way to their readers.
struct Values {
    pictures: Option<Tensor>,
    outputs: Vec<Option<Tensor>>,
    /// How often each output will be asked for still.
    unread: Vec<usize>,
}

impl Values {
    fn new(layers: usize) -> Self {
        Self { pictures: None, outputs: (0..layers).map(|_| None).collect(), unread: vec![0; layers] }
    }

    fn give(&mut self, source: Source, tensor: Tensor) {
        match source {
            Source::Input => self.pictures = Some(tensor),
            Source::Layer(index) => self.outputs[index] = Some(tensor),
        }
    }

    fn announce(&mut self, source: Source) {
        if let Source::Layer(index) = source {
            self.unread[index] += 1;
        }
    }

    /// A reader's handle on a value; the last reader gets the value itself.
    fn take(&mut self, source: Source) -> Tensor {
        let value = match source {
            Source::Input => self.pictures.as_ref().map(Tensor::shallow_clone),
            Source::Layer(index) => {
                self.unread[index] -= 1;
                let output = &mut self.outputs[index];
                if self.unread[index] == 0 { output.take() } else { output.as_ref().map(Tensor::shallow_clone) }
            }
        };
        value.expect("inputs stand before their readers, and readers are counted")
    }
}

fn channels(x: &Tensor) -> usize {
    x.size()[1] as usize
}
