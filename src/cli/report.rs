//! Events as lines of text for a log: one an epoch, and what a person would want told between them. Pure.

use std::fmt::Write as _;

use crate::{
    error::{Error, Result},
    event::{
        Answered, DeviceReady, Ended, EpochEnded, Event, Level, Measured, Metrics, Outcome, PhaseEnded, PhaseStarted,
        Phases, Resumed, RunEnded, SkippedFile, SplitName, State, Tested,
    },
    text::figures,
};

/// What a line needs to know of earlier events.
#[derive(Debug, Default)]
pub struct Reporter {
    epochs: u32,
    phases: Option<Phases>,
    paused: bool,
}

impl Reporter {
    /// The line that an event is worth, if any.
    pub fn line(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::RunStarted(started) => {
                self.epochs = started.epochs;
                Some(match started.resumed {
                    // One that had completed goes on behind its last epoch.
                    Some(Resumed { step, epoch, .. }) if epoch > started.epochs => {
                        format!("{}: resumed after step {step}, with all {} epochs done", started.run, started.epochs)
                    }
                    Some(Resumed { step, epoch, .. }) => {
                        format!("{}: resumed after step {step}, in epoch {epoch}", started.run)
                    }
                    None => format!(
                        "{}: {} epoch{}, {} images a step, {}, {}",
                        started.run,
                        started.epochs,
                        if started.epochs == 1 { "" } else { "s" },
                        started.batch_size,
                        started.optimizer,
                        started.loss
                    ),
                })
            }
            Event::DataOpened(data) => Some(format!(
                "data: {} training, {} validation and {} test images in {} classes, {} steps an epoch",
                figures::count(data.train),
                figures::count(data.validation),
                figures::count(data.test),
                data.classes.len(),
                figures::count(data.steps_per_epoch.into()),
            )),
            Event::DeviceReady(DeviceReady { device, name, threads, libtorch, precision }) => {
                let threads = if *threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
                let precision = if precision.is_empty() { String::new() } else { format!(", {precision}") };
                Some(format!("device: {device} ({name}), {threads}, libtorch {libtorch}{precision}"))
            }
            Event::Phases(phases) => {
                self.epochs = phases.last_epoch();
                self.phases = Some(phases.clone());
                None
            }
            Event::PhaseStarted(started) if started.count > 1 => Some(self.phase(started)),
            Event::PhaseEnded(ended) if ended.count > 1 => Some(phase_end(ended)),
            Event::EpochEnded(ended) => Some(self.epoch(ended)),
            Event::StateChanged { state: State::Paused, step } => {
                self.paused = true;
                Some(format!("paused after step {step}"))
            }
            Event::StateChanged { state: State::Running | State::Evaluating, step } => {
                std::mem::take(&mut self.paused).then(|| format!("goes on after step {step}"))
            }
            Event::Answered(answered) => Some(answer(answered)),
            Event::Skipped { split, total, files } => Some(skipped(*split, *total, files)),
            Event::Tested(tested) => Some(test(tested)),
            Event::Alarm(alarm) => Some(format!("warning: {}", alarm.told())),
            Event::Undone(undone) => Some(format!(
                "back to step {}, before {}: {} steps are given up",
                undone.to,
                undone.what,
                undone.from - undone.to
            )),
            Event::Measured(measured) => Some(measurement(measured)),
            Event::Log { level: Level::Warning, message } => Some(format!("warning: {message}")),
            Event::Log { level: Level::Error, message } => Some(format!("error: {message}")),
            Event::RunEnded(ended) => end(ended),
            _ => None,
        }
    }

    fn phase(&self, started: &PhaseStarted) -> String {
        let PhaseStarted { phase, count, name, .. } = started;
        let mut line = format!("phase {phase} of {count}: {name}");
        if let Some(info) = self.phases.as_ref().and_then(|phases| phases.coming().next()) {
            let [low, high] = info.rates.map(figures::rate);
            let rate = if low == high { high } else { format!("{low} to {high}") };
            let epochs = if info.epochs == 1 { "epoch" } else { "epochs" };
            let _ = write!(line, ", {} {epochs}, {}, rate {rate}", info.epochs, info.optimizer);
        }
        line
    }

    fn epoch(&self, ended: &EpochEnded) -> String {
        let of = self.epochs.to_string();
        let mut line = format!("epoch {:>1$}/{of}", ended.epoch, of.len());
        let figures = |line: &mut String, prefix: &str, metrics: Metrics| {
            let _ = write!(line, "  {prefix}loss {:.4}  {prefix}accuracy {:.4}", metrics.loss, metrics.accuracy);
        };
        figures(&mut line, "", ended.train);
        if let Some(validation) = ended.validation {
            figures(&mut line, "val_", validation);
        }
        let seconds = ended.train_seconds + ended.validation_seconds;
        let _ = write!(
            line,
            "  rate {}  {}  {:.0} images/s",
            figures::rate(ended.learning_rate),
            figures::time_taken(seconds),
            ended.images_per_second
        );
        if ended.data_wait >= 0.05 {
            let _ = write!(line, ", {:.0} % of the time waiting for data", ended.data_wait * 100.0);
        }
        line
    }
}

fn phase_end(ended: &PhaseEnded) -> String {
    let PhaseEnded { phase, count, step, how, restored, .. } = ended;
    let restored = if *restored { ", back to its best weights" } else { "" };
    format!("phase {phase} of {count} {} after {} steps{restored}", how.words(), figures::count(*step))
}

pub fn answer(answered: &Answered) -> String {
    match &answered.outcome {
        Outcome::Applied => format!("{} ({}): applied after step {}", answered.request, answered.by, answered.step),
        Outcome::Rejected { reason } => format!("{} ({}): rejected: {reason}", answered.request, answered.by),
    }
}

/// What a run's end means for the exit code: an error if it failed.
pub fn verdict(ended: &RunEnded) -> Result<()> {
    match &ended.how {
        Ended::Completed { .. } | Ended::Stopped { .. } | Ended::Aborted { .. } => Ok(()),
        Ended::Failed { class, message, hint } => Err(Error::reported(*class, message.clone(), hint.clone())),
    }
}

fn test(tested: &Tested) -> String {
    format!(
        "test: loss {:.4}  accuracy {:.4}  on {} images, with the {} checkpoint",
        tested.metrics.loss,
        tested.metrics.accuracy,
        figures::count(tested.images),
        tested.checkpoint.word()
    )
}

pub fn measurement(measured: &Measured) -> String {
    let Measured { split, step, metrics, images, seconds, .. } = measured;
    format!(
        "{} after step {step}: loss {:.4}  accuracy {:.4}  on {} images, in {}",
        format!("{split:?}").to_lowercase(),
        metrics.loss,
        metrics.accuracy,
        figures::count(*images),
        figures::time_taken(*seconds)
    )
}

fn skipped(split: SplitName, total: u64, files: &[SkippedFile]) -> String {
    const SHOWN: usize = 5;
    let split = match split {
        SplitName::Train => "training",
        SplitName::Validation => "validation",
        SplitName::Test => "test",
    };
    let new = files.len() as u64;
    let all = if total > new { format!(" ({} in all)", figures::count(total)) } else { String::new() };
    let mut line = match new {
        1 => format!("warning: 1 {split} image cannot be read and is left out{all}:"),
        _ => format!("warning: {} {split} images cannot be read and are left out{all}:", figures::count(new)),
    };
    for file in files.iter().take(SHOWN) {
        let _ = write!(line, "\n  {}: {}", file.path, file.reason);
    }
    match files.len().saturating_sub(SHOWN) as u64 {
        0 => line,
        more => line + &format!("\n  and {} more", figures::count(more)),
    }
}

/// A failure is told as an error, not as a line.
fn end(ended: &RunEnded) -> Option<String> {
    let how = match &ended.how {
        Ended::Completed { early: false } => "completed".into(),
        Ended::Completed { early: true } => "stopped early, as planned,".into(),
        Ended::Stopped { by } => format!("stopped by {by}"),
        Ended::Aborted { by } => format!("aborted by {by}, without saving,"),
        Ended::Failed { .. } => return None,
    };
    Some(format!("{how} after {} steps, in {}", figures::count(ended.step), figures::time_taken(ended.seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        command::Command,
        error::Class,
        event::{DataOpened, RunStarted},
    };

    fn run_started() -> Event {
        Event::RunStarted(RunStarted {
            protocol: 1,
            version: "0.1.0".into(),
            run: "2026-03-09-120005-demo".into(),
            model: "demo".into(),
            phase: "train".into(),
            epochs: 10,
            batch_size: 32,
            layers: vec![],
            loss: "binary_crossentropy".into(),
            optimizer: "rmsprop".into(),
            resumed: None,
        })
    }

    #[test]
    fn a_run_reads_as_a_log() {
        let epoch = |epoch, loss, validation, data_wait| {
            Event::EpochEnded(EpochEnded {
                epoch,
                step: u64::from(epoch) * 63,
                train: Metrics { loss, accuracy: 0.512_34 },
                validation,
                learning_rate: 0.001,
                train_seconds: 70.0,
                validation_seconds: 3.4,
                images_per_second: 163.6,
                data_wait,
            })
        };
        let file = |name: &str| SkippedFile { path: name.into(), reason: "it ends too early".into() };
        let answered = |outcome| {
            Event::Answered(Answered {
                id: 1,
                by: "ada@lab".into(),
                request: Command::Freeze { layers: vec!["conv2d".into(), "conv2d_1".into()] },
                step: 70,
                outcome,
                moment: None,
            })
        };
        let events = [
            run_started(),
            Event::DataOpened(DataOpened {
                classes: vec!["cat".into(), "dog".into()],
                train: 2000,
                validation: 1000,
                test: 0,
                steps_per_epoch: 63,
                pinned: SplitName::Validation,
            }),
            Event::DeviceReady(DeviceReady {
                device: "cpu".into(),
                name: "EPYC".into(),
                threads: 2,
                libtorch: "2.11.0".into(),
                precision: "float32".into(),
            }),
            Event::StateChanged { state: State::Running, step: 0 },
            Event::Skipped { split: SplitName::Train, total: 2, files: vec![file("cats/1.jpg"), file("dogs/2.jpg")] },
            epoch(1, 0.693_2, Some(Metrics { loss: 0.68, accuracy: 0.55 }), 0.02),
            Event::StateChanged { state: State::Paused, step: 70 },
            answered(Outcome::Applied),
            answered(Outcome::Rejected { reason: "`conv2d_1` has no parameters".into() }),
            Event::StateChanged { state: State::Running, step: 70 },
            epoch(10, f64::NAN, None, 0.251),
            Event::Log { level: Level::Warning, message: "the loss is not a number".into() },
            Event::Log { level: Level::Info, message: "said in engine.log alone".into() },
            Event::Tested(Tested {
                metrics: Metrics { loss: 0.25, accuracy: 0.9125 },
                images: 10_000,
                checkpoint: crate::event::CheckpointKind::Best,
                confusion: vec![],
            }),
            Event::RunEnded(RunEnded {
                how: Ended::Completed { early: false },
                step: 1_234_567,
                epoch: 10,
                seconds: 7384.0,
            }),
        ];
        let mut reporter = Reporter::default();
        let lines: Vec<_> = events.iter().filter_map(|event| reporter.line(event)).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        2026-03-09-120005-demo: 10 epochs, 32 images a step, rmsprop, binary_crossentropy
        data: 2,000 training, 1,000 validation and 0 test images in 2 classes, 63 steps an epoch
        device: cpu (EPYC), 2 threads, libtorch 2.11.0, float32
        warning: 2 training images cannot be read and are left out:
          cats/1.jpg: it ends too early
          dogs/2.jpg: it ends too early
        epoch  1/10  loss 0.6932  accuracy 0.5123  val_loss 0.6800  val_accuracy 0.5500  rate 0.001  1 min 13 s  164 images/s
        paused after step 70
        freeze conv2d conv2d_1 (ada@lab): applied after step 70
        freeze conv2d conv2d_1 (ada@lab): rejected: `conv2d_1` has no parameters
        goes on after step 70
        epoch 10/10  loss NaN  accuracy 0.5123  rate 0.001  1 min 13 s  164 images/s, 25 % of the time waiting for data
        warning: the loss is not a number
        test: loss 0.2500  accuracy 0.9125  on 10,000 images, with the best checkpoint
        completed after 1,234,567 steps, in 2 h 03 min
        ");
    }

    #[test]
    fn phases_are_told_where_there_are_several() {
        use crate::event::{PhaseEnd, PhaseInfo};
        let info = |name: &str, epochs, rates| PhaseInfo {
            name: name.into(),
            epochs,
            batch_size: 20,
            optimizer: "rmsprop".into(),
            rates,
            augmented: false,
        };
        let phases = vec![info("head", 1, [2e-5, 2e-5]), info("fine-tune", 100, [1e-6, 1e-5])];
        let started = |phase, name: &str, step| {
            Event::PhaseStarted(PhaseStarted { phase, count: 2, name: name.into(), step, epoch: phase })
        };
        let ended = |how, restored| {
            let name = "head".into();
            Event::PhaseEnded(PhaseEnded { phase: 1, count: 2, name, step: 1000, epoch: 1, how, restored })
        };
        let events = [
            Event::Phases(Phases { current: 1, first_step: 0, first_epoch: 1, phases: phases.clone() }),
            started(1, "head", 0),
            ended(PhaseEnd::Early, true),
            ended(PhaseEnd::Skipped, false),
            Event::Phases(Phases { current: 2, first_step: 1000, first_epoch: 2, phases }),
            started(2, "fine-tune", 1000),
        ];
        let mut reporter = Reporter::default();
        let lines: Vec<_> = events.iter().filter_map(|event| reporter.line(event)).collect();
        assert_eq!(
            lines,
            [
                "phase 1 of 2: head, 1 epoch, rmsprop, rate 2e-5",
                "phase 1 of 2 stopped early after 1,000 steps, back to its best weights",
                "phase 1 of 2 left for the next after 1,000 steps",
                "phase 2 of 2: fine-tune, 100 epochs, rmsprop, rate 1e-6 to 1e-5",
            ]
        );
        assert_eq!(reporter.epochs, 101);
    }

    #[test]
    fn a_failed_run_is_an_error_of_its_class() {
        let how = Ended::Failed { class: Class::User, message: "no such folder".into(), hint: None };
        let ended = RunEnded { how, step: 0, epoch: 0, seconds: 0.0 };
        assert_eq!(verdict(&ended).map_err(|error| (error.class(), error.message())), {
            Err((Class::User, "no such folder".to_owned()))
        });
        assert_eq!(Reporter::default().line(&Event::RunEnded(ended)), None);
    }
}
