//! `frostline import`: a whole model that Keras saved becomes a run that has come to its end, so that whatever can be asked of a run can
//! be asked of it, and training can go on from its weights. Needs no engine.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::{
    Exit, Place,
    download::sha256,
    hint,
    output::{Output, complain},
    table::several,
    train::{now, now_ms, overrides},
    weights::own_tensors,
};
use crate::{
    config::{Config, Data, DataSource, Interpolation, Places},
    data,
    error::{Error, Result},
    event::{Checkpoint, CheckpointKind, DataOpened, Ended, Event, Level, RunEnded, SplitName},
    plan::Plan,
    run::RunDir,
    trainer::{OnDisk, Origin, Progress, Record as _, SavedTensor, Settled, Written},
    weights::{KerasModel, Wanted, imagenet},
};

#[derive(Args, Debug)]
pub struct ImportArgs {
    /// A model that Keras saved: .keras, or .h5
    file: PathBuf,
    /// Name of the run; the file's if left out
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// What its outputs stand for, in their order: `--classes cat,dog`
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "data")]
    classes: Vec<String>,
    /// The folder of images (train/, validation/, test/) that it is measured on, and trained on from here; its classes too
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Side of its images, for a model that takes any
    #[arg(long, value_name = "PIXELS")]
    input: Option<usize>,
    /// Change a key of the run's configuration, for example `model.preprocessing=caffe`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &ImportArgs, out: &mut Output) -> Result<Exit> {
    let model = KerasModel::open(&args.file, args.input)?;
    let plan = plan(args, &model)?;
    let classes = classes(args, &plan)?;
    for note in &model.notes {
        complain(&format!("note: {note}"));
    }
    let weights = model.weights(&plan.arch)?;
    let tensors = Arc::new(own_tensors(&weights, &plan.arch)?);
    for warning in weights.warnings(&Wanted::whole(&plan.arch, None)) {
        complain(&format!("warning: {warning}"));
    }
    let unreadable = |error| Error::environment(format!("{}: cannot be read: {error}", args.file.display()), None);
    let digest = sha256(&args.file).map_err(unreadable)?;
    let run = RunDir::create(&args.place.runs, &plan.name, &plan.to_toml(), now())?;
    let origin = format!("imported from {} (SHA-256 {digest})", args.file.display());
    if let Err(error) = fill(&run, &plan, &tensors, classes, origin) {
        // Half a run is none, and the first error is the one to tell.
        let _ = std::fs::remove_dir_all(run.path());
        return Err(error);
    }
    out.line(&format!("{}: {}", run.path().display(), several(tensors.len(), "tensor")))?;
    out.line(&next(args, &plan, &run))?;
    Ok(Exit::DONE)
}

/// What the run would do if it went on.
fn plan(args: &ImportArgs, model: &KerasModel) -> Result<Plan> {
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let place = absolute(args.data.as_ref().unwrap_or(&PathBuf::from("data")));
    // Keras's load_img and ImageDataGenerator bring images to size like that unless they are told otherwise.
    let interpolation = Interpolation::Nearest;
    let data = Data { path: Some(Places::One(place)), interpolation, ..Data::new(DataSource::Folder) };
    let mut config = Config::new(stem, data, model.model.clone());
    config.train.freeze.clone_from(&model.frozen);
    let set = overrides(args.set.clone(), args.name.clone());
    Plan::parse(&config.to_toml(), &args.file.to_string_lossy(), &set)
}

/// The data's, those that were given, ImageNet's for a thousand, or numbers.
fn classes(args: &ImportArgs, plan: &Plan) -> Result<Vec<String>> {
    let count = plan.head.classes();
    let classes = if args.data.is_some() {
        data::inspect(&plan.data)?.classes
    } else if !args.classes.is_empty() {
        args.classes.clone()
    } else if count == imagenet::classes().len() {
        imagenet::classes().iter().map(|class| class.name.to_owned()).collect()
    } else {
        (0..count).map(|class| class.to_string()).collect()
    };
    plan.check_classes(&classes)?;
    Ok(classes)
}

/// Writes what an engine would have left behind.
fn fill(
    run: &RunDir,
    plan: &Plan,
    tensors: &Arc<Vec<SavedTensor>>,
    classes: Vec<String>,
    origin: String,
) -> Result<()> {
    let progress = Progress::new(plan, Origin::default());
    let mut disk = OnDisk::open(run, now_ms)?;
    disk.say(Event::RunStarted(progress.started(plan, run.name(), false)?))?;
    disk.say(Event::DataOpened(DataOpened {
        classes,
        train: 0,
        validation: 0,
        test: 0,
        steps_per_epoch: 0,
        pinned: SplitName::Test,
    }))?;
    disk.say(Event::Log { level: Level::Info, message: origin })?;
    for kind in [CheckpointKind::Last, CheckpointKind::Best] {
        disk.checkpoint(kind, Arc::clone(tensors), &progress)?;
    }
    for Settled { kind, outcome, seconds, .. } in disk.settled(true) {
        let Written { file, bytes, .. } = outcome?;
        disk.say(Event::Checkpoint(Checkpoint { kind, step: 0, epoch: 0, file, bytes, seconds, stalled: 0.0 }))?;
    }
    let how = Ended::Stopped { by: "frostline import".into() };
    disk.say(Event::RunEnded(RunEnded { how, step: 0, epoch: 0, seconds: 0.0 }))
}

/// What can be done with it.
fn next(args: &ImportArgs, plan: &Plan, run: &RunDir) -> String {
    let name = hint::word(&run.name());
    let mut lines = vec![
        format!(
            "pixels: preprocessing = {}; if the model was trained on others: --set model.preprocessing=…",
            plan.preprocessing().to_toml()
        ),
        format!("ask it: frostline predict {name} IMAGE, frostline explain cam {name} --image IMAGE"),
    ];
    if args.data.is_some() {
        lines.push(format!("measure it: frostline eval {name}; train on: {}", hint::resume(run)));
    } else {
        lines.push("to measure it or to train it on, import it with --data DIR".into());
    }
    lines.join("\n")
}
