//! What a person can type to come back to a run, as a shell takes it from whatever folder they are in.

use std::{env, fs, path::PathBuf};

use crate::run::RunDir;

/// The variable that says where runs are kept, unless `--runs` does.
pub const RUNS: &str = "FROSTLINE_RUNS";

/// Where runs are kept if nobody says otherwise.
pub const DEFAULT: &str = "runs";

/// Where a run is looked for without `--runs`.
pub fn root() -> PathBuf {
    env::var_os(RUNS).filter(|root| !root.is_empty()).map_or_else(|| DEFAULT.into(), PathBuf::from)
}

pub fn resume(run: &RunDir) -> String {
    format!("frostline train --resume {}", named(run))
}

pub fn attach(run: &RunDir) -> String {
    format!("frostline attach {}", named(run))
}

/// The run's name, with the folder where it is if it would not be found by itself.
fn named(run: &RunDir) -> String {
    let name = word(&run.name());
    match run.path().parent() {
        Some(parent) if !fs::canonicalize(root()).is_ok_and(|root| root == parent) => {
            format!("{name} --runs {}", word(&parent.to_string_lossy()))
        }
        _ => name,
    }
}

/// One word for a shell.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '+' | ',');
    if !text.is_empty() && text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_a_shell_stays_one_word() {
        assert_eq!(word("last; rm -rf 'x'"), r"'last; rm -rf '\''x'\'''");
        assert_eq!(word("/data/runs/2026-03-09-120005-demo"), "/data/runs/2026-03-09-120005-demo");
        assert_eq!(word(""), "''");
    }
}
