//! `cargo xtask …`: set-up, tests, checks and the demo of this checkout, as ordinary Rust that builds in a second.
//! It depends on no crate and on no libtorch, so it works on a machine where nothing else of the project does yet.

mod bench;
mod checkout;
mod ci;
mod environment;
mod explain_check;
mod failure;
mod linkage;
mod packager;
mod say;
mod screenshots;
mod setup;
mod suite;
mod tidy;
mod torture;

#[cfg(test)]
mod scratch;

use std::process::ExitCode;

use checkout::Checkout;
use environment::Environment;
use failure::Failure;

const HELP: &str = "\
Chores of the Frostline checkout.

Usage: cargo xtask <COMMAND>

Commands:
  setup [--cuda]  find libtorch or install it, and leave a link to it as .libtorch
                  (--cuda: with NVIDIA's libraries, for training on a GPU)
  demo [ARGS]     set up, build in release mode, and train on the embedded data set in the dashboard
  test [ARGS]     set up and run every test; ARGS go to `cargo test`
  ci              all that CI checks, cheapest first, the tests last
  tidy            the house rules that no compiler checks
  explain-check [ARGS]
                  train on the embedded drawings, score the methods of explanation against what is known of
                  them, and renew the table in docs/explanations.md; ARGS go to `frostline explain check`
  torture [--short] [ARGS]
                  kill, starve and flood real runs, and renew the table in docs/reliability.md (--short: in seconds,
                  without the table)
  screenshots     make docs/screens, the README's pictures and recording, in a terminal that nobody sees; `--help` lists
                  the options
  bench [ARGS]    measure Frostline beside Keras, PyTorch and others; `bench --help` lists the options

After `setup`, plain `cargo build`, `cargo test` and rust-analyzer need no variable and no xtask.
Where libtorch is looked for: $LIBTORCH, then (with LIBTORCH_USE_PYTORCH=1) the torch package of python3,
then .libtorch, then the folder in the user's cache that all checkouts share, which pip fills once.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::failure(&failure);
            ExitCode::from(failure.code)
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let (command, rest) = match arguments.split_first() {
        None => ("help", &[][..]),
        Some((command, rest)) => (command.as_str(), rest),
    };
    let environment = Environment::of_this_process();
    let checkout = Checkout::of_this_process(&environment)?;
    match command {
        "help" | "--help" | "-h" => {
            say::text(HELP);
            Ok(())
        }
        "setup" => {
            let options = setup::Options::parse(rest)?;
            let ready = setup::run(&environment, &checkout, options)?;
            say::line(&ready.to_string());
            Ok(())
        }
        "demo" => suite::demo(&environment, &checkout, rest),
        "test" => suite::test(&environment, &checkout, rest),
        "bench" => bench::run(&environment, &checkout, rest),
        "torture" => torture::run(&environment, &checkout, rest),
        "screenshots" => screenshots::run(&environment, &checkout, rest),
        "explain-check" => explain_check::run(&environment, &checkout, rest),
        "ci" => no_arguments(command, rest).and_then(|()| ci::run(&environment, &checkout)),
        "tidy" => no_arguments(command, rest).and_then(|()| tidy::run(&environment, &checkout)),
        other => Err(Failure::usage(format!("xtask has no command `{other}`"))),
    }
}

fn no_arguments(command: &str, rest: &[String]) -> Result<(), Failure> {
    match rest.first() {
        None => Ok(()),
        Some(first) => Err(Failure::usage(format!("`{command}` takes no arguments, and got `{first}`"))),
    }
}
