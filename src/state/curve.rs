//! A curve over steps that never grows beyond [`Curve::CAPACITY`] buckets: when it is full, neighbours merge and buckets become twice as wide.

use serde::{Deserialize, Serialize};

use super::light::brief;
use crate::event::{Gathered, real};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Curve {
    /// Steps that one bucket spans at most.
    width: u64,
    buckets: Vec<Bucket>,
}

/// Neighbouring steps, gathered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// The last step in it; steps count from 1.
    pub step: u64,
    /// Steps in it.
    pub count: u64,
    /// NaN if a step in it was.
    #[serde(with = "real")]
    pub mean: f64,
    #[serde(with = "real")]
    pub min: f64,
    #[serde(with = "real")]
    pub max: f64,
}

impl Default for Curve {
    fn default() -> Self {
        Self { width: 1, buckets: Vec::new() }
    }
}

impl Curve {
    pub const CAPACITY: usize = 2048;

    /// `count` steps that end with `step`.
    pub fn push(&mut self, step: u64, count: u32, value: Gathered) {
        self.add(Bucket { step, count: count.max(1).into(), mean: value.mean, min: value.min, max: value.max });
        self.widen_to(Self::CAPACITY);
    }

    fn widen_to(&mut self, most: usize) {
        while self.buckets.len() > most.max(1) {
            self.width *= 2;
            for bucket in std::mem::take(&mut self.buckets) {
                self.add(bucket);
            }
        }
    }

    /// In at most so many buckets, with numbers as a screen can show them.
    #[must_use]
    pub(super) fn coarse(&self, most: usize) -> Self {
        let mut coarse = self.clone();
        coarse.widen_to(most);
        for bucket in &mut coarse.buckets {
            (bucket.mean, bucket.min, bucket.max) = (brief(bucket.mean), brief(bucket.min), brief(bucket.max));
        }
        coarse
    }

    /// A single reading at `step`.
    pub fn push_one(&mut self, step: u64, value: f64) {
        self.push(step, 1, Gathered { mean: value, min: value, max: value, last: value });
    }

    /// Forgets what came after `step`: a resumed run goes on from there.
    pub fn truncate(&mut self, step: u64) {
        self.buckets.retain(|b| b.step <= step);
    }

    /// What came after `step`.
    #[must_use]
    pub fn after(&self, step: u64) -> Self {
        let buckets = self.buckets.iter().filter(|bucket| bucket.step > step).copied().collect();
        Self { width: self.width, buckets }
    }

    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    pub fn last(&self) -> Option<&Bucket> {
        self.buckets.last()
    }

    /// Aligned to whole multiples of the width, so that the same steps make the same buckets however they were gathered on the way.
    fn add(&mut self, new: Bucket) {
        let slot = |b: &Bucket| b.step.saturating_sub(1) / self.width;
        match self.buckets.last_mut() {
            Some(last) if slot(last) == slot(&new) => last.merge(&new),
            _ => self.buckets.push(new),
        }
    }
}

impl Bucket {
    fn merge(&mut self, other: &Self) {
        let total = self.count + other.count;
        self.mean = (self.mean * self.count as f64 + other.mean * other.count as f64) / total as f64;
        // `f64::min` and `max` pass over NaN.
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.count = total;
        self.step = other.step;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn curve(values: &[f64]) -> Curve {
        let mut curve = Curve::default();
        for (value, step) in values.iter().zip(1..) {
            curve.push_one(step, *value);
        }
        curve
    }

    #[test]
    fn a_short_curve_keeps_every_step() {
        let curve = curve(&[3.0, 1.0, 2.0]);
        assert_eq!(
            curve.buckets().iter().map(|b| (b.step, b.mean)).collect::<Vec<_>>(),
            [(1, 3.0), (2, 1.0), (3, 2.0)]
        );
    }

    #[test]
    fn a_full_curve_halves_and_keeps_extremes() {
        let values: Vec<f64> = (0..=Curve::CAPACITY).map(|i| i as f64).collect();
        let curve = curve(&values);
        assert_eq!(curve.buckets().len(), Curve::CAPACITY / 2 + 1);
        assert_eq!(curve.buckets()[0], Bucket { step: 2, count: 2, mean: 0.5, min: 0.0, max: 1.0 });
        assert_eq!(curve.buckets()[Curve::CAPACITY / 2].count, 1, "the odd one at the end waits for its neighbour");
    }

    #[test]
    fn a_resumed_curve_forgets_what_was_lost() {
        let mut curve = curve(&[1.0, 2.0, 3.0, 4.0]);
        curve.truncate(2);
        curve.push_one(3, 9.0);
        assert_eq!(curve.buckets().iter().map(|b| b.mean).collect::<Vec<_>>(), [1.0, 2.0, 9.0]);
    }

    proptest! {
        #[test]
        fn the_whole_keeps_its_mean_and_extremes(values in prop::collection::vec(-10.0..10.0f64, 1..9000)) {
            let curve = curve(&values);
            let buckets = curve.buckets();
            prop_assert!(buckets.len() <= Curve::CAPACITY);
            prop_assert_eq!(buckets.iter().map(|b| b.count).sum::<u64>(), values.len() as u64);
            let mean = buckets.iter().map(|b| b.mean * b.count as f64).sum::<f64>() / values.len() as f64;
            prop_assert!((mean - values.iter().sum::<f64>() / values.len() as f64).abs() < 1e-9);
            let least = |v: &mut dyn Iterator<Item = f64>| v.fold(f64::INFINITY, f64::min);
            prop_assert_eq!(least(&mut buckets.iter().map(|b| b.min)), least(&mut values.iter().copied()));
        }
    }
}
