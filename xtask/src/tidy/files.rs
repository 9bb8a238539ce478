//! Rules about a file as a whole: its name, its opening lines, its length, and whether it belongs in git at all.

use super::rust;
use super::{File, Finding};

/// Names that say nothing of what a file owns.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "base", "manager", "helper", "helpers", "misc"];

/// Shipped lines, without the tests.
const MOST_LINES: usize = 400;

/// Where a file that is not text may lie, under what ending, and how large (bytes).
const BINARY: &[(&str, &str, usize)] = &[
    ("docs/", ".png", 600_000),
    ("docs/", ".gif", 1_500_000),
    ("tests/fixtures/", "", 1_000_000),
    ("tests/reference/", "", 1_000_000),
];

/// Bytes of text: more than that is data, and data is welcome only where tests read it.
const MOST_TEXT: usize = 200_000;

pub fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |what: String| findings.push(Finding::new(file, 0, what));
    let parts = file.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    if let Some(name) = parts.into_iter().find(|part| EMPTY_NAMES.contains(part)) {
        say(format!("`{name}` names no thing that the file owns"));
    }
    let size = file.content.len();
    let Some(text) = file.text() else {
        let fits = |(folder, ending, most): &(&str, &str, usize)| {
            file.path.starts_with(folder) && file.path.ends_with(ending) && size <= *most
        };
        if !BINARY.iter().any(fits) {
            say(format!("a binary file of {size} bytes (small ones may lie in docs/ and tests/)"));
        }
        return findings;
    };
    if size > MOST_TEXT && !file.path.starts_with("tests/") && file.path != "Cargo.lock" {
        say(format!("{size} bytes of text: data goes to tests/ if tests need it, otherwise not into git"));
    }
    if file.is_rust() {
        if !text.starts_with("//!") {
            say("doesn't open with `//!` lines that say what it owns".to_owned());
        }
        let lines = rust::shipped(text).lines().count();
        if lines > MOST_LINES {
            say(format!("{lines} lines before its tests, more than {MOST_LINES}: does it still own one thing?"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, said};
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        said(check(&file(path, text)))
    }

    #[test]
    fn a_rust_file_says_what_it_owns() {
        assert_eq!(found("src/a.rs", "//! Owns a.\n"), [""; 0]);
        assert_eq!(found("src/a.rs", "use b;\n"), ["0: doesn't open with `//!` lines that say what it owns"]);
        assert_eq!(found("docs/a.md", "# a\n"), [""; 0]);
    }

    #[test]
    fn empty_names_are_refused_in_any_place() {
        assert_eq!(found("src/data/utils.rs", "//! x"), ["0: `utils` names no thing that the file owns"]);
        assert_eq!(found("src/common/mod.rs", "//! x").len(), 1);
        assert_eq!(found("src/database.rs", "//! x"), [""; 0]);
    }

    #[test]
    fn tests_do_not_count_towards_the_length() {
        let long = "//! x\n".to_owned() + &"x\n".repeat(MOST_LINES);
        assert_eq!(found("src/a.rs", &long).len(), 1);
        let tested = "//! x\n#[cfg(test)]\nmod tests {\n".to_owned() + &long;
        assert_eq!(found("src/a.rs", &tested), [""; 0]);
    }

    #[test]
    fn binary_files_lie_where_they_are_expected() {
        assert_eq!(found("docs/dashboard.png", "\0"), [""; 0]);
        assert_eq!(found("tests/fixtures/torn.jpg", "\0"), [""; 0]);
        assert_eq!(found("src/logo.png", "\0").len(), 1);
        assert_eq!(found("weights/vgg16.safetensors", "\0").len(), 1);
    }
}
