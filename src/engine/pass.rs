//! One pass of a batch through the network, and back. On the processor the trunk runs in shards, each on one thread, and the head
//! on all pictures at once; elsewhere, or where there is no trunk, everything runs at once. Both give the same numbers up to the
//! order in which a weight's gradient is summed over the pictures.

use std::ops::Range;

use tch::{Kind, Tensor};

use super::error::Result;
use super::network::{Mode, Network, Taps};
use super::optimizer::Gradient;
use super::shards::Shards;
use super::shim;
use super::trunk::Cost;

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

impl Pass {
    /// `input` gives the pictures of a range, `[n, c, h, w]`; it is called from several threads.
    pub fn forward(
        network: &Network,
        shards: Option<&Shards>,
        pictures: usize,
        input: impl Fn(Range<usize>) -> Result<Tensor> + Sync,
        mode: Mode,
    ) -> Result<Self> {
        let trunk = shards.and_then(|shards| Some((shards, network.trunk_end(mode)?)));
        let Some((shards, end)) = trunk else {
            let logits = network.forward(&input(0..pictures)?, mode, &mut Taps::none())?;
            return Ok(Self { logits, cut: None });
        };
        let ranges = shards.of(pictures, Cost::of(network.arch(), end));
        let shared = Shared(network);
        let outputs = shards.map(ranges.clone(), |range| {
            // Whether gradients are recorded is each thread's own affair.
            let _no_grad = (mode == Mode::Infer).then(tch::no_grad_guard);
            shared.network().forward_part(0..end + 1, &input(range)?, mode, &mut Taps::none())
        })?;
        let together = if let [only] = &outputs[..] { only.shallow_clone() } else { Tensor::f_cat(&outputs, 0)? };
        let learns = outputs.iter().any(Tensor::requires_grad);
        let leaf = together.f_detach()?.f_set_requires_grad(learns)?;
        let logits = network.forward_part(end + 1..network.arch().layers().len(), &leaf, mode, &mut Taps::none())?;
        Ok(Self { logits, cut: Some(Cut { end, shards: ranges, outputs, leaf }) })
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

fn used<'a>(network: &'a Network, positions: &[usize]) -> Vec<&'a Tensor> {
    positions.iter().map(|&position| network.used(position)).collect()
}

/// Those that there are, 32-bit like the weights.
fn found(positions: &[usize], gradients: Vec<Tensor>) -> Result<Vec<Gradient>> {
    let there = positions.iter().copied().zip(gradients).filter(|(_, gradient)| gradient.defined());
    there.map(|(position, gradient)| Ok((position, gradient.f_to_kind(Kind::Float)?))).collect()
}
