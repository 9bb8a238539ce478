//! `cargo xtask bench`: Frostline beside what one would use instead, measured in one run on one machine, and whether it keeps what
//! it promises. The peers' scripts and their pinned packages lie in benches/peers; what is made for them goes to the user's cache.

mod catalogue;
pub mod child;
mod growth;
mod journal;
pub mod json;
mod load;
mod measured;
mod options;
mod ours;
mod places;
mod python;
mod session;
mod table;
mod targets;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::checkout::Checkout;
use crate::environment::{Environment, Platform};
use crate::failure::Failure;
use crate::say;
use catalogue::{Images, Job, Work};
use measured::Measured;
use options::Options;
use places::Places;
use session::Session;

pub fn run(environment: &Environment, checkout: &Checkout, arguments: &[String]) -> Result<(), Failure> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options::parse(arguments, processors)?;
    if options.help {
        say::text(options::HELP);
        return Ok(());
    }
    if let Some(file) = &options.table {
        report(&session::read(file)?, &[], processors);
        return Ok(());
    }
    let mut jobs = catalogue::jobs(options.burn);
    jobs.retain(|job| options.wants(&job.name) && (job.leads || !options.quick));
    if options.list {
        let lines: Vec<String> = jobs.iter().map(described).collect();
        say::text(&format!("{}\n", lines.join("\n")));
        return Ok(());
    }
    if environment.platform != Platform::Linux {
        return Err(Failure::new("the bench reads Linux's /proc, and this is another system"));
    }
    let begun = Instant::now();
    if options.growth {
        // The least that makes its places ready.
        let (options_of_job, images) = ("", Images::CatsAndDogs);
        let work = Work::Bench { config: catalogue::CATS_AND_DOGS, options: options_of_job, images, tasks: &[] };
        let job = Job { name: "growth".into(), group: "growth", work, leads: true, has_neighbour: false };
        let places = Places::find(environment, checkout, &options, &[job])?;
        let text = growth::run(environment, checkout, &options, &places).map_err(Failure::new)?;
        say::text(&text);
        return Ok(());
    }
    if jobs.is_empty() {
        return Err(Failure::usage("no job has such a name").hint("`cargo xtask bench --list` prints them"));
    }
    let measured = match &options.json {
        Some(file) if file.exists() => session::read(file)?,
        _ => Vec::new(),
    };
    let places = Places::find(environment, checkout, &options, &jobs)?;
    warn_of_augmentation(checkout);
    let (begun_measuring, skipped) = (Instant::now(), Vec::new());
    let mut session = Session {
        environment,
        checkout,
        options: &options,
        places: &places,
        processors,
        measured,
        skipped,
        begun: begun_measuring,
    };
    session.run(&jobs)?;
    report(&session.measured, &session.skipped, processors);
    say::line(&format!("{:.0} minutes", begun.elapsed().as_secs_f64() / 60.0));
    Ok(())
}

/// The peers rotate, shift, shear, zoom and flip, as listing 5.14 does. Whoever changes our configuration compares something else.
fn warn_of_augmentation(checkout: &Checkout) {
    let text = std::fs::read_to_string(checkout.root().join(catalogue::CATS_AND_DOGS)).unwrap_or_default();
    let lacks = |word: &&str| !text.contains(*word);
    let lacking: Vec<&str> = ["rotation", "shift", "shear", "zoom", "flip"].into_iter().filter(lacks).collect();
    if !lacking.is_empty() {
        let (config, lacking) = (catalogue::CATS_AND_DOGS, lacking.join(", "));
        say::line(&format!("warning: {config} asks for less augmentation than the peers do: no {lacking}"));
    }
}

fn described(job: &Job) -> String {
    let what = match &job.work {
        Work::Peer { script, arguments, .. } => format!("{script} {arguments}"),
        Work::Burn { mode } => format!("burn-peer {mode}"),
        Work::Bench { config, options, .. } => format!("frostline bench {config} {options}"),
        Work::Train => format!("frostline train {}", catalogue::CATS_AND_DOGS),
        Work::Saving { config, .. } => format!("frostline train {config}, with checkpoints"),
        Work::Recipe => format!("frostline train {}, to its end", catalogue::RECIPE),
        Work::Dashboard => format!("frostline train {}, with a dashboard now and then", catalogue::CATS_AND_DOGS),
    };
    let turns = if job.leads { "every round" } else { "once" };
    format!("{:28} {turns:12} {}", job.name, what.trim_end())
}

/// On standard output: what was measured, what it means, what is missing, and on what machine.
fn report(measured: &[Measured], skipped: &[(String, String)], processors: usize) {
    let rows = table::rows(measured);
    let mut text = table::render(&rows);
    text.push('\n');
    text.push_str(&targets::render(&targets::verdicts(&rows)));
    for (job, reason) in skipped {
        let _ = write!(text, "\nleft out: {job}: {reason}");
    }
    let _ = write!(text, "\n{}, {processors} processors; {}\n", processor(), table::versions(&rows));
    say::text(&text);
}

fn processor() -> String {
    let info = std::fs::read_to_string(Path::new("/proc/cpuinfo")).unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}
