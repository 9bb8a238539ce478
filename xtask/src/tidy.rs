//! `cargo xtask tidy`: the house rules that no compiler checks. Each rule is a pure function from the files to findings; this
//! file reads the files (those that git tracks or would track) and says what was found.

mod files;
mod layers;
mod links;
mod rust;
mod words;

use std::fmt;
use std::fs;
use std::path::Path;

use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::say;

/// A file of the checkout, by its path from the root with `/`.
#[derive(Debug)]
pub struct File {
    pub path: String,
    pub content: Vec<u8>,
}

impl File {
    /// `None` for what git too would call binary.
    pub fn text(&self) -> Option<&str> {
        let start = &self.content[..self.content.len().min(8000)];
        if start.contains(&0) { None } else { std::str::from_utf8(&self.content).ok() }
    }

    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    pub fn has_ending(&self, ending: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == ending)
    }

    pub fn is_rust(&self) -> bool {
        self.has_ending("rs")
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    /// From 1; 0 is the file as a whole.
    pub line: usize,
    pub what: String,
}

impl Finding {
    pub fn new(file: &File, line: usize, what: impl Into<String>) -> Self {
        Self { path: file.path.clone(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

pub fn run(environment: &Environment, checkout: &Checkout) -> Result<(), Failure> {
    let files = read(environment, checkout)?;
    let findings = check(&files);
    for finding in &findings {
        say::line(&finding.to_string());
    }
    match findings.len() {
        0 => {
            say::line(&format!("tidy: {} files", files.len()));
            Ok(())
        }
        1 => Err(Failure::new("one thing is untidy")),
        count => Err(Failure::new(format!("{count} things are untidy"))),
    }
}

fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        findings.extend(files::check(file));
        findings.extend(words::check(file));
        findings.extend(layers::check(file));
    }
    findings.extend(links::check(files));
    findings
}

fn read(environment: &Environment, checkout: &Checkout) -> Result<Vec<File>, Failure> {
    let output = environment
        .command("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        .current_dir(checkout.root())
        .output()
        .map_err(|error| {
            Failure::new(format!("git did not start: {error}")).hint("tidy asks git which files there are")
        })?;
    if !output.status.success() {
        return Err(Failure::new("git can't list the files of this checkout")
            .hint(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let mut files = Vec::new();
    for path in String::from_utf8_lossy(&output.stdout).split_terminator('\0') {
        // Deleted files are listed until the deletion is staged; links and submodules hold no text of ours.
        let place = checkout.root().join(path);
        if place.symlink_metadata().is_ok_and(|data| data.is_file()) {
            let content = fs::read(&place).map_err(|error| Failure::io("read", &place, &error))?;
            files.push(File { path: path.to_owned(), content });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), content: text.as_bytes().to_vec() }
    }

    /// Its findings as `line: what`.
    pub fn said(findings: impl IntoIterator<Item = Finding>) -> Vec<String> {
        findings.into_iter().map(|finding| format!("{}: {}", finding.line, finding.what)).collect()
    }

    #[test]
    fn a_finding_reads_like_a_compilers() {
        let finding = Finding::new(&file("src/a.rs", ""), 3, "x");
        assert_eq!(finding.to_string(), "src/a.rs:3: x");
    }

    /// This very checkout, so that `cargo test` alone keeps the rules.
    #[test]
    fn this_checkout_is_tidy() {
        let environment = Environment::of_this_process();
        let checkout = Checkout::of_this_process(&environment).unwrap();
        // An unpacked archive has no git to ask; CI checks a clone.
        if checkout.root().join(".git").exists() {
            let findings = check(&read(&environment, &checkout).unwrap());
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            assert!(lines.is_empty(), "{}", lines.join("\n"));
        }
    }
}
