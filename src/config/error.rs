//! What is wrong with a configuration file, with the line and column, the line itself and the nearest right word.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use crate::error::{Class, Explain};

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("cannot read {}", path.display())]
    NoUi { path: PathBuf, source: std::io::Error },
    #[error("{}:{line}:{column}: {message}\n{snippet}", path.display())]
    Toml { path: PathBuf, line: usize, column: usize, message: String, snippet: String, suggestion: Option<String> },
    #[error("--set {assignment}: {message}")]
    Override { assignment: String, message: String },
    #[error("the new phase: {message}")]
    Phase { message: String },
}

impl ConfigError {
    pub(super) fn toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let suggestion = suggestion(&message);
        Self::at(path, text, error.span(), message, suggestion)
    }

    /// What is wrong with the part of `text` in `span`.
    pub(super) fn at(
        path: &Path,
        text: &str,
        span: Option<Range<usize>>,
        message: String,
        suggestion: Option<String>,
    ) -> Self {
        let start = span.as_ref().map_or(0, |span| span.start.min(text.len()));
        let before = &text[..start];
        let line = before.matches('\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = text[line_start..start].chars().count() + 1;
        let content = text[line_start..].lines().next().unwrap_or_default();
        let length = span.map_or(1, |span| text[span.start.min(text.len())..span.end.min(text.len())].chars().count());
        let room = content.chars().count().saturating_sub(column - 1).max(1);
        let gutter = line.to_string().len();
        let snippet = format!(
            "{empty:gutter$} |\n{line} | {content}\n{empty:gutter$} | {empty:skip$}{marks}",
            empty = "",
            skip = column - 1,
            marks = "^".repeat(length.clamp(1, room)),
        );
        Self::Toml { path: path.to_owned(), line, column, message, snippet, suggestion }
    }
}

/// The word nearest to a wrong one, if it is near enough.
pub fn nearest<'a>(wrong: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    words
        .into_iter()
        .map(|word| (strsim::jaro_winkler(wrong, word), word))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word.to_owned())
}

/// The expected word nearest to the one found, out of serde's "unknown field `x`, expected one of `a`, `b`".
fn suggestion(message: &str) -> Option<String> {
    let mut words = message.split('`').skip(1).step_by(2);
    let wrong = words.next().filter(|_| message.starts_with("unknown"))?;
    nearest(wrong, words)
}

impl Explain for ConfigError {
    fn class(&self) -> Class {
        Class::User
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Some("the folder config/ has one for each exercise; `frostline demo` needs none".into())
            }
            Self::NoUi { .. } => Some("it is named by --ui or FROSTLINE_UI; config/ui.toml is one to copy".into()),
            Self::Unreadable { .. } => None,
            Self::Toml { suggestion, .. } => suggestion.as_ref().map(|word| format!("did you mean `{word}`?")),
            Self::Phase { .. } => Some("for example: train=all epochs=2 learning_rate=1e-5".into()),
            Self::Override { .. } => Some("write it as key=value, for example train.epochs=3".into()),
        }
    }
}
