//! The front end: command line and dashboard. It never loads libtorch.

fn main() -> std::process::ExitCode {
    frostline::cli::main()
}
