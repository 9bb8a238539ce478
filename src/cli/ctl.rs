//! `frostline ctl`: one command to a run from the shell, and its answer as text and exit code. The same requests as the
//! dashboard's keys.

use clap::{Args, Subcommand};

use super::{Exit, Place, block_on, output::Output, report, viewer};
use crate::{
    command::Command,
    error::{Class, Error, Result},
    event::{Event, Outcome},
    run::RunDir,
    wire::{ServerMessage, client::Connection},
};

#[derive(Args, Debug)]
pub struct CtlArgs {
    /// The run: its name, a unique part of it, a path, or `last`
    run: String,
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Hold the run after the current step
    Pause,
    /// Let a paused run go on
    Resume,
    /// Take layers out of the training
    Freeze {
        #[arg(required = true, value_name = "LAYER")]
        layers: Vec<String>,
    },
    /// Train layers again
    Unfreeze {
        #[arg(required = true, value_name = "LAYER")]
        layers: Vec<String>,
    },
    /// Freeze every layer up to this one and train every one above it; `none` trains all
    FrostLine {
        #[arg(value_name = "LAYER|none")]
        layer: String,
    },
    /// Set the learning rate; the schedule goes on in proportion
    LearningRate { rate: f64 },
    /// Write the last checkpoint now
    Checkpoint,
    /// Save and end the run
    Stop {
        /// Wait until the run has ended
        #[arg(long)]
        wait: bool,
    },
}

impl Action {
    fn command(self) -> Command {
        match self {
            Self::Pause => Command::Pause,
            Self::Resume => Command::Resume,
            Self::Freeze { layers } => Command::Freeze { layers },
            Self::Unfreeze { layers } => Command::Unfreeze { layers },
            Self::FrostLine { layer } => Command::FrostLine { layer: (layer != "none").then_some(layer) },
            Self::LearningRate { rate } => Command::LearningRate { rate },
            Self::Checkpoint => Command::Checkpoint,
            Self::Stop { .. } => Command::Stop,
        }
    }
}

pub fn run(args: CtlArgs, out: &mut Output) -> Result<Exit> {
    let run = args.place.find(&args.run)?;
    let wait = matches!(args.action, Action::Stop { wait: true });
    let command = args.action.command();
    if let Command::LearningRate { rate } = command
        && !(rate.is_finite() && rate > 0.0)
    {
        return Err(Error::user(format!("learning-rate {rate}: a rate is above 0"), "for example 0.0001"));
    }
    block_on(async {
        // What was said before cannot be the answer.
        let mut connection = viewer::local(&run, None, viewer::NEWS).await?;
        if !connection.welcome.live {
            return Err(Error::user(
                format!("{} has no engine that could {command}", run.name()),
                format!("go on with it by `frostline train --resume {}`", run.name()),
            ));
        }
        let id = connection.sender.request(command);
        await_answer(&run, &mut connection, id, out).await?;
        if wait {
            await_end(&run, &mut connection, out).await?;
        }
        Ok(Exit::DONE)
    })
}

async fn await_answer(run: &RunDir, connection: &mut Connection, id: u64, out: &mut Output) -> Result<()> {
    while let Some(message) = connection.receiver.next().await? {
        let ServerMessage::Event(stamped) = message else { continue };
        match stamped.event {
            Event::Answered(answered) if answered.id == id => {
                return match &answered.outcome {
                    Outcome::Applied => out.line(&report::answer(&answered)),
                    Outcome::Rejected { reason } => {
                        let message = format!("{}: rejected: {reason}", answered.request);
                        Err(Error::reported(Class::User, message, None))
                    }
                };
            }
            Event::RunEnded(_) => return Err(gone(run)),
            _ => {}
        }
    }
    Err(gone(run))
}

async fn await_end(run: &RunDir, connection: &mut Connection, out: &mut Output) -> Result<()> {
    while let Some(message) = connection.receiver.next().await? {
        if let ServerMessage::Event(stamped) = message
            && let Event::RunEnded(ended) = &stamped.event
        {
            if let Some(line) = report::Reporter::default().line(&stamped.event) {
                out.line(&line)?;
            }
            return report::verdict(ended);
        }
    }
    Err(super::engine::died(run, None))
}

fn gone(run: &RunDir) -> Error {
    Error::environment(
        format!("{} ended before it answered", run.name()),
        Some(format!("`frostline attach {}` shows how", run.name())),
    )
}
