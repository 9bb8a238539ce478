//! Following a run without a screen: lines of text or JSON until it ends. As the foreground of a run that it has started
//! it turns Ctrl-C and SIGTERM into "save and stop", SIGUSR1 into "save", and its exit code into the run's.

use std::{process::ExitStatus, time::Duration};

use tokio::{process::Child, time::timeout};

use super::{
    Exit, engine,
    identity::identity,
    output::{Output, complain},
    report::{Reporter, verdict},
    signals::{Caught, Signals},
    viewer::{self, Remote},
};
use crate::{
    command::Command,
    error::{Error, Result, UNFINISHED},
    event::{Event, RunEnded, Stamped},
    run::{EngineLock, RunDir},
    wire::{
        ServerMessage,
        client::{self, Connection, From, Sender},
    },
};

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    /// The events themselves, one a line; `steps` includes the aggregated steps and the progress of evaluations.
    Json {
        steps: bool,
    },
}

/// How long an engine may take to leave after its last word.
const LEAVING: Duration = Duration::from_secs(15);

/// Follows a run on this machine until it ends. `child` is its engine if this command has started it.
pub async fn follow(run: &RunDir, child: Option<Child>, since: u64, form: Form, out: &mut Output) -> Result<Exit> {
    let signals = if child.is_some() { Signals::catch()? } else { Signals::leave() };
    let mut foreground = Foreground { child, signals, caught: None, next: since };
    let mut connection = foreground.open(run, since).await?;
    let mut printer = Printer::new(form);
    let mut ended = foreground.listen(&mut connection, &mut printer, out).await?;
    let status = foreground.leave(run).await?;
    if ended.is_none() && connection.welcome.live {
        // The engine waits for nobody when it ends: who was not quick enough finds its last words in the journal.
        let mut rest = client::replay(run, &identity(), From::Event(foreground.next)).await?;
        ended = foreground.listen(&mut rest, &mut printer, out).await?;
    }
    match (ended, foreground.caught) {
        (Some(ended), caught) => {
            verdict(&ended)?;
            let own = if ended.how.is_unfinished() { Exit(UNFINISHED) } else { Exit::DONE };
            Ok(caught.map_or(own, |caught| Exit(caught.exit_code())))
        }
        (None, Some(caught)) => Ok(Exit(caught.exit_code())),
        // It has told why it could not save.
        (None, None) if status.and_then(|status| status.code()) == Some(UNFINISHED.into()) => Ok(Exit(UNFINISHED)),
        (None, None) => Err(engine::died(run, status)),
    }
}

/// Follows a run on another machine.
pub async fn follow_remote(mut remote: Remote, form: Form, out: &mut Output) -> Result<Exit> {
    let mut foreground = Foreground { child: None, signals: Signals::leave(), caught: None, next: 0 };
    let mut printer = Printer::new(form);
    loop {
        let before = foreground.next;
        match foreground.listen(&mut remote.connection, &mut printer, out).await? {
            Some(ended) => return verdict(&ended).map(|()| Exit::DONE),
            None if !remote.connection.welcome.live => {
                let link = &remote.link;
                return Err(Error::environment(
                    format!("the engine of {} on {} died", link.run, link.host),
                    Some(format!("go on from its last checkpoint there: {}", link.resume())),
                ));
            }
            // The link broke, or was too slow for the end: what has been said since tells.
            None if foreground.next > before => match remote.link.open(From::Event(foreground.next)).await {
                Ok(again) => remote = again,
                Err(_) => return Err(remote.lost()),
            },
            None => return Err(remote.lost()),
        }
    }
}

struct Foreground {
    child: Option<Child>,
    signals: Signals,
    /// The first signal, which decides the exit code.
    caught: Option<Caught>,
    /// The first event that has not come yet.
    next: u64,
}

impl Foreground {
    async fn open(&mut self, run: &RunDir, since: u64) -> Result<Connection> {
        loop {
            tokio::select! {
                opened = viewer::local(run, self.child.as_mut(), From::Event(since)) => return opened,
                caught = self.signals.next() => self.interrupt(caught, None),
            }
        }
    }

    /// Prints what comes until the run ends, or nothing more can come. Returns how it ended, if it said so.
    async fn listen(
        &mut self,
        connection: &mut Connection,
        printer: &mut Printer,
        out: &mut Output,
    ) -> Result<Option<RunEnded>> {
        let live = connection.welcome.live;
        let mut ended = None;
        let mut is_history = true;
        loop {
            let message = tokio::select! {
                message = connection.receiver.next() => message,
                caught = self.signals.next() => {
                    self.interrupt(caught, Some(&connection.sender));
                    continue;
                }
            };
            match message {
                Ok(Some(ServerMessage::Event(stamped))) => {
                    printer.print(&stamped, out)?;
                    self.next = stamped.seq + 1;
                    match stamped.event {
                        // An older engine's end is history when another has resumed the run.
                        Event::RunStarted(_) => ended = None,
                        Event::RunEnded(how) => ended = Some(how),
                        _ => {}
                    }
                }
                Ok(Some(ServerMessage::UpToDate)) => is_history = false,
                Ok(Some(ServerMessage::Unreadable { offset, reason })) => {
                    complain(&format!("warning: a line of the journal cannot be read (at byte {offset}): {reason}"));
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(crate::wire::Error::Io(_)) => return Ok(ended),
                Err(error) => return Err(error.into()),
            }
            if !is_history && (ended.is_some() || !live) {
                return Ok(ended);
            }
        }
    }

    /// The first time the run is saved and stopped; the second time the engine is killed.
    fn interrupt(&mut self, caught: Caught, sender: Option<&Sender>) {
        let pid = self.child.as_ref().and_then(Child::id);
        if caught == Caught::Save {
            match (sender, pid) {
                (Some(sender), _) => drop(sender.request(Command::Checkpoint)),
                (None, Some(pid)) => engine::signal(pid, libc::SIGUSR1),
                (None, None) => {}
            }
            return;
        }
        if self.caught.is_some() {
            complain("killing the engine");
            if let Some(pid) = pid {
                engine::signal(pid, libc::SIGKILL);
            }
            return;
        }
        self.caught = Some(caught);
        complain("saving and stopping; once more to stop at once without saving");
        match (sender, pid) {
            (Some(sender), _) => {
                sender.request(Command::Stop);
            }
            (None, Some(pid)) => engine::signal(pid, libc::SIGTERM),
            (None, None) => {}
        }
    }

    /// Waits until the engine is gone, so that the next command finds the run free.
    async fn leave(&mut self, run: &RunDir) -> Result<Option<ExitStatus>> {
        let Some(mut child) = self.child.take() else {
            let gone = async {
                while EngineLock::holder(run)?.is_some() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Result::Ok(())
            };
            return timeout(LEAVING, gone).await.unwrap_or(Ok(())).map(|()| None);
        };
        let waited = |status: std::io::Result<ExitStatus>| {
            status.map(Some).map_err(|error| Error::environment(format!("cannot wait for the engine: {error}"), None))
        };
        loop {
            let id = child.id();
            tokio::select! {
                status = timeout(LEAVING, child.wait()) => match status {
                    Ok(status) => return waited(status),
                    // It said that it ends and does not: nothing of the run is at stake any more.
                    Err(_) => return Ok(None),
                },
                caught = self.signals.next() => if let (Some(pid), Caught::Interrupt | Caught::Terminate) = (id, caught) {
                    engine::signal(pid, libc::SIGKILL);
                },
            }
        }
    }
}

struct Printer {
    form: Form,
    reporter: Reporter,
}

impl Printer {
    fn new(form: Form) -> Self {
        Self { form, reporter: Reporter::default() }
    }

    fn print(&mut self, stamped: &Stamped, out: &mut Output) -> Result<()> {
        match self.form {
            Form::Text => match self.reporter.line(&stamped.event) {
                Some(line) => out.line(&line),
                None => Ok(()),
            },
            Form::Json { steps: false } if matches!(stamped.event, Event::Steps(_) | Event::Evaluating { .. }) => {
                Ok(())
            }
            Form::Json { .. } => out.json(stamped),
        }
    }
}
