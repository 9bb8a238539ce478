//! What the loop needs from whatever does the arithmetic. The engine implements it with libtorch; a fake drives the loop in tests.

use super::Tuning;
use crate::{
    command::Method,
    data::{Batch, FrozenPart, Pixels},
    error::Result,
    event::{LayerMeters, LayerProbe, NonFinite},
    plan::Phase,
    run::checkpoint::TensorData,
};

/// A network with its optimiser, stepped from one thread.
pub trait Stepper {
    /// Forward, backward and update on one batch. Where the loss or a gradient is no finite number, nothing is updated, and
    /// [`trouble`](Self::trouble) tells. Nothing has changed either after an error that is [out of
    /// memory](crate::error::Error::is_out_of_memory).
    fn step(&mut self, batch: &Batch, update: Update) -> Result<Score>;

    /// Why the last step updated nothing, once.
    fn trouble(&mut self) -> Option<Trouble> {
        None
    }

    /// From here on a step takes at most so many pictures at once, and adds up the gradients of a batch's parts: the same update up to
    /// rounding, but for batch normalisation, which sees each part alone, and for dropout's masks. `None`: the whole batch.
    fn set_micro_batch(&mut self, pictures: Option<usize>);

    /// Forward in inference mode, nothing updated.
    fn evaluate(&mut self, batch: &Batch) -> Result<Evaluated>;

    /// Takes the phase's update rule and rates. What the optimiser has gathered stays where the rule is of the same kind, and
    /// is forgotten where it is not. What trains is [`set_frozen`](Self::set_frozen)'s.
    fn begin_phase(&mut self, phase: &Phase) -> Result<()>;

    /// Replaces the set of frozen layers. Names are known to have parameters.
    fn set_frozen(&mut self, frozen: &[String]) -> Result<()>;

    /// Takes what people have changed of the phase: rates of layers, dropout, weight decay. The rest of it is the trainer's. Call it behind
    /// [`begin_phase`](Self::begin_phase).
    fn tune(&mut self, tuning: &Tuning) -> Result<()>;

    /// The part below the frost line whose outputs are worth keeping, as long as the mask and the weights below stay as they are. A
    /// batch then holds them in place of pictures. `training`: for steps, in which dropout drops; otherwise for evaluation.
    fn frozen_part(&mut self, training: bool) -> Result<Option<FrozenPart>> {
        let _ = training;
        Ok(None)
    }

    /// Takes the present weights as the reference for [`LayerMeters::weight_change`].
    fn begin_epoch(&mut self) -> Result<()>;

    /// One entry for each layer with parameters, in order. Gradients are those of the last step.
    fn meters(&mut self) -> Result<Vec<LayerMeters>>;

    /// Remembers the weights, so that the next [`probe`](Self::probe) can tell how far the one step between them went.
    fn brace(&mut self) -> Result<()> {
        Ok(())
    }

    /// How every layer fares with a few pictures, in inference mode; one entry a layer, in order. Nothing of the run changes by it: it
    /// goes on bit by bit as it would have without.
    fn probe(&mut self, pictures: &[Pixels], labels: &[i64], histograms: Histograms<'_>) -> Result<Vec<LayerProbe>>;

    /// Everything that a checkpoint must hold to go on bit by bit: weights, statistics, optimiser slots.
    fn save(&self) -> Result<Vec<SavedTensor>>;

    /// The reverse of [`save`](Self::save). Missing, unexpected and mis-shaped tensors are errors that name them.
    fn restore(&mut self, tensors: &[SavedTensor]) -> Result<()>;

    /// How the network sees one picture: probabilities, activations of a layer, and what speaks for a class. A method of many passes asks
    /// `go_on` after some of them, with how many of how many are done, and gives no heat when told to stop.
    fn explain(
        &mut self,
        picture: &Pixels,
        question: Question<'_>,
        go_on: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Explanation>;

    /// One step uphill for each of the first filters of `layer`, from noise where nothing is painted yet. What cannot be painted comes
    /// back as a reason for the person who asked.
    fn climb(&mut self, layer: &str, painting: &mut Painting) -> Result<Option<String>>;
}

/// What is asked of [`Stepper::explain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// With a feature map.
    pub layer: &'a str,
    pub method: Method,
    /// The class to explain; the predicted one where it is `None` or there is no such class.
    pub class: Option<u32>,
}

/// Of which layers a probe takes histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Histograms<'a> {
    Of(Option<&'a str>),
    All,
}

impl Histograms<'_> {
    pub fn wants(self, layer: &str) -> bool {
        match self {
            Self::Of(one) => one == Some(layer),
            Self::All => true,
        }
    }
}

/// Pictures that filters like, on their way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Painting {
    pub filters: usize,
    /// Of each picture; settled with the first step.
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// Grey levels `[filters, c, h, w]`; empty before the first step.
    pub levels: Vec<f32>,
    /// To be looked at, `[filters, h, w, c]`.
    pub bytes: Vec<u8>,
    /// Steps.
    pub done: u32,
}

/// A step whose numbers are not finite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub what: NonFinite,
    /// Where it began, and what else has it, in the order in which it spread.
    pub layers: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// Steps done before this one; seeds dropout.
    pub step: u64,
    /// Before what the phase and people give single layers of their own.
    pub learning_rate: f64,
}

/// Sums over the images of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    pub images: u64,
    pub loss_sum: f64,
    pub correct: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluated {
    pub score: Score,
    /// The predicted class of each image.
    pub predictions: Vec<u32>,
    /// The cross-entropy of each image, in nats.
    pub losses: Vec<f32>,
    /// One number a class for each image, row-major.
    pub probabilities: Vec<f32>,
}

/// A named tensor as a checkpoint stores it: `conv2d_1/kernel`, `optimizer/conv2d_1/kernel/velocity`.
pub type SavedTensor = (String, TensorData);

#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// One a class.
    pub probabilities: Vec<f32>,
    /// `[c, h, w]` of the layer's output.
    pub activations: Planes,
    /// `[1, h, w]`, scaled to 0–1; all zero when nothing spoke for the class. `None` when told to stop before it was found.
    pub heat: Option<Planes>,
    /// The class that `heat` explains.
    pub class: u32,
}

/// Float planes, row-major `[c, h, w]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Planes {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub values: Vec<f32>,
}
