//! `frostline completions` and `frostline man`: what shells and `man` want to know, generated from the definitions of the command line.

use std::{io, path::PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

use super::{Exit, output::Output};
use crate::error::{Error, Result};

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// For bash: `frostline completions bash > ~/.local/share/bash-completion/completions/frostline`
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Args, Debug)]
pub struct ManArgs {
    /// Folder for `frostline.1` and a page for each command, made where it is missing; left out, the first page is printed
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub fn completions(args: &CompletionsArgs, mut command: Command, out: &mut Output) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "frostline", &mut script);
    out.write(&script)?;
    Ok(Exit::DONE)
}

pub fn man(args: &ManArgs, command: Command, out: &mut Output) -> Result<Exit> {
    let Some(folder) = &args.output else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| Error::internal(format!("the manual cannot be written: {error}")))?;
        out.write(&page)?;
        return Ok(Exit::DONE);
    };
    let failed = |error: io::Error| {
        Error::environment(format!("cannot write the manual into {}: {error}", folder.display()), None)
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(command, folder).map_err(failed)?;
    out.line(&format!("`man -l {}` shows the first page", folder.join("frostline.1").display()))?;
    Ok(Exit::DONE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::{CommandFactory as _, ValueEnum as _};

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_command_is_completed_in_every_shell() {
        let names: Vec<String> =
            Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        for &shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "frostline", &mut script);
            let script = String::from_utf8(script).unwrap();
            for name in &names {
                assert!(script.contains(name.as_str()), "{shell}: {name}");
            }
        }
    }

    #[test]
    fn every_command_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        clap_mangen::generate_to(Cli::command(), folder.path()).unwrap();
        for command in Cli::command().get_subcommands() {
            let page = folder.path().join(format!("frostline-{}.1", command.get_name()));
            assert!(page.is_file(), "{}", page.display());
        }
    }
}
