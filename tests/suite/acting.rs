//! An engine without libtorch, played by the test: it holds a run's lock, writes its journal and serves its socket, so that
//! the front end can be tested whole.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

use frostline::{
    command::Request,
    error::Class,
    event::{Answered, Ended, EpochEnded, Event, Metrics, Outcome, RunEnded, RunStarted, Stamped},
    run::{EngineLock, JournalWriter, RunDir},
    wire::{Leases, Server, ServerHandle},
};

/// An engine's program that does nothing until the test, which plays it, says so.
pub const STAND_IN: &str = r#"touch "$2/asked"; while [ ! -e "$2/leave" ]; do sleep 0.02; done"#;

/// `frostline` in a folder, with the real engine, to its end.
#[cfg(feature = "engine")]
pub fn frostline(folder: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frostline"));
    command.args(arguments).current_dir(folder).env_remove("FROSTLINE_RUNS");
    said(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// A folder with runs, a link to `frostline` and whatever else a test puts there.
pub struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::hard_link(env!("CARGO_BIN_EXE_frostline"), folder.path().join("frostline")).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An executable shell script beside `frostline`. Another process writes it, as it does the copy of `frostline`: what this one
    /// holds open for writing, a test that forks at that moment holds as well, and the kernel refuses to run it.
    pub fn script(&self, name: &str, lines: &str) {
        let _alone = forking();
        let path = self.path(name);
        let mut writer = Command::new("sh")
            .args(["-c", r#"cat > "$0" && chmod 755 "$0""#])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        write!(writer.stdin.take().unwrap(), "#!/bin/sh\n{lines}\n").unwrap();
        assert!(writer.wait().unwrap().success());
    }

    pub fn frostline(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.path("frostline"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("USER", "ada")
            .env("HOSTNAME", "lab")
            .env_remove("FROSTLINE_RUNS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, name: &str) -> RunDir {
        let at = jiff::civil::date(2026, 3, 9).at(12, 0, 5, 0);
        RunDir::create(&self.path("runs"), name, "", at).unwrap()
    }
}

/// What sshd does: one string for the user's shell, in another folder, with another PATH. A file `cut` cuts the link.
pub const SSH: &str = r#"for last; do :; done
cd "$FAR" && [ ! -e cut ] || exit 255
exec 3<&0
PATH="$FAR:$PATH" sh -c "exec $last" <&3 &
while kill -0 $! 2> /dev/null; do
  [ ! -e cut ] || { kill $!; exit 255; }
  sleep 0.02
done
wait $!"#;

/// The first line of a journal.
pub fn run_started() -> Event {
    Event::RunStarted(RunStarted {
        protocol: 1,
        version: "0.1.0".into(),
        run: "acted".into(),
        model: "acted".into(),
        phase: "train".into(),
        epochs: 2,
        batch_size: 32,
        layers: vec![],
        loss: "binary_crossentropy".into(),
        optimizer: "sgd".into(),
        resumed: None,
    })
}

/// The part of the engine that is not arithmetic.
pub struct Actor {
    pub journal: JournalWriter,
    pub inbox: mpsc::Receiver<Request>,
    server: Option<ServerHandle>,
    lock: Option<EngineLock>,
    run: RunDir,
}

impl Actor {
    pub fn on(run: &RunDir) -> Self {
        let lock = EngineLock::acquire(run).unwrap();
        let journal = JournalWriter::open(&run.journal(), || 1_772_000_000_000).unwrap();
        let (sender, inbox) = mpsc::channel();
        let server = Server::start(run, sender, Leases::default(), journal.head()).unwrap();
        Self { journal, inbox, server: Some(server), lock: Some(lock), run: run.clone() }
    }

    pub fn start(&mut self) {
        self.say(run_started());
    }

    pub fn epoch(&mut self, epoch: u32) {
        self.say(Event::EpochEnded(EpochEnded {
            epoch,
            step: u64::from(epoch) * 10,
            train: Metrics { loss: 0.5, accuracy: 0.75 },
            validation: None,
            learning_rate: 0.01,
            train_seconds: 2.0,
            validation_seconds: 0.0,
            images_per_second: 160.0,
            data_wait: 0.0,
        }));
    }

    pub fn say(&mut self, event: Event) -> Stamped {
        self.journal.append(event).unwrap()
    }

    /// Waits for a request and answers it.
    pub fn answer(&mut self, outcome: Outcome) -> Request {
        let request = self.inbox.recv_timeout(Duration::from_secs(10)).expect("a request");
        let Request { id, by, command } = request.clone();
        self.say(Event::Answered(Answered { id, by, request: command, step: 12, outcome, moment: None }));
        request
    }

    pub fn end(mut self, how: Ended) {
        self.say(Event::RunEnded(RunEnded { how, step: 20, epoch: 2, seconds: 4.0 }));
        self.vanish();
    }

    /// Closes all connections before it says how the run ended: so it seems to a viewer that is too slow for the farewell.
    pub fn end_unheard(mut self, how: Ended) {
        self.server = None;
        self.say(Event::RunEnded(RunEnded { how, step: 20, epoch: 2, seconds: 4.0 }));
        self.vanish();
    }

    /// Is gone without a word, as a killed engine is.
    pub fn vanish(mut self) {
        self.server = None;
        self.lock = None;
        // Another test that forks at this moment holds the lock until its child is another program.
        eventually("the lock is free", || EngineLock::holder(&self.run).unwrap().is_none().then_some(()));
    }
}

pub fn failed(class: Class, message: &str) -> Ended {
    Ended::Failed { class, message: message.into(), hint: Some("a hint".into()) }
}

/// What a process printed, and its exit code.
pub struct Said {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }
}

pub fn said(command: &mut Command) -> Said {
    told(spawned(command))
}

pub fn spawned(command: &mut Command) -> Child {
    let _alone = forking();
    command.spawn().unwrap()
}

/// Waits for a process.
pub fn told(process: Child) -> Said {
    process.wait_with_output().unwrap().into()
}

/// A process that another test starts holds, for a moment, what this one is writing; a script that is open for writing
/// cannot be run ("text file busy"). So the two take turns.
pub fn forking() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The only run in `folder`, once there is one.
pub fn only_run(folder: &Path) -> RunDir {
    eventually("a run directory", || {
        let mut runs = frostline::run::list(folder).unwrap();
        (runs.len() == 1).then(|| runs.remove(0))
    })
}
