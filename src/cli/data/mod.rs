//! `frostline data`: get a data set, make one, look into it. Needs no engine.

mod check;
mod fetch;
pub(super) mod inline;
pub(super) mod preview;
pub(super) mod sheet;
mod split;

use clap::{Args, Subcommand};

use super::{Exit, output::Output};
use crate::error::Result;

#[derive(Args, Debug)]
pub struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Subcommand, Debug)]
enum DataCommand {
    /// Get the data set of an exercise and put it where its configuration looks for it
    Fetch(fetch::FetchArgs),
    /// Make a small data set of raw images: train, validation and test, one folder a class
    Split(split::SplitArgs),
    /// Read every image of a data set and tell what is wrong with it
    Check(check::CheckArgs),
    /// Show training images as the network sees them
    Preview(preview::PreviewArgs),
}

pub fn run(args: &DataArgs, out: &mut Output) -> Result<Exit> {
    match &args.command {
        DataCommand::Fetch(args) => fetch::run(args, out),
        DataCommand::Split(args) => split::run(args, out),
        DataCommand::Check(args) => check::run(args, out),
        DataCommand::Preview(args) => preview::run(args, out),
    }
}
