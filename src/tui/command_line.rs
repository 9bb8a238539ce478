//! The `:` line: the words of `frostline ctl`, and a few for the screen itself, with completion and the lines before.

use crossterm::event::KeyCode;

use super::{
    curves,
    keys::Chord,
    model::Model,
    page::Page,
    prompt::{Edited, Prompt, edit},
    steering,
    update::Effect,
    viewing,
};
use crate::{
    command::{Argument, Command, VERBS, Verb},
    error::Explain as _,
};

/// What is being typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommandLine {
    pub typed: String,
    pub error: Option<String>,
    /// How many lines back in the history.
    back: usize,
}

/// Lines that are remembered.
const HISTORY: usize = 50;

/// A word of the screen's own.
struct Own {
    name: &'static str,
    usage: &'static str,
    help: &'static str,
    words: fn() -> Vec<&'static str>,
}

const OWN: [Own; 4] = [
    Own { name: "go", usage: "go PAGE", help: "Turn to a page", words: || Page::named().map(Page::name).collect() },
    Own {
        name: "smoothing",
        usage: "smoothing FACTOR",
        help: "Smooth the curves by a factor from 0 to 0.99",
        words: Vec::new,
    },
    Own { name: "help", usage: "help", help: "All keys", words: Vec::new },
    Own { name: "quit", usage: "quit", help: "Leave the dashboard; training goes on", words: Vec::new },
];

pub fn open(model: &mut Model) -> Vec<Effect> {
    model.view.prompt = Some(Prompt::Command(CommandLine::default()));
    Vec::new()
}

/// A key while the line is open.
pub fn press(model: &mut Model, chord: Chord) -> Vec<Effect> {
    let Some(Prompt::Command(line)) = &model.view.prompt else { return Vec::new() };
    let mut line = line.clone();
    if chord == Chord::code(KeyCode::Tab) {
        line.typed = completed(&line.typed, &candidates(model, &line.typed));
    } else if chord == Chord::code(KeyCode::Up) || chord == Chord::code(KeyCode::Down) {
        let history = &model.view.history;
        let back = if chord == Chord::code(KeyCode::Up) { line.back + 1 } else { line.back.saturating_sub(1) };
        line.back = back.min(history.len());
        line.typed = history.len().checked_sub(line.back).and_then(|at| history.get(at)).cloned().unwrap_or_default();
    } else if chord == Chord::code(KeyCode::Backspace) && line.typed.is_empty() {
        model.view.prompt = None;
        return Vec::new();
    } else {
        match edit(chord, &mut line.typed, &mut line.error, 400, |c| !c.is_control()) {
            Edited::Left => {
                model.view.prompt = None;
                return Vec::new();
            }
            Edited::Entered => return enter(model, line),
            Edited::Typed => {}
        }
    }
    model.view.prompt = Some(Prompt::Command(line));
    Vec::new()
}

fn enter(model: &mut Model, mut line: CommandLine) -> Vec<Effect> {
    let typed = line.typed.trim().to_owned();
    model.view.prompt = None;
    if typed.is_empty() {
        return Vec::new();
    }
    match obey(model, &typed) {
        Ok(effects) => {
            let history = &mut model.view.history;
            history.retain(|before| *before != typed);
            history.push(typed);
            if history.len() > HISTORY {
                history.remove(0);
            }
            effects
        }
        Err(error) => {
            line.error = Some(error);
            model.view.prompt = Some(Prompt::Command(line));
            Vec::new()
        }
    }
}

fn obey(model: &mut Model, typed: &str) -> Result<Vec<Effect>, String> {
    let (word, rest) = typed.split_once(char::is_whitespace).map_or((typed, ""), |(word, rest)| (word, rest.trim()));
    match word {
        "go" => {
            let page = Page::named().find(|page| !rest.is_empty() && page.name().starts_with(rest));
            let names = || Page::named().map(Page::name).collect::<Vec<_>>().join(", ");
            let page = page.ok_or_else(|| format!("the pages are {}", names()))?;
            return Ok(viewing::go_to(model, page));
        }
        "smoothing" => {
            let factor = rest.parse().ok().filter(|factor| (0.0..=0.99).contains(factor));
            model.view.curves.smoothing.factor = factor.ok_or("smoothing: a factor from 0 to 0.99")?;
            curves::tell_smoothing(model);
            return Ok(Vec::new());
        }
        "help" => {
            model.view.prompt = Some(Prompt::Help { scrolled: 0 });
            return Ok(Vec::new());
        }
        "quit" | "q" => return Ok(viewing::leave(model)),
        _ => {}
    }
    let command: Command = typed.parse().map_err(|error: crate::command::Misread| match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    })?;
    if let Some(why) = model.refusal() {
        return Err(why.to_owned());
    }
    Ok(steering::ask_or_send(model, command))
}

/// How the verb that was typed is used, and what it does.
pub fn explained(typed: &str) -> Option<(String, &'static str)> {
    if let Some((verb, _)) = Verb::of(typed) {
        return Some((verb.usage(), verb.help));
    }
    let word = typed.split_whitespace().next()?;
    OWN.iter().find(|own| own.name == word).map(|own| (own.usage.to_owned(), own.help))
}

/// What the last word of the line may become, whole words.
pub fn candidates(model: &Model, typed: &str) -> Vec<String> {
    let last = typed.rsplit(char::is_whitespace).next().unwrap_or_default();
    let begins = |word: &str| word.starts_with(last) && word != last;
    if let Some((verb, _)) = Verb::of(typed).filter(|_| typed.len() > last.len()) {
        let layers = || {
            let weighty = model.run.layers.iter().filter(|layer| layer.info.parameters > 0);
            weighty.map(|layer| layer.info.name.clone()).filter(|name| begins(name)).collect::<Vec<_>>()
        };
        return match verb.arguments.first() {
            Some(Argument::Layers) => layers(),
            Some(Argument::LayerOrNone) if verb_takes_more(typed, verb) => {
                let mut words = layers();
                words.extend(Some("none".to_owned()).filter(|word| begins(word)));
                words
            }
            Some(Argument::OneOf(words)) if verb_takes_more(typed, verb) => {
                words.iter().filter(|word| begins(word)).map(|word| (*word).to_owned()).collect()
            }
            _ if verb.arguments.contains(&Argument::OfLayers) && typed.contains("--layers ") => layers(),
            _ => Vec::new(),
        };
    }
    if let Some(own) = OWN.iter().find(|own| typed.starts_with(own.name) && typed[own.name.len()..].starts_with(' ')) {
        return (own.words)().into_iter().filter(|word| begins(word)).map(str::to_owned).collect();
    }
    let typed = typed.trim_start();
    let names = VERBS.iter().map(|verb| verb.name).chain(OWN.iter().map(|own| own.name));
    // `phase e` goes on as `phase end`.
    names.filter(|name| name.starts_with(typed) && *name != typed).map(str::to_owned).collect()
}

/// Whether the only argument is still being typed.
fn verb_takes_more(typed: &str, verb: &Verb) -> bool {
    typed.split_whitespace().count() <= verb.name.split(' ').count() + usize::from(!typed.ends_with(' '))
}

/// The line with as much of its last word as all candidates agree on; with a blank behind a whole one.
fn completed(typed: &str, candidates: &[String]) -> String {
    let Some(first) = candidates.first() else { return typed.to_owned() };
    let agreed = candidates.iter().fold(first.as_str(), |agreed, candidate| {
        let same = agreed.char_indices().zip(candidate.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
        &agreed[..same.unwrap_or(agreed.len().min(candidate.len()))]
    });
    let begun = typed.trim_start();
    // A verb of two words replaces all that was typed, an argument only the last word.
    let stem =
        if agreed.starts_with(begun) { "" } else { &typed[..typed.rfind(char::is_whitespace).map_or(0, |at| at + 1)] };
    let blank = if candidates.len() == 1 { " " } else { "" };
    format!("{stem}{agreed}{blank}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completion_goes_as_far_as_all_agree() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(completed("fre", &words(&["freeze"])), "freeze ");
        assert_eq!(completed("p", &words(&["pause", "pin"])), "p");
        assert_eq!(completed("ph", &words(&["phase end", "phase skip"])), "phase ");
        assert_eq!(completed("freeze con", &words(&["conv2d", "conv2d_1"])), "freeze conv2d");
        assert_eq!(completed("freeze conv2d de", &words(&["dense"])), "freeze conv2d dense ");
        assert_eq!(completed("xyz", &[]), "xyz");
    }
}
