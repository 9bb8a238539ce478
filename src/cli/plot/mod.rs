//! `frostline plot`: the curves of one or several runs as a file. Folds their journals as the dashboard does, needs no engine, and may be asked
//! while they go on.

mod axis;
mod chart;
mod panel;

use std::{fs, path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum};

use super::{
    Exit, Place,
    drawing::{png, svg},
    fold::fold,
    output::Output,
};
use crate::{
    error::{Error, Result},
    state::{self, RunState, Smoothing},
};

#[derive(Args, Debug)]
pub struct PlotArgs {
    /// The runs: their names, unique parts of them, paths, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    which: Vec<String>,
    /// The file to write; its ending says whether as SVG or as PNG
    #[arg(short, long, value_name = "FILE", default_value = "curves.svg")]
    output: PathBuf,
    /// What to draw, a chart for each
    #[arg(long, value_enum, value_name = "METRIC", value_delimiter = ',', default_value = "loss,accuracy")]
    metrics: Vec<Metric>,
    /// How far the steps are smoothed, 0 to below 1, debiased; `chapter` or `chapter:0.9`: in the book's plain form
    #[arg(long, value_name = "FACTOR", default_value = "0.9")]
    smoothing: Smoothing,
    /// What the curves are drawn over
    #[arg(long, value_enum, default_value_t = Across::Steps)]
    x: Across,
    /// A logarithmic scale upwards, for loss and learning rate
    #[arg(long)]
    log: bool,
    /// Width and height in pixels; PNG has twice as many
    #[arg(long, value_name = "WxH")]
    size: Option<Size>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Metric {
    Loss,
    Accuracy,
    #[value(name = "learning_rate", alias = "learning-rate")]
    LearningRate,
    #[value(name = "images_per_second", alias = "images-per-second")]
    ImagesPerSecond,
    /// Share of the time in which steps waited for their batch
    #[value(name = "data_wait", alias = "data-wait")]
    DataWait,
}

impl Metric {
    fn facts(self) -> state::Metric {
        match self {
            Self::Loss => state::Metric::Loss,
            Self::Accuracy => state::Metric::Accuracy,
            Self::LearningRate => state::Metric::LearningRate,
            Self::ImagesPerSecond => state::Metric::Speed,
            Self::DataWait => state::Metric::DataWait,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Across {
    Steps,
    Epochs,
}

impl FromStr for Smoothing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (plain, number) = match text.strip_prefix("chapter") {
            // The book's own factor.
            Some("") => (true, "0.8"),
            Some(rest) => (true, rest.strip_prefix(':').unwrap_or(rest)),
            None => (false, text),
        };
        match number.parse::<f64>() {
            Ok(factor) if (0.0..1.0).contains(&factor) => Ok(Self { factor, plain }),
            _ => Err("it is a number from 0 to below 1, or `chapter`, or `chapter:0.9`".into()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    width: u32,
    height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once(['x', 'X', '×']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        match sides {
            Some((width @ 200..=8000, height @ 150..=8000)) => Ok(Self { width, height }),
            _ => Err("write it as 1200x480; 200x150 to 8000x8000".into()),
        }
    }
}

/// What is known of a run, and how it is called.
struct Told {
    name: String,
    state: RunState,
}

pub fn run(args: &PlotArgs, out: &mut Output) -> Result<Exit> {
    let ending = args.output.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let as_png = match ending.as_deref() {
        Some("svg") => false,
        Some("png") => true,
        _ => {
            let text = format!("{}: its ending is neither .svg nor .png", args.output.display());
            return Err(Error::user(text, "name the file with -o curves.svg or -o curves.png"));
        }
    };
    let mut told = Vec::new();
    for which in &args.which {
        let run = args.place.find(which)?;
        let state = fold(&run)?;
        if state.curves.loss.last().is_none() {
            let text = format!("{} has no step yet, so there is nothing to draw", run.name());
            return Err(Error::user(text, "`frostline runs` shows how far each run is"));
        }
        told.push(Told { name: run.name(), state });
    }
    let drawing = chart::draw(&told, args);
    let bytes = if as_png { png(&drawing)? } else { svg(&drawing).into_bytes() };
    fs::write(&args.output, bytes)
        .map_err(|error| Error::environment(format!("{}: cannot be written: {error}", args.output.display()), None))?;
    let names: Vec<&str> = told.iter().map(|told| told.name.as_str()).collect();
    out.line(&format!("{}: {}", args.output.display(), names.join(", ")))?;
    Ok(Exit::DONE)
}

#[cfg(test)]
mod tests;
