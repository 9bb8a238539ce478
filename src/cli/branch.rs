//! `frostline branch`: a new run that goes on from a checkpoint of another one, with changes if wanted. The other one stays as it is.

use std::path::PathBuf;

use clap::Args;

use super::{
    Exit, Place,
    output::Output,
    train::{View, check, now, now_ms, overrides, start},
};
use crate::{
    error::{Error, Result},
    event::{Branched, CheckpointKind},
    plan::Plan,
    run::{RunDir, checkpoint, take_over},
    trainer::{Origin, Progress, SavedTensor},
};

#[derive(Args, Debug)]
pub struct BranchArgs {
    /// The run to branch from: its name, a unique part of it, a path, or `last`
    run: String,
    /// The step of the checkpoint to go on from
    #[arg(long, value_name = "STEP")]
    at: u64,
    /// Change a key of the configuration, for example `train.learning_rate=1e-4`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Name of the new run; the other one's, if left out
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: BranchArgs, out: &mut Output) -> Result<Exit> {
    let shown = args.view.shown()?;
    let parent = args.place.find(&args.run)?;
    let from = found(&parent, args.at)?;
    let before = Plan::load(&parent.config(), &[])?;
    let plan = Plan::load(&parent.config(), &overrides(args.set, args.name))?;
    if plan.arch.layers() != before.arch.layers() {
        return Err(Error::user(
            "a branch keeps the network of its run: its checkpoint fits no other",
            "begin a new run with `model.weights`",
        ));
    }
    let (tensors, progress): (Vec<SavedTensor>, Progress) = checkpoint::read(&from)?;
    let best = best(&parent, &progress);
    let config = plan.to_toml();
    let origin = Origin { config: config.clone(), ..progress.origin.clone() };
    // What can be undone lies with the other run.
    let figure = progress.best.filter(|_| best.is_some());
    let progress = Progress { undo: Vec::new(), best: figure, origin, ..progress };
    progress.phases(&plan)?;
    check(&plan)?;
    let run = RunDir::create(&args.place.runs, &plan.name, &config, now())?;
    let place = place(&parent, &progress);
    let filled = (|| {
        let last = run.checkpoint(CheckpointKind::Last);
        checkpoint::write(&last, &tensors, &progress)?;
        checkpoint::link(&last, &run.start())?;
        if let Some(best) = best {
            let (tensors, progress): (Vec<SavedTensor>, Progress) = checkpoint::read(&best)?;
            checkpoint::write(&run.checkpoint(CheckpointKind::Best), &tensors, &progress)?;
        }
        Result::Ok(take_over(&parent, &run, place, now_ms())?)
    })();
    let since = match filled {
        Ok(since) => since,
        Err(error) => {
            // Half a run is none, and the first error is the one to tell.
            let _ = std::fs::remove_dir_all(run.path());
            return Err(error);
        }
    };
    out.line(&format!("{}: a branch of {} at step {}", run.path().display(), parent.name(), args.at))?;
    start(&run, since, shown, out)
}

/// Where a run stood when it wrote a checkpoint, for the journal of one that goes on from there.
pub fn place(run: &RunDir, progress: &Progress) -> Branched {
    let &Progress { step, epoch, step_in_epoch, interventions, .. } = progress;
    Branched { from: run.name(), step, epoch, step_in_epoch, interventions }
}

/// The checkpoint of a step. Of several the one that is furthest: behind interventions and validation.
fn found(run: &RunDir, step: u64) -> Result<PathBuf> {
    let mut all: Vec<(u64, (u32, u64), PathBuf)> = Vec::new();
    let entries = std::fs::read_dir(run.checkpoints()).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|it| it == "safetensors"))
    {
        // One that is damaged is not to hide the others.
        if let Ok(progress) = checkpoint::read_record::<Progress>(&path) {
            all.push((progress.step, (progress.epoch, progress.interventions), path));
        }
    }
    all.sort();
    if let Some((.., path)) = all.iter().rev().find(|(at, ..)| *at == step) {
        return Ok(path.clone());
    }
    let mut steps: Vec<String> = all.iter().map(|(at, ..)| at.to_string()).collect();
    steps.dedup();
    let hint = if steps.is_empty() {
        "it has none at all; `frostline ctl RUN checkpoint` writes one".to_owned()
    } else {
        format!("there are checkpoints of the steps {}", steps.join(", "))
    };
    Err(Error::user(format!("{} has no checkpoint of step {step}", run.name()), hint))
}

/// The other run's best checkpoint, if it was the best already at that place.
fn best(run: &RunDir, progress: &Progress) -> Option<PathBuf> {
    let path = run.checkpoint(CheckpointKind::Best);
    let best: Progress = checkpoint::read_record(&path).ok()?;
    (best.step <= progress.step && best.phase_step == progress.phase_step && best.best == progress.best).then_some(path)
}
