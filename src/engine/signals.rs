//! Signals become commands: SIGTERM, SIGINT and SIGHUP save and end the run, SIGUSR1 saves it. Who is in a hurry is not held up: a
//! second SIGINT ends the process at once, and so does a save that takes longer than the grace time; the last checkpoint is whole then.

use std::{
    sync::mpsc::Sender,
    time::{Duration, Instant},
};

use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::sleep_until,
};

use frostline::{
    command::{Command, Request},
    error::{Error, Result, UNFINISHED},
    event::Ended,
};

/// Of a shell for a program that SIGINT ended.
const INTERRUPTED: i32 = 130;
/// For the last words of a run that ends without saving.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Caught from the beginning: what arrives while libtorch loads is obeyed before the first step.
pub struct Signals {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    user: Signal,
}

impl Signals {
    pub fn catch() -> Result<Self> {
        let refused = |error: std::io::Error| Error::environment(format!("cannot listen to signals: {error}"), None);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let entered = runtime.enter();
        let on = |kind| signal(kind).map_err(refused);
        let (terminate, interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
        let (hang_up, user) = (on(SignalKind::hangup())?, on(SignalKind::user_defined1())?);
        drop(entered);
        Ok(Self { runtime, terminate, interrupt, hang_up, user })
    }

    /// Until the trainer has `finished`. `last_words` are told, without waiting, before the process ends unsaved.
    pub fn listen(
        self,
        mut finished: oneshot::Receiver<Result<Ended>>,
        requests: &Sender<Request>,
        grace: Duration,
        last_words: impl Fn(String),
    ) -> Result<Ended> {
        let Self { runtime, mut terminate, mut interrupt, mut hang_up, mut user } = self;
        runtime.block_on(async {
            let (mut deadline, mut interrupted) = (None::<Instant>, false);
            loop {
                let far = Instant::now() + Duration::from_secs(3600);
                let (by, command) = tokio::select! {
                    ended = &mut finished => {
                        return ended.unwrap_or_else(|_| Err(Error::internal("the trainer's thread ended without a word")));
                    }
                    _ = terminate.recv() => ("SIGTERM", Command::Stop),
                    _ = interrupt.recv() => {
                        if std::mem::replace(&mut interrupted, true) {
                            last_words("interrupted twice: the run ends at once, without saving".into());
                            leave(INTERRUPTED).await;
                        }
                        ("SIGINT", Command::Stop)
                    }
                    _ = hang_up.recv() => ("SIGHUP", Command::Stop),
                    _ = user.recv() => ("SIGUSR1", Command::Checkpoint),
                    () = sleep_until(deadline.unwrap_or(far).into()) => {
                        if deadline.is_some() {
                            last_words(format!("not saved within the {grace:?} of train.grace: the run ends without"));
                            leave(UNFINISHED.into()).await;
                        }
                        continue;
                    }
                };
                if command == Command::Stop {
                    deadline.get_or_insert_with(|| Instant::now() + grace);
                }
                // The trainer's end closes only when it has finished, which the next turn sees.
                let _ = requests.send(Request { id: 0, by: by.to_owned(), command });
            }
        })
    }
}

async fn leave(code: i32) {
    tokio::time::sleep(LAST_WORDS).await;
    // Not `exit`, which would wait for what C++ has to tidy up.
    // SAFETY: ends the process; nothing is touched.
    unsafe { libc::_exit(code) }
}
