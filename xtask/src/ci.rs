//! `cargo xtask ci`: everything that CI checks, the cheapest first, so that a slip shows in seconds and not after the tests. The
//! tests come last, and their runner has the last word on the screen.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::{linkage, say, setup, suite, tidy};

pub fn run(environment: &Environment, checkout: &Checkout) -> Result<(), Failure> {
    suite::can_run_all(environment)?;
    let cargo = |arguments: &[&str]| checkout.run_cargo(environment, arguments);
    step("layout of the code", || cargo(&["fmt", "--all", "--", "--check"]))?;
    step("house rules", || tidy::run(environment, checkout))?;
    step("the front end alone, without libtorch", || {
        let front_end = build(environment, checkout, &["--no-default-features", "--bin", "frostline"])?;
        linkage::has_no_libtorch(environment, &front_end)
    })?;
    step("lints, front end alone", || {
        cargo(&["clippy", "--workspace", "--no-default-features", "--all-targets", "--", "-D", "warnings"])
    })?;
    step("libtorch", || setup::run(environment, checkout, setup::Options::default()).map(drop))?;
    step("the front end beside the engine, still without libtorch", || {
        let front_end = build(environment, checkout, &["--bin", "frostline", "--bin", "frostline-engine"])?;
        linkage::has_no_libtorch(environment, &front_end)
    })?;
    step("lints, engine too", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    heading("tests");
    suite::test(environment, checkout, &[])
}

fn step(name: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    heading(name);
    let start = Instant::now();
    work()?;
    say::line(&format!("ok, {:.1} s", start.elapsed().as_secs_f32()));
    Ok(())
}

fn heading(name: &str) {
    say::line(&format!("\n== {name}"));
}

/// Builds, and returns where cargo put the front end: the target folder may be configured anywhere.
pub fn build(environment: &Environment, checkout: &Checkout, arguments: &[&str]) -> Result<PathBuf, Failure> {
    let shown = format!("cargo build {}", arguments.join(" "));
    say::line(&format!("$ {shown}"));
    let mut all = vec!["build", "--message-format=json-render-diagnostics"];
    all.extend(arguments);
    let failed = || Failure::new(format!("`{shown}` failed"));
    let mut child = checkout.cargo(environment, &all).stdout(Stdio::piped()).spawn().map_err(|_| failed())?;
    let messages = child.stdout.take().into_iter().flat_map(|pipe| BufReader::new(pipe).lines().map_while(Result::ok));
    let programs: Vec<PathBuf> = messages.filter_map(|message| executable(&message).map(PathBuf::from)).collect();
    if !child.wait().is_ok_and(|status| status.success()) {
        return Err(failed());
    }
    programs.into_iter().find(|path| path.ends_with("frostline")).ok_or_else(failed)
}

/// The path in one of cargo's messages, `{"reason":"compiler-artifact",…,"executable":"/…/frostline",…}`.
fn executable(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(r#""executable":""#)?;
    rest.split_once('"').map(|(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_read_from_cargos_message() {
        let message =
            r#"{"reason":"compiler-artifact","filenames":["/t/x"],"executable":"/t/debug/frostline","fresh":true}"#;
        assert_eq!(executable(message), Some("/t/debug/frostline"));
        assert_eq!(executable(r#"{"reason":"compiler-artifact","executable":null,"fresh":true}"#), None);
    }
}
