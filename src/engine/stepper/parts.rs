//! A batch's gradients, part by part where it does not fit into memory; what a forward pass changes besides, so that it can be taken
//! back; and where a pass that went wrong went wrong.

use tch::Tensor;

use super::TorchStepper;
use crate::diagnosis;
use crate::error::Result;
use crate::input;
use crate::loss;
use crate::network::{Mode, Network};
use crate::optimizer::Gradient;
use frostline::data::Batch;
use frostline::trainer::{Score, Trouble, Update};

impl TorchStepper {
    /// A batch's score and gradients, summed over its parts where it does not go through at once.
    pub(super) fn learn(&mut self, batch: &Batch, update: Update) -> Result<(Score, Vec<Gradient>)> {
        let head = self.network.head();
        input::check(batch, self.network.arch().input(), head.classes())?;
        let most = self.micro_batch.unwrap_or(batch.count).clamp(1, batch.count);
        let mut total = Score::default();
        let mut sums: Vec<Gradient> = Vec::new();
        for (number, first) in (0..batch.count).step_by(most).enumerate() {
            let range = first..batch.count.min(first + most);
            let share = range.len() as f64 / batch.count as f64;
            let part = (share < 1.0).then(|| batch.part(range));
            let part = part.as_ref().unwrap_or(batch);
            let (pass, labels) = self.forward(part, self.mode(update, number))?;
            let mean = loss::mixed(&pass.logits, &labels, part.mixed.as_ref(), head)?;
            let predictions = loss::predictions(&pass.logits, head)?;
            let loss = if share < 1.0 { mean.f_mul_scalar(share)? } else { mean.shallow_clone() };
            let gradients = pass.backward(&self.network, self.shards.as_ref(), &loss)?;
            let _no_grad = tch::no_grad_guard();
            let score = loss::score(&mean, &predictions, &labels)?;
            total.images += score.images;
            total.loss_sum += score.loss_sum;
            total.correct += score.correct;
            if sums.is_empty() {
                sums = gradients;
            } else {
                for ((_, sum), (_, more)) in sums.iter_mut().zip(gradients) {
                    let _ = sum.f_add_(&more)?;
                }
            }
        }
        Ok((total, sums))
    }

    /// Each part of a batch has dropout masks of its own.
    fn mode(&self, update: Update, part: usize) -> Mode {
        /// No run has so many steps.
        const PARTS: u32 = 44;
        Mode::Train { seed: self.seed, step: update.step | (part as u64) << PARTS }
    }

    /// The moving statistics are not kept.
    pub(super) fn diagnose(
        &mut self,
        batch: &Batch,
        update: Update,
        score: Score,
        gradients: &[Gradient],
    ) -> Result<Trouble> {
        if score.loss_sum.is_finite() {
            return diagnosis::backward(&self.network, gradients);
        }
        // What was kept of a frozen part has no pictures to go through all layers, and was finite when it was kept.
        if batch.features.is_some() {
            return diagnosis::weights(&self.network);
        }
        let most = self.micro_batch.unwrap_or(batch.count).clamp(1, batch.count);
        let mut found = diagnosis::weights(&self.network)?;
        for (number, first) in (0..batch.count).step_by(most).enumerate() {
            if !found.layers.is_empty() {
                break;
            }
            let part = batch.part(first..batch.count.min(first + most));
            let device = self.network.device();
            let x = input::pictures(&part.images, part.count, part.size, self.preprocess, device)?;
            found = diagnosis::forward(&self.network, &x, self.mode(update, number))?;
        }
        Ok(found)
    }
}

/// What a forward pass changes: the moving statistics of the layers that train, as they were.
pub(super) struct Statistics(Vec<(usize, Tensor)>);

impl Statistics {
    pub(super) fn of(network: &Network) -> Result<Self> {
        let _no_grad = tch::no_grad_guard();
        let moves = |index: &usize| {
            let weight = &network.weights().all()[*index];
            !weight.learned && !network.is_frozen(weight.layer)
        };
        let all = network.weights().all();
        let moving = (0..all.len()).filter(moves);
        let copy = |index: usize| {
            let mut copy = all[index].tensor.f_empty_like()?;
            copy.f_copy_(&all[index].tensor)?;
            Ok((index, copy))
        };
        moving.map(copy).collect::<Result<_>>().map(Self)
    }

    pub(super) fn put_back(&self, network: &Network) -> Result<()> {
        let _no_grad = tch::no_grad_guard();
        for (index, before) in &self.0 {
            network.weights().all()[*index].tensor.shallow_clone().f_copy_(before)?;
        }
        Ok(())
    }
}
