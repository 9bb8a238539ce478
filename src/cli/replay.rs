//! `frostline replay`: a new run that repeats another one, with its interventions at the same steps, and then says whether it came to the
//! same weights.

use std::path::PathBuf;

use clap::Args;

use super::{
    Exit, Place, block_on, engine,
    headless::{self, Form},
    output::Output,
    train::{check, now, overrides},
};
use crate::{
    error::{Error, Result},
    event::CheckpointKind,
    plan::Plan,
    run::{RunDir, Tail, checkpoint},
    trainer::{Progress, SavedTensor, Scripted, read_checkpoint, script},
};

#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// The run to repeat: its name, a unique part of it, a path, or `last`
    run: String,
    /// The journal with the interventions; that of the run if left out
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Name of the new run; the other one's with `-replay` behind, if left out
    #[arg(long)]
    name: Option<String>,
    /// Print the run's events, one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: ReplayArgs, out: &mut Output) -> Result<Exit> {
    let original = args.place.find(&args.run)?;
    let journal = args.script.clone().unwrap_or_else(|| original.journal());
    let mut events = Vec::new();
    for stamped in Tail::open(&journal)?.events() {
        events.push(stamped?.event);
    }
    let script = script(events)?;
    let before = Plan::load(&original.config(), &[])?;
    let name = args.name.unwrap_or_else(|| format!("{}-replay", before.name));
    let plan = Plan::load(&original.config(), &overrides(Vec::new(), Some(name)))?;
    check(&plan)?;
    let run = RunDir::create(&args.place.runs, &plan.name, &plan.to_toml(), now())?;
    if let Err(error) = fill(&run, &original, &script) {
        // Half a run is none, and the first error is the one to tell.
        let _ = std::fs::remove_dir_all(run.path());
        return Err(error);
    }
    let form = if args.json { Form::Json { steps: false } } else { Form::Text };
    let exit = block_on(async { headless::follow(&run, Some(engine::start(&run)?), 0, form, out).await })?;
    if args.script.is_none() && exit == Exit::DONE {
        compare(&run, &original, args.json, out)?;
    }
    Ok(exit)
}

fn fill(run: &RunDir, original: &RunDir, script: &[Scripted]) -> Result<()> {
    let mut lines = String::new();
    for each in script {
        let line = serde_json::to_string(each);
        lines += &line.map_err(|error| Error::internal(format!("an intervention cannot be written: {error}")))?;
        lines.push('\n');
    }
    std::fs::write(run.script(), lines)
        .map_err(|error| Error::environment(format!("cannot write {}: {error}", run.script().display()), None))?;
    // A branch begins where it was branched off.
    if original.start().exists() {
        let (tensors, progress): (Vec<SavedTensor>, Progress) = checkpoint::read(&original.start())?;
        checkpoint::write(&run.checkpoint(CheckpointKind::Last), &tensors, &progress)?;
        checkpoint::link(&run.checkpoint(CheckpointKind::Last), &run.start())?;
    }
    Ok(())
}

/// Whether both stand at the same step with the same weights and optimiser slots.
fn compare(run: &RunDir, original: &RunDir, quiet: bool, out: &mut Output) -> Result<()> {
    let (Some((ours, now)), Some((theirs, then))) =
        (read_checkpoint(run, CheckpointKind::Last)?, read_checkpoint(original, CheckpointKind::Last)?)
    else {
        return Ok(());
    };
    if now.step != then.step {
        return Err(Error::environment(
            format!("the replay ended after step {}, {} stands at step {}", now.step, original.name(), then.step),
            Some("a run that was killed, or is still going on, is repeated to its end".into()),
        ));
    }
    let other = |(name, data): &&SavedTensor| !theirs.iter().any(|(each, it)| each == name && it == data);
    let differing: Vec<&SavedTensor> = ours.iter().filter(other).collect();
    match differing.first() {
        None if quiet => Ok(()),
        None => out.line(&format!("the same weights and optimiser slots as {}, bit by bit", original.name())),
        Some((name, _)) => Err(Error::environment(
            format!(
                "{} of {} tensors are not those of {}: {name} for one",
                differing.len(),
                ours.len(),
                original.name()
            ),
            Some("a run is repeated bit by bit only on the same device, libtorch and number of threads".into()),
        )),
    }
}
