//! Where the runs lie, how an engine is started on one, and what a run must be like when it is over: that of one nobody disturbed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use frostline::{
    event::{CheckpointKind, Event, Stamped},
    plan::Plan,
    run::{RunDir, Tail, checkpoint, tail::Entry},
    trainer::{Progress, SavedTensor, read_checkpoint},
};

/// With all that has a state or a chance in it, a checkpoint of some megabytes every few steps, and a picture an epoch.
pub const CONFIG: &str = r#"
name = "torture"
[data]
source = "critters"
train = 48
validation = 8
test = 8
augment = { horizontal_flip = true, width_shift_range = 0.2 }
[model]
input = [16, 16, 3]
layers = [
  { type = "conv2d", filters = 8, kernel_size = 3, use_bias = false },
  { type = "batch_normalization" },
  { type = "activation", activation = "relu" },
  { type = "flatten" },
  { type = "dropout", rate = 0.3 },
  { type = "dense", units = 128, activation = "relu" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 30
batch_size = 8
checkpoint_minutes = 0.0003
optimizer = { kind = "sgd", momentum = 0.9 }
schedule = { kind = "cosine" }
[explain]
pinned = 1
time_share = 0.5
[engine]
device = "cpu"
threads = 1
loader_threads = 1
features_mib = 0
"#;

/// An engine that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Ground {
    pub root: PathBuf,
    pub engine: PathBuf,
    pub end: End,
    made: u32,
    overrides: Vec<String>,
}

/// What a run has come to.
#[derive(Clone, PartialEq)]
pub struct End {
    pub tensors: Vec<SavedTensor>,
    pub step: u64,
    /// The losses of each epoch, by its number: bits, since they must be the same.
    pub losses: BTreeMap<u32, [u64; 2]>,
}

impl Ground {
    /// Trains the run that nobody disturbs. `engine` is the program.
    pub fn prepare(root: &Path, engine: &Path, overrides: &[&str]) -> Result<Self> {
        let overrides = overrides.iter().map(|&each| each.to_owned()).collect();
        let end = End { tensors: Vec::new(), step: 0, losses: BTreeMap::new() };
        let mut ground = Self { root: root.to_path_buf(), engine: engine.to_path_buf(), end, made: 0, overrides };
        let run = ground.run()?;
        let status = ground.start(&run)?.wait_patiently()?;
        ensure!(status.success(), "the undisturbed run ended with {status}; {}", log(&run));
        ground.end = End::of(&run)?;
        Ok(ground)
    }

    /// A new run that has not begun.
    pub fn run(&mut self) -> Result<RunDir> {
        self.made += 1;
        self.run_in(&self.root.join(format!("run-{:04}", self.made)), &[])
    }

    pub fn run_in(&self, path: &Path, more: &[&str]) -> Result<RunDir> {
        let overrides: Vec<String> =
            self.overrides.iter().cloned().chain(more.iter().map(|&each| each.to_owned())).collect();
        let plan = Plan::parse(CONFIG, "torture", &overrides).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(RunDir::create_at(path, &plan.to_toml())?)
    }

    pub fn command(&self, run: &RunDir) -> Command {
        let mut command = Command::new(&self.engine);
        command.arg("train").arg(run.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    pub fn start(&self, run: &RunDir) -> Result<Engine> {
        Ok(Engine(self.command(run).spawn().context("the engine did not start")?))
    }

    /// Goes on to the end and compares.
    pub fn finish(&self, run: &RunDir) -> Result<()> {
        let status = self.start(run)?.wait_patiently()?;
        ensure!(status.success(), "the resumed run ended with {status}; {}", log(run));
        self.compare(run)
    }

    /// Bit for bit, with every epoch that the journal ever told.
    pub fn compare(&self, run: &RunDir) -> Result<()> {
        let end = End::of(run)?;
        ensure!(end.step == self.end.step, "{} ended after {} steps, not {}", run.name(), end.step, self.end.step);
        for (epoch, losses) in &self.end.losses {
            ensure!(end.losses.get(epoch) == Some(losses), "{}: epoch {epoch} is missing or another", run.name());
        }
        ensure!(end.tensors == self.end.tensors, "{} ended with other weights", run.name());
        let lines = fs::read_to_string(run.history())?.lines().count();
        ensure!(lines == 1 + self.end.losses.len(), "history.csv of {} has {lines} lines", run.name());
        fs::remove_dir_all(run.path()).context("cleaning up")
    }
}

impl End {
    pub fn of(run: &RunDir) -> Result<Self> {
        let last = read_checkpoint(run, CheckpointKind::Last).map_err(|error| anyhow::anyhow!("{error}"))?;
        let (tensors, progress) = last.context("no checkpoint")?;
        let mut losses = BTreeMap::new();
        for stamped in events(run)? {
            if let Event::EpochEnded(ended) = stamped.event {
                let of = [ended.train.loss, ended.validation.map_or(0.0, |metrics| metrics.loss)].map(f64::to_bits);
                let before = *losses.entry(ended.epoch).or_insert(of);
                ensure!(before == of, "{}: epoch {} came out otherwise the second time", run.name(), ended.epoch);
            }
        }
        Ok(Self { tensors, step: progress.step, losses })
    }
}

/// An engine at work; killed when dropped.
pub struct Engine(pub Child);

impl Engine {
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    pub fn wait_patiently(&mut self) -> Result<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            if begun.elapsed() > PATIENCE {
                self.kill()?;
                bail!("the engine did not end in {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn kill(&mut self) -> Result<ExitStatus> {
        // It may have ended by itself.
        let _ = self.0.kill();
        Ok(self.0.wait()?)
    }

    pub fn is_over(&mut self) -> Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// The complete lines of a journal. One that cannot be read is an error: a torn one has no end.
pub fn events(run: &RunDir) -> Result<Vec<Stamped>> {
    if !run.journal().exists() {
        return Ok(Vec::new());
    }
    let mut tail = Tail::open(&run.journal())?;
    let mut events = Vec::new();
    while let Some(entry) = tail.next_entry()? {
        match entry {
            Entry::Event(stamped) => {
                ensure!(stamped.seq == events.len() as u64, "{}: a gap before event {}", run.name(), stamped.seq);
                events.push(stamped);
            }
            Entry::Unreadable { offset, reason } => bail!("{}: the line at byte {offset}: {reason}", run.name()),
        }
    }
    Ok(events)
}

/// The step of the newest checkpoint that is whole, by reading every file that there is.
pub fn newest(run: &RunDir) -> Option<u64> {
    let mut files: Vec<PathBuf> = run.numbered_checkpoints().into_iter().map(|(_, path)| path).collect();
    files.push(run.checkpoint(CheckpointKind::Last));
    files.iter().filter_map(|path| checkpoint::read::<Progress>(path).ok()).map(|(_, progress)| progress.step).max()
}

/// Waits until `found` finds something.
pub fn eventually<T>(what: &str, mut found: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = found()? {
            return Ok(found);
        }
        ensure!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The end of `engine.log`.
pub fn log(run: &RunDir) -> String {
    let text = fs::read_to_string(run.engine_log()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("; ")
}
