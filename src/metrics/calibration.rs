//! Whether probabilities mean what they say: expected calibration error over equal bins of confidence (Guo et al. 2017,
//! arXiv:1706.04599, equation 3), and Brier's score (1950).

use serde::Serialize;

use super::{Verdicts, mean, share};

/// Guo's.
pub const BINS: usize = 15;

/// Images whose confidence lies above `from` and not above `to`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    pub images: u64,
    /// Their mean; `None` without images.
    pub confidence: Option<f64>,
    /// Share of them that are named right.
    pub accuracy: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Mean distance between confidence and accuracy, bins weighted by their images.
    pub error: f64,
    pub bins: Vec<Bin>,
}

impl Calibration {
    /// Of the predicted class: a sigmoid's confidence is that of the class it names, so it begins at one half. `None` without images,
    /// or where a probability is no number.
    pub fn of(verdicts: &Verdicts) -> Option<Self> {
        if verdicts.is_empty() || verdicts.broken() > 0 {
            return None;
        }
        let right = verdicts.truth().iter().zip(verdicts.predicted()).map(|(truth, predicted)| truth == predicted);
        let mut sums = [(0_u64, 0.0, 0_u64); BINS];
        for (confidence, right) in verdicts.confidences().into_iter().zip(right) {
            let (images, confidences, rights) = &mut sums[bin(confidence)];
            *images += 1;
            *confidences += f64::from(confidence);
            *rights += u64::from(right);
        }
        let edge = |at: usize| at as f64 / BINS as f64;
        let bins: Vec<Bin> = sums
            .iter()
            .enumerate()
            .map(|(at, &(images, confidences, rights))| Bin {
                from: edge(at),
                to: edge(at + 1),
                images,
                confidence: (images > 0).then(|| confidences / images as f64),
                accuracy: share(rights, images),
            })
            .collect();
        let gap = |bin: &Bin| Some((bin.confidence? - bin.accuracy?).abs() * bin.images as f64);
        let error = bins.iter().filter_map(gap).sum::<f64>() / verdicts.len() as f64;
        Some(Self { error, bins })
    }
}

/// In 32 bits like the confidences, so that 0.2 is not above three fifteenths.
fn bin(confidence: f32) -> usize {
    (1..BINS).find(|&upper| confidence <= upper as f32 / BINS as f32).map_or(BINS - 1, |upper| upper - 1)
}

/// Mean squared distance to the truth: of the second class's probability where there are two, summed over the classes where there
/// are more (scikit-learn's `brier_score_loss` with its automatic scale). `None` without images, or where a probability is no number.
pub fn brier(verdicts: &Verdicts) -> Option<f64> {
    if verdicts.broken() > 0 {
        return None;
    }
    let distance = |image: usize| {
        let truth = verdicts.truth()[image] as usize;
        let of = |class: usize, value: f32| (f64::from(value) - f64::from(u8::from(class == truth))).powi(2);
        let row = verdicts.row(image);
        match row {
            &[_, second] => of(1, second),
            _ => row.iter().enumerate().map(|(class, &value)| of(class, value)).sum(),
        }
    };
    mean((0..verdicts.len()).map(distance))
}
