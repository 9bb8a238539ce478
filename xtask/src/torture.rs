//! `cargo xtask torture`: builds the programs and has `tests/torture` kill, starve and flood real runs. Without options it renews the
//! table of docs/reliability.md. What is done to a run, and what counts as a loss, is that program's business.

use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::setup;

const PAGE: &str = "docs/reliability.md";

/// `arguments` go to the program: `--short`, `--only kills`, `--kills 100`, `--seed 7`.
pub fn run(environment: &Environment, checkout: &Checkout, arguments: &[String]) -> Result<(), Failure> {
    setup::run(environment, checkout, setup::Options::default())?;
    checkout.run_cargo(environment, &["build", "--bins"])?;
    let mut words = vec!["run", "--quiet", "--example", "torture", "--"];
    words.extend(arguments.iter().map(String::as_str));
    if arguments.is_empty() {
        words.extend(["--table", PAGE]);
    }
    checkout.run_cargo(environment, &words)
}
