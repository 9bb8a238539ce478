//! `frostline data check`: reads every image of a data set and says what is there and what is wrong. Exit code 1 means that it
//! found something.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    cli::{
        Exit,
        output::Output,
        progress,
        table::{self, images, several},
    },
    data::{
        self, DataError, DataSpec, SourceSpec,
        survey::{Finding, Inventory, Repeat, Survey, portray},
    },
    error::Result,
    plan::Plan,
    text::figures,
};

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// A folder: a data set with train/ in it, raw images, or MNIST's four files; or a configuration, for its data
    #[arg(value_name = "DIR|CONFIG")]
    place: PathBuf,
    /// List every file, class and repeated picture, not only the first ones
    #[arg(long)]
    all: bool,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// The command went through, and there is something to look into.
const FOUND: Exit = Exit(1);

/// Lines of a list before it says how many more there are.
const SHOWN: usize = 10;
/// The same for classes.
const CLASSES: usize = 24;

pub fn run(args: &CheckArgs, out: &mut Output) -> Result<Exit> {
    let (place, survey) = survey(&args.place)?;
    let findings = survey.findings();
    if args.json {
        out.json_line(&json(&place, &survey, &findings))?;
    } else {
        out.line(&report(&place, &survey, &findings, args.all))?;
    }
    Ok(if findings.is_empty() { Exit::DONE } else { FOUND })
}

fn survey(place: &Path) -> Result<(String, Survey)> {
    if place.is_file() {
        let spec = Plan::load(place, &[])?.data;
        return match &spec.source {
            SourceSpec::Folder { places } => {
                let found = places.iter().find(|place| place.is_dir());
                folder(found.ok_or_else(|| DataError::NoPlace { places: places.clone() })?)
            }
            SourceSpec::Idx { .. } => dataset(place.display().to_string(), &spec),
            SourceSpec::Critters { .. } => dataset("the drawn cats and dogs".into(), &spec),
        };
    }
    let idx = ["", ".gz"].iter().any(|ending| place.join(format!("train-images-idx3-ubyte{ending}")).is_file());
    if !idx {
        return folder(place);
    }
    dataset(place.display().to_string(), &DataSpec::of_idx(place.to_owned()))
}

fn folder(place: &Path) -> Result<(String, Survey)> {
    let inventory = Inventory::of(place)?;
    let files: Vec<PathBuf> = inventory.files.iter().map(|listed| listed.path.clone()).collect();
    let bar = progress::files("reading", files.len());
    let portraits = portray(&files, &|| bar.inc(1));
    bar.finish_and_clear();
    Ok((place.display().to_string(), Survey::of_folder(&inventory, &portraits)))
}

fn dataset(name: String, spec: &DataSpec) -> Result<(String, Survey)> {
    let data = data::open(spec)?;
    let splits = [Some(&data.train), data.validation.as_ref(), data.test.as_ref()];
    let bar = progress::files("reading", splits.iter().flatten().map(|split| split.len()).sum());
    let survey = Survey::of_dataset(&data, spec.size, &|| bar.inc(1));
    bar.finish_and_clear();
    Ok((name, survey))
}

fn report(place: &str, survey: &Survey, findings: &[Finding], all: bool) -> String {
    let most = |count| if all { usize::MAX - 1 } else { count };
    let classes = match survey.classes.len() {
        1 => "1 class".to_owned(),
        count => format!("{} classes", figures::count(count as u64)),
    };
    let mut text = format!("{place}: {} in {classes}, {}\n\n", images(survey.images), table::size(survey.bytes));
    text += &table::counts(&survey.splits, &survey.classes, &survey.counts, most(CLASSES));
    let notes = notes(survey);
    if !notes.is_empty() {
        text += "\n\n";
        text += &notes;
    }
    let mut block = |title: String, list: String| {
        let _ = write!(text, "\n\n{title}:\n{list}");
    };
    if !survey.unreadable.is_empty() {
        let list = table::list(&survey.unreadable, most(SHOWN), |bad| format!("{}: {}", bad.file, bad.reason));
        block(format!("{} cannot be read", images(survey.unreadable.len())), list);
    }
    // The signs are explained once.
    let mut legend = " (= the same file, ~ looks the same)";
    let mut repeats = |where_: &str, kind: fn(&Repeat) -> bool| {
        let found: Vec<&Repeat> = survey.repeats.iter().filter(|repeat| kind(repeat)).collect();
        if !found.is_empty() {
            let title = format!("{} {where_}{}", several(found.len(), "picture"), std::mem::take(&mut legend));
            block(title, table::list(&found, most(SHOWN), |repeat| line(repeat)));
        }
    };
    repeats("in more than one split", Repeat::is_leak);
    repeats("in more than one class", |repeat| repeat.is_contradiction() && !repeat.is_leak());
    repeats("more than once in a class", |repeat| !repeat.is_leak() && !repeat.is_contradiction());
    let verdict = match findings {
        [] => "nothing wrong was found".to_owned(),
        findings => format!("found: {}", findings.iter().map(said).collect::<Vec<_>>().join("; ")),
    };
    let _ = write!(text, "\n\n{verdict}");
    text
}

/// What is neither right nor wrong.
fn notes(survey: &Survey) -> String {
    let shares = |counted: &[(String, usize)]| match counted {
        [(only, _)] => only.clone(),
        several => {
            let each = several.iter().map(|(name, count)| format!("{name} {}", figures::count(*count as u64)));
            each.collect::<Vec<_>>().join(", ")
        }
    };
    let mut rows: Vec<(&str, String)> = Vec::new();
    if let Some(sizes) = &survey.sizes {
        let (width, height, count) = sizes.most_common;
        if sizes.different == 1 {
            rows.push(("size", format!("{width}x{height}, all")));
        } else {
            let range = |[least, median, most]: [u32; 3]| format!("{least} to {most}, median {median}");
            rows.push(("width", range(sizes.width)));
            rows.push(("height", range(sizes.height)));
            let share = figures::percent(count as f64 / survey.images as f64);
            rows.push(("size", format!("{} different, most often {width}x{height} ({share})", sizes.different)));
        }
    }
    if !survey.formats.is_empty() {
        rows.push(("format", shares(&survey.formats)));
    }
    if !survey.colours.is_empty() {
        rows.push(("colour", shares(&survey.colours)));
    }
    if !survey.turned.is_empty() {
        let count = survey.turned.iter().map(|(_, count)| count).sum();
        let ways = survey.turned.iter().map(|(way, count)| format!("{way}: {count}")).collect::<Vec<_>>().join(", ");
        rows.push(("turned", format!("{} by EXIF orientation ({ways})", images(count))));
    }
    if let Some(times) = survey.imbalance().filter(|times| *times >= 1.5) {
        let split = &survey.splits[0];
        rows.push(("balance", format!("the largest class of {split} is {times:.1} times the smallest")));
    }
    if let [first, rest @ ..] = &*survey.passed_over {
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        rows.push(("passed over", format!("{first}{more}")));
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect::<Vec<_>>().join("\n")
}

fn line(repeat: &Repeat) -> String {
    /// More of one picture are never worth reading.
    const SHOWN: usize = 4;
    let files: Vec<&str> = repeat.places.iter().map(|place| place.file.as_str()).collect();
    let sign = if repeat.identical { " = " } else { " ~ " };
    let shown = files[..files.len().min(SHOWN)].join(sign);
    if files.len() > SHOWN { format!("{shown}{sign}{} more", files.len() - SHOWN) } else { shown }
}

fn said(finding: &Finding) -> String {
    match finding {
        Finding::Unreadable { files, truncated: 0 } => format!("{} cannot be read", images(*files)),
        Finding::Unreadable { files, truncated } => format!("{} cannot be read ({truncated} cut off)", images(*files)),
        Finding::Missing { split, class } => format!("no {class} in {split}"),
        Finding::Leaks { pictures } => format!("{} in more than one split", several(*pictures, "picture")),
        Finding::Contradictions { pictures } => format!("{} in more than one class", several(*pictures, "picture")),
        Finding::Duplicates { files } => {
            format!("{} of the same bytes as another in its class", several(*files, "file"))
        }
    }
}

fn json(place: &str, survey: &Survey, findings: &[Finding]) -> String {
    let mut object = serde_json::json!(survey);
    object["place"] = place.into();
    object["findings"] = serde_json::json!(findings);
    object.to_string()
}
