//! `frostline replay`: a new run that repeats another one, with its interventions at the same steps, and then says whether it came to the
//! same weights.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    Exit, Place, block_on,
    branch::place,
    engine,
    headless::{self, Form},
    output::Output,
    train::{check, now, now_ms, overrides},
};
use crate::{
    error::{Error, Result},
    event::CheckpointKind,
    plan::Plan,
    run::{RunDir, Tail, checkpoint, tail, take_over},
    trainer::{self, Leg, Progress, SavedTensor, legs, read_checkpoint},
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
    let legs = legs_of(&original, args.script.as_deref())?;
    let before = Plan::load(&original.config(), &[])?;
    let name = args.name.unwrap_or_else(|| format!("{}-replay", before.name));
    let plans = legs.iter().map(|leg| plan(leg, &original, &name)).collect::<Result<Vec<_>>>()?;
    for plan in &plans {
        check(plan)?;
    }
    let run = RunDir::create(&args.place.runs, &name, &plans[0].to_toml(), now())?;
    let filled = fill(&run, &original).and_then(|since| script(&run, &legs[0]).map(|()| since));
    let mut since = match filled {
        Ok(since) => since,
        Err(error) => {
            // Half a run is none, and the first error is the one to tell.
            let _ = std::fs::remove_dir_all(run.path());
            return Err(error);
        }
    };
    let form = if args.json { Form::Json { steps: false } } else { Form::Text };
    let mut exit = Exit::DONE;
    for (at, (leg, plan)) in legs.iter().zip(&plans).enumerate() {
        if at > 0 {
            // As somebody did who resumed the run with another configuration.
            run.reconfigure(&plan.to_toml())?;
            run.accept_changes(true)?;
            script(&run, leg)?;
        }
        exit = block_on(async { headless::follow(&run, Some(engine::start(&run)?), since, form, out).await })?;
        since = tail::end(&run.journal())?.events;
        if exit != Exit::DONE {
            return Ok(exit);
        }
    }
    if args.script.is_none() {
        compare(&run, &original, args.json, out)?;
    }
    Ok(exit)
}

/// What is to be repeated. Interventions of another journal are carried out under the present configuration.
fn legs_of(original: &RunDir, journal: Option<&Path>) -> Result<Vec<Leg>> {
    let mut events = Vec::new();
    for stamped in Tail::open(journal.unwrap_or(&original.journal()))?.events() {
        events.push(stamped?.event);
    }
    Ok(match journal {
        None => legs(&events)?,
        Some(_) => vec![Leg { config: None, script: trainer::script(events)?, skips: false, rolls_back: false }],
    })
}

/// The configuration of a leg, without what ends it by the clock.
fn plan(leg: &Leg, original: &RunDir, name: &str) -> Result<Plan> {
    let text = match &leg.config {
        Some(text) => text.clone(),
        None => Plan::load(&original.config(), &[])?.to_toml(),
    };
    let unreadable =
        |error: toml::de::Error| Error::internal(format!("a resolved configuration cannot be read: {error}"));
    let mut table: toml::Table = text.parse().map_err(unreadable)?;
    if let Some(train) = table.get_mut("train").and_then(toml::Value::as_table_mut) {
        train.remove("max_time");
    }
    let mut set = Vec::new();
    if leg.skips {
        set.push("train.on_nonfinite=skip".to_owned());
    }
    if leg.rolls_back {
        set.push("train.checkpoint_minutes=0".to_owned());
    }
    Plan::parse(&table.to_string(), name, &overrides(set, Some(name.to_owned())))
}

/// What is to be done in a leg.
fn script(run: &RunDir, leg: &Leg) -> Result<()> {
    let mut lines = String::new();
    for each in &leg.script {
        let line = serde_json::to_string(each);
        lines += &line.map_err(|error| Error::internal(format!("an intervention cannot be written: {error}")))?;
        lines.push('\n');
    }
    std::fs::write(run.script(), lines)
        .map_err(|error| Error::environment(format!("cannot write {}: {error}", run.script().display()), None))
}

/// A branch begins where it was branched off. Returns how many events its journal has already.
fn fill(run: &RunDir, original: &RunDir) -> Result<u64> {
    if !original.start().exists() {
        return Ok(0);
    }
    let (tensors, progress): (Vec<SavedTensor>, Progress) = checkpoint::read(&original.start())?;
    checkpoint::write(&run.checkpoint(CheckpointKind::Last), &tensors, &progress)?;
    checkpoint::link(&run.checkpoint(CheckpointKind::Last), &run.start())?;
    Ok(take_over(original, run, place(original, &progress), now_ms())?)
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
