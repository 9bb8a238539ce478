//! The [`Stepper`] over libtorch: a network, its optimiser and what is measured of them, on one thread.
//! Only fallible calls, and a panic inside is an error too: the loop then ends the run, and its last checkpoint is whole.

mod parts;

use std::any::Any;
use std::cell::OnceCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tch::{Device, Kind, Tensor};

use self::parts::Statistics;
use super::device;
use super::error::EngineError;
use super::explain;
use super::features::Part;
use super::freeze::Seals;
use super::input::{self, Preprocess};
use super::loss;
use super::meters::Meters;
use super::network::{Mode, Network, Taps};
use super::optimizer::{Gradient, Optimizer};
use super::pass::{Below, Pass};
use super::probe;
use super::saved;
use super::shards::Shards;
use super::shim;
use frostline::arch::{Arch, Layer, Op};
use frostline::data::{Batch, FrozenPart, Pixels};
use frostline::error::Result;
use frostline::event::{LayerMeters, LayerProbe};
use frostline::plan;
use frostline::trainer::{
    Evaluated, Explanation, Histograms, Painting, Question, SavedTensor, Score, Stepper, Trouble, Tuning, Update,
};
use frostline::weights::Pretrained;

pub struct TorchStepper {
    network: Network,
    optimizer: Optimizer,
    seals: Seals,
    /// The dropout layers and what they drop unless somebody says otherwise.
    dropout: Vec<(usize, f64)>,
    meters: Meters,
    /// Of the last step, and its rate.
    gradients: Vec<Gradient>,
    rate: Option<f64>,
    /// Why it updated nothing.
    trouble: Option<Trouble>,
    /// Most pictures at once in a step.
    micro_batch: Option<usize>,
    preprocess: Preprocess,
    seed: u64,
    /// Only a processor works in shards: a graphics card wants the whole batch.
    shards: Option<Shards>,
    /// The frozen part in steps and in evaluation, once it was asked for, until freezing or weights change.
    parts: [OnceCell<Option<Part>>; 2],
}

/// What the arithmetic is done on, and in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub device: Device,
    /// Of the products with kernels.
    pub compute: Kind,
}

impl TorchStepper {
    /// All layers trainable; weights and dropout are functions of `seed`. Call it on the thread that trains.
    pub fn new(arch: &Arch, rule: plan::Optimizer, seed: u64, target: Target, preprocess: Preprocess) -> Result<Self> {
        shielded(|| {
            shim::deterministic()?;
            let Target { device, compute } = target;
            let network = Network::new(arch, seed, device, compute)?;
            Ok(Self {
                optimizer: Optimizer::new(rule, network.weights()),
                seals: Seals::none(&network),
                dropout: arch
                    .layers()
                    .iter()
                    .enumerate()
                    .filter_map(|(index, layer)| match layer.op {
                        Op::Dropout { rate } => Some((index, rate)),
                        _ => None,
                    })
                    .collect(),
                meters: Meters::new(&network)?,
                gradients: Vec::new(),
                rate: None,
                trouble: None,
                micro_batch: None,
                shards: (device == Device::Cpu).then(|| Shards::new(device::threads() as usize)),
                parts: Default::default(),
                preprocess,
                seed,
                network,
            })
        })
    }

    pub fn arch(&self) -> &Arch {
        self.network.arch()
    }

    /// The network as it is now, for whoever looks into it, what makes its input of bytes, and how its work is shared out.
    pub fn looked_at(&mut self) -> Result<(&Network, Preprocess, Option<&Shards>)> {
        self.network.refresh(true)?;
        Ok((&self.network, self.preprocess, self.shards.as_ref()))
    }

    #[cfg(test)]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Takes over weights that were trained elsewhere. Call it before the first step.
    pub fn load(&mut self, pretrained: &Pretrained) -> Result<()> {
        for values in pretrained.values(self.network.arch()) {
            let values = values?;
            shielded(|| self.network.weights().fill(&values))?;
        }
        shielded(|| {
            self.seals.renew(&self.network)?;
            self.meters.begin_epoch(&self.network)
        })
    }

    /// One number a class for one picture, in inference mode.
    pub fn probabilities(&mut self, picture: &Pixels) -> Result<Vec<f32>> {
        shielded(|| {
            input::check_size(picture.size, self.network.arch().input())?;
            self.network.refresh(false)?;
            let _no_grad = tch::no_grad_guard();
            let x = input::pictures(&picture.bytes, 1, picture.size, self.preprocess, self.network.device())?;
            let logits = self.network.forward(&x, Mode::Infer, &mut Taps::none())?;
            let probabilities = loss::probabilities(&logits, self.network.head())?.f_reshape([-1])?;
            Ok(Vec::try_from(probabilities.f_to_device(Device::Cpu)?)?)
        })
    }

    /// The batch's logits, and its labels on the device.
    fn forward(&mut self, batch: &Batch, mode: Mode) -> super::Result<(Pass, Tensor)> {
        self.network.refresh(mode != Mode::Infer)?;
        input::check(batch, self.network.arch().input(), self.network.head().classes())?;
        let device = self.network.device();
        let (one, preprocess) = (batch.size.bytes(), self.preprocess);
        let pictures = |range: Range<usize>| {
            let bytes = &batch.images[range.start * one..range.end * one];
            input::pictures(bytes, range.len(), batch.size, preprocess, device)
        };
        let shards = self.shards.as_ref();
        let pass = match &batch.features {
            None => Pass::forward(&self.network, shards, batch.count, pictures, mode)?,
            Some(served) => {
                let part = self.parts[usize::from(mode != Mode::Infer)].get().and_then(Option::as_ref);
                let part = part.ok_or(EngineError::Features)?;
                let outputs = part.outputs(&self.network, shards, batch, served, preprocess, mode)?;
                let below = Below { prefix: part.prefix(), outputs };
                Pass::above(&self.network, shards, batch.count, Some(&below), pictures, mode)?
            }
        };
        Ok((pass, input::labels(&batch.labels, device)?))
    }

    fn train(&mut self, batch: &Batch, update: Update) -> super::Result<Score> {
        // Before the forward pass, so that two sets of gradients never lie in memory.
        self.gradients.clear();
        self.trouble = None;
        if batch.count == 0 {
            return Ok(Score::default());
        }
        let before = Statistics::of(&self.network)?;
        let (score, gradients) = match self.learn(batch, update) {
            Ok(learned) => learned,
            Err(error) => {
                before.put_back(&self.network)?;
                return Err(error);
            }
        };
        let tensors: Vec<&Tensor> = gradients.iter().map(|(_, gradient)| gradient).collect();
        if !score.loss_sum.is_finite() || !shim::finite(&tensors)? {
            // What went wrong has gone into the moving statistics, and does so once more while it is looked for.
            before.put_back(&self.network)?;
            let trouble = self.diagnose(batch, update, score, &gradients);
            before.put_back(&self.network)?;
            self.trouble = Some(trouble?);
            return Ok(score);
        }
        self.gradients = gradients;
        let updated = self.optimizer.step(self.network.weights(), &self.gradients, update.learning_rate);
        updated.map_err(EngineError::in_update)?;
        self.rate = Some(update.learning_rate);
        Ok(score)
    }

    fn look(&mut self, batch: &Batch) -> super::Result<Evaluated> {
        if batch.count == 0 {
            return Ok(Evaluated::default());
        }
        let _no_grad = tch::no_grad_guard();
        let (Pass { logits, .. }, labels) = self.forward(batch, Mode::Infer)?;
        let head = self.network.head();
        let predictions = loss::predictions(&logits, head)?;
        let score = loss::score(&loss::mean(&logits, &labels, head)?, &predictions, &labels)?;
        let classes = Vec::<i64>::try_from(predictions.f_to_device(Device::Cpu)?.f_to_kind(Kind::Int64)?)?;
        Ok(Evaluated {
            score,
            predictions: classes.into_iter().map(|class| class as u32).collect(),
            losses: explain::numbers(&loss::each(&logits, &labels, head)?)?,
            probabilities: explain::numbers(&loss::probabilities(&logits, head)?)?,
        })
    }
}

impl Stepper for TorchStepper {
    fn step(&mut self, batch: &Batch, update: Update) -> Result<Score> {
        shielded(|| self.train(batch, update))
    }

    fn trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    fn set_micro_batch(&mut self, pictures: Option<usize>) {
        self.micro_batch = pictures;
    }

    fn evaluate(&mut self, batch: &Batch) -> Result<Evaluated> {
        shielded(|| self.look(batch))
    }

    fn begin_phase(&mut self, phase: &plan::Phase) -> Result<()> {
        self.optimizer.begin(phase.optimizer, &phase.rate_factors, self.network.weights());
        Ok(())
    }

    fn tune(&mut self, tuning: &Tuning) -> Result<()> {
        for &(layer, configured) in &self.dropout {
            let Layer { name, op, .. } = &self.network.arch().layers()[layer];
            let wanted = tuning.dropout.get(name).copied().unwrap_or(configured);
            if *op != (Op::Dropout { rate: wanted }) {
                self.network.set_dropout(layer, wanted);
                // Which part gives a picture the same each time may be another one.
                self.parts = Default::default();
            }
        }
        let layers = self.network.arch().layers();
        let own = |layer: usize| tuning.layer_rates.get(&layers[layer].name).copied();
        self.optimizer.tune(self.network.weights(), own, tuning.weight_decay);
        Ok(())
    }

    fn frozen_part(&mut self, training: bool) -> Result<Option<FrozenPart>> {
        shielded(|| {
            let known = &self.parts[usize::from(training)];
            if known.get().is_none() {
                self.network.refresh(false)?;
                let found = Part::find(&self.network, self.preprocess, training)?;
                let _ = known.set(found);
            }
            Ok(known.get().and_then(Option::as_ref).map(|part| part.frozen().clone()))
        })
    }

    fn set_frozen(&mut self, frozen: &[String]) -> Result<()> {
        shielded(|| {
            self.parts = Default::default();
            for layer in self.seals.set(&mut self.network, frozen)? {
                self.meters.thawed(&self.network, layer)?;
            }
            let weights = self.network.weights().all();
            self.gradients.retain(|(index, _)| !self.network.is_frozen(weights[*index].layer));
            Ok(())
        })
    }

    fn begin_epoch(&mut self) -> Result<()> {
        shielded(|| self.meters.begin_epoch(&self.network))
    }

    fn meters(&mut self) -> Result<Vec<LayerMeters>> {
        let rate_of = |layer: usize| {
            let first = self.network.weights().positions(layer).next()?;
            Some(self.optimizer.rate_of(first, self.rate?))
        };
        shielded(|| self.meters.read(&self.network, &self.seals, &self.gradients, rate_of))
    }

    fn brace(&mut self) -> Result<()> {
        shielded(|| self.meters.brace(&self.network))
    }

    fn probe(&mut self, pictures: &[Pixels], labels: &[i64], histograms: Histograms<'_>) -> Result<Vec<LayerProbe>> {
        shielded(|| {
            let ratios = self.meters.update_ratios(&self.network)?;
            let Some(size) = pictures.first().map(|picture| picture.size) else { return Ok(Vec::new()) };
            self.network.refresh(true)?;
            let device = self.network.device();
            input::check_size(size, self.network.arch().input())?;
            let bytes: Vec<u8> = pictures.iter().flat_map(|picture| &picture.bytes).copied().collect();
            let x = input::pictures(&bytes, pictures.len(), size, self.preprocess, device)?;
            let mut probes = probe::layers(&self.network, &x, &input::labels(labels, device)?)?;
            for (index, (probe, ratio)) in probes.iter_mut().zip(ratios).enumerate() {
                probe.update_ratio = ratio.map(probe::short);
                if histograms.wants(&probe.name) {
                    (probe.weights, probe.gradients) = probe::histograms(&self.network, index, &self.gradients)?;
                }
            }
            Ok(probes)
        })
    }

    fn save(&self) -> Result<Vec<SavedTensor>> {
        shielded(|| saved::save(self.network.weights(), &self.optimizer))
    }

    fn restore(&mut self, tensors: &[SavedTensor]) -> Result<()> {
        shielded(|| {
            self.parts = Default::default();
            saved::restore(self.network.weights(), &mut self.optimizer, tensors)?;
            self.gradients.clear();
            self.seals.renew(&self.network)?;
            self.meters.begin_epoch(&self.network)
        })
    }

    fn explain(
        &mut self,
        picture: &Pixels,
        question: Question<'_>,
        go_on: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Explanation> {
        shielded(|| {
            let Question { layer, method, class } = question;
            let layer = explain::target(&self.network, layer)?;
            // One way back alone does not pay for making kernels ready for it.
            self.network.refresh(method.is_costly())?;
            input::check_size(picture.size, self.network.arch().input())?;
            let device = self.network.device();
            let x = input::pictures(&picture.bytes, 1, picture.size, self.preprocess, device)?;
            explain::explain(&self.network, &x, layer, method, class, go_on)
        })
    }

    fn climb(&mut self, layer: &str, painting: &mut Painting) -> Result<Option<String>> {
        shielded(|| {
            let layer = explain::target(&self.network, layer)?;
            self.network.refresh(true)?;
            explain::paint(&self.network, self.shards.as_ref(), self.preprocess, layer, painting)
        })
    }
}

/// Turns a panic into an error. What it may have left half done is never used again: the loop ends the run on any error.
pub(super) fn shielded<T>(work: impl FnOnce() -> super::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Ok(result?),
        Err(panic) => Err(EngineError::Panicked { message: message(panic.as_ref()) }.into()),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.and_then(|text| text.lines().next()).unwrap_or("no message").to_owned()
}
