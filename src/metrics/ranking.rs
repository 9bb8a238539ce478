//! How well scores put images in order: ROC and precision-recall curves with the areas under them, and top-k. Equal scores are one
//! step, as in scikit-learn (`roc_auc_score`, `average_precision_score`, `roc_curve`, `precision_recall_curve`).

use super::{Verdicts, mean};

/// Positions from the largest to the smallest value; equal ones in their order, what is no number last. The order in which
/// classes are named to a person.
pub fn likeliest(values: &[f32]) -> Vec<usize> {
    let rank = |at: &usize| if values[*at].is_nan() { f32::NEG_INFINITY } else { values[*at] };
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    order
}

/// Share of the images whose class is among the `k` likeliest; of equally likely ones the first is taken, as argmax does. `None`
/// without images, or where a probability is no number.
pub fn top_k(verdicts: &Verdicts, k: usize) -> Option<f64> {
    if verdicts.broken() > 0 {
        return None;
    }
    mean((0..verdicts.len()).map(|image| {
        let row = verdicts.row(image);
        let truth = verdicts.truth()[image] as usize;
        let Some(&own) = row.get(truth) else { return 0.0 };
        let before = row.iter().enumerate().filter(|&(class, &value)| value > own || (value == own && class < truth));
        f64::from(u8::from(before.count() < k))
    }))
}

/// Positives and negatives among the images with the highest scores, after each distinct score.
struct Steps {
    positives: u64,
    negatives: u64,
    reached: Vec<[u64; 2]>,
}

impl Steps {
    /// `None` where a score is no number.
    fn of(scores: &[f32], positive: &[bool]) -> Option<Self> {
        if scores.iter().any(|score| score.is_nan()) {
            return None;
        }
        let mut order: Vec<(f32, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut now = [0, 0];
        let mut reached = Vec::new();
        for (at, &(score, positive)) in order.iter().enumerate() {
            now[usize::from(!positive)] += 1;
            // Both zeros are one score.
            if order.get(at + 1).is_none_or(|next| next.0 != score) {
                reached.push(now);
            }
        }
        Some(Self { positives: now[0], negatives: now[1], reached })
    }
}

/// How often a positive scores above a negative, half of the ties counted. `None` without one of either.
pub fn roc_auc(scores: &[f32], positive: &[bool]) -> Option<f64> {
    let steps = Steps::of(scores, positive)?;
    let mut twice = 0_u128;
    let [mut right, mut wrong] = [0, 0];
    for [above, below] in steps.reached {
        // A trapezium between this step and the one before it.
        twice += u128::from(below - wrong) * u128::from(above + right);
        [right, wrong] = [above, below];
    }
    let pairs = u128::from(steps.positives) * u128::from(steps.negatives);
    (pairs > 0).then(|| twice as f64 / (2.0 * pairs as f64))
}

/// The mean of the precision at each positive, as scikit-learn sums it: Σ (Rₙ − Rₙ₋₁) Pₙ, nothing interpolated. `None` without one.
pub fn average_precision(scores: &[f32], positive: &[bool]) -> Option<f64> {
    let steps = Steps::of(scores, positive)?;
    let mut before = 0;
    let mut sum = 0.0;
    for [right, wrong] in steps.reached {
        sum += (right - before) as f64 * right as f64 / (right + wrong) as f64;
        before = right;
    }
    (steps.positives > 0).then(|| sum / steps.positives as f64)
}

/// `[false positive rate, true positive rate]` from the highest threshold, which nothing reaches, to the lowest.
pub fn roc_curve(scores: &[f32], positive: &[bool]) -> Option<Vec<[f64; 2]>> {
    let Steps { positives, negatives, reached } = Steps::of(scores, positive)?;
    let point = |[right, wrong]: [u64; 2]| [wrong as f64 / negatives as f64, right as f64 / positives as f64];
    (positives > 0 && negatives > 0)
        .then(|| std::iter::once([0.0, 0.0]).chain(reached.into_iter().map(point)).collect())
}

/// `[recall, precision]` from the highest threshold to the lowest, beginning at `[0, 1]`.
pub fn precision_recall_curve(scores: &[f32], positive: &[bool]) -> Option<Vec<[f64; 2]>> {
    let Steps { positives, reached, .. } = Steps::of(scores, positive)?;
    let point = |[right, wrong]: [u64; 2]| [right as f64 / positives as f64, right as f64 / (right + wrong) as f64];
    (positives > 0).then(|| std::iter::once([0.0, 1.0]).chain(reached.into_iter().map(point)).collect())
}

/// A curve's points that are at least `apart` from the one kept before them, with both ends: enough to draw it.
pub fn thinned(curve: &[[f64; 2]], apart: f64) -> Vec<[f64; 2]> {
    let mut kept: Vec<[f64; 2]> = Vec::new();
    for (at, &point) in curve.iter().enumerate() {
        let far = |last: &[f64; 2]| (point[0] - last[0]).abs().max((point[1] - last[1]).abs()) >= apart;
        if kept.last().is_none_or(far) || at + 1 == curve.len() {
            kept.push(point);
        }
    }
    kept
}
