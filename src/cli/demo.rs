//! `frostline demo`: the embedded configuration, trained like any other.

use clap::Args;

use super::{
    Exit, Place,
    output::Output,
    train::{self, View},
};
use crate::{error::Result, plan::Plan};

const CONFIG: &str = include_str!("../../config/demo.toml");

#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Change a key of the configuration, for example `train.epochs=3`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Name of the run
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: DemoArgs, out: &mut Output) -> Result<Exit> {
    let shown = args.view.shown()?;
    let plan = Plan::parse(CONFIG, "demo.toml", &train::overrides(args.set, args.name))?;
    let run = train::create(&plan, &args.place)?;
    train::start(&run, 0, shown, out)
}
