//! Words that must not be in the text of any file: notes of unfinished work, and the hosts of package registries (which belong
//! into the user's own configuration of pip and cargo, so that a mirror works).

use super::{File, Finding};

// In pieces, so that this file passes.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const HOSTS: &[&str] = &[
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("download.pytorch", ".org"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("deb.debian", ".org"),
    concat!("archive.ubuntu", ".com"),
    concat!("registry.npmjs", ".org"),
];

pub fn check(file: &File) -> Vec<Finding> {
    // cargo writes the lock file.
    if file.path == "Cargo.lock" {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in file.text().unwrap_or_default().lines().enumerate() {
        if let Some(word) = UNFINISHED.iter().find(|word| has_word(line, word)) {
            findings.push(Finding::new(
                file,
                number + 1,
                format!("`{word}`: finish it, or say what is left in an issue"),
            ));
        }
        if let Some(host) = HOSTS.iter().find(|host| line.contains(*host)) {
            findings.push(Finding::new(
                file,
                number + 1,
                format!("`{host}`: a registry's host is the user's to configure"),
            ));
        }
    }
    findings
}

/// As a word of its own: `mktemp a.XXXXXX` is none.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let joins = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        !joins(line[..at].chars().next_back()) && !joins(line[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, said};
    use super::*;

    #[test]
    fn unfinished_work_is_found_as_a_word() {
        let word = UNFINISHED[2];
        let text = format!("a\n// {word}: b\nmktemp {word}{word}\n");
        let expected = [format!("2: `{word}`: finish it, or say what is left in an issue")];
        assert_eq!(said(check(&file("a.sh", &text))), expected);
    }

    #[test]
    fn a_registrys_host_is_found_except_in_the_lock_file() {
        let text = format!("https://{}/simple", HOSTS[0]);
        assert_eq!(said(check(&file("docs/a.md", &text))).len(), 1);
        assert_eq!(said(check(&file("Cargo.lock", &text))).len(), 0);
    }
}
