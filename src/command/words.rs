//! Commands as words: the table of verbs, what each takes and does, and the reader of a line. `frostline ctl`, the dashboard's prompt,
//! completions and the manual are made from it. A command prints as a line that gives it again.

use std::str::FromStr;

use super::{Command, HeldOut};
use crate::error::{Class, Explain};

/// What a command begins with.
pub struct Verb {
    /// One word, or two with a blank between.
    pub name: &'static str,
    pub arguments: &'static [Argument],
    /// What it does, as the help says it.
    pub help: &'static str,
    read: fn(&mut Words<'_>) -> Result<Command, Misread>,
}

/// What may stand behind a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Names of layers, or beginnings of names with a `*` behind; at least one.
    Layers,
    /// A layer's name, or `none`.
    LayerOrNone,
    /// A number, by the word for what it is.
    Number(&'static str),
    /// A whole number, likewise.
    Count(&'static str),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `--layers` and what [`Layers`](Self::Layers) takes, or nothing.
    OfLayers,
    /// All the rest.
    Text(&'static str),
}

/// Before the layers that a setting is for.
const OF_LAYERS: &str = "--layers";

/// Why a line is no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misread {
    #[error("no command was given")]
    Nothing,
    #[error("there is no command \"{word}\"")]
    Unknown { word: String, meant: Vec<&'static str> },
    #[error("{verb}: {what} is missing")]
    Missing { verb: &'static str, what: &'static str, usage: String },
    #[error("{verb}: \"{word}\" is no {what}")]
    NoNumber { verb: &'static str, word: String, what: &'static str, usage: String },
    #[error("{verb}: \"{word}\" is none of {}", .among.join(", "))]
    NoneOf { verb: &'static str, word: String, among: Vec<&'static str> },
    #[error("{verb}: there is nothing to do with \"{rest}\"")]
    TooMuch { verb: &'static str, rest: String, usage: String },
    #[error("{verb}: {problem}")]
    Senseless { verb: &'static str, problem: String },
}

impl Explain for Misread {
    fn class(&self) -> Class {
        Class::User
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Nothing => Some(format!("one of {}", names())),
            Self::Unknown { meant, .. } if meant.is_empty() => Some(format!("one of {}", names())),
            Self::Unknown { meant, .. } => Some(format!("did you mean {}?", meant.join(" or "))),
            Self::Missing { usage, .. } | Self::NoNumber { usage, .. } | Self::TooMuch { usage, .. } => {
                Some(format!("it is typed `{usage}`"))
            }
            Self::NoneOf { .. } | Self::Senseless { .. } => None,
        }
    }
}

const fn verb(
    name: &'static str,
    arguments: &'static [Argument],
    help: &'static str,
    read: fn(&mut Words<'_>) -> Result<Command, Misread>,
) -> Verb {
    Verb { name, arguments, help, read }
}

use Argument::{Count, LayerOrNone, Layers, Number, OfLayers, OneOf, Text};

/// In the order in which the help lists them.
#[rustfmt::skip]
pub const VERBS: &[Verb] = &[
    verb("pause", &[], "Hold the run after the current step",
        |_| Ok(Command::Pause)),
    verb("resume", &[], "Let a paused run go on",
        |_| Ok(Command::Resume)),
    verb("step", &[Count("N")], "Do so many steps, then pause",
        |words| Ok(Command::Step { steps: words.count()? })),
    verb("epoch", &[], "Go on to the end of this epoch, validation included, then pause",
        |_| Ok(Command::Epoch)),
    verb("freeze", &[Layers], "Take layers out of the training; 'block5_*' means all that begin so",
        |words| Ok(Command::Freeze { layers: words.layers()? })),
    verb("unfreeze", &[Layers], "Train layers again",
        |words| Ok(Command::Unfreeze { layers: words.layers()? })),
    verb("frost-line", &[LayerOrNone], "Freeze every layer up to this one and train every one above it; none trains all",
        |words| Ok(Command::FrostLine { layer: words.layer_or_none()? })),
    verb("learning-rate", &[Number("RATE"), OfLayers], "Hold the learning rate here until `schedule` or the next phase",
        |words| Ok(Command::LearningRate { rate: words.number()?, layers: words.of_layers()? })),
    verb("scale-rate", &[Number("FACTOR"), OfLayers], "Multiply the learning rate; the schedule goes on in proportion",
        |words| Ok(Command::ScaleRate { factor: words.number()?, layers: words.of_layers()? })),
    verb("schedule", &[OfLayers], "Return to the learning rate that the schedule gives",
        |words| Ok(Command::Schedule { layers: words.of_layers()? })),
    verb("augmentation", &[Number("FACTOR")], "Vary training images more or less: 0 not at all, 1 as configured, at most 2",
        |words| Ok(Command::Augmentation { factor: words.number()? })),
    verb("batch-size", &[Count("IMAGES")], "Images of an update, from the next step on",
        |words| Ok(Command::BatchSize { images: words.count()? })),
    verb("micro-batch", &[Count("IMAGES")], "Images that are computed at once; an update still is of the whole batch",
        |words| Ok(Command::MicroBatch { images: words.count()? })),
    verb("dropout", &[Number("RATE"), OfLayers], "The share that dropout layers drop",
        |words| Ok(Command::Dropout { rate: words.number()?, layers: words.of_layers()? })),
    verb("weight-decay", &[Number("DECAY")], "What each update takes off the weights, times the rate (decoupled, as in AdamW)",
        |words| Ok(Command::WeightDecay { decay: words.number()? })),
    verb("phase end", &[], "End the phase under way after this step: validate, then go on to the next one",
        |_| Ok(Command::EndPhase)),
    verb("phase skip", &[], "Go on to the next phase at once, without validation",
        |_| Ok(Command::SkipPhase)),
    verb("phase insert", &[Text("KEY=VALUE")], "Put a phase behind the one under way: train=all epochs=2 learning_rate=1e-5",
        |words| Ok(Command::InsertPhase { phase: words.text()? })),
    verb("evaluate", &[OneOf(&["validation", "test"])], "Measure the weights of this moment; training goes on as if nothing had been",
        |words| Ok(Command::Evaluate { split: words.held_out()? })),
    verb("pin", &[Count("POSITION")], "Keep what the network sees in an image of the validation split at the end of each epoch",
        |words| Ok(Command::Pin { sample: words.count()? })),
    verb("unpin", &[Count("POSITION")], "Keep it no longer",
        |words| Ok(Command::Unpin { sample: words.count()? })),
    verb("note", &[Text("TEXT")], "Leave a mark with these words at this step",
        |words| Ok(Command::Note { text: words.text()? })),
    verb("undo", &[], "Return to just before the last intervention; the steps since are given up",
        |_| Ok(Command::Undo)),
    verb("checkpoint", &[], "Write the last checkpoint now",
        |_| Ok(Command::Checkpoint)),
    verb("stop", &[], "Save and end the run",
        |_| Ok(Command::Stop)),
    verb("abort", &[], "End the run at once; what it did since its last checkpoint is lost",
        |_| Ok(Command::Abort)),
];

fn names() -> String {
    VERBS.iter().map(|verb| verb.name).collect::<Vec<_>>().join(", ")
}

impl Verb {
    /// The verb with which a line begins, and what follows it.
    pub fn of(line: &str) -> Option<(&'static Self, &str)> {
        // The longer name first: `phase` alone is none.
        let begins = |verb: &&Verb| begin(line, verb.name).is_some();
        let verb = VERBS.iter().filter(begins).max_by_key(|verb| verb.name.len())?;
        Some((verb, begin(line, verb.name)?))
    }

    /// How it is typed: `freeze LAYER…`.
    pub fn usage(&self) -> String {
        let arguments = self.arguments.iter().map(|argument| format!(" {}", argument.placeholder()));
        std::iter::once(self.name.to_owned()).chain(arguments).collect()
    }
}

impl Argument {
    /// What stands for it in a usage line.
    pub fn placeholder(self) -> String {
        match self {
            Self::Layers => "LAYER…".into(),
            Self::LayerOrNone => "LAYER|none".into(),
            Self::Number(word) | Self::Count(word) => word.into(),
            Self::OneOf(words) => words.join("|"),
            Self::OfLayers => format!("[{OF_LAYERS} LAYER…]"),
            Self::Text(word) => format!("{word}…"),
        }
    }
}

/// What follows `name` in `line`, if it begins with these words.
fn begin<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = line.trim_start();
    for word in name.split(' ') {
        rest = rest.strip_prefix(word)?;
        if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
            return None;
        }
        rest = rest.trim_start();
    }
    Some(rest)
}

impl FromStr for Command {
    type Err = Misread;

    fn from_str(line: &str) -> Result<Self, Misread> {
        let Some((verb, rest)) = Verb::of(line) else { return Err(unknown(line)) };
        let mut words = Words { verb, rest };
        let command = (verb.read)(&mut words)?;
        if !words.rest.is_empty() {
            return Err(Misread::TooMuch {
                verb: verb.name,
                rest: words.rest.trim_end().to_owned(),
                usage: verb.usage(),
            });
        }
        match command.senseless() {
            Some(problem) => Err(Misread::Senseless { verb: verb.name, problem }),
            None => Ok(command),
        }
    }
}

fn unknown(line: &str) -> Misread {
    /// Below it words have little in common.
    const ALIKE: f64 = 0.8;
    let Some(word) = line.split_whitespace().next() else { return Misread::Nothing };
    let of_group: Vec<&str> = VERBS
        .iter()
        .map(|verb| verb.name)
        .filter(|name| begin(name, word).is_some_and(|rest| !rest.is_empty()))
        .collect();
    let meant = if of_group.is_empty() {
        let likeness = |verb: &Verb| strsim::jaro_winkler(word, verb.name);
        let nearest = VERBS.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        nearest.filter(|verb| likeness(verb) >= ALIKE).map(|verb| verb.name).into_iter().collect()
    } else {
        of_group
    };
    let word = if meant.len() > 1 { line.trim() } else { word };
    Misread::Unknown { word: word.to_owned(), meant }
}

/// What is left of a line behind its verb.
struct Words<'a> {
    verb: &'static Verb,
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let word = self.rest.split_whitespace().next()?;
        self.rest = self.rest[word.len()..].trim_start();
        Some(word)
    }

    fn needed(&mut self, what: &'static str) -> Result<&'a str, Misread> {
        self.next().ok_or_else(|| Misread::Missing { verb: self.verb.name, what, usage: self.verb.usage() })
    }

    fn parsed<T: FromStr>(&mut self, what: &'static str) -> Result<T, Misread> {
        let word = self.needed(what)?;
        word.parse().map_err(|_| Misread::NoNumber {
            verb: self.verb.name,
            word: word.to_owned(),
            what,
            usage: self.verb.usage(),
        })
    }

    fn number(&mut self) -> Result<f64, Misread> {
        self.parsed("number")
    }

    fn count<T: FromStr>(&mut self) -> Result<T, Misread> {
        self.parsed("whole number")
    }

    fn layers(&mut self) -> Result<Vec<String>, Misread> {
        let mut layers = vec![self.needed("a layer")?.to_owned()];
        while let Some(layer) = self.next() {
            layers.push(layer.to_owned());
        }
        Ok(layers)
    }

    fn of_layers(&mut self) -> Result<Vec<String>, Misread> {
        match begin(self.rest, OF_LAYERS) {
            None => Ok(Vec::new()),
            Some(rest) => {
                self.rest = rest;
                self.layers()
            }
        }
    }

    fn held_out(&mut self) -> Result<HeldOut, Misread> {
        let word = self.needed("a split")?;
        HeldOut::ALL.into_iter().find(|split| split.word() == word).ok_or_else(|| Misread::NoneOf {
            verb: self.verb.name,
            word: word.to_owned(),
            among: HeldOut::ALL.map(HeldOut::word).to_vec(),
        })
    }

    fn layer_or_none(&mut self) -> Result<Option<String>, Misread> {
        let layer = self.needed("a layer, or none,")?;
        Ok((layer != "none").then(|| layer.to_owned()))
    }

    fn text(&mut self) -> Result<String, Misread> {
        let text = self.rest.trim_end();
        self.rest = "";
        if text.is_empty() {
            let usage = self.verb.usage();
            return Err(Misread::Missing { verb: self.verb.name, what: "what to say", usage });
        }
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Error;

    /// One line a verb, in the table's order, as the command prints.
    const LINES: &[&str] = &[
        "pause",
        "resume",
        "step 100",
        "epoch",
        "freeze conv2d block5_*",
        "unfreeze dense",
        "frost-line none",
        "learning-rate 0.0001",
        "learning-rate 0.0001 --layers block4_* dense",
        "scale-rate 0.5",
        "schedule",
        "schedule --layers dense",
        "augmentation 0.5",
        "batch-size 64",
        "micro-batch 8",
        "dropout 0.3 --layers dropout_1",
        "weight-decay 0.01",
        "phase end",
        "phase skip",
        "phase insert train=all epochs=2",
        "evaluate test",
        "pin 3",
        "unpin 3",
        "note the head alone is done",
        "undo",
        "checkpoint",
        "stop",
        "abort",
    ];

    #[test]
    fn every_command_reads_as_it_prints() {
        for line in LINES {
            assert_eq!(line.parse::<Command>().unwrap().to_string(), *line);
        }
        let begun = LINES.iter().map(|line| Verb::of(line).unwrap().0.name);
        let mut verbs: Vec<&str> = begun.collect();
        verbs.dedup();
        assert_eq!(verbs, VERBS.iter().map(|verb| verb.name).collect::<Vec<_>>());
    }

    #[test]
    fn blanks_and_other_spellings_of_a_number_do_not_matter() {
        assert_eq!("  learning-rate\t1e-4 ".parse(), Ok(Command::LearningRate { rate: 1e-4, layers: vec![] }));
        assert_eq!("phase   skip".parse(), Ok(Command::SkipPhase));
        let phase = "name='two  blanks' epochs=2".to_owned();
        assert_eq!("phase insert name='two  blanks' epochs=2".parse(), Ok(Command::InsertPhase { phase }));
    }

    #[test]
    fn a_star_stands_for_the_rest_of_a_name() {
        assert!(super::super::means("block5_*", "block5_conv1") && super::super::means("dense", "dense"));
        assert!(!super::super::means("block5_*", "block4_conv1") && !super::super::means("dense", "dense_1"));
    }

    #[test]
    fn what_is_no_command_says_why() {
        let told = |line: &str| Error::from(line.parse::<Command>().unwrap_err()).to_string();
        let lines = [
            "",
            "paus",
            "sing",
            "phase",
            "phase out",
            "freeze",
            "frost-line",
            "learning-rate fast",
            "learning-rate -1",
            "learning-rate 1 2",
            "scale-rate 0",
            "augmentation 3",
            "dropout 1",
            "weight-decay nan",
            "evaluate train",
            "schedule --layers",
            "pin -1",
            "stop now",
        ];
        insta::assert_snapshot!(lines.map(told).join("\n\n"));
    }
}
