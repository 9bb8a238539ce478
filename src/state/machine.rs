//! What was read of the machine, over time. Of a long run the past becomes coarser.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, and what was read then; oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Readings<T>(VecDeque<(u64, T)>);

impl<T> Default for Readings<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Readings<T> {
    pub const CAPACITY: usize = 1024;

    pub fn push(&mut self, at_ms: u64, reading: T) {
        self.0.push_back((at_ms, reading));
        if self.0.len() > Self::CAPACITY {
            // Every second one of the older half.
            let half = self.0.len() / 2;
            let mut index = 0;
            self.0.retain(|_| {
                index += 1;
                index > half || index % 2 == 1
            });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Without what was before the last one.
    pub(super) fn forget_past(&mut self) {
        self.0.drain(..self.0.len().saturating_sub(1));
    }

    pub fn newest(&self) -> Option<&T> {
        self.0.back().map(|(_, reading)| reading)
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        self.0.iter().map(|(at, reading)| (*at, reading))
    }

    /// The greatest that `of` was in each of so many equal spans up to `now_ms`, the last `span_ms` milliseconds in all; between two
    /// readings the earlier one holds for at most `stale_ms`. `None` where nothing was read.
    pub fn columns(
        &self,
        columns: usize,
        span_ms: u64,
        now_ms: u64,
        of: impl Fn(&T) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        const STALE_MS: u64 = 70_000;
        let begin = now_ms.saturating_sub(span_ms);
        let width = (span_ms as f64 / columns.max(1) as f64).max(1.0);
        let column = |at: u64| (at.saturating_sub(begin) as f64 / width) as usize;
        let mut found: Vec<Option<f64>> = vec![None; columns];
        let mut readings = self.0.iter().peekable();
        while let Some((at, reading)) = readings.next() {
            let until = readings.peek().map_or(now_ms, |(next, _)| *next).min(at + STALE_MS);
            if until < begin || *at > now_ms {
                continue;
            }
            let Some(value) = of(reading) else { continue };
            let end = columns.saturating_sub(1);
            let (first, last) = (column((*at).max(begin)).min(end), column(until.max(*at)).min(end));
            for cell in found.iter_mut().take(last + 1).skip(first) {
                *cell = Some(cell.map_or(value, |before| before.max(value)));
            }
        }
        found
    }
}

/// A mean over so many of what is told more often than it is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    pub value: f64,
    pub of: u32,
}

impl Readings<Mean> {
    /// As often as the machine is read while somebody looks.
    const TOGETHER_MS: u64 = 2000;

    /// One more value; those of two seconds are one reading.
    pub fn gather(&mut self, at_ms: u64, value: f64) {
        if !value.is_finite() {
            return;
        }
        match self.0.back_mut().filter(|(begun, _)| at_ms.saturating_sub(*begun) < Self::TOGETHER_MS) {
            Some((_, mean)) => {
                mean.of = mean.of.saturating_add(1);
                mean.value += (value - mean.value) / f64::from(mean.of);
            }
            None => self.push(at_ms, Mean { value, of: 1 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Load;

    fn load(processor: f64) -> Load {
        Load { processor, ..Load::default() }
    }

    #[test]
    fn the_past_becomes_coarser_and_the_present_stays() {
        let mut readings = Readings::default();
        for second in 0..100_000u64 {
            readings.push(second * 1000, load(second as f64));
        }
        assert!(readings.0.len() <= Readings::<Load>::CAPACITY);
        let times: Vec<u64> = readings.iter().map(|(at, _)| at / 1000).collect();
        assert_eq!(times[times.len() - 100..], (99_900..100_000).collect::<Vec<_>>());
        assert!(times[0] < 1000, "the beginning is still there: {}", times[0]);
        assert!(times.is_sorted());
    }

    #[test]
    fn columns_hold_the_greatest_of_their_span() {
        let mut readings = Readings::default();
        for (second, value) in [(10, 0.1), (11, 0.9), (14, 0.4), (300, 0.5)] {
            readings.push(second * 1000, load(value));
        }
        let of = |load: &Load| Some(load.processor);
        let seen = readings.columns(4, 8000, 18_000, of);
        // Spans from 10, 12, 14 and 16 s.
        assert_eq!(seen, [Some(0.9), Some(0.9), Some(0.9), Some(0.4)]);
        let late = readings.columns(4, 40_000, 300_000, of);
        assert_eq!(late, [None, None, None, Some(0.5)], "what is stale is not drawn");
        assert_eq!(readings.columns(2, 8000, 18_000, |_| None), [None, None]);
        assert_eq!(Readings::<Load>::default().columns(2, 8000, 18_000, of), [None, None]);
    }

    #[test]
    fn what_is_told_often_is_gathered() {
        let mut readings = Readings::default();
        for (at, value) in [(0, 0.2), (500, 0.4), (1999, 0.6), (2000, 0.9), (2100, f64::NAN)] {
            readings.gather(at, value);
        }
        let means: Vec<(u64, f64, u32)> = readings.iter().map(|(at, mean)| (at, mean.value, mean.of)).collect();
        assert_eq!(means.len(), 2);
        assert!((means[0].1 - 0.4).abs() < 1e-12 && means[0].2 == 3, "{means:?}");
        assert_eq!(means[1], (2000, 0.9, 1));
    }
}
