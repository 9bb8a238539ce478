//! Steps that went wrong: the newest of them, and whether the run still stands at one.

use super::{RunState, What, apply::keep_newest};
use crate::{
    command::Command,
    event::{Alarm, Then},
};

impl RunState {
    pub(super) fn alarm(&mut self, alarm: &Alarm) {
        if let Then::RolledBack { to, epoch, step_in_epoch } = alarm.then {
            self.give_up(alarm.step + 1, (to, epoch, step_in_epoch));
            self.mark(to, What::Undone(alarm.step + 1));
        }
        keep_newest(&mut self.alarms, alarm.clone(), Self::ALARMS);
    }

    /// The newest, as long as training has not gone on past it.
    pub fn alarm_in_force(&self) -> Option<&Alarm> {
        self.alarms.last().filter(|alarm| self.step <= alarm.step + 1)
    }

    /// The newest intervention, which `undo` takes back, and the step that it goes to.
    pub fn last_intervention(&self) -> Option<(u64, &Command)> {
        self.markers.iter().rev().find_map(|marker| match &marker.what {
            What::Applied(command) if command.intervenes() => Some((marker.step, command)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Found, NonFinite, Stamped, State, Suspect};

    fn alarm(step: u64, then: Then) -> Event {
        let image = |sample| Suspect { sample, name: format!("{sample}.jpg"), label: Some(1), blob: "ab".into() };
        Event::Alarm(Alarm {
            step,
            epoch: 1,
            found: Found::NonFinite { what: NonFinite::Loss },
            loss: f64::NAN,
            learning_rate: Some(1.0),
            layers: vec!["conv2d".into()],
            count: 2,
            images: vec![image(3), image(5)],
            then,
        })
    }

    fn fold(events: Vec<Event>) -> RunState {
        let mut state = RunState::default();
        for (seq, event) in (0..).zip(events) {
            state.apply(&Stamped { seq, at_ms: seq, event });
        }
        state
    }

    #[test]
    fn an_alarm_is_in_force_until_training_has_passed_it() {
        let paused = |step| Event::StateChanged { state: State::Paused, step };
        let state = fold(vec![alarm(7, Then::Paused), paused(8)]);
        assert_eq!(state.alarm_in_force().map(|alarm| alarm.step), Some(7));
        let state = fold(vec![alarm(7, Then::Paused), paused(8), paused(9)]);
        assert_eq!(state.alarm_in_force(), None);
        assert_eq!(state.alarms.len(), 1, "it happened all the same");
        let state = fold(vec![paused(9), alarm(9, Then::RolledBack { to: 4, epoch: 1, step_in_epoch: 4 })]);
        assert_eq!((state.step, state.alarm_in_force().is_some()), (4, true));
    }

    #[test]
    fn the_newest_are_kept_and_their_lines_are_short() {
        let state = fold((0..40).map(|step| alarm(step, Then::Skipped)).collect());
        assert_eq!((state.alarms.len(), state.alarms[0].step), (RunState::ALARMS, 24));
        assert!(state.alarms.iter().all(|alarm| alarm.images.len() == 2));
        let lines = state.log.iter().filter_map(|line| match &line.event {
            Event::Alarm(alarm) => Some(alarm.images.len()),
            _ => None,
        });
        assert_eq!(lines.collect::<Vec<_>>(), [1; 40]);
    }
}
