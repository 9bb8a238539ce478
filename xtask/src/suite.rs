//! The two commands of the README: `test` and `demo`. Both begin with the set-up, so a fresh clone needs nothing else.

use std::os::unix::process::CommandExt;

use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::{say, setup};

pub fn test(environment: &Environment, checkout: &Checkout, arguments: &[String]) -> Result<(), Failure> {
    setup::run(environment, checkout, setup::Options::default())?;
    let mut command = vec!["test", "--workspace"];
    command.extend(arguments.iter().map(String::as_str));
    checkout.run_cargo(environment, &command)
}

/// Does not come back when it works: this process becomes the dashboard, so that signals and the terminal are its own.
pub fn demo(environment: &Environment, checkout: &Checkout, arguments: &[String]) -> Result<(), Failure> {
    setup::run(environment, checkout, setup::Options::default())?;
    checkout.run_cargo(environment, &["build", "--release"])?;
    // Nothing is left to build; cargo knows where its target folder is, whoever configured it, and replaces itself.
    let mut command = vec!["run", "--release", "--quiet", "--bin", "frostline", "--", "demo"];
    command.extend(arguments.iter().map(String::as_str));
    say::line("$ frostline demo");
    let error = checkout.cargo(environment, &command).exec();
    Err(Failure::new(format!("the demo did not start: {error}")))
}
