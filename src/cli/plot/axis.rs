//! From values to places on an axis: its range, its round ticks, and their words.

use crate::text::{figures, ticks};

/// One side of a chart, linear or logarithmic.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    /// Holds all of `values` with a little room around them; on a logarithmic one only those above zero count.
    pub fn around(values: impl IntoIterator<Item = f64>, log: bool) -> Self {
        let usable = |value: &f64| value.is_finite() && (!log || *value > 0.0);
        let scaled = |value: f64| if log { value.log10() } else { value };
        let (low, high) = values
            .into_iter()
            .filter(usable)
            .map(scaled)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let room = if high > low { (high - low) * 0.04 } else { high.abs().max(1.0) * 0.1 };
        Self { low: low - room, high: high + room, log }
    }

    /// From 0 to `high` exactly.
    pub fn upto(high: f64) -> Self {
        Self { low: 0.0, high: if high > 0.0 { high } else { 1.0 }, log: false }
    }

    /// 0 at the low end, 1 at the high one, and cut there; `None` for what cannot be drawn.
    pub fn share(&self, value: f64) -> Option<f64> {
        let value = if self.log { value.log10() } else { value };
        value.is_finite().then(|| ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0))
    }

    /// Values at round numbers, at most `most` of them, with their words.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let (values, decimals) = if self.log {
            ticks::logarithmic(self.low, self.high, most)
        } else {
            ticks::linear(self.low, self.high, most)
        };
        let words = |value: f64| if self.log { figures::rate(value) } else { words(value, decimals) };
        values.into_iter().map(|value| (value, words(value))).collect()
    }
}

fn words(value: f64, decimals: usize) -> String {
    match decimals {
        0 if value.abs() >= 10_000.0 => figures::short_count(value.abs() as u64),
        0..=6 => format!("{:.decimals$}", if value == 0.0 { 0.0 } else { value }),
        _ => figures::rate(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(axis: &Axis, most: usize) -> Vec<String> {
        axis.ticks(most).into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn ticks_are_round_and_lie_in_the_range() {
        assert_eq!(said(&Axis::upto(1000.0), 6), ["0", "200", "400", "600", "800", "1000"]);
        assert_eq!(said(&Axis::around([0.1, 0.7], false), 4), ["0.2", "0.4", "0.6"]);
        assert_eq!(said(&Axis::upto(60_000.0), 4), ["0", "20.0k", "40.0k", "60.0k"]);
        assert_eq!(said(&Axis::around([0.001, 2.0], true), 4), ["0.001", "0.01", "0.1", "1"]);
        assert_eq!(said(&Axis::around([2.0, 5.0, -1.0], true), 4), ["2", "5"]);
    }

    #[test]
    fn values_are_placed_and_cut() {
        let axis = Axis::upto(4.0);
        assert_eq!([-1.0, 1.0, 9.0].map(|value| axis.share(value)), [Some(0.0), Some(0.25), Some(1.0)]);
        assert_eq!(axis.share(f64::NAN), None);
        assert_eq!(Axis::around([0.1, 1.0], true).share(0.0), None);
        assert_eq!(Axis::around([], false).share(0.5), Some(0.5));
        assert!(Axis::around([3.0], false).share(3.0).is_some_and(|share| (share - 0.5).abs() < 1e-9));
    }
}
