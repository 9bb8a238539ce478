//! `frostline explain filters`: pictures that filters like, forming on the screen. Ctrl-C ends it with what there is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use image::RgbImage;
use serde::Serialize;

use super::{Network, kept::Kept, numbers::Numbers, unexpected};
use crate::{
    cli::{
        Exit,
        data::inline,
        output::{Output, complain},
    },
    error::{Error, Result},
    event::explain::{ASCENT_STEPS, Answer, FILTER_SIDE, Filters, PICTURES},
    picture::{Motion, animated, enlarge, mosaic},
};

#[derive(Args, Debug)]
pub struct FiltersArgs {
    #[command(flatten)]
    network: Network,
    /// Filters, counted from 0 [default: the first 64]
    #[arg(long = "filter", value_name = "N", num_args = 1.., value_delimiter = ',')]
    filters: Vec<u32>,
    /// Side of each picture in pixels [default: 64, and 150 for a single filter]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(8..=2048))]
    size: Option<u32>,
    /// Steps of the optimisation [default: 40, and 256 with --modern]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: Option<u32>,
    /// Waves instead of pixels, colours that do not correlate, and every step a little moved, turned and scaled: shapes where the
    /// book's way gives noise
    #[arg(long)]
    modern: bool,
    /// Of the noise to begin with
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The PNG to write
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write how the pictures form, as a GIF (.gif) or an animated PNG (.png, .apng)
    #[arg(long, value_name = "FILE")]
    animation: Option<PathBuf>,
    /// Print what each filter puts out, one JSON object a step that is shown
    #[arg(long)]
    json: bool,
    /// Do not show the pictures
    #[arg(long)]
    no_image: bool,
}

const COLUMNS: u16 = 72;
/// In a row, as in the book's grid (listing 5.39).
const ACROSS: usize = 8;
/// Frames of an animation, at most about.
const FRAMES: u32 = 40;

#[derive(Serialize)]
struct Record<'a> {
    layer: &'a str,
    filters: &'a [u32],
    done: u64,
    total: u64,
    means: &'a [f32],
}

pub fn run(args: &FiltersArgs, out: &mut Output) -> Result<Exit> {
    let motion = args.animation.as_deref().map(motion).transpose()?;
    let mut kept = Kept::new(args.output.as_deref(), false, "")?;
    let size = args.size.unwrap_or(if args.filters.len() == 1 { 150 } else { FILTER_SIDE }).to_string();
    let every = (args.steps.unwrap_or(if args.modern { 256 } else { ASCENT_STEPS }) / FRAMES).max(1);
    let mut what = vec!["filters".into(), "--height".into(), size.clone().into(), "--width".into(), size.into()];
    for (name, value) in [("--seed", args.seed.to_string()), ("--every", every.to_string())] {
        what.extend([name.into(), value.into()]);
    }
    if let Some(steps) = args.steps {
        what.extend(["--steps".into(), steps.to_string().into()]);
    }
    if args.modern {
        what.push("--modern".into());
    }
    what.extend(args.filters.iter().flat_map(|filter| ["--filter".into(), filter.to_string().into()]));
    let (mut frames, mut last): (Vec<RgbImage>, Option<Filters>) = (Vec::new(), None);
    let mut forming = inline::Forming::new(COLUMNS);
    let exit = args.network.ask(what, |answer| {
        let Answer::Filters(filters) = answer else { return Err(unexpected(&answer)) };
        let grid = mosaic(&Numbers::read(&filters.file)?.pictures(PICTURES)?, ACROSS);
        if args.json {
            let Filters { layer, filters, done, total, means, .. } = &filters;
            let record = Record { layer, filters, done: *done, total: *total, means };
            out.json(&record)?;
        } else if !args.no_image {
            forming.show(&grid);
        }
        if motion.is_none() {
            frames.clear();
        }
        frames.push(grid);
        last = Some(filters);
        Ok(())
    })?;
    let (Some(picture), Some(last)) = (frames.last(), last) else { return Ok(exit) };
    let picture = enlarge(picture, 1024);
    if !args.json && !args.no_image && !forming.has_shown() {
        out.line(&inline::lines(&picture, COLUMNS))?;
    }
    if last.done < last.total {
        complain(&format!("stopped after step {} of {}", last.done, last.total));
    }
    if !args.json {
        out.line(&told(&last))?;
    }
    if let Some(path) = kept.picture(&picture, Path::new("filters"), &last.layer)?
        && !args.json
    {
        out.line(&path.display().to_string())?;
    }
    if let (Some(path), Some(motion)) = (&args.animation, motion) {
        let bytes = animated(&frames, motion).map_err(Error::internal)?;
        fs::write(path, bytes)
            .map_err(|error| Error::environment(format!("{}: cannot be written: {error}", path.display()), None))?;
        if !args.json {
            out.line(&format!("{}: {} pictures", path.display(), frames.len()))?;
        }
    }
    Ok(exit)
}

/// By the file's ending.
fn motion(path: &Path) -> Result<Motion> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match ending.as_str() {
        "gif" => Ok(Motion::Gif),
        "png" | "apng" => Ok(Motion::Apng),
        _ => Err(Error::user(format!("{}: an animation is a .gif, .png or .apng", path.display()), "name it so")),
    }
}

fn told(last: &Filters) -> String {
    let dead: Vec<String> = last
        .filters
        .iter()
        .zip(&last.means)
        .filter(|(_, mean)| **mean == 0.0)
        .map(|(filter, _)| filter.to_string())
        .collect();
    let silent = if dead.is_empty() { String::new() } else { format!("; nothing moves filter {}", dead.join(", ")) };
    format!("{}: {} filters, {} steps{silent}", last.layer, last.filters.len(), last.done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_nothing_moves_are_named() {
        let last = Filters {
            layer: "conv2d".into(),
            filters: vec![3, 5],
            done: 40,
            total: 40,
            means: vec![0.0, 1.5],
            file: String::new(),
        };
        assert_eq!(told(&last), "conv2d: 2 filters, 40 steps; nothing moves filter 3");
    }
}
