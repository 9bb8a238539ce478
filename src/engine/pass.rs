//! One pass of a batch through the network, and back. On the processor the trunk runs in shards, each on one thread, and the head
//! on all pictures at once; elsewhere, or where there is no trunk, everything runs at once. Both give the same numbers up to the
//! order in which a weight's gradient is summed over the pictures. A part whose outputs are known is left out.

use std::ops::Range;

use tch::{Kind, Tensor};

use super::error::Result;
use super::network::{Mode, Network, Taps};
use super::optimizer::Gradient;
use super::prefix::Prefix;
use super::shards::Shards;
use super::shim;
use super::trunk::Cost;
use frostline::arch::Source;

pub struct Pass {
    /// `[n, classes]`, or `[n, 1]` for a binary head.
    pub logits: Tensor,
    cut: Option<Cut>,
}

/// Between the trunk and the head.
struct Cut {
    /// The trunk's last layer.
    end: usize,
    shards: Vec<Range<usize>>,
    /// Each shard's output, with the graph that leads back from it.
    outputs: Vec<Tensor>,
    /// All of them, as the head sees them.
    leaf: Tensor,
}

/// A part of the network that a pass does not compute, and what it gave.
pub struct Below<'a> {
    pub prefix: &'a Prefix,
    /// One a crossing layer, `[n, …]`.
    pub outputs: Vec<Tensor>,
}

impl Below<'_> {
    /// The outputs for some pictures of the batch.
    fn narrow(&self, range: &Range<usize>) -> Result<Vec<(Source, Tensor)>> {
        let (first, count) = (range.start as i64, range.len() as i64);
        let pairs = self.prefix.crossing().iter().zip(&self.outputs);
        pairs.map(|(&layer, output)| Ok((Source::Layer(layer), output.f_narrow(0, first, count)?))).collect()
    }
}

impl Pass {
    /// `input` gives the pictures of a range, `[n, c, h, w]`; it is called from several threads.
    pub fn forward(
        network: &Network,
        shards: Option<&Shards>,
        pictures: usize,
        input: impl Fn(Range<usize>) -> Result<Tensor> + Sync,
        mode: Mode,
    ) -> Result<Self> {
        Self::above(network, shards, pictures, None, input, mode)
    }

    /// [`forward`](Self::forward) from what lies `below`. The shards are those of the whole trunk all the same: the gradients are
    /// summed in the same order then.
    pub fn above(
        network: &Network,
        shards: Option<&Shards>,
        pictures: usize,
        below: Option<&Below<'_>>,
        input: impl Fn(Range<usize>) -> Result<Tensor> + Sync,
        mode: Mode,
    ) -> Result<Self> {
        let count = network.arch().layers().len();
        let is_below = |layer: usize| below.is_some_and(|below| below.prefix.is_below(layer));
        let to_run = |part: Range<usize>| part.filter(|&layer| !is_below(layer)).collect::<Vec<_>>();
        let given = |range: &Range<usize>| below.map_or_else(|| Ok(Vec::new()), |below| below.narrow(range));
        let needs_pictures = below.is_none_or(|below| below.prefix.needs_pictures());
        let trunk = shards.and_then(|shards| Some((shards, network.trunk_end(mode)?)));
        let Some((shards, end)) = trunk.filter(|&(_, end)| !is_below(end)) else {
            let mut given = given(&(0..pictures))?;
            if needs_pictures {
                given.push((Source::Input, input(0..pictures)?));
            }
            let logits = run(network, &to_run(0..count), &given, count - 1, mode)?;
            return Ok(Self { logits, cut: None });
        };
        let ranges = shards.of(pictures, Cost::of(network.arch(), 0..=end));
        let with_given = |range: &Range<usize>| Ok((range.clone(), given(range)?));
        let items = ranges.iter().map(with_given).collect::<Result<Vec<_>>>()?;
        let layers = to_run(0..end + 1);
        let shared = Shared(network);
        let outputs = shards.map(items, |(range, mut given)| {
            // Whether gradients are recorded is each thread's own affair.
            let _no_grad = (mode == Mode::Infer).then(tch::no_grad_guard);
            if needs_pictures {
                given.push((Source::Input, input(range)?));
            }
            run(shared.network(), &layers, &given, end, mode)
        })?;
        let together = joined(&outputs)?;
        let learns = outputs.iter().any(Tensor::requires_grad);
        let leaf = together.f_detach()?.f_set_requires_grad(learns)?;
        let logits = network.forward_part(end + 1..count, &leaf, mode, &mut Taps::none())?;
        Ok(Self { logits, cut: Some(Cut { end, shards: ranges, outputs, leaf }) })
    }

    /// What the layers below a cut give for some pictures: one tensor a crossing layer, without the graph that leads back.
    pub fn below(
        network: &Network,
        shards: Option<&Shards>,
        pictures: usize,
        prefix: &Prefix,
        input: impl Fn(Range<usize>) -> Result<Tensor> + Sync,
        mode: Mode,
    ) -> Result<Vec<Tensor>> {
        let layers = prefix.layers();
        let shared = Shared(network);
        let compute = |range| {
            let _no_grad = tch::no_grad_guard();
            let given = [(Source::Input, input(range)?)];
            shared.network().run_layers(&layers, &given, prefix.crossing(), mode, &mut Taps::none())
        };
        let Some(shards) = shards else { return compute(0..pictures) };
        let ranges = shards.of(pictures, Cost::of(network.arch(), layers.iter().copied()));
        let mut of_shards = shards.map(ranges, compute)?;
        let _no_grad = tch::no_grad_guard();
        let of_layer = |_| joined(&of_shards.iter_mut().map(|outputs| outputs.remove(0)).collect::<Vec<_>>());
        (0..prefix.crossing().len()).map(of_layer).collect()
    }

    /// The gradients of `loss`, a scalar made of the logits, by what the network learns; nothing where all is frozen.
    pub fn backward(self, network: &Network, shards: Option<&Shards>, loss: &Tensor) -> Result<Vec<Gradient>> {
        // libtorch follows a null pointer where a root has no gradient.
        if !loss.requires_grad() {
            return Ok(Vec::new());
        }
        let trainable = network.trainable();
        let (Some(cut), Some(shards)) = (self.cut, shards) else {
            return found(&trainable, Tensor::f_run_backward(&[loss], &used(network, &trainable), false, false)?);
        };
        let weights = network.weights();
        let (below, above): (Vec<usize>, Vec<usize>) =
            trainable.into_iter().partition(|&index| weights.all()[index].layer <= cut.end);
        if !cut.leaf.requires_grad() {
            return found(&above, Tensor::f_run_backward(&[loss], &used(network, &above), false, false)?);
        }
        let mut inputs = used(network, &above);
        inputs.push(&cut.leaf);
        let mut head = Tensor::f_run_backward(&[loss], &inputs, false, false)?;
        let at_leaf = head.pop().expect("a gradient for each input");
        let mut gradients = cut.through_trunk(network, shards, &below, &at_leaf)?;
        gradients.extend(found(&above, head)?);
        Ok(gradients)
    }
}

impl Cut {
    /// From the gradient at the leaf to those of the trunk's weights, shard by shard.
    fn through_trunk(
        self,
        network: &Network,
        shards: &Shards,
        weights: &[usize],
        at_leaf: &Tensor,
    ) -> Result<Vec<Gradient>> {
        let mut pieces = Vec::with_capacity(self.outputs.len());
        for (range, output) in self.shards.into_iter().zip(self.outputs) {
            pieces.push((output, at_leaf.f_narrow(0, range.start as i64, range.len() as i64)?));
        }
        let shared = Shared(network);
        let of_shards = shards.map(pieces, |(output, gradient)| {
            let gradients = shim::gradients(&output, &gradient, &used(shared.network(), weights), false)?;
            // Before they are summed up.
            let wide =
                |gradient: Tensor| if gradient.defined() { Ok(gradient.f_to_kind(Kind::Float)?) } else { Ok(gradient) };
            gradients.into_iter().map(wide).collect::<Result<Vec<_>>>()
        })?;
        let mut of_shards = of_shards.into_iter();
        let mut sums = of_shards.next().unwrap_or_default();
        for more in of_shards {
            for (sum, more) in sums.iter_mut().zip(more).filter(|(sum, _)| sum.defined()) {
                let _ = sum.f_add_(&more)?;
            }
        }
        found(weights, sums)
    }
}

/// A network that several threads read.
pub(super) struct Shared<'a>(pub(super) &'a Network);

// SAFETY: while a pass runs nobody writes to the network, and libtorch lets any number of threads read a tensor and record
// operations on it: what it changes in a tensor for that (its node in the graph, its reference count) it guards itself.
unsafe impl Sync for Shared<'_> {}
// SAFETY: as above; what is sent is a reference.
unsafe impl Send for Shared<'_> {}

impl Shared<'_> {
    pub(super) fn network(&self) -> &Network {
        self.0
    }
}

/// The output of the layer `wanted`.
fn run(network: &Network, layers: &[usize], given: &[(Source, Tensor)], wanted: usize, mode: Mode) -> Result<Tensor> {
    Ok(network.run_layers(layers, given, &[wanted], mode, &mut Taps::none())?.swap_remove(0))
}

fn joined(outputs: &[Tensor]) -> Result<Tensor> {
    Ok(if let [only] = outputs { only.shallow_clone() } else { Tensor::f_cat(outputs, 0)? })
}

fn used<'a>(network: &'a Network, positions: &[usize]) -> Vec<&'a Tensor> {
    positions.iter().map(|&position| network.used(position)).collect()
}

/// Those that there are, 32-bit like the weights.
fn found(positions: &[usize], gradients: Vec<Tensor>) -> Result<Vec<Gradient>> {
    let there = positions.iter().copied().zip(gradients).filter(|(_, gradient)| gradient.defined());
    there.map(|(position, gradient)| Ok((position, gradient.f_to_kind(Kind::Float)?))).collect()
}
