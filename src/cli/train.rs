//! `frostline train`: from a configuration to a run directory, an engine that is at work on it, and a view of it. Everything
//! that is wrong with the configuration or the data is told before the engine starts.

use std::{
    io::{IsTerminal as _, stdin, stdout},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    Exit, Place,
    admission::{Admission, admitted},
    block_on, dashboard, engine,
    headless::{self, Form},
    hint,
    output::Output,
    ui::UiArgs,
};
use crate::{
    data::{self, DataSpec},
    error::{Error, Result},
    event::CheckpointKind,
    plan::Plan,
    run::{self, EngineLock, RunDir, Standing, tail},
    tui::Settings,
    weights::{Pretrained, Shelf},
};

#[derive(Args, Debug)]
pub struct TrainArgs {
    /// The configuration file
    #[arg(required_unless_present = "resume")]
    config: Option<PathBuf>,
    /// Go on with a run from its last checkpoint
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "name"])]
    resume: Option<String>,
    /// With --resume: go on although the device, libtorch, threads, images or configuration are no longer those of the last checkpoint
    #[arg(long, requires = "resume")]
    accept_changes: bool,
    /// Make the run in this directory; if it is there already, go on with it: for jobs that are started again by the same command
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    run_dir: Option<PathBuf>,
    /// Change a key of the configuration, for example `train.epochs=3`; with --resume, the run's own from here on
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Name of the run; the configuration's, or its file's, if left out
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    place: Place,
}

/// How a run is shown.
#[derive(Args, Clone, Debug, Default)]
pub struct View {
    /// Print a line an epoch instead of opening the dashboard; implied without a terminal
    #[arg(long)]
    pub headless: bool,
    /// Print the run's events, one JSON object a line
    #[arg(long)]
    pub json: bool,
    /// With --json: also the steps, gathered to at most ten a second
    #[arg(long, requires = "json")]
    pub steps: bool,
    #[command(flatten)]
    pub ui: UiArgs,
}

/// What becomes of a [`View`] on this terminal.
pub enum Shown {
    Lines(Form),
    Dashboard(Box<Settings>),
}

impl View {
    /// Lines or the dashboard. What is wrong with `ui.toml` shows before anything is started.
    pub fn shown(&self) -> Result<Shown> {
        Ok(match *self {
            Self { json: true, steps, .. } => Shown::Lines(Form::Json { steps }),
            Self { headless: true, .. } => Shown::Lines(Form::Text),
            _ if stdin().is_terminal() && stdout().is_terminal() => Shown::Dashboard(Box::new(self.ui.load()?)),
            _ => Shown::Lines(Form::Text),
        })
    }
}

pub fn run(args: TrainArgs, out: &mut Output) -> Result<Exit> {
    let shown = args.view.shown()?;
    let (run, since) = match (&args.resume, &args.config) {
        (Some(which), _) => {
            let (run, since) = resumable(&args.place, which, &args.set)?;
            let before = reconfigure(&run, &args.set)?;
            // What was just typed is accepted.
            if args.accept_changes || before.is_some() {
                run.accept_changes(args.accept_changes)?;
            }
            return block_on(go_on(&run, before, since, shown, out));
        }
        (None, config) => {
            let config = config.as_deref().unwrap_or(Path::new(""));
            let plan = Plan::load(config, &overrides(args.set, args.name))?;
            match &args.run_dir {
                Some(path) if RunDir::exists(path) => {
                    let Some(found) = again(&plan, path)? else {
                        out.line(&format!("{} is complete", path.display()))?;
                        return Ok(Exit::DONE);
                    };
                    found
                }
                Some(path) => {
                    check(&plan)?;
                    (RunDir::create_at(path, &plan.to_toml())?, 0)
                }
                None => (create(&plan, &args.place)?, 0),
            }
        }
    };
    start(&run, since, shown, out)
}

/// The assignments of `--set`, and the name as one of them.
pub fn overrides(mut set: Vec<String>, name: Option<String>) -> Vec<String> {
    set.extend(name.map(|name| format!("name={}", toml::Value::String(name))));
    set
}

/// The run that the same command has made before; `None` if nothing of it is left to do.
fn again(plan: &Plan, path: &Path) -> Result<Option<(RunDir, u64)>> {
    let run = RunDir::open(path)?;
    if Plan::load(&run.config(), &[])?.to_toml() != plan.to_toml() {
        return Err(Error::user(
            format!("{} was made with another configuration", path.display()),
            "give the new one a --run-dir of its own, or change the old one with --resume DIR --set KEY=VALUE",
        ));
    }
    if run::summarise(&run)?.standing == Standing::Completed {
        return Ok(None);
    }
    free(&run)?;
    Ok(Some((run.clone(), events(&run)?)))
}

/// Makes a run directory with a name of its own.
pub fn create(plan: &Plan, place: &Place) -> Result<RunDir> {
    check(plan)?;
    Ok(RunDir::create(&place.runs, &plan.name, &plan.to_toml(), now())?)
}

/// Checks the data and the weights to begin with as far as that takes no time.
pub fn check(plan: &Plan) -> Result<()> {
    let data = data::inspect(&plan.data)?;
    plan.check_classes(&data.classes)?;
    // Names and shapes only; the engine reads the numbers.
    Pretrained::of_plan(plan, &Shelf::from_environment())?;
    // Looked for first: a run that no engine can carry out would only be in the way.
    engine::program().map(drop)
}

/// Starts the engine of a run and shows it. `since` is the first event that is news.
pub fn start(run: &RunDir, since: u64, shown: Shown, out: &mut Output) -> Result<Exit> {
    block_on(async {
        if since > 0 || run.checkpoint(CheckpointKind::Last).exists() {
            return go_on(run, None, since, shown, out).await;
        }
        match shown {
            Shown::Lines(form) => headless::follow(run, Some(engine::start(run)?), since, form, out).await,
            Shown::Dashboard(settings) => show(run, dashboard::Engine::ToStart, *settings, out).await,
        }
    })
}

/// Starts the engine of a run that was begun before, and shows it once it goes on. If it does not, its configuration is `before` again.
async fn go_on(run: &RunDir, before: Option<String>, since: u64, shown: Shown, out: &mut Output) -> Result<Exit> {
    let admission = admitted(run).await;
    if let (Some(before), Err(_) | Ok(Admission::No(_))) = (before, &admission) {
        run.reconfigure(&before)?;
    }
    let child = match admission? {
        Admission::Engine(child) => child,
        Admission::No(exit) => return Ok(exit),
    };
    match shown {
        Shown::Lines(form) => headless::follow(run, Some(child), since, form, out).await,
        Shown::Dashboard(settings) => show(run, dashboard::Engine::Started(Box::new(child)), *settings, out).await,
    }
}

async fn show(run: &RunDir, engine: dashboard::Engine, settings: Settings, out: &mut Output) -> Result<Exit> {
    dashboard::show(dashboard::Place::Here { run: run.clone(), engine }, settings, out).await
}

/// A run that no engine holds, and how many events it has.
fn resumable(place: &Place, which: &str, set: &[String]) -> Result<(RunDir, u64)> {
    let run = place.find(which)?;
    free(&run)?;
    let summary = run::summarise(&run)?;
    if summary.standing == Standing::Completed && set.is_empty() {
        return Err(Error::user(
            format!("{} is complete: all its {} epochs are trained", run.name(), summary.epochs),
            format!("to train on, set a larger number: `{} --set train.epochs=N`", hint::resume(&run)),
        ));
    }
    let since = events(&run)?;
    Ok((run, since))
}

fn free(run: &RunDir) -> Result<()> {
    let Some(holder) = EngineLock::holder(run)? else { return Ok(()) };
    let error = run::Error::Locked { run: run.name(), pid: holder.pid };
    Err(Error::user(error.to_string(), format!("join it with `{}`", hint::attach(run))))
}

/// How many there are.
fn events(run: &RunDir) -> Result<u64> {
    Ok(if run.journal().exists() { tail::end(&run.journal())?.events } else { 0 })
}

/// Writes the run's configuration anew, with `set` applied: more epochs, for example. What its checkpoints were made of
/// stays as it is. Returns the configuration of before, if there is another one now.
fn reconfigure(run: &RunDir, set: &[String]) -> Result<Option<String>> {
    if set.is_empty() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(run.config())
        .map_err(|error| Error::environment(format!("cannot read {}: {error}", run.config().display()), None))?;
    let before = Plan::load(&run.config(), &[])?;
    let after = Plan::load(&run.config(), set)?;
    let same_data = before.data == DataSpec { augment: before.data.augment.clone(), ..after.data.clone() };
    if before.arch != after.arch || before.seed != after.seed || !same_data {
        return Err(Error::user(
            format!("--set {}: a run keeps its name, its network, its images and its seed", set.join(" --set ")),
            "start another run with the changed configuration",
        ));
    }
    engine::program()?;
    run.reconfigure(&after.to_toml())?;
    Ok(Some(text))
}

#[expect(clippy::disallowed_methods, reason = "the start of a run is part of its name")]
pub fn now() -> jiff::civil::DateTime {
    jiff::ZonedDateTime::now().datetime()
}

/// Milliseconds since the Unix epoch, for a journal.
#[expect(clippy::disallowed_methods, reason = "a journal says when things happened")]
pub fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
