//! What went wrong, and what the reader can do about it. The sentence is lower case without a full stop; each hint is a
//! line of its own, most useful first.

use std::fmt::Display;
use std::io;
use std::path::Path;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub what: String,
    pub hints: Vec<String>,
    /// Exit status of xtask: 2 for a command line that makes no sense, otherwise 1.
    pub code: u8,
}

impl Failure {
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hints: Vec::new(), code: 1 }
    }

    pub fn usage(what: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(what).hint("`cargo xtask help` lists the commands") }
    }

    /// `doing` reads on from "can't": `Failure::io("create", path, &error)`.
    pub fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        Self::new(format!("can't {doing} {}: {}", path.display(), os_text(error)))
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    #[must_use]
    pub fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }
}

/// The system's words without Rust's "(os error N)", and in lower case like the rest of the sentence.
fn os_text(error: &dyn Display) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_error_reads_as_part_of_the_sentence() {
        let failure = Failure::io("open", Path::new("/x/y"), &io::Error::from_raw_os_error(2));
        assert_eq!(failure.what, "can't open /x/y: no such file or directory");
    }
}
