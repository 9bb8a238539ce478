//! `frostline predict`: what a run's network, or a published one, takes pictures for, with the pictures themselves where the terminal
//! shows them.

use std::{
    ffi::OsString,
    io::{IsTerminal as _, stdout},
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Deserialize;

use super::{
    Exit, Place,
    data::{inline, preview},
    eval::{Kept, word},
    images, models,
    output::{Output, complain},
    query,
};
use crate::{
    data,
    error::{Class, Error, Result},
    text::guard,
    weights::Shelf,
};

#[derive(Args, Debug)]
pub struct PredictArgs {
    /// The run (its name, a unique part of it, a path, or `last`), then pictures or folders of them; with --model, pictures alone
    #[arg(required = true, value_name = "RUN IMAGE")]
    words: Vec<PathBuf>,
    /// A published network with its ImageNet weights instead of a run; `frostline models` lists them
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The file of its weights; those in the weights folder or the hub's cache if left out
    #[arg(long, value_name = "FILE", requires = "model")]
    weights: Option<PathBuf>,
    /// Show it all of a picture, pressed into a square, not the middle
    #[arg(long, requires = "model")]
    squash: bool,
    /// How many classes to name
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// Of the run
    #[arg(long, value_enum, default_value_t = Kept::Best, conflicts_with = "model")]
    checkpoint: Kept,
    /// Do not show the pictures
    #[arg(long)]
    no_image: bool,
    /// Print the answers, one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// The engine's answer for one picture.
#[derive(Debug, Deserialize)]
struct Answer {
    image: String,
    /// From the most to the least probable.
    #[serde(default)]
    top: Vec<Named>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    /// WordNet's, of ImageNet's classes.
    synset: Option<String>,
    class: String,
    #[serde(with = "crate::event::real")]
    probability: f64,
}

pub fn run(args: &PredictArgs, out: &mut Output) -> Result<Exit> {
    let (run, images) = split(args)?;
    let mut arguments = match (&args.model, run) {
        (Some(model), _) => of_model(args, model)?,
        (None, run) => of_run(args, run.unwrap_or(Path::new("last")))?,
    };
    arguments.push("--".into());
    arguments.extend(images.iter().map(|image| image.clone().into_os_string()));
    let pictures = !args.no_image && !args.json && stdout().is_terminal();
    let mut unread = 0;
    let exit = query::ask(arguments, |answer: Answer, line| {
        unread += u32::from(answer.error.is_some());
        if args.json {
            return out.json_line(line);
        }
        if let Some(error) = &answer.error {
            complain(&images::unreadable(&answer.image, error));
            return Ok(());
        }
        if pictures {
            show(images::named(&images, &answer.image));
        }
        out.line(&lines(&answer, args.top as usize))
    })?;
    match exit {
        Exit::DONE if unread > 0 => Ok(Exit(Class::User.exit_code())),
        exit => Ok(exit),
    }
}

/// The run, if it is one that is asked, and the images.
fn split(args: &PredictArgs) -> Result<(Option<&Path>, Vec<PathBuf>)> {
    if args.model.is_some() {
        return Ok((None, images::all(&args.words)?));
    }
    let [run, given @ ..] = &args.words[..] else { return Ok((None, Vec::new())) };
    if given.is_empty() {
        let text = format!("{}: a run, but no picture to show it", run.display());
        return Err(Error::user(text, "frostline predict RUN IMAGE..., or frostline predict --model NAME IMAGE..."));
    }
    Ok((Some(run), images::all(given)?))
}

fn of_run(args: &PredictArgs, run: &Path) -> Result<Vec<OsString>> {
    let run = args.place.find(&run.to_string_lossy())?;
    Ok(vec!["predict".into(), run.path().into(), "--checkpoint".into(), word(&args.checkpoint).into()])
}

fn of_model(args: &PredictArgs, model: &str) -> Result<Vec<OsString>> {
    let architecture = models::find(model)?;
    let weights = match &args.weights {
        Some(file) => file.clone(),
        None => Shelf::from_environment().find(architecture)?,
    };
    let top = args.top.to_string();
    let mut arguments: Vec<OsString> =
        vec!["classify".into(), model.into(), "--weights".into(), weights.into(), "--top".into(), top.into()];
    if args.squash {
        arguments.push("--squash".into());
    }
    Ok(arguments)
}

fn lines(answer: &Answer, top: usize) -> String {
    const BAR: f64 = 20.0;
    let shown = &answer.top[..answer.top.len().min(top)];
    let names: Vec<String> = shown
        .iter()
        .map(|Named { synset, class, .. }| match synset {
            Some(synset) => guard::clean(&format!("{synset} {class}")).into_owned(),
            None => guard::clean(class).into_owned(),
        })
        .collect();
    let widest = names.iter().map(|name| guard::width(name)).max().unwrap_or(0);
    // One line, whatever the file's name holds.
    let mut text = guard::clean(&answer.image).into_owned();
    for (Named { probability, .. }, class) in shown.iter().zip(&names) {
        let class = guard::column(class, widest, "");
        let bar = "█".repeat((probability.clamp(0.0, 1.0) * BAR).round() as usize);
        text.push_str(format!("\n  {class}  {:6.2} %  {bar}", probability * 100.0).trim_end());
    }
    if shown.iter().any(|named| named.probability.is_nan()) {
        text.push_str("\n  the network's output is not a number: its weights have blown up");
    }
    text
}

/// In tmux, answers to the printer's questions would arrive as typed text.
pub(super) fn shows_pictures() -> bool {
    let multiplexed = std::env::var_os("TMUX").is_some()
        || std::env::var("TERM")
            .is_ok_and(|term| term.starts_with("screen") || term.starts_with("tmux") || term == "dumb");
    stdout().is_terminal() && !multiplexed
}

/// Upright and in colour, as the network got it.
fn show(path: &Path) {
    const COLUMNS: u16 = 32;
    // The answer is what was asked for; a picture that cannot be shown here takes nothing from it.
    if let Ok(pixels) = data::decode_whole(path) {
        inline::picture(&preview::picture(&pixels), COLUMNS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reads_as_a_short_list_with_bars() {
        let answer: Answer = serde_json::from_str(
            r#"{"image":"a.png","top":[{"class":"dog","probability":0.9012},{"class":"猫","probability":0.0988},{"class":"x","probability":0}]}"#,
        )
        .unwrap();
        let text = lines(&answer, 2);
        assert_eq!(text, "a.png\n  dog   90.12 %  ██████████████████\n  猫     9.88 %  ██");
    }
}
