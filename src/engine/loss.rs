//! Cross-entropy and accuracy, from logits: log-sum-exp inside, so a confident wrong answer costs a finite number.

use tch::{Kind, Reduction, Tensor};

use super::error::Result;
use super::input;
use frostline::data::Mix;
use frostline::plan::Head;
use frostline::trainer::Score;

/// Mean over the batch, a scalar to differentiate. `labels` are classes, `[n]` of i64.
pub fn mean(logits: &Tensor, labels: &Tensor, head: Head) -> Result<Tensor> {
    of(logits, labels, head, Reduction::Mean)
}

/// Of each picture, `[n]`.
pub fn each(logits: &Tensor, labels: &Tensor, head: Head) -> Result<Tensor> {
    of(logits, labels, head, Reduction::None)
}

/// [`mean`] of a batch whose pictures are mixed: each one's loss for its heavier label and for its lighter one, weighted. As
/// cross-entropy is linear in its target, this is the loss for the soft label that lies between the two.
pub fn mixed(logits: &Tensor, labels: &Tensor, mix: Option<&Mix>, head: Head) -> Result<Tensor> {
    let heavier = mean(logits, labels, head)?;
    let Some(mix) = mix else { return Ok(heavier) };
    let lighter = mean(logits, &input::labels(&mix.labels, logits.device())?, head)?;
    Ok((heavier.f_mul_scalar(mix.weight)?).f_add(&lighter.f_mul_scalar(1.0 - mix.weight)?)?)
}

/// The class that each picture is given, `[n]` of i64. A binary logit of exactly 0 is the first class, as in Keras (p > 0.5).
pub fn predictions(logits: &Tensor, head: Head) -> Result<Tensor> {
    Ok(match head {
        Head::Binary => flat(logits)?.f_gt(0.0)?.f_to_kind(Kind::Int64)?,
        Head::Categorical { .. } => logits.f_argmax(1, false)?,
    })
}

/// One column a class, `[n, classes]`.
pub fn probabilities(logits: &Tensor, head: Head) -> Result<Tensor> {
    Ok(match head {
        Head::Binary => {
            let second = logits.f_sigmoid()?;
            // σ(−x), not 1 − σ(x): the small one of the two keeps its digits.
            Tensor::f_cat(&[logits.f_neg()?.f_sigmoid()?, second], 1)?
        }
        Head::Categorical { .. } => logits.f_softmax(1, Kind::Float)?,
    })
}

/// `loss` is the mean over the batch.
pub fn score(loss: &Tensor, predictions: &Tensor, labels: &Tensor) -> Result<Score> {
    let images = labels.size()[0];
    let correct = predictions.f_eq_tensor(labels)?.f_sum(Kind::Int64)?;
    Ok(Score {
        images: images as u64,
        loss_sum: loss.f_double_value(&[])? * images as f64,
        correct: correct.f_int64_value(&[])? as u64,
    })
}

fn of(logits: &Tensor, labels: &Tensor, head: Head, reduction: Reduction) -> Result<Tensor> {
    Ok(match head {
        Head::Binary => {
            let targets = labels.f_to_kind(Kind::Float)?;
            flat(logits)?.f_binary_cross_entropy_with_logits::<Tensor>(&targets, None, None, reduction)?
        }
        Head::Categorical { .. } => logits.f_cross_entropy_loss::<Tensor>(labels, None, reduction, IGNORE, 0.0)?,
    })
}

/// A label that no data set has.
const IGNORE: i64 = -100;

/// `[n, 1]` to `[n]`.
fn flat(logits: &Tensor) -> Result<Tensor> {
    Ok(logits.f_squeeze_dim(1)?)
}
