//! The interventions of a run, to be repeated by another one: those that count at its end, each with the place in the loop at which it was
//! carried out. What was undone, and what a killed engine did behind its last checkpoint, is not among them.

use serde::{Deserialize, Serialize};

use super::{Progress, Record, Stepper, Trainer};
use crate::{
    command::{Command, Request},
    error::{Error, Result},
    event::{Answered, Ended, Event, Level, Moment, Outcome, Resumed, RunEnded, RunStarted},
};

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scripted {
    /// Steps done before it.
    pub step: u64,
    pub moment: Moment,
    pub by: String,
    pub command: Command,
}

/// From a journal's events, in order. Fails where the journal does not say where they were carried out.
pub fn script(events: impl IntoIterator<Item = Event>) -> Result<Vec<Scripted>> {
    let mut script: Vec<Scripted> = Vec::new();
    // A run that was branched from another begins behind some.
    let mut before = None;
    let mut stop = None;
    for event in events {
        match event {
            Event::RunStarted(RunStarted { resumed, .. }) => {
                let known = resumed.map_or(0, |Resumed { interventions, .. }| interventions);
                script.truncate((known - known.min(*before.get_or_insert(known))) as usize);
                stop = None;
            }
            // Done in another run, before this one left it.
            Event::Branched(branched) => {
                script.clear();
                (before, stop) = (Some(branched.interventions), None);
            }
            Event::Undone(undone) => {
                script.truncate(undone.interventions.saturating_sub(before.unwrap_or(0)) as usize);
            }
            Event::Answered(Answered { by, request, step, outcome: Outcome::Applied, moment, .. }) => {
                let ends = request == Command::Stop;
                if !request.intervenes() && !ends {
                    continue;
                }
                let moment = moment.ok_or_else(|| {
                    let message = format!("the journal does not say where in the loop \"{request}\" was carried out");
                    Error::user(message, "it was written by an older frostline; such a run cannot be repeated")
                })?;
                let scripted = Scripted { step, moment, by, command: request };
                if ends {
                    stop = Some(scripted);
                } else {
                    script.truncate(moment.interventions.saturating_sub(before.unwrap_or(0)) as usize);
                    script.push(scripted);
                }
            }
            Event::RunEnded(RunEnded { how, .. }) if !matches!(how, Ended::Stopped { .. }) => stop = None,
            _ => {}
        }
    }
    script.extend(stop);
    Ok(script)
}

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// Carries out a script on the way. What the run has behind it already is passed over.
    pub fn repeat(&mut self, script: Vec<Scripted>) {
        let Progress { step, interventions, .. } = self.progress;
        let to_come = |each: &Scripted| match each.command {
            Command::Stop => each.step > step || step == 0,
            _ => each.moment.interventions >= interventions,
        };
        self.script = script.into_iter().filter(to_come).collect();
    }

    /// What the script has for this place.
    pub(super) fn scripted(&mut self) -> Result<Option<Request>> {
        if self.measuring {
            return Ok(None);
        }
        let Some(next) = self.script.front() else { return Ok(None) };
        let here = Moment { interventions: next.moment.interventions, ..self.moment() };
        if self.progress.step > next.step {
            return Err(departs(next, "its place has gone by"));
        }
        if next.step != self.progress.step || next.moment != here {
            return Ok(None);
        }
        let Some(Scripted { by, command, .. }) = self.script.pop_front() else { return Ok(None) };
        let next = Scripted { step: self.progress.step, moment: here, by: by.clone(), command: command.clone() };
        match self.refusal(&command) {
            Some(reason) => Err(departs(&next, &reason)),
            None => Ok(Some(Request { id: 0, by, command })),
        }
    }

    /// Whether something of it is to be done here, where nobody is asked otherwise.
    pub(super) fn is_due_here(&self) -> bool {
        let interventions = self.progress.interventions;
        self.script.front().is_some_and(|next| {
            next.step == self.progress.step && Moment { interventions, ..next.moment } == self.moment()
        })
    }

    /// At the end.
    pub(super) fn warn_of_rest(&mut self) -> Result<()> {
        let Some(next) = self.script.front() else { return Ok(()) };
        let message = format!(
            "{} commands of the script came to no place in this run, the first of them \"{}\" after step {}",
            self.script.len(),
            next.command,
            next.step
        );
        self.record.say(Event::Log { level: Level::Warning, message })
    }
}

fn departs(next: &Scripted, why: &str) -> Error {
    Error::user(
        format!("the run departs from the one that it repeats: \"{}\" after step {}: {why}", next.command, next.step),
        "a run is repeated from its own configuration and data",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::event::Undone;

    fn answered(command: Command, step: u64, interventions: u64) -> Event {
        let moment = Some(Moment { epoch: 1, phase: 1, evaluating: false, interventions });
        let (id, by) = (0, "ada".into());
        Event::Answered(Answered { id, by, request: command, step, outcome: Outcome::Applied, moment })
    }

    fn lines(events: Vec<Event>) -> Vec<String> {
        script(events).unwrap().iter().map(|each| format!("{} {}", each.step, each.command)).collect()
    }

    #[test]
    fn what_does_not_count_at_the_end_is_not_repeated() {
        let dropout = |rate| Command::Dropout { rate, layers: vec![] };
        let undone =
            Undone { from: 9, to: 5, epoch: 1, step_in_epoch: 5, interventions: 1, what: "dropout 0.2".into() };
        let events = vec![
            answered(dropout(0.1), 3, 0),
            answered(Command::Pause, 4, 1),
            answered(dropout(0.2), 5, 1),
            answered(dropout(0.3), 7, 2),
            Event::Undone(undone.clone()),
            answered(dropout(0.4), 6, 1),
        ];
        assert_eq!(lines(events.clone()), ["3 dropout 0.1", "6 dropout 0.4"]);
        assert_eq!(lines([events, vec![Event::Undone(undone)]].concat()), ["3 dropout 0.1"]);
    }

    #[test]
    fn a_stop_at_the_very_end_is_repeated_and_a_journal_without_places_is_refused() {
        let ended = |how| Event::RunEnded(RunEnded { how, step: 9, epoch: 1, seconds: 1.0 });
        let stopped = vec![answered(Command::Stop, 9, 0), ended(Ended::Stopped { by: "ada".into() })];
        assert_eq!(lines(stopped), ["9 stop"]);
        let mut old = answered(Command::EndPhase, 3, 0);
        if let Event::Answered(answered) = &mut old {
            answered.moment = None;
        }
        assert!(script([old]).unwrap_err().message().contains("\"phase end\""));
    }
}
