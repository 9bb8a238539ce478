//! What can be asked of a run besides training it: to measure a checkpoint on a split, and to classify images. The answers are
//! JSON objects on standard output, one a line.

use std::{
    io::Write as _,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::mpsc::channel,
};

use frostline::{
    data,
    error::{Error, Result},
    event::{CheckpointKind, Event, SplitName},
    plan::Plan,
    run::{RunDir, Tail},
    trainer::{Inbox, Origin, Progress, Record, SavedTensor, Stepper as _, Trainer, Written, read_checkpoint},
};

use crate::{
    input::Preprocess,
    process::{open_data, ready_device},
    stepper::{Target, TorchStepper},
};

/// Evaluates a checkpoint on a split and prints the result as a `tested` event.
pub fn evaluate(path: &Path, split: SplitName, checkpoint: CheckpointKind) -> Result<()> {
    let (run, plan, target) = open_for_reading(path)?;
    let data = open_data(&plan)?;
    let stepper = restored(&run, &plan, target, checkpoint)?;
    let (_requests, arrivals) = channel();
    let inbox = Inbox::new(arrivals, Vec::new);
    let mut trainer = Trainer::new(&plan, &data, stepper, Printed, inbox, Origin::default())?;
    match trainer.tested(split, checkpoint)? {
        ControlFlow::Continue(tested) => print(&Event::Tested(tested)),
        ControlFlow::Break(_) => Err(Error::internal("an evaluation was stopped by a command")),
    }
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Prediction<'a> {
    Classified { image: &'a Path, top: Vec<Likely> },
    Unreadable { image: &'a Path, error: String },
}

#[derive(serde::Serialize)]
struct Likely {
    class: String,
    probability: f32,
}

/// Classifies images and prints one object each, the likeliest class first. An unreadable image is reported in its place.
pub fn predict(path: &Path, images: &[PathBuf], checkpoint: CheckpointKind) -> Result<()> {
    let (run, plan, target) = open_for_reading(path)?;
    let classes = classes(&run, &plan)?;
    let mut stepper = restored(&run, &plan, target, checkpoint)?;
    for image in images {
        let probabilities = match data::decode_file(image, plan.data.size, plan.data.interpolation) {
            Ok(pixels) => stepper.probabilities(&pixels)?,
            Err(error) => {
                print(&Prediction::Unreadable { image, error: Error::from(error).message() })?;
                continue;
            }
        };
        let mut top: Vec<Likely> = classes
            .iter()
            .cloned()
            .zip(probabilities)
            .map(|(class, probability)| Likely { class, probability })
            .collect();
        top.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        print(&Prediction::Classified { image, top })?;
    }
    Ok(())
}

/// As the run itself knew them, so that neither the data nor its folder is needed; a run that never opened its data looks there.
pub fn classes(run: &RunDir, plan: &Plan) -> Result<Vec<String>> {
    for stamped in Tail::open(&run.journal())?.events() {
        if let Event::DataOpened(opened) = stamped?.event {
            return Ok(opened.classes);
        }
    }
    Ok(data::inspect(&plan.data)?.classes)
}

/// Prints what was left out of a measurement, and keeps nothing.
struct Printed;

impl Record for Printed {
    fn say(&mut self, event: Event) -> Result<()> {
        if matches!(event, Event::Skipped { .. }) { print(&event) } else { Ok(()) }
    }

    fn picture(&mut self, _: &image::RgbImage, _: bool) -> Result<String> {
        Err(Error::internal("a measurement keeps no pictures"))
    }

    fn checkpoint(&mut self, _: CheckpointKind, _: &[SavedTensor], _: &Progress) -> Result<Written> {
        Err(Error::internal("a measurement keeps no checkpoints"))
    }

    fn read_checkpoint(&mut self, _: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
        Ok(None)
    }
}

pub fn open_for_reading(path: &Path) -> Result<(RunDir, Plan, Target)> {
    let run = RunDir::open(path)?;
    let plan = Plan::load(&run.config(), &[])?;
    let (target, ..) = ready_device(&plan)?;
    Ok((run, plan, target))
}

pub fn restored(run: &RunDir, plan: &Plan, target: Target, checkpoint: CheckpointKind) -> Result<TorchStepper> {
    let word = format!("{checkpoint:?}").to_lowercase();
    let (tensors, progress) = read_checkpoint(run, checkpoint)?.ok_or_else(|| {
        let hint = "a run writes its first checkpoint at the end of its first epoch, or when it is asked to";
        Error::user(format!("run {} has no checkpoint \"{word}\" yet", run.name()), hint)
    })?;
    // The optimiser's part of the checkpoint is that of its phase.
    let rule = progress.phases(plan)?[progress.phase].optimizer;
    let mut stepper = TorchStepper::new(&plan.arch, rule, plan.seed, target, Preprocess::default())?;
    stepper.restore(&tensors)?;
    Ok(stepper)
}

/// One JSON object, on a line of its own.
pub fn print(line: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string(line).map_err(|error| Error::internal(error.to_string()))?;
    let written = writeln!(std::io::stdout(), "{text}");
    written.map_err(|error| Error::environment(format!("cannot write to standard output: {error}"), None))
}
