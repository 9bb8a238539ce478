//! `frostline attach`: a view of a run that is there already, going on or ended, on this machine or another.

use clap::Args;

use super::{
    Exit, Place, block_on, dashboard, headless,
    output::Output,
    train::{Shown, View},
    viewer::Link,
};
use crate::{
    error::{Error, Result},
    wire::client::From,
};

#[derive(Args, Debug)]
pub struct AttachArgs {
    /// The run: its name, a unique part of it, a path, or `last`
    #[arg(default_value = "last")]
    run: String,
    /// The machine that has the run, as ssh knows it; its frostline is used there
    #[arg(long, value_name = "HOST")]
    ssh: Option<String>,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &AttachArgs, out: &mut Output) -> Result<Exit> {
    let shown = args.view.shown()?;
    if let Some(host) = &args.ssh {
        let runs = match args.place.other() {
            Some(runs) => Some(runs.to_str().map(str::to_owned).ok_or_else(|| {
                Error::user(format!("--runs {}: not UTF-8", runs.display()), "name the folder in UTF-8")
            })?),
            None => None,
        };
        let link = Link { host: host.clone(), run: args.run.clone(), runs };
        return block_on(async {
            // Whoever reads lines reads all of them.
            let from = if matches!(shown, Shown::Dashboard(_)) { From::Light } else { From::Digest };
            let remote = link.open(from).await?;
            match shown {
                Shown::Lines(form) => headless::follow_remote(remote, form, out).await,
                Shown::Dashboard(settings) => {
                    dashboard::show(dashboard::Place::There(Box::new(remote)), *settings, out).await
                }
            }
        });
    }
    let run = args.place.find(&args.run)?;
    block_on(async {
        match shown {
            Shown::Lines(form) => headless::follow(&run, None, 0, form, out).await,
            Shown::Dashboard(settings) => {
                let engine = dashboard::Engine::Theirs;
                dashboard::show(dashboard::Place::Here { run, engine }, *settings, out).await
            }
        }
    })
}
