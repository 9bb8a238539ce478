//! `frostline summary`: the network of a configuration as Keras prints it, from the description alone.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, output::Output};
use crate::{arch, error::Result, plan::Plan};

#[derive(Args, Debug)]
pub struct SummaryArgs {
    /// The configuration file
    config: PathBuf,
    /// Change a key of the configuration, for example `model.input=[150,150,3]`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

pub fn run(args: &SummaryArgs, out: &mut Output) -> Result<Exit> {
    let plan = Plan::load(&args.config, &args.set)?;
    out.line(arch::summary(&plan.arch).trim_end())?;
    Ok(Exit::DONE)
}
