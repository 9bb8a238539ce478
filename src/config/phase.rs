//! `[[phase]]`: what one stretch of a run does otherwise than `[train]` says. It also reads a phase from one line of `key=value`
//! pairs, as a person types it; which layers there are and what makes sense is the plan's to check.

use serde::{Deserialize, Serialize};

use super::{ConfigError, EarlyStopping, Optimizer, Schedule, value_of};

/// One phase. What is left out is as in `[train]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Phase {
    /// Left out: what trains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Left out: every layer that `[train] freeze` does not name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<Layers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Whether training images are varied as `[data.augment]` says.
    pub augment: bool,
    /// Whether the next phase begins with this one's best weights instead of its last.
    pub restore_best: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<Optimizer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// Layers with a rate of their own; the last group that names a layer counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<RateGroup>,
}

impl Default for Phase {
    fn default() -> Self {
        Self {
            name: None,
            train: None,
            epochs: None,
            batch_size: None,
            learning_rate: None,
            augment: true,
            restore_best: false,
            optimizer: None,
            schedule: None,
            early_stopping: None,
            groups: Vec::new(),
        }
    }
}

/// A learning rate for some layers, PyTorch's parameter groups. One of the two figures is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateGroup {
    pub layers: Layers,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Of the phase's learning rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiplier: Option<f64>,
}

/// Some of a network's layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected \"head\", \"all\", { from = \"LAYER\" } or a list of layers")]
pub enum Layers {
    Word(Word),
    // Before the span, since serde takes a list of one for a table of one key.
    Named(Vec<String>),
    Span(Span),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Every layer behind `[model.base]`.
    Head,
    All,
}

/// This layer and every one after it, in the order of the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub from: String,
}

impl std::fmt::Display for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(Word::Head) => f.write_str("head"),
            Self::Word(Word::All) => f.write_str("all"),
            Self::Span(Span { from }) => write!(f, "from {from}"),
            Self::Named(names) => f.write_str(&names.join(", ")),
        }
    }
}

impl Phase {
    /// From one line: `train="all" epochs=2 learning_rate=1e-5`. Between pairs stand blanks or commas; a bare word is a string.
    pub fn parse(line: &str) -> Result<Self, ConfigError> {
        let fail = |message: String| ConfigError::Phase { message };
        let mut table = toml::Table::new();
        for pair in pairs(line) {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| fail(format!("there is no \"=\" in \"{}\"", pair.trim())))?;
            let key = key.trim();
            if table.insert(key.to_owned(), value_of(value)).is_some() {
                return Err(fail(format!("{key} is given twice")));
            }
        }
        if table.is_empty() {
            return Err(fail("nothing was said of it".into()));
        }
        Self::deserialize(table).map_err(|error| fail(error.message().lines().collect::<Vec<_>>().join(", ")))
    }
}

/// Cuts a line at the blanks and commas that stand in no bracket and no string, and not beside an `=`.
fn pairs(line: &str) -> Vec<String> {
    let mut pairs = vec![String::new()];
    let (mut depth, mut quote) = (0_usize, None);
    let mut escaped = false;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let current = pairs.last_mut().expect("one is there from the start");
        if let Some(open) = quote {
            quote = (escaped || c != open).then_some(open);
            escaped = open == '"' && c == '\\' && !escaped;
        } else {
            match c {
                '"' | '\'' => quote = Some(c),
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                ',' => {
                    pairs.push(String::new());
                    continue;
                }
                _ if c.is_whitespace() => {
                    while rest.next_if(|c| c.is_whitespace()).is_some() {}
                    if !current.trim_end().ends_with('=') && rest.peek() != Some(&'=') {
                        pairs.push(String::new());
                    }
                    continue;
                }
                _ => {}
            }
        }
        current.push(c);
    }
    pairs.retain(|pair| !pair.trim().is_empty());
    pairs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_reads_like_the_table() {
        let table = "train = { from = \"block5_conv1\" }\nepochs = 2\nlearning_rate = 1e-5\naugment = false\n\
                     optimizer = { kind = \"sgd\", momentum = 0.9 }\n";
        let table: Phase = toml::from_str(table).unwrap();
        for line in [
            "train={from=\"block5_conv1\"} epochs=2 learning_rate=1e-5 augment=false optimizer={kind=\"sgd\", momentum=0.9}",
            "train = { from = 'block5_conv1' }, epochs = 2, learning_rate =1e-5,augment= false \
             optimizer = { kind = \"sgd\", momentum = 0.9 } ",
        ] {
            assert_eq!(Phase::parse(line).unwrap(), table, "{line}");
        }
        assert_eq!(Phase::parse("train=head").unwrap().train, Some(Layers::Word(Word::Head)));
        let named = Phase::parse("train=[\"dense\", \"dense_1\"] name='the \"last\" two'").unwrap();
        assert_eq!(named.train, Some(Layers::Named(vec!["dense".into(), "dense_1".into()])));
        assert_eq!(named.name.as_deref(), Some("the \"last\" two"));
    }

    #[test]
    fn what_is_no_phase_says_why() {
        let told = |line: &str| crate::error::Error::from(Phase::parse(line).unwrap_err()).to_string();
        insta::assert_snapshot!(
            ["", "all", "epoch=2", "train=tail", "epochs=2 epochs=3", "train={to=1}", "epochs=-1"]
                .map(told)
                .join("\n\n")
        );
    }
}
