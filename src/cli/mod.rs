//! The command line of the front end, one file a subcommand. It loads no libtorch: what needs a network runs
//! `frostline-engine`. Every error becomes one message, one hint and the exit code of its class.

mod admission;
mod asking;
mod attach;
mod bench;
mod branch;
mod cache;
mod compare;
mod ctl;
mod dashboard;
mod data;
mod demo;
mod doctor;
mod download;
mod drawing;
mod engine;
mod eval;
mod explain;
mod export;
mod fold;
mod headless;
mod hint;
mod home;
mod identity;
mod images;
mod import;
mod models;
mod output;
mod plot;
mod predict;
mod progress;
mod query;
mod refine;
mod replay;
mod report;
mod runs;
mod shell;
mod signals;
mod stream;
mod summary;
mod table;
mod train;
mod ui;
mod viewer;
mod weights;

use std::{
    future::Future,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, CommandFactory as _, Parser, Subcommand};

use self::output::Output;
use crate::{
    error::{Class, Error, Result},
    run::{self, RunDir},
};

#[derive(Parser)]
#[command(name = "frostline", version, about, max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    home: home::HomeArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Train a network from a configuration file, watched in the dashboard
    Train(train::TrainArgs),
    /// Train on the embedded cats and dogs: needs no files
    Demo(demo::DemoArgs),
    /// Go on from a checkpoint of a run in a new one
    Branch(branch::BranchArgs),
    /// Repeat a run with its interventions, and compare the weights
    Replay(replay::ReplayArgs),
    /// Watch a run again: one that is going on, here or on another machine, or one that has ended
    Attach(attach::AttachArgs),
    /// List the runs
    Runs(runs::RunsArgs),
    /// Steer a run from the shell
    Ctl(ctl::CtlArgs),
    /// Print a network's layers, output shapes, parameters and FLOPs
    Summary(summary::SummaryArgs),
    /// List the published networks that can be trained, or be the base of one
    Models(models::ModelsArgs),
    /// Measure a run's network on a split of its data
    Eval(eval::EvalArgs),
    /// Name the classes of pictures
    Predict(predict::PredictArgs),
    /// See what a run's network learned: heat maps, activations, filters
    Explain(explain::ExplainArgs),
    /// Draw the curves of one or several runs as SVG or PNG
    Plot(plot::PlotArgs),
    /// Make a run of a whole model that Keras saved
    Import(import::ImportArgs),
    /// Write a network for other programs: safetensors, Keras's weights, ONNX
    Export(export::ExportArgs),
    /// Get a data set, make one, look into it
    Data(data::DataArgs),
    /// List or clear what is kept between runs
    Cache(cache::CacheArgs),
    /// Get pretrained weights, and look into files of them
    Weights(weights::WeightsArgs),
    /// Measure how fast this machine is on a configuration
    Bench(bench::BenchArgs),
    /// Find out what this terminal and this machine can do, and what is wrong with them
    Doctor(doctor::DoctorArgs),
    /// Print what makes a shell complete Frostline's commands and options
    Completions(shell::CompletionsArgs),
    /// Write the manual: one page, and one a command
    Man(shell::ManArgs),
    /// Carry a run over stdin and stdout, for `attach --ssh`
    Stream(stream::StreamArgs),
}

/// Where runs are kept.
#[derive(Args, Clone, Debug)]
struct Place {
    /// Folder that holds the run directories
    #[arg(long, value_name = "DIR", env = hint::RUNS, default_value = hint::DEFAULT, global = true)]
    runs: PathBuf,
}

impl Place {
    fn find(&self, which: &str) -> Result<RunDir> {
        Ok(run::find(&self.runs, which)?)
    }

    /// The folder if it is not the one that is looked in anyway. Another machine has a folder of its own for that.
    fn other(&self) -> Option<&Path> {
        (self.runs != hint::root()).then_some(&self.runs)
    }
}

/// What a command that went through leaves as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Exit(u8);

impl Exit {
    const DONE: Self = Self(0);
}

/// Parses the arguments, runs the command, and tells its error.
pub fn main() -> ExitCode {
    let mut out = Output::stdout();
    let cli = Cli::parse();
    let Some(command) = cli.command else {
        if !home::can_be_shown() {
            // Where nobody can look at it, it is a mistake to name no command.
            output::complain(&Cli::command().render_help().to_string());
            return Class::User.exit_code().into();
        }
        return finish(home::run(&cli.home));
    };
    let done = match command {
        Command::Train(args) => train::run(args, &mut out),
        Command::Branch(args) => branch::run(args, &mut out),
        Command::Replay(args) => replay::run(args, &mut out),
        Command::Demo(args) => demo::run(args, &mut out),
        Command::Attach(args) => attach::run(&args, &mut out),
        Command::Runs(args) => runs::run(&args, &mut out),
        Command::Ctl(args) => ctl::run(&args, &mut out),
        Command::Summary(args) => summary::run(&args, &mut out),
        Command::Models(args) => models::run(&args, &mut out),
        Command::Eval(args) => eval::run(&args, &mut out),
        Command::Predict(args) => predict::run(&args, &mut out),
        Command::Explain(args) => explain::run(&args, &mut out),
        Command::Plot(args) => plot::run(&args, &mut out),
        Command::Import(args) => import::run(&args, &mut out),
        Command::Export(args) => export::run(&args, &mut out),
        Command::Data(args) => data::run(&args, &mut out),
        Command::Cache(args) => cache::run(&args, &mut out),
        Command::Weights(args) => weights::run(&args, &mut out),
        Command::Bench(args) => bench::run(&args, &mut out),
        Command::Doctor(args) => doctor::run(&args, &mut out),
        Command::Completions(args) => shell::completions(&args, Cli::command(), &mut out),
        Command::Man(args) => shell::man(&args, Cli::command(), &mut out),
        Command::Stream(args) => stream::run(&args),
    };
    finish(done)
}

/// Tells an error, and gives the exit code.
fn finish(done: Result<Exit>) -> ExitCode {
    match done {
        Ok(Exit(code)) => code.into(),
        Err(error) => {
            output::complain(&error.to_string());
            error.class().exit_code().into()
        }
    }
}

/// Runs a command's asynchronous part on this thread.
fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::environment(format!("cannot start the event loop: {error}"), None))?;
    let done = runtime.block_on(future);
    // A thread that waits for stdin cannot be stopped, and must not keep the command from ending.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
