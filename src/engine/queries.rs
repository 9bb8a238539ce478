//! What can be asked of a run besides training it: which classes images show. And the parts that every question needs: a run opened for
//! reading, its network as a checkpoint has it, and the answers, JSON objects on standard output, one a line.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use frostline::{
    data::{self, DataError, Pixels},
    error::{Error, Result},
    event::{CheckpointKind, Event},
    metrics,
    plan::Plan,
    run::{RunDir, Tail},
    trainer::{Stepper as _, read_checkpoint},
};

use crate::{
    input::Preprocess,
    process::ready_device,
    stepper::{Target, TorchStepper},
};

/// The answer for one image. `image` is as it is written for a person, whose system may have bytes in a name that are no letters.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Answer {
    Classified { image: String, top: Vec<Likely> },
    Unreadable { image: String, error: String },
}

#[derive(serde::Serialize)]
pub struct Likely {
    /// WordNet's, of ImageNet's classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synset: Option<&'static str>,
    pub class: String,
    pub probability: f32,
}

/// Shows each image that `decode` can read to the network, and prints one object each: the likeliest of the classes that `likely` names,
/// `most` of them. An unreadable image is reported in its place.
pub fn answer(
    stepper: &mut TorchStepper,
    images: &[PathBuf],
    most: usize,
    decode: impl Fn(&Path) -> std::result::Result<Pixels, DataError>,
    likely: impl Fn(usize, f32) -> Likely,
) -> Result<()> {
    for path in images {
        let image = path.display().to_string();
        let probabilities = match decode(path) {
            Ok(pixels) => stepper.probabilities(&pixels)?,
            Err(error) => {
                print(&Answer::Unreadable { image, error: Error::from(error).message() })?;
                continue;
            }
        };
        let order = metrics::likeliest(&probabilities);
        let top = order.into_iter().take(most).map(|class| likely(class, probabilities[class])).collect();
        print(&Answer::Classified { image, top })?;
    }
    Ok(())
}

/// Classifies images with a run's network, all classes named.
pub fn predict(path: &Path, images: &[PathBuf], checkpoint: CheckpointKind) -> Result<()> {
    let (run, plan, target) = open_for_reading(path)?;
    let classes = classes(&run, &plan)?;
    let mut stepper = restored(&run, &plan, target, checkpoint)?;
    let decode = |image: &Path| data::decode_file(image, plan.data.size, plan.data.interpolation);
    let likely = |class: usize, probability| Likely {
        synset: None,
        class: classes.get(class).cloned().unwrap_or_else(|| class.to_string()),
        probability,
    };
    answer(&mut stepper, images, usize::MAX, decode, likely)
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
