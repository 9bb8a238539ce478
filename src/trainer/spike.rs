//! Whether a loss leaps: a robust z-score over the last steps. The median and the median absolute deviation take no notice of single
//! leaps, so one does not hide the next. Pure.

use std::collections::VecDeque;

/// From the median absolute deviation to the standard deviation of normal numbers: 1 / Φ⁻¹(3/4).
const TO_DEVIATION: f64 = 1.482_602_218_505_602;
/// Steps before anything can be said.
const LEAST: usize = 10;
/// Of the median: what is closer to it is no leap, however even the losses were.
const EVEN: f64 = 0.05;

#[derive(Clone, Debug)]
pub(super) struct Spikes {
    losses: VecDeque<f64>,
    window: usize,
    z: f64,
}

impl Spikes {
    pub fn new(window: usize, z: f64) -> Self {
        Self { losses: VecDeque::with_capacity(window), window: window.max(LEAST), z }
    }

    pub fn forget(&mut self) {
        self.losses.clear();
    }

    /// Takes a step's mean loss in. Its z-score and the median, where it is a spike.
    pub fn look(&mut self, loss: f64) -> Option<(f64, f64)> {
        if self.z <= 0.0 || !loss.is_finite() {
            return None;
        }
        let found = if self.losses.len() < LEAST { None } else { self.score(loss) };
        if self.losses.len() == self.window {
            self.losses.pop_front();
        }
        self.losses.push_back(loss);
        found.filter(|(z, _)| *z >= self.z)
    }

    fn score(&self, loss: f64) -> Option<(f64, f64)> {
        let middle = median(self.losses.iter().copied());
        let deviation = TO_DEVIATION * median(self.losses.iter().map(|each| (each - middle).abs()));
        let z = (loss - middle) / deviation.max(EVEN * middle.abs()).max(f64::MIN_POSITIVE);
        (z > 0.0).then_some((z, middle))
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_score_is_that_of_the_books() {
        // scipy.stats.median_abs_deviation([1..10], scale="normal") = 3.7065055462640046, median 5.5.
        let mut spikes = Spikes::new(100, 3.0);
        for loss in 1..=10 {
            assert_eq!(spikes.look(f64::from(loss)), None);
        }
        let (z, middle) = spikes.look(20.0).unwrap();
        assert_eq!(middle, 5.5);
        assert!((z - (20.0 - 5.5) / 3.706_505_546_264_005).abs() < 1e-12, "{z}");
        assert!(spikes.look(16.0).is_none(), "2.7 deviations");
    }

    #[test]
    fn falling_losses_noise_and_what_is_no_number_are_no_spikes() {
        let mut spikes = Spikes::new(50, 12.0);
        let mut state = 1_u64;
        for step in 0..2000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let noise = (state >> 40) as f64 / f64::from(1 << 24);
            assert_eq!(spikes.look(2.0 * (-0.002 * f64::from(step)).exp() + 0.2 * noise), None, "step {step}");
        }
        assert_eq!(spikes.look(f64::NAN), None);
        assert_eq!(spikes.look(f64::INFINITY), None);
        assert!(spikes.look(5.0).is_some());
        assert!(Spikes::new(50, 0.0).look(1e9).is_none());
    }

    #[test]
    fn losses_that_are_all_the_same_make_no_spike_of_a_hair() {
        let mut spikes = Spikes::new(50, 12.0);
        (0..20).for_each(|_| assert_eq!(spikes.look(0.5), None));
        assert_eq!(spikes.look(0.51), None);
        assert!(spikes.look(1.0).is_some());
    }
}
