//! The course of a run's loss in a few dozen readings, for a sparkline: of a journal's many lines about steps every so many are kept unparsed,
//! and fewer the longer it gets.

use crate::event::{Event, Stamped};

/// Readings that are kept at most; at least half as many of a long run.
const MOST: usize = 64;

#[derive(Debug)]
pub(super) struct Course {
    lines: Vec<Vec<u8>>,
    /// One of so many is kept.
    every: usize,
    seen: usize,
}

impl Course {
    pub fn new() -> Self {
        Self { lines: Vec::new(), every: 1, seen: 0 }
    }

    /// One more line about steps.
    pub fn take(&mut self, line: &[u8]) {
        if self.seen.is_multiple_of(self.every) {
            self.lines.push(line.to_vec());
            if self.lines.len() > MOST {
                let mut keep = false;
                self.lines.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.every *= 2;
            }
        }
        self.seen += 1;
    }

    /// Means of the loss, in the order of the steps. What a resumed run did again counts as it was done last.
    pub fn losses(&self) -> Vec<f64> {
        let mut course: Vec<(u64, f64)> = Vec::new();
        for line in &self.lines {
            if let Ok(Stamped { event: Event::Steps(steps), .. }) = serde_json::from_slice(line) {
                course.retain(|(step, _)| *step < steps.step);
                course.push((steps.step, steps.loss.mean));
            }
        }
        course.into_iter().map(|(_, loss)| loss).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: u64) -> Vec<u8> {
        let gathered = format!(r#"{{"mean":{step},"min":0,"max":0,"last":0}}"#);
        format!(
            r#"{{"seq":{step},"at_ms":1,"event":"steps","epoch":1,"step":{step},"step_in_epoch":1,"count":1,"loss":{gathered},"accuracy":{gathered},"learning_rate":0.1,"images_per_second":1.0,"data_wait":0.0}}"#
        )
        .into_bytes()
    }

    #[test]
    fn a_long_course_is_thinned_evenly_and_a_short_one_is_whole() {
        let mut course = Course::new();
        (1..=5).for_each(|step| course.take(&line(step)));
        assert_eq!(course.losses(), [1.0, 2.0, 3.0, 4.0, 5.0]);
        (6..=1000).for_each(|step| course.take(&line(step)));
        let losses = course.losses();
        assert!((MOST / 2..=MOST).contains(&losses.len()), "{}", losses.len());
        let gaps: Vec<f64> = losses.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap == gaps[0]), "{gaps:?}");
    }

    #[test]
    fn steps_that_were_done_again_count_once() {
        let mut course = Course::new();
        for step in [1, 2, 3, 2, 3, 4] {
            course.take(&line(step));
        }
        course.take(b"torn");
        assert_eq!(course.losses(), [1.0, 2.0, 3.0, 4.0]);
    }
}
