//! `frostline explain`: what a run's network looks at, what its layers make of an image, and what its filters like. The engine
//! computes; here its numbers become pictures in the scrollback, in files, and in an index of many.

mod activations;
mod cam;
mod check;
mod filters;
pub(super) mod index;
mod kept;
pub(super) mod numbers;

use std::{ffi::OsString, fs, path::PathBuf};

use clap::{Args, Subcommand};

use super::{
    Exit, Place,
    eval::{Kept, word},
    images, models,
    output::{Output, complain},
    progress::{self, Interrupts},
    query,
};
use crate::{
    error::{Class, Error, Result},
    event::explain::Answer,
    weights::Shelf,
};

#[derive(Args, Debug)]
pub struct ExplainArgs {
    #[command(subcommand)]
    command: ExplainCommand,
}

#[derive(Subcommand, Debug)]
enum ExplainCommand {
    /// What in an image speaks for a class: Grad-CAM and a dozen other methods
    Cam(cam::CamArgs),
    /// What a layer makes of an image: its channels as a grid
    Activations(activations::ActivationsArgs),
    /// What the filters of a layer would like to see, by gradient ascent
    Filters(filters::FiltersArgs),
    /// How well each method finds what tells the embedded cats from the dogs
    Check(check::CheckArgs),
}

pub fn run(args: &ExplainArgs, out: &mut Output) -> Result<Exit> {
    match &args.command {
        ExplainCommand::Cam(args) => cam::run(args, out),
        ExplainCommand::Activations(args) => activations::run(args, out),
        ExplainCommand::Filters(args) => filters::run(args, out),
        ExplainCommand::Check(args) => check::run(args, out),
    }
}

/// Which network, and where in it.
#[derive(Args, Debug)]
struct Network {
    /// The run: its name, a unique part of it, a path, or `last`
    #[arg(default_value = "last", conflicts_with = "model")]
    run: String,
    /// A published network with its ImageNet weights instead of a run; `frostline models` lists them
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The file of its weights; those in the weights folder or the hub's cache if left out
    #[arg(long, value_name = "FILE", requires = "model")]
    weights: Option<PathBuf>,
    /// The layer to look at [default: the last one with weights and a feature map]
    #[arg(long)]
    layer: Option<String>,
    #[arg(long, value_enum, default_value_t = Kept::Best)]
    checkpoint: Kept,
    #[command(flatten)]
    place: Place,
}

/// The images to look at.
#[derive(Args, Debug)]
struct Images {
    /// Images, or folders of them
    #[arg(long = "image", required = true, num_args = 1.., value_name = "FILE")]
    images: Vec<PathBuf>,
}

impl Images {
    /// Folders replaced by what lies in them, at any depth.
    fn all(&self) -> Result<Vec<PathBuf>> {
        images::all(&self.images)
    }

    /// Whether this is a batch, which gets a folder of pictures and an index.
    fn is_batch(&self) -> bool {
        self.images.len() > 1 || self.images.iter().any(|image| image.is_dir())
    }
}

impl Network {
    /// As it was asked for.
    fn name(&self) -> &str {
        self.model.as_deref().unwrap_or(&self.run)
    }

    /// Asks the engine, shows progress, tells of unreadable images, and hands on the rest, each answer's file with it and not for longer. A
    /// signal ends it between two answers, with the exit code that a shell expects.
    fn ask(&self, what: Vec<OsString>, mut each: impl FnMut(Answer) -> Result<()>) -> Result<Exit> {
        let into = tempfile::tempdir().map_err(|error| {
            Error::environment(format!("cannot make a folder for the engine's answers: {error}"), None)
        })?;
        let mut arguments: Vec<OsString> = vec!["explain".into()];
        if let Some(model) = &self.model {
            let weights = match &self.weights {
                Some(file) => file.clone(),
                None => Shelf::from_environment().find(models::find(model)?)?,
            };
            arguments.extend([weights.into(), "--model".into(), model.into()]);
        } else {
            let run = self.place.find(&self.run)?;
            arguments.extend([run.path().into(), "--checkpoint".into(), word(&self.checkpoint).into()]);
        }
        arguments.extend(["--into".into(), into.path().into()]);
        if let Some(layer) = &self.layer {
            arguments.extend(["--layer".into(), layer.into()]);
        }
        arguments.extend(what);
        let interrupts = Interrupts::catch()?;
        let bar = progress::files("computing", 0);
        let mut unread = 0_u32;
        let exit = query::ask(arguments, |answer: Answer, _| match answer {
            Answer::Progress { done, total } => {
                bar.set_length(total);
                bar.set_position(done);
                Ok(())
            }
            Answer::Unreadable { image, error } => {
                unread += 1;
                bar.suspend(|| complain(&images::unreadable(&image, &error)));
                Ok(())
            }
            answer => {
                if interrupts.caught().is_some() {
                    return Err(Error::environment("interrupted", None));
                }
                let file = answer.file().map(str::to_owned);
                let shown = bar.suspend(|| each(answer));
                // A folder of images would fill the disk.
                if let Some(file) = file {
                    let _ = fs::remove_file(file);
                }
                shown
            }
        });
        bar.finish_and_clear();
        match (exit, interrupts.caught()) {
            // The engine hears Ctrl-C too, and is gone.
            (Err(_), Some(code)) => Ok(Exit(code)),
            (Ok(Exit::DONE), _) if unread > 0 => Ok(Exit(Class::User.exit_code())),
            (exit, _) => exit,
        }
    }
}

/// An answer of another kind than was asked for.
fn unexpected(answer: &Answer) -> Error {
    Error::internal(format!("the engine answered another question: {answer:?}"))
}
