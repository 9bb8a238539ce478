//! `cargo xtask explain-check`: trains on the embedded drawings, scores every method of explanation against what their generator knows,
//! and puts the table into docs/explanations.md. It owns the table there, between two marks, and nothing else of that page.

use std::fs;
use std::process::{Command, Stdio};

use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::{ci, say, setup};

const PAGE: &str = "docs/explanations.md";
const BEGIN: &str = "<!-- made by cargo xtask explain-check -->\n";
const END: &str = "<!-- end -->\n";
const CONFIG: &str = "config/demo.toml";

/// `arguments` go to `frostline explain check`, for example `--count 200`.
pub fn run(environment: &Environment, checkout: &Checkout, arguments: &[String]) -> Result<(), Failure> {
    setup::run(environment, checkout, setup::Options::default())?;
    let built = ci::build(environment, checkout, &["--release", "--bin", "frostline", "--bin", "frostline-engine"])?;
    let runs = checkout.root().join("target").join("explain-check");
    let frostline = |words: &[&str]| {
        let mut command = Command::new(&built);
        command.args(words).arg("--runs").arg(&runs).current_dir(checkout.root());
        command
    };
    say::line(&format!("$ frostline train {CONFIG}"));
    // Without a terminal it trains in lines, and these are not wanted.
    let trained = frostline(&["train", CONFIG]).stdout(Stdio::null()).status();
    if !trained.is_ok_and(|status| status.success()) {
        return Err(Failure::new(format!("training {CONFIG} failed")));
    }
    let words: Vec<&str> =
        ["explain", "check", "last"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    say::line(&format!("$ frostline {}", words.join(" ")));
    let output = frostline(&words).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| Failure::new(format!("frostline did not start: {error}")))?;
    if !output.status.success() {
        return Err(Failure::new("the explanations could not be checked"));
    }
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    say::text(&table);
    let page = checkout.root().join(PAGE);
    let text = fs::read_to_string(&page).map_err(|error| Failure::io("read", &page, &error))?;
    let text = spliced(&text, &table)
        .ok_or_else(|| Failure::new(format!("{PAGE} has lost the marks between which the table stands")))?;
    fs::write(&page, text).map_err(|error| Failure::io("write", &page, &error))
}

/// The page with another table.
fn spliced(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n\n{END}{after}", table.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_table_is_replaced() {
        let page = format!("a\n{BEGIN}old\n{END}b\n");
        let new = spliced(&page, "| x |\n").unwrap();
        assert_eq!(new, format!("a\n{BEGIN}\n| x |\n\n{END}b\n"));
        assert_eq!(spliced(&new, "| x |"), Some(new.clone()));
        assert_eq!(spliced("a", "b"), None);
    }
}
