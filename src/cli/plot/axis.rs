//! From values to places on an axis: its range, its round ticks, and their words.

use crate::text::figures;

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

    /// Values at round numbers, about `most` of them, with their words.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        if self.log {
            let powers = || (self.low.ceil() as i32..=self.high.floor() as i32).map(|power| 10_f64.powi(power));
            if powers().count() >= 2 {
                return powers().map(|value| (value, figures::rate(value))).collect();
            }
            let (low, high) = (10_f64.powf(self.low), 10_f64.powf(self.high));
            return round(low, high, most).into_iter().map(|value| (value, figures::rate(value))).collect();
        }
        let values = round(self.low, self.high, most);
        let step = values.get(1).map_or(1.0, |second| second - values[0]);
        values.into_iter().map(|value| (value, words(value, step))).collect()
    }
}

/// Multiples of 1, 2 or 5 times a power of ten in the range.
fn round(low: f64, high: f64, most: usize) -> Vec<f64> {
    let rough = (high - low) / most.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= rough * 0.999);
    let Some(step) = step.filter(|step| step.is_finite() && *step > 0.0) else { return Vec::new() };
    ((low / step).ceil() as i64..=(high / step).floor() as i64).map(|number| number as f64 * step).collect()
}

fn words(value: f64, step: f64) -> String {
    if value.abs() >= 10_000.0 && step >= 100.0 {
        return figures::short_count(value.abs() as u64);
    }
    if step >= 1.0 {
        return format!("{value:.0}");
    }
    if step < 1e-6 {
        return figures::rate(value);
    }
    let decimals = (-step.log10()).ceil().max(0.0) as usize;
    format!("{:.decimals$}", if value == 0.0 { 0.0 } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(axis: &Axis, most: usize) -> Vec<String> {
        axis.ticks(most).into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn ticks_are_round_and_lie_in_the_range() {
        assert_eq!(said(&Axis::upto(1000.0), 5), ["0", "200", "400", "600", "800", "1000"]);
        assert_eq!(said(&Axis::around([0.1, 0.7], false), 4), ["0.2", "0.4", "0.6"]);
        assert_eq!(said(&Axis::upto(60_000.0), 4), ["0", "20.0k", "40.0k", "60.0k"]);
        assert_eq!(said(&Axis::around([0.001, 2.0], true), 4), ["0.001", "0.01", "0.1", "1"]);
        assert_eq!(said(&Axis::around([2.0, 5.0, -1.0], true), 4), ["2", "3", "4", "5"]);
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
