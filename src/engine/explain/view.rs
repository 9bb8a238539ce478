//! A network cut in two at one layer, with pictures in it. What lies below ran once and left no graph; what lies above runs again for
//! whatever is put in the layer's place, and a backward pass through it stops there. Runs in inference mode: weights, their
//! gradients, statistics and random numbers stay as they are.

use std::ops::Range;

use tch::{Kind, Tensor};

use crate::error::{EngineError, Result};
use crate::network::{Mode, Network, Taps};
use crate::{loss, trunk};
use frostline::arch::{Arch, Op, Shape, Source};
use frostline::plan::Head;

pub struct View<'a> {
    pub network: &'a Network,
    /// The pictures as what learns gets them: behind the scaling that the network begins with. Pixels are explained here.
    pub input: Tensor,
    /// Layers of that scaling.
    first: usize,
    pub layer: usize,
    /// The last layer, up to the one looked at, through which alone everything behind it sees the picture; none: the input.
    bridge: Option<usize>,
    /// What comes over it.
    entry: Tensor,
    /// The layer's output, `[n, c, h, w]`, where the graph begins.
    activations: Tensor,
    /// `[n, classes]`, or `[n, 1]` for a binary head.
    logits: Tensor,
}

/// The layer's position, if its output is a feature map.
pub fn target(network: &Network, layer: &str) -> Result<usize> {
    let unknown = || EngineError::UnknownLayer { layer: layer.to_owned() };
    let position = network.arch().position(layer).ok_or_else(unknown)?;
    match network.arch().layers()[position].output {
        Shape::Map { .. } => Ok(position),
        output @ Shape::Vector(_) => Err(EngineError::NotAMap { layer: layer.to_owned(), output }),
    }
}

/// Layers at the beginning that only scale.
pub fn scaling(arch: &Arch) -> usize {
    let scales = |index: &usize| {
        let layer = &arch.layers()[*index];
        let before = index.checked_sub(1).map_or(Source::Input, Source::Layer);
        matches!(layer.op, Op::Rescaling { .. } | Op::Preprocessing(_))
            && layer.inputs == [before]
            && trunk::is_bridge(arch, *index)
    };
    (0..arch.layers().len()).take_while(scales).count()
}

impl<'a> View<'a> {
    /// `pictures` are `[n, c, h, w]`, as the network takes them; `layer` has a feature map.
    pub fn new(network: &'a Network, pictures: &Tensor, layer: usize) -> Result<Self> {
        let arch = network.arch();
        let first = scaling(arch).min(layer);
        let bridge = (first..=layer).rev().find(|&end| trunk::is_bridge(arch, end)).or(first.checked_sub(1));
        let (input, entry, activations) = {
            let _no_grad = tch::no_grad_guard();
            let input = run(network, 0..first, pictures)?;
            let over = bridge.map_or(0, |end| end + 1);
            let entry = run(network, first..over, &input)?;
            let activations = run(network, over..layer + 1, &entry)?;
            (input, entry, activations.f_detach()?.f_set_requires_grad(true)?)
        };
        let mut view =
            Self { network, input, first, layer, bridge, entry, logits: activations.shallow_clone(), activations };
        view.logits = view.logits_of(&view.activations, &view.entry)?;
        Ok(view)
    }

    /// `[n, c, h, w]`, 32-bit.
    pub fn activations(&self) -> Result<Tensor> {
        Ok(self.activations.f_detach()?.f_to_kind(Kind::Float)?)
    }

    /// One column a class, `[n, classes]`.
    pub fn probabilities(&self) -> Result<Tensor> {
        loss::probabilities(&self.logits.f_detach()?, self.network.head())
    }

    /// The class that each picture is given, `[n]` of i64.
    pub fn predicted(&self) -> Result<Tensor> {
        loss::predictions(&self.logits.f_detach()?, self.network.head())
    }

    /// [`scores`] of the pictures as they are, without a graph.
    pub fn scores(&self, classes: &Tensor) -> Result<Tensor> {
        scores(&self.logits.f_detach()?, self.network.head(), classes)
    }

    /// Of each picture's score for its class (`classes` `[n]`, i64) by the layer's output, `[n, c, h, w]`, 32-bit.
    pub fn gradient(&self, classes: &Tensor) -> Result<Tensor> {
        // Pictures do not see each other in inference, so one sum holds a gradient for each.
        let score = scores(&self.logits, self.network.head(), classes)?.f_sum(Kind::Float)?;
        gradient(&score, &self.activations)
    }

    /// What one picture scores for `class` when the layer puts out each of `activations` `[m, c, h, w]` in its place, `[m]`.
    pub fn scores_with(&self, picture: usize, activations: &Tensor, class: &Tensor) -> Result<Tensor> {
        let count = activations.size()[0];
        let entry = self.entry.f_narrow(0, picture as i64, 1)?;
        let logits = self.logits_of(activations, &entry.f_expand([count, -1, -1, -1], false)?)?;
        scores(&logits, self.network.head(), &class.f_expand([count], false)?)
    }

    /// What pictures like [`input`](Self::input), `[m, c, h, w]`, score for their classes, `[m]`.
    pub fn scores_of(&self, inputs: &Tensor, classes: &Tensor) -> Result<Tensor> {
        let logits = self.forward(inputs, Vec::new(), |_, output| Ok(output))?;
        scores(&logits, self.network.head(), classes)
    }

    /// From pictures like [`input`](Self::input) to logits, `visit` in the place of the layers `wanted`.
    pub fn forward(
        &self,
        inputs: &Tensor,
        mut wanted: Vec<usize>,
        visit: impl FnMut(usize, Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        // So that nothing writes over the pictures.
        wanted.extend(self.first.checked_sub(1));
        let mut taps = Taps::new(wanted, visit);
        self.network.forward_part(self.first..self.network.arch().layers().len(), inputs, Mode::Infer, &mut taps)
    }

    /// Layers that learn or compute, behind the scaling.
    pub fn layers(&self) -> Range<usize> {
        self.first..self.network.arch().layers().len()
    }

    fn logits_of(&self, activations: &Tensor, entry: &Tensor) -> Result<Tensor> {
        let last = self.network.arch().layers().len();
        // Listed, so that nothing writes over the layer's output and no activation of it is put off.
        let mut taps = Taps::new(vec![self.layer], |_, _| Ok(activations.shallow_clone()));
        if self.bridge == Some(self.layer) {
            return self.network.forward_part(self.layer + 1..last, activations, Mode::Infer, &mut taps);
        }
        self.network.forward_part(self.bridge.map_or(0, |end| end + 1)..last, entry, Mode::Infer, &mut taps)
    }
}

/// Some layers in inference; the last one's own output comes back, whatever reads it.
pub fn run(network: &Network, part: Range<usize>, input: &Tensor) -> Result<Tensor> {
    if part.is_empty() {
        return Ok(input.shallow_clone());
    }
    let mut taps = Taps::new(vec![part.end - 1], |_, output| Ok(output));
    network.forward_part(part, input, Mode::Infer, &mut taps)
}

/// What speaks for a class, before the sigmoid or softmax, which hides it when it is sure: `[n]` for `classes` `[n]`, i64. Of a single
/// logit, what speaks against it speaks for the first class.
pub fn scores(logits: &Tensor, head: Head, classes: &Tensor) -> Result<Tensor> {
    Ok(match head {
        Head::Binary => {
            let sign = classes.f_mul_scalar(2)?.f_sub_scalar(1)?.f_to_kind(Kind::Float)?;
            logits.f_squeeze_dim(1)?.f_mul(&sign)?
        }
        Head::Categorical { .. } => logits.f_gather(1, &classes.f_unsqueeze(1)?, false)?.f_squeeze_dim(1)?,
    })
}

/// Of a scalar by a leaf, 32-bit. The graph is kept.
pub fn gradient(score: &Tensor, leaf: &Tensor) -> Result<Tensor> {
    // libtorch follows a null pointer where a root has no gradient.
    if !score.requires_grad() {
        return Ok(leaf.f_detach()?.f_zeros_like()?.f_to_kind(Kind::Float)?);
    }
    Ok(Tensor::f_run_backward(&[score], &[leaf], true, false)?.swap_remove(0).f_to_kind(Kind::Float)?)
}
