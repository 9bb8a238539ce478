//! `frostline ctl`: one command to a run from the shell, and its answer as text and exit code. The same requests as the
//! dashboard's keys.

use clap::{Args, Subcommand};

use super::{Exit, Place, block_on, hint, output::Output, report, viewer};
use crate::{
    command::Command,
    config::Phase,
    error::{Class, Error, Result},
    event::{Event, Outcome},
    run::RunDir,
    wire::{self, ServerMessage, client::Connection},
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
    /// End, skip or insert a phase
    Phase {
        #[command(subcommand)]
        action: PhaseAction,
    },
    /// Keep what the network sees in an image of the validation split at the end of each epoch
    Pin {
        #[arg(value_name = "POSITION")]
        sample: u32,
    },
    /// Keep it no longer
    Unpin {
        #[arg(value_name = "POSITION")]
        sample: u32,
    },
    /// Write the last checkpoint now
    Checkpoint,
    /// Save and end the run
    Stop {
        /// Wait until the run has ended
        #[arg(long)]
        wait: bool,
    },
}

#[derive(Clone, Debug, Subcommand)]
enum PhaseAction {
    /// End the phase under way after this step: validate, then go on to the next one
    End,
    /// Go on to the next phase at once, without validation
    Skip,
    /// Put a phase behind the one under way, for example: 'train="all" epochs=2 learning_rate=1e-5'
    Insert {
        #[arg(required = true, value_name = "KEY=VALUE")]
        keys: Vec<String>,
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
            Self::Phase { action: PhaseAction::End } => Command::EndPhase,
            Self::Phase { action: PhaseAction::Skip } => Command::SkipPhase,
            Self::Phase { action: PhaseAction::Insert { keys } } => Command::InsertPhase { phase: keys.join(" ") },
            Self::Pin { sample } => Command::Pin { sample },
            Self::Unpin { sample } => Command::Unpin { sample },
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
    if let Command::InsertPhase { phase } = &command {
        Phase::parse(phase)?;
    }
    block_on(async {
        // What was said before cannot be the answer.
        let connection = viewer::local(&run, None, viewer::NEWS).await?;
        if !connection.welcome.live {
            return Err(Error::user(
                format!("{} has no engine that could {command}", run.name()),
                format!("go on with it by `{}`", hint::resume(&run)),
            ));
        }
        let id = connection.sender.request(command);
        let next = connection.welcome.head;
        let mut listener = Listener { run: &run, connection, next };
        await_answer(&mut listener, id, out).await?;
        if wait {
            await_end(&mut listener, out).await?;
        }
        Ok(Exit::DONE)
    })
}

async fn await_answer(listener: &mut Listener<'_>, id: u64, out: &mut Output) -> Result<()> {
    let answer = |event| match event {
        Event::Answered(answered) if answered.id == id => Some(Some(answered)),
        Event::RunEnded(_) => Some(None),
        _ => None,
    };
    let Some(Some(answered)) = listener.find(answer).await? else {
        return Err(Error::environment(
            format!("{} ended before it answered", listener.run.name()),
            Some(format!("`{}` shows how", hint::attach(listener.run))),
        ));
    };
    match &answered.outcome {
        Outcome::Applied => out.line(&report::answer(&answered)),
        Outcome::Rejected { reason } => {
            Err(Error::reported(Class::User, format!("{}: rejected: {reason}", answered.request), None))
        }
    }
}

async fn await_end(listener: &mut Listener<'_>, out: &mut Output) -> Result<()> {
    let ended = listener.find(|event| if let Event::RunEnded(ended) = event { Some(ended) } else { None }).await?;
    let Some(ended) = ended else { return Err(super::engine::died(listener.run, None)) };
    if let Some(line) = report::Reporter::default().line(&Event::RunEnded(ended.clone())) {
        out.line(&line)?;
    }
    report::verdict(&ended)
}

/// Waits for an event. The engine waits for nobody when it ends, so what it said last is looked up in the journal.
struct Listener<'a> {
    run: &'a RunDir,
    connection: Connection,
    /// The first event that has not come yet.
    next: u64,
}

impl Listener<'_> {
    async fn find<T>(&mut self, look: impl Fn(Event) -> Option<T>) -> Result<Option<T>> {
        loop {
            let live = self.connection.welcome.live;
            match self.connection.receiver.next().await {
                Ok(Some(ServerMessage::Event(stamped))) => {
                    self.next = stamped.seq + 1;
                    if let Some(found) = look(stamped.event) {
                        return Ok(Some(found));
                    }
                }
                Ok(Some(ServerMessage::UpToDate)) if !live => return Ok(None),
                Ok(Some(_)) => {}
                Ok(None) | Err(wire::Error::Io(_)) if live => {
                    // It may still be writing; and another may have taken the run up.
                    self.connection = viewer::local(self.run, None, self.next).await?;
                }
                Ok(None) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
