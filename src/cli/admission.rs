//! Whether a run that was begun before goes on: its engine looks first whether all is as it was, and where it is not, a person at a terminal
//! is shown what differs and asked. Anywhere else the answer is no.

use std::io::{IsTerminal as _, stdin, stdout};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
};

use super::{
    Exit, engine,
    output::{complain, prompt},
    signals::{Caught, Signals},
    viewer::{self, Reached},
};
use crate::{
    error::{Class, Error, Result},
    run::{Refusal, RunDir},
};

/// What became of it.
pub enum Admission {
    /// The engine has taken the run up.
    Engine(Child),
    /// It was left alone.
    No(Exit),
}

/// Starts the engine of a run, and waits until it has taken the run up.
pub async fn admitted(run: &RunDir) -> Result<Admission> {
    let mut signals = Signals::catch()?;
    let mut child = engine::start(run)?;
    loop {
        let refusal = match taken_up(run, &mut child, &mut signals).await? {
            Taken::Up => return Ok(Admission::Engine(child)),
            Taken::Interrupted(caught) => return Ok(Admission::No(Exit(caught.exit_code()))),
            Taken::Refused(refusal) => refusal,
        };
        // Gone altogether, so that the next one finds the run free.
        let _ = child.wait().await;
        if refusal.changes.is_empty() || !is_somebody_there() {
            return Err(refusal.into());
        }
        match agreed(run, &refusal, &mut signals).await? {
            Some(true) => {}
            Some(false) => {
                complain(&format!("{} stays as it is", run.name()));
                return Ok(Admission::No(Exit(Class::User.exit_code())));
            }
            None => return Ok(Admission::No(Exit(Caught::Interrupt.exit_code()))),
        }
        run.accept_changes(true)?;
        child = engine::start(run)?;
    }
}

fn is_somebody_there() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

enum Taken {
    Up,
    Refused(Refusal),
    Interrupted(Caught),
}

/// What interrupts the wait ends the engine: nothing of the run is lost by that.
async fn taken_up(run: &RunDir, child: &mut Child, signals: &mut Signals) -> Result<Taken> {
    let pid = child.id();
    let caught = {
        let reaching = viewer::reach(run, Some(child));
        tokio::pin!(reaching);
        loop {
            tokio::select! {
                reached = &mut reaching => return Ok(match reached? {
                    Reached::Engine(_) | Reached::Journal => Taken::Up,
                    Reached::Refused(refusal) => Taken::Refused(refusal),
                }),
                caught = signals.next() => if caught != Caught::Save {
                    break caught;
                },
            }
        }
    };
    complain("ending the engine");
    if let Some(pid) = pid {
        engine::signal(pid, libc::SIGTERM);
    }
    tokio::select! {
        _ = child.wait() => {}
        _ = signals.next() => if let Some(pid) = pid {
            engine::signal(pid, libc::SIGKILL);
        },
    }
    Ok(Taken::Interrupted(caught))
}

/// Shows what differs and asks. `None` if that was interrupted.
async fn agreed(run: &RunDir, refusal: &Refusal, signals: &mut Signals) -> Result<Option<bool>> {
    complain(&format!("{}: not all that the run depends on is as it was at its last checkpoint:", run.name()));
    for change in &refusal.changes {
        complain(&format!("  - {change}"));
    }
    complain("It can go on, but not bit by bit as it would have.");
    prompt("Go on all the same? [y/N] ");
    let (mut line, mut typed) = (String::new(), BufReader::new(tokio::io::stdin()));
    tokio::select! {
        read = typed.read_line(&mut line) => {
            read.map_err(|error| Error::environment(format!("cannot read the answer: {error}"), None))?;
        }
        caught = signals.next() => {
            complain("");
            return Ok((caught == Caught::Save).then_some(false));
        }
    }
    Ok(Some(means_yes(&line)))
}

fn means_yes(line: &str) -> bool {
    ["y", "yes"].contains(&line.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(["y\n", "Y\n", " yes \n", "Yes"].into_iter().all(means_yes));
        assert!(!["", "\n", "n\n", "yesterday\n", "j\n"].into_iter().any(means_yes));
    }
}
