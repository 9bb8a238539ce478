//! `frostline weights`: get pretrained weights, look into files of them, and keep them as Frostline's own. Needs no engine.

mod import;
mod inspect;
mod list;
mod pull;

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(super) use import::own_tensors;

use super::{Exit, output::Output};
use crate::{error::Result, weights::Shelf};

#[derive(Args, Debug)]
pub struct WeightsArgs {
    #[command(subcommand)]
    command: WeightsCommand,
}

#[derive(Subcommand, Debug)]
enum WeightsCommand {
    /// Fetch the ImageNet weights of a network from the Hugging Face hub
    Pull(pull::PullArgs),
    /// List the weights that are here and those that can be fetched
    List(list::ListArgs),
    /// Say what a file holds: names, shapes, kinds of number, and the network that they belong to
    Inspect(inspect::InspectArgs),
    /// Keep a file's weights as Frostline's own, in the weights folder
    Import(import::ImportArgs),
}

/// Where weights are kept.
#[derive(Args, Clone, Debug)]
struct Place {
    #[arg(long, value_name = "DIR", help = "Frostline's folder for weights [default: weights, or FROSTLINE_WEIGHTS]")]
    folder: Option<PathBuf>,
    #[arg(
        long,
        value_name = "DIR",
        help = "The cache that all programs of the hub share [default: HF_HUB_CACHE, HF_HOME/hub or ~/.cache/huggingface/hub]"
    )]
    hub_cache: Option<PathBuf>,
}

impl Place {
    fn shelf(&self) -> Shelf {
        let shelf = Shelf::from_environment();
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let folder = self.folder.as_ref().map_or_else(|| shelf.folder().to_owned(), absolute);
        let hub = self.hub_cache.as_ref().map_or_else(|| shelf.hub().path().clone(), absolute);
        Shelf::new(folder, hub)
    }
}

pub fn run(args: &WeightsArgs, out: &mut Output) -> Result<Exit> {
    match &args.command {
        WeightsCommand::Pull(args) => pull::run(args, out),
        WeightsCommand::List(args) => list::run(args, out),
        WeightsCommand::Inspect(args) => inspect::run(args, out),
        WeightsCommand::Import(args) => import::run(args, out),
    }
}
