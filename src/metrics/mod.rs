//! How good a classifier is, from what it said of each image: confusion, ranking, calibration, and the images that tell most. Numbers in,
//! numbers out: no tensors, no files, no names.
//!
//! Definitions are scikit-learn's where it has them. What does not exist (the precision of a class that was never named, the area
//! under a curve without positives) is `None`, never a number that looks like one; and a network whose probabilities are no numbers has
//! no figures that are made of them.

mod calibration;
mod confusion;
mod ranking;
mod telling;
mod verdicts;

pub use calibration::{BINS, Bin, Calibration, brier};
pub use confusion::{Averages, ClassFigures, Confusion, Pair};
pub use ranking::{average_precision, likeliest, precision_recall_curve, roc_auc, roc_curve, thinned, top_k};
pub use telling::{Case, Telling};
pub use verdicts::Verdicts;

/// Of what there is; nothing of nothing.
pub(crate) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u64);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests;
