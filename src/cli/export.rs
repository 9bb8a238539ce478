//! `frostline export`: a run's network, or a published one, as a file for other programs. Needs no engine.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{
    Exit, Place,
    eval::{Kept, class_names, word},
    hint, models,
    output::{Output, complain},
    table::{several, size},
};
use crate::{
    arch::{Arch, zoo::Naming},
    error::{Error, Result},
    event::CheckpointKind,
    export::{self, Subject},
    plan::Plan,
    run::TensorBoard,
    weights::{Pretrained, Published, Shelf, Wanted, imagenet},
};

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The run: its name, a unique part of it, a path, or `last`
    #[arg(required_unless_present = "model", conflicts_with = "model")]
    run: Option<String>,
    /// A published network instead of a run; `frostline models` lists them
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The file of its weights; those in the weights folder or the hub's cache if left out
    #[arg(long, value_name = "FILE", requires = "model")]
    weights: Option<PathBuf>,
    /// What to write: .safetensors (PyTorch), .weights.h5 (Keras 3) or .onnx
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The format, where the file's ending does not say it
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Whose names a published network's layers get in safetensors; those of the library that computes the same if left out
    #[arg(long, value_enum)]
    names: Option<Names>,
    /// Of the run
    #[arg(long, value_enum, default_value_t = Kept::Best, conflicts_with = "model")]
    checkpoint: Kept,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Safetensors,
    Keras,
    Onnx,
    /// No network but the run's curves and pictures, as a folder of event files
    Tensorboard,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Names {
    Timm,
    Torchvision,
}

pub fn run(args: &ExportArgs, out: &mut Output) -> Result<Exit> {
    if let (Some(Format::Tensorboard), None) = (args.format, &args.model) {
        let run = args.place.find(args.run.as_deref().unwrap_or("last"))?;
        TensorBoard::write(&run, &args.output)?;
        out.line(&format!(
            "{}: see it with `tensorboard --logdir {}`",
            args.output.display(),
            hint::word(&args.output.to_string_lossy())
        ))?;
        return Ok(Exit::DONE);
    }
    let format = match args.format {
        Some(Format::Tensorboard) => {
            return Err(Error::user("--format tensorboard: a published network has no curves", "name a run"));
        }
        Some(Format::Safetensors) => export::Format::Safetensors,
        Some(Format::Keras) => export::Format::KerasWeights,
        Some(Format::Onnx) => export::Format::Onnx,
        None => export::Format::of(&args.output).ok_or_else(|| {
            let text = format!("{}: its ending says nothing of its format", args.output.display());
            Error::user(text, "end it in .safetensors, .weights.h5 or .onnx, or add --format")
        })?,
    };
    let naming = args.names.map(|names| match names {
        Names::Timm => Naming::Timm,
        Names::Torchvision => Naming::Torchvision,
    });
    if naming.is_some() && format != export::Format::Safetensors {
        return Err(Error::user("--names: only safetensors have names of other libraries", "leave --names out"));
    }
    let written = match &args.model {
        Some(name) => of_model(args, name, format, naming)?,
        None => of_run(args, format, naming)?,
    };
    let export::Written { tensors, bytes, notes } = written;
    out.line(&format!("{}: {}, {}", args.output.display(), several(tensors, "tensor"), size(bytes)))?;
    for note in notes {
        out.line(&note)?;
    }
    Ok(Exit::DONE)
}

fn of_model(args: &ExportArgs, name: &str, format: export::Format, naming: Option<Naming>) -> Result<export::Written> {
    let architecture = models::find(name)?;
    let path = match &args.weights {
        Some(path) => path.clone(),
        None => Shelf::from_environment().find(architecture)?,
    };
    let Published { arch, weights, wiring, .. } = Published::open(&path, architecture)?;
    let classes: Vec<String> = imagenet::classes().iter().map(|class| class.name.to_owned()).collect();
    // Its first layer prepares the pixels.
    let base = Some((architecture, wiring, 1..arch.layers().len()));
    let subject = Subject { name, arch: &arch, base, classes: &classes, weights: &weights };
    Ok(export::write(&subject, format, naming, &args.output)?)
}

fn of_run(args: &ExportArgs, format: export::Format, naming: Option<Naming>) -> Result<export::Written> {
    let run = args.place.find(args.run.as_deref().unwrap_or("last"))?;
    let plan = Plan::load(&run.config(), &[])?;
    let kind = match args.checkpoint {
        Kept::Best => CheckpointKind::Best,
        Kept::Last => CheckpointKind::Last,
    };
    let path = run.checkpoint(kind);
    if !path.exists() {
        let text = format!("run {} has no checkpoint \"{}\" yet", run.name(), word(&args.checkpoint));
        return Err(Error::user(text, "a run writes its first checkpoint at the end of its first epoch"));
    }
    let weights = Pretrained::open(&path, &Wanted::whole(&plan.arch, None))?;
    let mut classes = class_names(&run)?;
    if classes.is_empty() {
        complain("note: the run never opened its data, so its classes have numbers for names");
        classes = (0..plan.head.classes()).map(|class| class.to_string()).collect();
    }
    let base = plan.base.as_ref().map(|base| (base.architecture, base.wiring, base.layers.clone()));
    let arch: &Arch = &plan.arch;
    let subject = Subject { name: &plan.name, arch, base, classes: &classes, weights: &weights };
    Ok(export::write(&subject, format, naming, &args.output)?)
}
