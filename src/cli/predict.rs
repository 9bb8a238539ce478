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
    eval::{Kept, word},
    models,
    output::{Output, complain},
    query,
};
use crate::{
    error::{Class, Error, Result},
    weights::Shelf,
};

#[derive(Args, Debug)]
pub struct PredictArgs {
    /// The run (its name, a unique part of it, a path, or `last`), then pictures; with --model, pictures alone
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
    probability: f64,
}

pub fn run(args: &PredictArgs, out: &mut Output) -> Result<Exit> {
    let arguments = if let Some(model) = &args.model { of_model(args, model)? } else { of_run(args)? };
    let pictures = !args.no_image && !args.json && shows_pictures();
    let mut unread = 0;
    let exit = query::ask(arguments, |answer: Answer, line| {
        unread += u32::from(answer.error.is_some());
        if args.json {
            return out.line(line);
        }
        if let Some(error) = &answer.error {
            // Most errors name their file already.
            let named = error.contains(&answer.image);
            complain(&if named { error.clone() } else { format!("{}: {error}", answer.image) });
            return Ok(());
        }
        if pictures {
            show(Path::new(&answer.image));
        }
        out.line(&lines(&answer, args.top as usize))
    })?;
    match exit {
        Exit::DONE if unread > 0 => Ok(Exit(Class::User.exit_code())),
        exit => Ok(exit),
    }
}

fn of_run(args: &PredictArgs) -> Result<Vec<OsString>> {
    let [run, images @ ..] = &args.words[..] else { return Ok(Vec::new()) };
    if images.is_empty() {
        let text = format!("{}: a run, but no picture to show it", run.display());
        return Err(Error::user(text, "frostline predict RUN IMAGE..., or frostline predict --model NAME IMAGE..."));
    }
    let run = args.place.find(&run.to_string_lossy())?;
    let mut arguments =
        vec!["predict".into(), run.path().into(), "--checkpoint".into(), word(&args.checkpoint).into(), "--".into()];
    arguments.extend(images.iter().map(|image| image.clone().into_os_string()));
    Ok(arguments)
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
    arguments.push("--".into());
    arguments.extend(args.words.iter().map(|image| image.clone().into_os_string()));
    Ok(arguments)
}

fn lines(answer: &Answer, top: usize) -> String {
    const BAR: f64 = 20.0;
    let shown = &answer.top[..answer.top.len().min(top)];
    let width = |name: &str| unicode_width::UnicodeWidthStr::width(name);
    let names: Vec<String> = shown
        .iter()
        .map(|Named { synset, class, .. }| match synset {
            Some(synset) => format!("{synset} {class}"),
            None => class.clone(),
        })
        .collect();
    let widest = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let mut text = answer.image.clone();
    for (Named { probability, .. }, class) in shown.iter().zip(&names) {
        let room = " ".repeat(widest - width(class));
        let bar = "█".repeat((probability.clamp(0.0, 1.0) * BAR).round() as usize);
        text.push_str(format!("\n  {class}{room}  {:6.2} %  {bar}", probability * 100.0).trim_end());
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

fn show(path: &Path) {
    const ROWS: u32 = 12;
    let config = viuer::Config { absolute_offset: false, height: Some(ROWS), ..viuer::Config::default() };
    // The answer is what was asked for; a picture that cannot be shown here takes nothing from it.
    if let Ok(picture) = image::open(path) {
        let _ = viuer::print(&picture, &config);
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
