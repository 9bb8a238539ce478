//! A state that is soon told over a slow line: what a screen shows first, in curves of a few hundred points and numbers of five digits.
//! What is left out follows later, if at all; whoever goes on from it has a state like any other, only coarser in what was before.

use super::{RunState, Stretch};
use crate::event::{EpochEnded, Gathered};

/// Points of a curve: the columns of a wide screen.
const POINTS: usize = 300;
/// Of a stretch that was given up.
const GREY_POINTS: usize = 60;
/// Epochs, spread over all that there were.
const EPOCHS: usize = 160;
/// Of lists in the order of time, the newest.
const LINES: usize = 40;
const MARKERS: usize = 128;
const EXPLAINED: usize = 4;
const ALARMS: usize = 2;
const FILES: usize = 8;

impl RunState {
    #[must_use]
    pub fn light(&self) -> Self {
        let mut state = self.clone();
        state.light = true;
        for curve in state.curves.each_mut() {
            *curve = curve.coarse(POINTS);
        }
        for Stretch { loss, accuracy, .. } in &mut state.abandoned {
            (*loss, *accuracy) = (loss.coarse(GREY_POINTS), accuracy.coarse(GREY_POINTS));
        }
        state.epochs = self.few_epochs();
        let newest = self.kept.last().map_or(0, |kept| kept.epoch);
        state.kept.retain(|kept| kept.epoch == newest);
        keep_last(&mut state.kept, EXPLAINED);
        keep_last(&mut state.explained, EXPLAINED);
        keep_last(&mut state.painted, 1);
        keep_last(&mut state.alarms, ALARMS);
        keep_last(&mut state.markers, MARKERS);
        state.log.drain(..state.log.len().saturating_sub(LINES));
        state.machine.forget_past();
        state.waits.forget_past();
        state.skipped.values_mut().for_each(|skipped| skipped.files.truncate(FILES));
        for probe in state.layers.iter_mut().filter_map(|layer| layer.probe.as_mut()) {
            (probe.weights, probe.gradients) = (None, None);
            for number in [&mut probe.mean, &mut probe.deviation, &mut probe.forward_ms, &mut probe.backward_ms] {
                *number = brief(*number);
            }
        }
        for layer in &mut state.layers {
            layer.gradient_norm = layer.gradient_norm.map(brief);
            layer.weight_change = layer.weight_change.map(brief);
        }
        if let Some(steps) = &mut state.latest {
            (steps.loss, steps.accuracy) = (gathered(steps.loss), gathered(steps.accuracy));
        }
        state
    }

    /// The newest, the best, and of those before them every second, fourth and so on.
    fn few_epochs(&self) -> Vec<EpochEnded> {
        const NEWEST: usize = 16;
        let all = self.epochs.len();
        let every = all.div_ceil(EPOCHS).max(1);
        let best = self.best.as_ref().map(|best| best.step);
        let told = self.epochs.iter().enumerate();
        let few = told.filter(|(at, epoch)| at % every == 0 || at + NEWEST >= all || Some(epoch.step) == best);
        few.map(|(_, epoch)| EpochEnded {
            train_seconds: brief(epoch.train_seconds),
            validation_seconds: brief(epoch.validation_seconds),
            images_per_second: brief(epoch.images_per_second),
            data_wait: brief(epoch.data_wait),
            ..epoch.clone()
        })
        .collect()
    }
}

fn keep_last<T>(list: &mut Vec<T>, most: usize) {
    list.drain(..list.len().saturating_sub(most));
}

fn gathered(of: Gathered) -> Gathered {
    Gathered { mean: brief(of.mean), min: brief(of.min), max: brief(of.max), last: brief(of.last) }
}

/// With five significant digits, as it is written: what is more shows on no screen.
pub(super) fn brief(value: f64) -> f64 {
    if value.is_finite() { format!("{value:.4e}").parse().unwrap_or(value) } else { value }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::event::{Event, Metrics, Stamped, Steps};

    fn steps(step: u64) -> Event {
        let number = |of: u64| (step.wrapping_mul(of) % 9973) as f64 / 9973.0;
        let gathered =
            |of| Gathered { mean: number(of), min: number(of) / 3.0, max: 1.0 + number(of), last: number(of) };
        Event::Steps(Steps {
            epoch: (step / 1000) as u32 + 1,
            step,
            step_in_epoch: (step % 1000) as u32,
            count: 10,
            loss: gathered(7919),
            accuracy: gathered(104_729),
            learning_rate: 1e-3 * number(31),
            images_per_second: 3000.0 * number(17),
            data_wait: number(13),
        })
    }

    fn epoch(epoch: u32) -> Event {
        let metrics = Metrics { loss: 1.0 / f64::from(epoch), accuracy: 0.5 };
        Event::EpochEnded(EpochEnded {
            epoch,
            step: u64::from(epoch) * 1000,
            train: metrics,
            validation: Some(metrics),
            learning_rate: 1e-3,
            train_seconds: 1.0 / 3.0,
            validation_seconds: 0.1,
            images_per_second: 3000.0,
            data_wait: 0.1,
        })
    }

    fn long(epochs: u32) -> RunState {
        let mut state = RunState::default();
        let mut seq = 0;
        let mut say = |event| {
            state.apply(&Stamped { seq, at_ms: seq * 100, event });
            seq += 1;
        };
        for number in 1..=epochs {
            (1..=100).for_each(|tenth| say(steps(u64::from(number - 1) * 1000 + tenth * 10)));
            say(epoch(number));
        }
        state
    }

    #[test]
    fn a_long_run_is_light_and_its_curves_keep_their_ends_and_extremes() {
        let state = long(600);
        let light = state.light();
        let bytes = |state: &RunState| serde_json::to_vec(state).unwrap().len();
        assert!(bytes(&light) < 200_000 && bytes(&state) > 700_000, "{} of {}", bytes(&light), bytes(&state));
        let curve = &light.curves.loss;
        assert!((POINTS / 2..=POINTS).contains(&curve.buckets().len()), "{}", curve.buckets().len());
        assert_eq!(curve.last().map(|last| last.step), state.curves.loss.last().map(|last| last.step));
        let greatest = |state: &RunState| state.curves.loss.buckets().iter().map(|b| b.max).fold(0.0, f64::max);
        assert!((greatest(&light) - greatest(&state)).abs() < 1e-3);
        let counted = |state: &RunState| state.curves.loss.buckets().iter().map(|b| b.count).sum::<u64>();
        assert_eq!(counted(&light), counted(&state));
        let newest = |state: &RunState| state.epochs.last().map(|epoch| (epoch.epoch, epoch.train));
        assert_eq!(newest(&light), newest(&state));
        assert!(light.epochs.len() < EPOCHS + 20);
    }

    #[test]
    fn a_light_state_goes_on_like_any_other() {
        let (whole, mut light) = (long(30), long(29).light());
        let mut again = RunState::default();
        let mut seq = 0;
        for number in 1..=30 {
            for tenth in 1..=100 {
                let stamped =
                    Stamped { seq, at_ms: seq * 100, event: steps(u64::from(number - 1_u32) * 1000 + tenth * 10) };
                light.apply(&stamped);
                again.apply(&stamped);
                seq += 1;
            }
            let stamped = Stamped { seq, at_ms: seq * 100, event: epoch(number) };
            light.apply(&stamped);
            again.apply(&stamped);
            seq += 1;
        }
        assert_eq!(light.clock.seq, whole.clock.seq);
        assert_eq!((light.step, light.epochs.len()), (whole.step, whole.epochs.len()));
        assert!(light.light && !whole.light);
    }

    #[test]
    fn numbers_have_five_digits() {
        assert_eq!(
            [brief(0.123_456_789), brief(123_456.7), brief(1e-9 / 3.0), brief(0.0)],
            [0.123_46, 123_460.0, 3.3333e-10, 0.0]
        );
        assert!(brief(f64::NAN).is_nan() && brief(f64::INFINITY).is_infinite());
    }
}
