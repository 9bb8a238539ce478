//! Links between the checkout's own documents: a file that a page points to must be there.

use std::collections::BTreeSet;

use super::{File, Finding};

pub fn check(files: &[File]) -> Vec<Finding> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let is_there =
        |path: &str| paths.contains(path) || paths.iter().any(|other| other.starts_with(&format!("{path}/")));
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.has_ending("md")) {
        for (number, line) in prose(file.text().unwrap_or_default()) {
            for target in targets(line).filter(|target| is_local(target)) {
                let path = resolve(&file.path, target);
                if !is_there(&path) {
                    findings.push(Finding::new(file, number, format!("links to {path}, which is not there")));
                }
            }
        }
    }
    findings
}

/// Numbered lines outside code fences.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((number + 1, line))
    })
}

/// What stands in `](…)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

fn is_local(target: &str) -> bool {
    !target.is_empty() && !target.starts_with('#') && !target.contains("://") && !target.starts_with("mailto:")
}

fn resolve(page: &str, target: &str) -> String {
    let target = target.split(['#', ' ']).next().unwrap_or(target);
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { page.split('/').collect() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, said};
    use super::*;

    #[test]
    fn a_link_to_a_missing_file_is_found() {
        let page = file(
            "docs/a.md",
            "see [b](b.md#part), [c](../config/) and [d](decisions/d.md)\n[web](https://x.y) [here](#a)",
        );
        let others = [file("docs/b.md", ""), file("config/demo.toml", "")];
        let files: Vec<File> = [page].into_iter().chain(others).collect();
        assert_eq!(said(check(&files)), ["1: links to docs/decisions/d.md, which is not there"]);
    }

    #[test]
    fn code_in_a_fence_is_no_link() {
        assert_eq!(said(check(&[file("a.md", "```\nx[0](y)\n```\n")])), [""; 0]);
    }
}
