//! The one reducer: what each event changes.

use std::collections::VecDeque;

use super::{Layer, Marker, RunState, What};
use crate::command::Command;
use crate::event::{
    Answered, Branched, CheckpointKind, Event, Outcome, PhaseEnded, PhaseStarted, RunEnded, RunStarted, Stamped, State,
    Steps,
};

impl RunState {
    /// Takes one event in. Events that are known already change nothing, so a re-sent history does no harm.
    pub fn apply(&mut self, stamped: &Stamped) {
        if !self.tick(stamped) {
            return;
        }
        match &stamped.event {
            Event::RunStarted(started) => self.start(started),
            Event::Branched(branched) => self.branch(branched),
            Event::Stage { stage, detail } => self.stage = Some((*stage, detail.clone())),
            Event::DataOpened(data) => self.data = Some(data.clone()),
            Event::DeviceReady(device) => self.device = Some(device.clone()),
            Event::StateChanged { state, step } => self.change(*state, *step),
            Event::Phases(phases) => self.phases = Some(phases.clone()),
            // The first one begins where the run does.
            Event::PhaseStarted(started) if started.phase > 1 => {
                self.mark(started.step, What::Phase(started.name.clone()));
            }
            Event::EpochStarted { epoch, step } => {
                (self.epoch, self.step, self.step_in_epoch) = (*epoch, *step, self.steps_into(*epoch, *step));
                self.evaluating = None;
            }
            Event::Steps(steps) => self.steps(steps, stamped.at_ms),
            Event::Evaluating { split, done, total } => self.evaluating = Some((*split, *done, *total)),
            Event::EpochEnded(ended) => {
                self.epochs.push(ended.clone());
                self.epoch = ended.epoch;
                self.evaluating = None;
            }
            Event::Layers(measured) => {
                for meters in &measured.layers {
                    if let Some(layer) = self.layers.iter_mut().find(|l| l.info.name == meters.name) {
                        layer.measure(meters);
                    }
                }
            }
            Event::Probed(probed) => {
                let same = self.probed.is_some_and(|(_, images)| images == probed.images);
                for probe in &probed.layers {
                    if let Some(layer) = self.layers.iter_mut().find(|l| l.info.name == probe.name) {
                        layer.probed(probe, same);
                    }
                }
                self.probed = Some((probed.step, probed.images));
            }
            Event::Mistakes(mistakes) => self.mistakes = Some(mistakes.clone()),
            Event::Machine(load) => self.machine.push(stamped.at_ms, load.as_ref().clone()),
            Event::Trainable(mask) => {
                for layer in &mut self.layers {
                    layer.set_frozen(mask.frozen.contains(&layer.info.name));
                }
                self.trainable_parameters = Some(mask.trainable_parameters);
                self.total_parameters = Some(mask.total_parameters);
            }
            Event::LearningRate { layers, .. } if !layers.is_empty() => {}
            Event::LearningRate { step, rate, .. } => {
                self.learning_rate = Some(*rate);
                self.curves.learning_rate.push_one(*step, *rate);
            }
            Event::Checkpoint(checkpoint) => match checkpoint.kind {
                CheckpointKind::Best => self.best = Some(checkpoint.clone()),
                CheckpointKind::Last => self.last = Some(checkpoint.clone()),
                CheckpointKind::Undo(_) => {}
            },
            Event::Answered(answered) => self.answer(answered),
            Event::Explained(explained) => self.explain(explained),
            Event::Pinned { images } => self.pinned.clone_from(images),
            Event::Painted(painted) => self.paint(painted),
            Event::Skipped { split, total, files } => {
                let skipped = self.skipped.entry(*split).or_default();
                skipped.total = *total;
                for file in files {
                    if skipped.files.len() < Self::SKIPPED_FILES && !skipped.files.contains(file) {
                        skipped.files.push(file.clone());
                    }
                }
            }
            Event::Tested(tested) => {
                self.tested = Some(tested.clone());
                self.evaluating = None;
            }
            Event::Alarm(alarm) => self.alarm(alarm),
            Event::Undone(undone) => self.undo(undone),
            Event::Measured(measured) => {
                self.measured = Some(measured.clone());
                self.evaluating = None;
            }
            Event::Configuration { .. } | Event::PhaseStarted(_) | Event::PhaseEnded(_) | Event::Log { .. } => {}
            Event::RunEnded(ended) => self.end(ended),
        }
        if is_news(&stamped.event) {
            // A schedule that changes the rate at every step has one line, which keeps up.
            if let (Event::LearningRate { why, .. }, Some(Event::LearningRate { why: before, .. })) =
                (&stamped.event, self.log.back().map(|s| &s.event))
                && why == before
            {
                self.log.pop_back();
            }
            keep(&mut self.log, line_of(stamped), Self::LOG_LINES);
        }
    }

    /// Time goes on; says whether the event is new.
    fn tick(&mut self, stamped: &Stamped) -> bool {
        let clock = &mut self.clock;
        if let Some(seq) = clock.seq {
            if stamped.seq <= seq {
                return false;
            }
            clock.missed += stamped.seq - seq - 1;
            if !matches!(stamped.event, Event::RunStarted(_) | Event::Branched(_)) {
                clock.elapsed_ms += stamped.at_ms.saturating_sub(clock.now_ms);
            }
        }
        clock.seq = Some(stamped.seq);
        clock.now_ms = stamped.at_ms;
        true
    }

    /// A run begins, or an engine goes on with it: what the engine before this one did after its last checkpoint is undone.
    fn start(&mut self, started: &RunStarted) {
        let (step, epoch) = started.resumed.map_or((0, 0), |r| (r.step, r.epoch));
        self.forget_after(step);
        let leaves_here = |marker: &Marker| marker.step == step && matches!(marker.what, What::Branched(_));
        if started.resumed.is_some() && !self.markers.iter().any(leaves_here) {
            self.mark(step, What::Resumed);
        }
        self.layers = started.layers.iter().cloned().map(Layer::new).collect();
        self.run = Some(started.clone());
        self.phases = None;
        (self.step, self.epoch) = (step, epoch);
        self.step_in_epoch = self.epochs.last().map_or(step, |e| step - e.step) as u32;
        self.state = Some(State::Starting);
        (self.stage, self.evaluating, self.latest, self.speed) = (None, None, None, None);
        (self.measured, self.tested, self.ended) = (None, None, None);
    }

    /// All that is known so far is of another run.
    fn branch(&mut self, branched: &Branched) {
        let Branched { step, epoch, step_in_epoch, .. } = *branched;
        (self.step, self.epoch, self.step_in_epoch) = (step, epoch, step_in_epoch);
        (self.state, self.latest, self.speed) = (None, None, None);
        self.answers.clear();
        self.log.clear();
        self.mark(step, What::Branched(branched.from.clone()));
    }

    /// An epoch need not begin at its beginning, where an engine goes on with it.
    fn steps_into(&self, epoch: u32, step: u64) -> u32 {
        match self.epochs.last() {
            Some(last) if last.epoch + 1 == epoch => step.saturating_sub(last.step) as u32,
            None if epoch == 1 => step as u32,
            _ => 0,
        }
    }

    /// What came after a step is undone.
    pub(super) fn forget_after(&mut self, step: u64) {
        for curve in self.curves.each_mut() {
            curve.truncate(step);
        }
        self.epochs.retain(|e| e.step <= step);
        self.markers.retain(|m| m.step <= step);
        self.kept.retain(|e| e.step <= step);
        self.mistakes = self.mistakes.take().filter(|found| found.step <= step);
        self.probed = None;
    }

    fn change(&mut self, state: State, step: u64) {
        self.state = Some(state);
        self.step = self.step.max(step);
        if state != State::Starting {
            self.stage = None;
        }
        if state != State::Evaluating && state != State::Paused {
            self.evaluating = None;
        }
    }

    fn steps(&mut self, steps: &Steps, at_ms: u64) {
        /// Weight of the past in the smoothed speed: about the last ten events, that is a second or two.
        const INERTIA: f64 = 0.9;
        (self.epoch, self.step, self.step_in_epoch) = (steps.epoch, steps.step, steps.step_in_epoch);
        (self.stage, self.evaluating) = (None, None);
        self.learning_rate = Some(steps.learning_rate);
        let curves = &mut self.curves;
        curves.loss.push(steps.step, steps.count, steps.loss);
        curves.accuracy.push(steps.step, steps.count, steps.accuracy);
        curves.learning_rate.push_one(steps.step, steps.learning_rate);
        curves.images_per_second.push_one(steps.step, steps.images_per_second);
        curves.data_wait.push_one(steps.step, steps.data_wait);
        self.waits.gather(at_ms, steps.data_wait);
        let now = steps.images_per_second;
        if now.is_finite() {
            self.speed = Some(self.speed.map_or(now, |before| INERTIA * before + (1.0 - INERTIA) * now));
        }
        self.latest = Some(steps.clone());
    }

    fn answer(&mut self, answered: &Answered) {
        // Pins bend no curve, and what was undone has a mark of its own.
        let pins = matches!(answered.request, Command::Pin { .. } | Command::Unpin { .. } | Command::Undo);
        if answered.outcome == Outcome::Applied && !pins {
            self.mark(answered.step, What::Applied(answered.request.clone()));
        }
        keep(&mut self.answers, answered.clone(), Self::ANSWERS);
    }

    pub(super) fn mark(&mut self, step: u64, what: What) {
        let marker = Marker { step, what };
        // A phase that a resumed run begins anew.
        if matches!(marker.what, What::Phase(_)) && self.markers.contains(&marker) {
            return;
        }
        keep_newest(&mut self.markers, marker, Self::MARKERS);
    }

    fn end(&mut self, ended: &RunEnded) {
        self.ended = Some(ended.clone());
        self.state = Some(State::Ended);
        (self.step, self.epoch) = (ended.step, ended.epoch);
        (self.stage, self.evaluating) = (None, None);
    }
}

/// What the log keeps of an event: of a batch that went wrong no more images than its line names.
fn line_of(stamped: &Stamped) -> Stamped {
    let mut line = stamped.clone();
    if let Event::Alarm(alarm) = &mut line.event {
        alarm.images.truncate(1);
    }
    line
}

/// Whether the log tells it. What the rest of the screen shows better, or several times a second, is left out.
fn is_news(event: &Event) -> bool {
    !matches!(
        event,
        // Where there is only one phase, the run itself says it all.
        Event::PhaseStarted(PhaseStarted { count: 1, .. })
            | Event::PhaseEnded(PhaseEnded { count: 1, .. })
            | Event::Configuration { .. }
            | Event::Phases(_)
            | Event::StateChanged { .. }
            | Event::EpochStarted { .. }
            | Event::Steps(_)
            | Event::Evaluating { .. }
            | Event::Layers(_)
            | Event::Probed(_)
            | Event::Mistakes(_)
            | Event::Machine(_)
            | Event::Trainable(_)
            | Event::Explained(_)
            | Event::Pinned { .. }
            | Event::Painted(_)
    )
}

pub(super) fn keep_newest<T>(list: &mut Vec<T>, item: T, most: usize) {
    list.push(item);
    if list.len() > most {
        list.remove(0);
    }
}

fn keep<T>(ring: &mut VecDeque<T>, item: T, most: usize) {
    ring.push_back(item);
    if ring.len() > most {
        ring.pop_front();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::event::Undone;

    fn fold(scenario: &str) -> RunState {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(scenario);
        let mut state = RunState::default();
        for line in std::fs::read_to_string(path).unwrap().lines() {
            state.apply(&serde_json::from_str(line).unwrap());
        }
        state
    }

    #[test]
    fn a_whole_story_folds_into_one_state() {
        insta::assert_json_snapshot!(fold("story.jsonl"));
    }

    #[test]
    fn a_resumed_run_forgets_what_was_lost() {
        let state = fold("killed.jsonl");
        let steps: Vec<u64> = state.curves.loss.buckets().iter().map(|b| b.step).collect();
        assert_eq!(steps, [3, 4, 6], "step 7 of the first life is gone");
        assert_eq!(state.epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(), [1]);
        assert_eq!(state.markers.iter().map(|m| &m.what).collect::<Vec<_>>(), [&What::Resumed]);
        assert_eq!((state.step, state.epoch, state.step_in_epoch), (6, 2, 2));
        assert!(state.clock.elapsed_ms < 10_000, "the hour between two lives is nobody's work");
    }

    #[test]
    fn what_was_undone_is_kept_aside() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/killed.jsonl");
        let mut state = RunState::default();
        // Seven steps, the first four an epoch, and a rate set behind the last.
        for line in std::fs::read_to_string(path).unwrap().lines().take(29) {
            state.apply(&serde_json::from_str(line).unwrap());
        }
        let what = "freeze conv2d".to_owned();
        let undone = Undone { from: 7, to: 3, epoch: 1, step_in_epoch: 3, interventions: 0, what };
        state.apply(&Stamped { seq: 29, at_ms: 1_750_000_002_000, event: Event::Undone(undone) });
        let steps = |curve: &crate::state::Curve| curve.buckets().iter().map(|b| b.step).collect::<Vec<_>>();
        assert_eq!((steps(&state.curves.loss), state.epochs.len()), (vec![3], 0));
        let [stretch] = &state.abandoned[..] else { panic!("one stretch was given up") };
        assert_eq!((stretch.after, stretch.to, steps(&stretch.loss), stretch.epochs.len()), (3, 7, vec![4, 7], 1));
        assert_eq!(state.markers.iter().map(|m| (m.step, &m.what)).collect::<Vec<_>>(), [(3, &What::Undone(7))]);
        assert_eq!((state.step, state.epoch, state.step_in_epoch), (3, 1, 3));
    }

    #[test]
    fn phases_count_with_their_own_epochs() {
        let state = fold("phased.jsonl");
        let (phase, at, of) = state.phase().unwrap();
        assert_eq!((phase.name.as_str(), at, of), ("fine-tune", 3, 3));
        assert_eq!(state.epochs_planned(), 8, "three epochs were begun before its five");
        let begun: Vec<(u64, &What)> =
            state.markers.iter().filter(|m| matches!(m.what, What::Phase(_))).map(|m| (m.step, &m.what)).collect();
        assert_eq!(begun, [(126, &What::Phase("warm".into())), (156, &What::Phase("fine-tune".into()))]);
        assert_eq!(fold("story.jsonl").phase(), None);
    }

    #[test]
    fn a_state_that_was_kept_goes_on_as_if_it_had_not_been() {
        for scenario in ["story.jsonl", "killed.jsonl", "phased.jsonl", "mid_run.jsonl"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(scenario);
            let text = std::fs::read_to_string(path).unwrap();
            let lines: Vec<_> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            for kept_at in [1, lines.len() / 3, lines.len()] {
                let mut state = RunState::default();
                lines[..kept_at].iter().for_each(|stamped| state.apply(stamped));
                let mut again: RunState = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
                lines[kept_at..].iter().for_each(|stamped| again.apply(stamped));
                assert_eq!(
                    serde_json::to_value(again).unwrap(),
                    serde_json::to_value(fold(scenario)).unwrap(),
                    "{scenario}"
                );
            }
        }
    }

    #[test]
    fn events_that_come_twice_count_once() {
        let (once, mut twice) = (fold("story.jsonl"), fold("story.jsonl"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/story.jsonl");
        for line in std::fs::read_to_string(path).unwrap().lines().skip(3) {
            twice.apply(&serde_json::from_str(line).unwrap());
        }
        assert_eq!(serde_json::to_value(once).unwrap(), serde_json::to_value(twice).unwrap());
    }

    #[test]
    fn the_frost_line_lies_above_the_lowest_frozen_layers() {
        let state = fold("mid_run.jsonl");
        assert_eq!(state.frost_line(), 3, "conv2d, max_pooling2d, conv2d_1");
        assert_eq!(fold("starting.jsonl").frost_line(), 0);
    }
}
