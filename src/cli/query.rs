//! Questions to a run's network: `frostline-engine` is started with them and answers on its stdout, one JSON object a line.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use serde::de::DeserializeOwned;

use super::{Exit, engine};
use crate::error::{Error, Result};

/// Runs the engine with `arguments` and hands each answer to `each`, with the line as it came. The engine tells its errors
/// on stderr by itself, so a failure is only an exit code here.
pub fn ask<A: DeserializeOwned>(arguments: Vec<OsString>, mut each: impl FnMut(A, &str) -> Result<()>) -> Result<Exit> {
    let program = engine::program()?;
    let failed = |error| Error::environment(format!("cannot run {}: {error}", program.display()), None);
    let mut engine =
        Command::new(&program).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut told = Ok(());
    if let Some(stdout) = engine.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(failed)?;
            let answer = serde_json::from_str(&line)
                .map_err(|error| Error::internal(format!("the engine answered `{line}`: {error}")));
            told = answer.and_then(|answer| each(answer, &line));
            if told.is_err() {
                break;
            }
        }
    }
    let status = engine.wait().map_err(failed)?;
    told?;
    match status.code() {
        Some(code) => Ok(Exit(u8::try_from(code).unwrap_or(1))),
        None => Err(Error::environment(format!("the engine died ({status})"), None)),
    }
}
