//! The two commands of the README: `test` and `demo`. Both begin with the set-up, so a fresh clone needs nothing else.

use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::packager::Packager;
use crate::{say, setup};

pub fn test(environment: &Environment, checkout: &Checkout, arguments: &[String]) -> Result<(), Failure> {
    // Who asks for particular tests knows what they need.
    if arguments.is_empty() {
        can_run_all(environment)?;
    }
    setup::run(environment, checkout, setup::Options::default())?;
    let mut command = vec!["test", "--workspace"];
    command.extend(arguments.iter().map(String::as_str));
    checkout.run_cargo(environment, &command)
}

/// Before the minutes of building, not after them.
pub fn can_run_all(environment: &Environment) -> Result<(), Failure> {
    if environment.program("tmux").is_none() {
        return Err(Failure::new("some tests drive the dashboard in a real tmux, and none is on PATH")
            .hint(Packager::of(environment).install("tmux"))
            .hint("or leave them out: cargo xtask test -- --skip tmux"));
    }
    if Packager::of(environment) == Packager::Apt && !Path::new("/usr/share/datasets/fashion-mnist").exists() {
        say::line("without Debian's dataset-fashion-mnist, the test that reads all of it passes without a look");
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_missing_tmux_is_said_before_anything_is_built() {
        let folder = Scratch::new();
        folder.script("bin/dnf", "exit 1");
        let environment = Environment::of(&[("PATH", folder.path("bin").as_os_str())]);
        let failure = can_run_all(&environment).unwrap_err();
        assert_eq!(failure.hints[0], "sudo dnf install tmux");
        folder.script("bin/tmux", "exit 0");
        assert_eq!(can_run_all(&environment), Ok(()));
    }
}
