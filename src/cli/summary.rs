//! `frostline summary`: the network of a configuration, or a published one, as Keras prints it, from the description alone.

use std::path::PathBuf;

use clap::Args;

use super::{
    Exit, models,
    output::{self, Output},
};
use crate::{
    arch::{self, zoo::Wiring},
    error::Result,
    plan::Plan,
};

#[derive(Args, Debug)]
pub struct SummaryArgs {
    /// The configuration file
    #[arg(required_unless_present = "model")]
    config: Option<PathBuf>,
    /// Change a key of the configuration, for example `model.input=[150,150,3]`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// A published network instead of a configuration; `frostline models` lists them
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "set"])]
    model: Option<String>,
    /// With its classifier for ImageNet's thousand classes
    #[arg(long, requires = "model")]
    top: bool,
    /// Side of its images; its own if left out
    #[arg(long, value_name = "PIXELS", requires = "model")]
    input: Option<usize>,
    /// As PyTorch's libraries have it, where that differs from Keras
    #[arg(long, requires = "model")]
    torch: bool,
}

pub fn run(args: &SummaryArgs, out: &mut Output) -> Result<Exit> {
    if let Some(name) = &args.model {
        let architecture = models::find(name)?;
        let wiring = if args.torch { Wiring::Torch } else { Wiring::Keras };
        let network = models::network(architecture, wiring, args.top, args.input)?;
        out.line(arch::summary(&network).trim_end())?;
        return Ok(Exit::DONE);
    }
    let plan = Plan::load(args.config.as_deref().unwrap_or(std::path::Path::new("")), &args.set)?;
    out.line(arch::summary(&plan.arch).trim_end())?;
    for warning in plan.warnings() {
        output::complain(&format!("warning: {warning}"));
    }
    Ok(Exit::DONE)
}
