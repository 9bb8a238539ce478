//! What was taken for what: a table of counts, and the figures that need no more than it. Averages are scikit-learn's
//! (`precision_recall_fscore_support`, `balanced_accuracy_score`).

use serde::Serialize;

use super::{mean, share};

/// `counts[truth][prediction]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion(Vec<Vec<u64>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Images of the class.
    pub support: u64,
    /// Images that were taken for it.
    pub predicted: u64,
    /// Share of those that are of it; `None` if nothing was taken for it.
    pub precision: Option<f64>,
    /// Share of its images that were taken for it; `None` if it has none.
    pub recall: Option<f64>,
    /// Harmonic mean of the two, with 0 for one that does not exist; `None` where neither does.
    pub f1: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Averages {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

/// Images of one class that were taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub truth: usize,
    pub predicted: usize,
    pub images: u64,
}

impl Confusion {
    /// Rows may be short: what is missing is 0.
    pub fn new(counts: Vec<Vec<u64>>) -> Self {
        Self(counts)
    }

    /// Images of, or taken for, a class that is not there are left out.
    pub fn of(truth: &[u32], predicted: &[u32], classes: usize) -> Self {
        let mut counts = vec![vec![0; classes]; classes];
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            if let Some(cell) = counts.get_mut(truth as usize).and_then(|row| row.get_mut(predicted as usize)) {
                *cell += 1;
            }
        }
        Self(counts)
    }

    pub fn counts(&self) -> &[Vec<u64>] {
        &self.0
    }

    fn at(&self, truth: usize, predicted: usize) -> u64 {
        self.0.get(truth).and_then(|row| row.get(predicted)).copied().unwrap_or(0)
    }

    pub fn classes(&self) -> Vec<ClassFigures> {
        let all = 0..self.0.len();
        let figures = |class: usize| {
            let right = self.at(class, class);
            let support = all.clone().map(|other| self.at(class, other)).sum();
            let predicted = all.clone().map(|other| self.at(other, class)).sum();
            ClassFigures {
                support,
                predicted,
                precision: share(right, predicted),
                recall: share(right, support),
                f1: share(2 * right, support + predicted),
            }
        };
        all.clone().map(figures).collect()
    }

    /// Mean of the recalls of the classes that have images.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        mean(self.classes().iter().filter_map(|class| class.recall))
    }

    /// Over the classes that occur, as truth or as prediction, each counting alike. A figure that does not exist counts as 0, which
    /// is what scikit-learn does with a warning.
    pub fn macro_average(&self) -> Option<Averages> {
        self.average(|class| f64::from(u8::from(class.support + class.predicted > 0)))
    }

    /// Each class counting as often as it has images.
    pub fn weighted_average(&self) -> Option<Averages> {
        self.average(|class| class.support as f64)
    }

    fn average(&self, weight: impl Fn(&ClassFigures) -> f64) -> Option<Averages> {
        let classes = self.classes();
        let total: f64 = classes.iter().map(&weight).sum();
        let over = |figure: fn(&ClassFigures) -> Option<f64>| {
            classes.iter().map(|class| weight(class) * figure(class).unwrap_or(0.0)).sum::<f64>() / total
        };
        (total > 0.0).then(|| Averages {
            precision: over(|class| class.precision),
            recall: over(|class| class.recall),
            f1: over(|class| class.f1),
        })
    }

    /// The pairs with the most images, most first; of equals the first in the table.
    pub fn most_confused(&self, most: usize) -> Vec<Pair> {
        let all = 0..self.0.len();
        let mut pairs: Vec<Pair> = all
            .clone()
            .flat_map(|truth| {
                all.clone().map(move |predicted| Pair { truth, predicted, images: self.at(truth, predicted) })
            })
            .filter(|pair| pair.truth != pair.predicted && pair.images > 0)
            .collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.images));
        pairs.truncate(most);
        pairs
    }
}
