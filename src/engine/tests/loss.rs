//! Losses, predictions and probabilities, against arithmetic done by hand and scipy's.

use tch::{Kind, Tensor};

use crate::loss::{mean, mixed, predictions, probabilities, score};
use frostline::data::Mix;
use frostline::plan::Head;

const THREE: Head = Head::Categorical { classes: 3 };

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(Kind::Double).contiguous().reshape([-1])).unwrap()
}

fn close(ours: &[f64], exact: &[f64]) {
    assert_eq!(ours.len(), exact.len());
    assert!(ours.iter().zip(exact).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs().max(1e-30)), "{ours:?}, {exact:?}");
}

#[test]
fn binary_loss_is_softplus() {
    // ln(1 + e^-2) for the right answer, ln(1 + e^2) for the wrong one.
    let logits = Tensor::from_slice(&[2.0_f32, 2.0]).reshape([2, 1]);
    let labels = Tensor::from_slice(&[1_i64, 0]);
    close(&values(&mean(&logits, &labels, Head::Binary).unwrap()), &[f64::midpoint(0.126_928_011, 2.126_928_011)]);
}

#[test]
fn a_confident_mistake_costs_its_logit_and_not_infinity() {
    let logits = Tensor::from_slice(&[500.0_f32, -500.0]).reshape([2, 1]);
    let labels = Tensor::from_slice(&[0_i64, 1]);
    close(&values(&mean(&logits, &labels, Head::Binary).unwrap()), &[500.0]);
    let logits = Tensor::from_slice(&[1000.0_f32, 0.0, -1000.0]).reshape([1, 3]);
    close(&values(&mean(&logits, &Tensor::from_slice(&[2_i64]), THREE).unwrap()), &[2000.0]);
}

#[test]
fn categorical_loss_is_log_sum_exp_minus_the_logit() {
    // scipy.special.logsumexp([1, 2, 3]) - 1.
    let logits = Tensor::from_slice(&[1.0_f32, 2.0, 3.0]).reshape([1, 3]);
    close(&values(&mean(&logits, &Tensor::from_slice(&[0_i64]), THREE).unwrap()), &[2.407_605_964]);
}

/// Figures and gradients of PyTorch's and Keras's cross-entropy with the soft label between the two (`tests/reference/torch_mixed_loss.py`).
#[test]
fn a_mixed_loss_is_that_of_the_soft_label() {
    let check = |logits: Tensor, labels: [i64; 2], lighter: [i64; 2], head, loss: f64, gradient: &[f64]| {
        let logits = logits.set_requires_grad(true);
        let mix = Mix { labels: lighter.to_vec(), weight: 0.7 };
        let ours = mixed(&logits, &Tensor::from_slice(&labels), Some(&mix), head).unwrap();
        ours.backward();
        close(&values(&ours.detach()), &[loss]);
        close(&values(&logits.grad()), gradient);
    };
    check(
        Tensor::from_slice(&[0.5_f32, -1.25, 2.0, 3.0, 0.25, -0.75]).reshape([2, 3]),
        [2, 0],
        [1, 2],
        THREE,
        1.208_226_766_392,
        &[0.088_410_091_1, -0.134_636_625_8, 0.046_226_534_7, 0.109_793_118_1, 0.029_393_590_3, -0.139_186_708_4],
    );
    let binary = Tensor::from_slice(&[1.5_f32, -0.5]).reshape([2, 1]);
    check(binary, [1, 0], [0, 0], Head::Binary, 0.562_745_140_022, &[0.058_787_244_1, 0.188_770_334_4]);
}

#[test]
fn probabilities_of_both_classes_keep_their_digits() {
    // scipy.special.expit(±40): 1 − σ(40) would be 0 in float32.
    let logits = Tensor::from_slice(&[40.0_f32]).reshape([1, 1]);
    close(&values(&probabilities(&logits, Head::Binary).unwrap()), &[4.248_354_255_291_589e-18, 1.0]);
    let logits = Tensor::from_slice(&[0.0_f32, 0.0, 2.0_f32.ln()]).reshape([1, 3]);
    close(&values(&probabilities(&logits, THREE).unwrap()), &[0.25, 0.25, 0.5]);
}

#[test]
fn a_score_sums_over_the_batch() {
    let logits = Tensor::from_slice(&[0.0_f32, 0.1, -3.0]).reshape([3, 1]);
    let labels = Tensor::from_slice(&[0_i64, 1, 1]);
    let predicted = predictions(&logits, Head::Binary).unwrap();
    assert_eq!(values(&predicted), [0.0, 1.0, 0.0], "a logit of 0 is the first class, as in Keras");
    let score = score(&Tensor::from(0.5_f32), &predicted, &labels).unwrap();
    assert_eq!((score.images, score.loss_sum, score.correct), (3, 1.5, 2));
}
