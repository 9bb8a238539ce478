//! `frostline eval`: how good a run's network is on a split of its data, on the terminal, and as a report in files. The engine says what
//! the network made of each image; the figures are made of that here.

mod charts;
mod document;
mod figures;
mod findings;
mod gallery;
mod heatmap;
mod report;
mod table;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use image::{ImageError, ImageFormat, RgbImage};

use self::{findings::Findings, report::Format};
use super::{
    Exit, Place,
    output::{Output, complain},
    progress, query,
    report::Reporter,
};
use crate::{
    error::{Error, Result},
    event::{
        Event, SkippedFile, Stamped, Tested,
        evaluation::{Answer, Judged, Looked},
    },
    run::{Entry, RunDir, Tail},
};

#[derive(Args, Debug)]
pub struct EvalArgs {
    /// The run: its name, a unique part of it, a path, or `last`
    #[arg(default_value = "last")]
    run: String,
    #[arg(long, value_enum, default_value_t = Split::Test)]
    split: Split,
    #[arg(long, value_enum, default_value_t = Kept::Best)]
    checkpoint: Kept,
    /// Write a report: a page with pictures beside it (.md, .html), all figures (.json), or a line an image (.csv). May be given several times
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
    /// Pictures of each kind in a page: of the worst images, the most confidently wrong, the least confident and the most confused; 0: none
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pictures: u32,
    /// Print all figures as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Split {
    Train,
    Validation,
    Test,
}

/// The checkpoints that a run keeps.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kept {
    /// The one with the best validation figures
    Best,
    Last,
}

/// As the engine's command line spells it.
pub fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Images in each list where no pictures are wanted.
const LISTED: usize = 8;

/// All that the engine said.
#[derive(Debug, Default)]
struct Heard {
    judged: Vec<Judged>,
    tested: Option<Tested>,
    looked: HashMap<u32, Looked>,
    skipped: Vec<SkippedFile>,
}

pub fn run(args: &EvalArgs, out: &mut Output) -> Result<Exit> {
    let formats = args.report.iter().map(|path| Ok((Format::of(path)?, path.as_path()))).collect::<Result<Vec<_>>>()?;
    let run = args.place.find(&args.run)?;
    let mut arguments = vec![
        "eval".into(),
        run.path().into(),
        "--split".into(),
        word(&args.split).into(),
        "--checkpoint".into(),
        word(&args.checkpoint).into(),
    ];
    let classes = class_names(&run)?;
    let folder = tempfile::tempdir()
        .map_err(|error| Error::environment(format!("cannot make a folder for the engine's answers: {error}"), None))?;
    let illustrated = args.pictures > 0 && formats.iter().any(|(format, _)| format.is_page());
    if illustrated {
        arguments.extend([
            "--pictures".into(),
            args.pictures.to_string().into(),
            "--into".into(),
            folder.path().into(),
        ]);
    }
    let mut heard = Heard::default();
    let exit = listen(arguments, &mut heard)?;
    let Some(tested) = heard.tested.take() else { return Ok(exit) };
    // Without pictures the names are still worth a list.
    let most = if args.pictures == 0 { LISTED } else { args.pictures as usize };
    let findings = Findings::of(&run.name(), &word(&args.split), &classes, tested, &heard, most);
    if args.json {
        out.json(&findings)?;
    } else {
        out.line(&table::page(&findings))?;
    }
    for (format, path) in formats {
        report::write(format, path, &findings, &heard)?;
        if !args.json {
            out.line(&format!("{}: {}", path.display(), format.described()))?;
        }
    }
    Ok(exit)
}

/// What is not the result, for example images that were left out of it, must not be taken for it.
fn listen(arguments: Vec<std::ffi::OsString>, heard: &mut Heard) -> Result<Exit> {
    let bar = progress::files("evaluating", 0);
    let tell = |event: &Event| {
        if let Some(line) = Reporter::default().line(event) {
            bar.suspend(|| complain(&line));
        }
    };
    let exit = query::ask(arguments, |answer: Answer, _| {
        match answer {
            Answer::Evaluating { done, total } => {
                bar.set_length(total);
                bar.set_position(done);
            }
            Answer::Skipped { split, total, files } => {
                heard.skipped.extend(files.iter().cloned());
                tell(&Event::Skipped { split, total, files });
            }
            Answer::Log { level, message } => tell(&Event::Log { level, message }),
            Answer::Judged(judged) => heard.judged.push(judged),
            Answer::Tested(tested) => heard.tested = Some(tested),
            Answer::Looked(looked) => {
                heard.looked.insert(looked.sample, looked);
            }
            Answer::Other => {}
        }
        Ok(())
    });
    bar.finish_and_clear();
    exit
}

/// As the run's data set had them; empty if the run never opened it.
pub fn class_names(run: &RunDir) -> Result<Vec<String>> {
    let mut classes = Vec::new();
    if run.journal().exists() {
        let mut tail = Tail::open(&run.journal())?;
        while let Some(line) = tail.next_line()? {
            // One line in many thousands.
            if line.mark().is_none_or(|mark| mark.event == "data_opened")
                && let Entry::Event(Stamped { event: Event::DataOpened(data), .. }) = line.entry()?
            {
                classes = data.classes;
            }
        }
    }
    Ok(classes)
}

fn save(picture: &RgbImage, path: &Path) -> Result<()> {
    picture.save_with_format(path, ImageFormat::Png).map_err(|error| match error {
        ImageError::IoError(error) => unwritten(path, &error),
        error => Error::internal(error.to_string()),
    })
}

/// An error that names the file.
fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    Error::environment(format!("{}: cannot be written: {error}", path.display()), None)
}
