//! The engine: the arithmetic over libtorch, in a program of its own so that the front end never loads it. The only code that names
//! tch. It executes an [`Arch`](frostline::arch::Arch), updates its weights, proves that frozen ones stay, and explains what the
//! network sees; [`TorchStepper`] is its face to the training loop.
//!
//! The front end starts it. `train` lives as long as the run and says everything in its journal; `eval`, `predict`, `classify`,
//! `explain`, `bench` and `device` print one JSON object a line. Errors end it with the exit code of their class.

mod batch_norm;
mod bench;
mod classify;
mod device;
mod diagnosis;
mod doctor;
mod error;
mod evaluation;
mod explain;
mod features;
mod freeze;
mod input;
mod layers;
mod load;
mod loss;
mod meters;
mod mincut;
mod network;
mod optimizer;
mod pass;
mod precision;
mod prefix;
mod probe;
mod process;
mod queries;
mod saved;
mod shards;
mod shim;
mod signals;
mod stdio;
mod stepper;
mod trunk;
mod weights;
mod winograd;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use error::Result;
use frostline::arch::zoo::Architecture;
use frostline::error::{Error, UNFINISHED};
use frostline::event::{CheckpointKind, SplitName};
use stepper::TorchStepper;

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
    /// Evaluate a checkpoint on a split; prints one object an image, then a `tested` event.
    Eval {
        run: PathBuf,
        #[arg(long, value_enum, default_value = "test")]
        split: Split,
        #[arg(long, value_enum, default_value = "best")]
        checkpoint: Which,
        /// Explain so many of the images that tell most, of each kind.
        #[arg(long, default_value = "0")]
        pictures: usize,
        /// Folder for the files with what was found in them.
        #[arg(long, requires = "pictures")]
        into: Option<PathBuf>,
    },
    /// Classify images; prints one object an image.
    Predict {
        run: PathBuf,
        #[arg(required = true)]
        images: Vec<PathBuf>,
        #[arg(long, value_enum, default_value = "best")]
        checkpoint: Which,
    },
    /// Show what the network learned; prints one object an answer.
    Explain(explain::Explaining),
    /// Name what photographs show with a published network; prints one object an image.
    Classify {
        architecture: String,
        #[arg(long)]
        weights: PathBuf,
        #[arg(long, default_value = "5")]
        top: usize,
        /// Show the network all of a picture, not its middle.
        #[arg(long)]
        squash: bool,
        #[arg(required = true)]
        images: Vec<PathBuf>,
    },
    /// Say what libtorch finds on this machine, and whether it computes; prints one object.
    Device,
    /// Measure how fast this machine is on a configuration; prints one object a figure.
    Bench {
        config: PathBuf,
        #[arg(long)]
        set: Vec<String>,
        #[arg(long = "part", value_enum, required = true)]
        parts: Vec<bench::Part>,
        /// The layer that is explained; by default the deepest with weights.
        #[arg(long)]
        layer: Option<String>,
        /// Least length of a timed window.
        #[arg(long, default_value = "3")]
        seconds: f64,
        /// Timed windows of each part.
        #[arg(long, default_value = "3")]
        repeats: usize,
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
        Task::Train { run } => match process::train(&run) {
            Ok(ended) if ended.is_unfinished() => return ExitCode::from(UNFINISHED),
            other => other.map(drop),
        },
        Task::Eval { run, split, checkpoint, pictures, into } => {
            let looking = into.map(|into| evaluation::Looking { pictures, into });
            evaluation::evaluate(&run, split.into(), checkpoint.into(), looking.as_ref())
        }
        Task::Predict { run, images, checkpoint } => queries::predict(&run, &images, checkpoint.into()),
        Task::Explain(explaining) => explaining.run(),
        Task::Classify { architecture, weights, top, squash, images } => match Architecture::parse(&architecture) {
            Some(architecture) => classify::classify(architecture, &weights, &images, top, squash),
            None => {
                Err(Error::user(format!("there is no network \"{architecture}\""), "`frostline models` lists them"))
            }
        },
        Task::Device => doctor::report(),
        Task::Bench { config, set, parts, layer, seconds, repeats } => {
            let length = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(3));
            let windows = bench::Windows { length, count: repeats.max(1) };
            bench::run(&config, &set, &parts, layer.as_deref(), windows)
        }
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
