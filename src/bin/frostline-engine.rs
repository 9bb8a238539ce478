//! The engine's process, started by the front end: `train` lives as long as the run and says everything in its journal;
//! `eval` and `predict` print one JSON object a line. Errors end it with the exit code of their class.

// Here and not in the library, which the front end links: it must not meet tch. Below, `crate::plan` is the library's.
#[path = "../engine/mod.rs"]
mod engine;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use frostline::{arch, command, data, error, event, plan, run, trainer, wire};

use engine::{device, process};
use event::{CheckpointKind, SplitName};

/// Frostline's engine. `frostline` starts it; by itself it is of use to scripts only.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Train the run in this directory, or go on with it.
    Train { run: PathBuf },
    /// Evaluate a checkpoint on a split; prints a `tested` event.
    Eval {
        run: PathBuf,
        #[arg(long, value_enum, default_value = "test")]
        split: Split,
        #[arg(long, value_enum, default_value = "best")]
        checkpoint: Which,
    },
    /// Classify images; prints one object an image.
    Predict {
        run: PathBuf,
        #[arg(required = true)]
        images: Vec<PathBuf>,
        #[arg(long, value_enum, default_value = "best")]
        checkpoint: Which,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Split {
    Train,
    Validation,
    Test,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    Best,
    Last,
}

fn main() -> ExitCode {
    // Before any thread is there.
    device::settle_memory();
    let outcome = match Arguments::parse().task {
        Task::Train { run } => process::train(&run),
        Task::Eval { run, split, checkpoint } => process::evaluate(&run, split.into(), checkpoint.into()),
        Task::Predict { run, images, checkpoint } => process::predict(&run, &images, checkpoint.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::report(&error);
            ExitCode::from(error.class().exit_code())
        }
    }
}

impl From<Split> for SplitName {
    fn from(split: Split) -> Self {
        match split {
            Split::Train => Self::Train,
            Split::Validation => Self::Validation,
            Split::Test => Self::Test,
        }
    }
}

impl From<Which> for CheckpointKind {
    fn from(which: Which) -> Self {
        match which {
            Which::Best => Self::Best,
            Which::Last => Self::Last,
        }
    }
}
