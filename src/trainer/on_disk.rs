//! A run directory as a [`Record`]: journal, history, blobs and checkpoints. Of the last checkpoints it finds the newest that can be
//! read.

use std::{
    io::Cursor,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use image::{
    ExtendedColorType, ImageEncoder as _, RgbImage,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use tokio::sync::watch;

use super::{Progress, Record, SavedTensor, Settled, scribe::Scribe};
use crate::{
    error::{Error, Result},
    event::{Alarm, CheckpointKind, Event, Explained, Level, Stamped, Then},
    run::{Blobs, Head, History, JournalWriter, RunDir, Tail, TensorBoard, checkpoint, digest},
    state::RunState,
};

/// Pictures that a run keeps besides those of its epochs' ends: a few a second while somebody looks.
const BLOBS: usize = 2000;

/// A digest of a long run takes some milliseconds.
const DIGEST_EVERY: Duration = Duration::from_secs(30);

/// Who is told of each event once the journal has it. One that fails is told no more, and the run goes on.
pub trait Follower: Send {
    fn follow(&mut self, stamped: &Stamped) -> Result<()>;
}

impl Follower for TensorBoard {
    fn follow(&mut self, stamped: &Stamped) -> Result<()> {
        Ok(Self::follow(self, stamped)?)
    }
}

/// The only writer of a run directory. Hold the run's lock while it lives.
pub struct OnDisk {
    run: RunDir,
    journal: JournalWriter,
    history: History,
    blobs: Blobs,
    /// What waits for the word that the run goes on; `None`: nothing waits any more.
    held: Option<Vec<Event>>,
    followers: Vec<Box<dyn Follower>>,
    reached: Reached,
    /// What the journal comes to, and when it was last kept.
    state: RunState,
    digested: Option<Instant>,
    /// Once there is something to write.
    scribe: Option<Scribe>,
    keep_checkpoints: usize,
}

/// The step and epoch of which the journal last spoke.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    pub step: u64,
    pub epoch: u32,
}

impl OnDisk {
    /// Goes on after what the journal already says. `clock` gives milliseconds since the Unix epoch.
    pub fn open(run: &RunDir, clock: impl FnMut() -> u64 + Send + 'static) -> Result<Self> {
        let journal = JournalWriter::open(&run.journal(), clock)?;
        let blobs = Blobs::open(&run.blobs(), BLOBS)?;
        let reached = Reached::default();
        let mut record = Self {
            run: run.clone(),
            journal,
            history: History::default(),
            blobs,
            held: None,
            followers: Vec::new(),
            reached,
            state: RunState::default(),
            digested: None,
            scribe: None,
            keep_checkpoints: 2,
        };
        for stamped in Tail::open(&run.journal())?.events() {
            let stamped = stamped?;
            record.follow(&stamped);
            let event = stamped.event;
            if let Event::Explained(Explained { kept: true, pictures, .. }) = event {
                record.blobs.last(pictures.into_iter().map(|picture| picture.blob));
            }
        }
        Ok(record)
    }

    /// From here on nothing is written until [`release`](Self::release): whoever gives up before leaves the journal as it was.
    pub fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Writes what has waited.
    pub fn release(&mut self) -> Result<()> {
        self.held.take().into_iter().flatten().try_for_each(|event| self.say(event))
    }

    /// Tells one more of the events to come.
    pub fn tell(&mut self, follower: impl Follower + 'static) {
        self.followers.push(Box::new(follower));
    }

    /// Bytes of a torn last line that were cut off the journal.
    pub fn cut(&self) -> u64 {
        self.journal.cut()
    }

    /// How many of the last checkpoints stay besides the best.
    pub fn keep_checkpoints(&mut self, count: usize) {
        self.keep_checkpoints = count;
    }

    pub fn reached(&self) -> Reached {
        self.reached
    }

    /// Whether the history changed.
    fn follow(&mut self, stamped: &Stamped) -> bool {
        self.state.apply(stamped);
        let event = &stamped.event;
        match event {
            Event::Steps(steps) => self.reached = Reached { step: steps.step, epoch: steps.epoch },
            Event::EpochStarted { epoch, step } => self.reached = Reached { step: *step, epoch: *epoch },
            Event::EpochEnded(ended) => self.reached = Reached { step: ended.step, epoch: ended.epoch },
            Event::Undone(undone) => self.reached = Reached { step: undone.to, epoch: undone.epoch },
            Event::Alarm(Alarm { then: Then::RolledBack { to, epoch, .. }, .. }) => {
                self.reached = Reached { step: *to, epoch: *epoch };
            }
            _ => {}
        }
        self.history.apply(event)
    }

    /// Keeps what the journal comes to, now and then and at the end: whoever attaches begins there.
    fn digest_if_due(&mut self, event: &Event) -> Result<()> {
        let due = match event {
            Event::Checkpoint(_) => self.digested.is_none_or(|then| then.elapsed() >= DIGEST_EVERY),
            Event::RunEnded(_) => true,
            _ => false,
        };
        if due {
            self.digested = Some(Instant::now());
            let head = *self.journal.head().borrow();
            digest::write(&self.run, digest::Form::Whole, head, &self.state)?;
            digest::write(&self.run, digest::Form::Light, head, &self.state.light())?;
        }
        Ok(())
    }

    /// Wakes whoever follows the journal.
    pub fn head(&self) -> watch::Receiver<Head> {
        self.journal.head()
    }
}

impl Record for OnDisk {
    fn say(&mut self, event: Event) -> Result<()> {
        if let Some(held) = &mut self.held {
            held.push(event);
            return Ok(());
        }
        let stamped = self.journal.append(event)?;
        if self.follow(&stamped) {
            self.history.write(&self.run.history())?;
        }
        // Without it attaching takes longer, which is no reason to end a run.
        let _ = self.digest_if_due(&stamped.event);
        let mut failed = Vec::new();
        self.followers.retain_mut(|follower| follower.follow(&stamped).map_err(|error| failed.push(error)).is_ok());
        for error in failed {
            let message = format!("{}; no more of it is written", error.message());
            self.journal.append(Event::Log { level: Level::Warning, message })?;
        }
        Ok(())
    }

    fn picture(&mut self, picture: &RgbImage, lasting: bool) -> Result<String> {
        let mut png = Cursor::new(Vec::new());
        PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
            .write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8)
            .map_err(|error| Error::internal(format!("a picture could not be encoded: {error}")))?;
        let name = self.blobs.put(png.get_ref())?;
        if lasting {
            self.blobs.last([name.clone()]);
        }
        Ok(name)
    }

    fn checkpoint(&mut self, kind: CheckpointKind, tensors: Arc<Vec<SavedTensor>>, progress: &Progress) -> Result<()> {
        let scribe = match self.scribe.take() {
            Some(scribe) => scribe,
            None => Scribe::start(&self.run, self.keep_checkpoints)?,
        };
        self.scribe.insert(scribe).hand_over(kind, tensors, progress.clone());
        Ok(())
    }

    fn settled(&mut self, wait: bool) -> Vec<Settled> {
        self.scribe.as_ref().map(|scribe| scribe.settled(wait)).unwrap_or_default()
    }

    fn go_back(&mut self, undo: u32) -> Result<()> {
        if let Some(scribe) = &self.scribe {
            scribe.wait();
        }
        let (then, best) = (self.run.best_before(undo), self.run.checkpoint(CheckpointKind::Best));
        if then.exists() {
            checkpoint::link(&then, &best)?;
        } else if best.exists() {
            std::fs::remove_file(&best)
                .map_err(|error| Error::environment(format!("cannot remove {}: {error}", best.display()), None))?;
        }
        Ok(())
    }

    fn forget(&mut self, undo: u32) {
        // What cannot be removed only costs room, until the number comes again.
        for path in [self.run.checkpoint(CheckpointKind::Undo(undo)), self.run.best_before(undo)] {
            let _ = std::fs::remove_file(path);
        }
    }

    fn read_checkpoint(&mut self, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
        if let Some(scribe) = &self.scribe {
            scribe.wait();
        }
        let found = find_checkpoint(&self.run, kind)?;
        for message in found.iter().flat_map(|found| &found.passed_over) {
            self.say(Event::Log { level: Level::Warning, message: message.clone() })?;
        }
        Ok(found.map(|found| (found.tensors, found.progress)))
    }
}

/// One writer for two threads: the trainer's, and the one that says how its thread ended.
impl Record for Arc<Mutex<OnDisk>> {
    fn say(&mut self, event: Event) -> Result<()> {
        whole(self).say(event)
    }

    fn picture(&mut self, picture: &RgbImage, lasting: bool) -> Result<String> {
        whole(self).picture(picture, lasting)
    }

    fn checkpoint(&mut self, kind: CheckpointKind, tensors: Arc<Vec<SavedTensor>>, progress: &Progress) -> Result<()> {
        whole(self).checkpoint(kind, tensors, progress)
    }

    fn settled(&mut self, wait: bool) -> Vec<Settled> {
        whole(self).settled(wait)
    }

    fn go_back(&mut self, undo: u32) -> Result<()> {
        whole(self).go_back(undo)
    }

    fn forget(&mut self, undo: u32) {
        whole(self).forget(undo);
    }

    fn read_checkpoint(&mut self, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
        whole(self).read_checkpoint(kind)
    }
}

/// Every write leaves the run directory whole, so a panic in the middle of one poisons nothing.
fn whole(record: &Mutex<OnDisk>) -> MutexGuard<'_, OnDisk> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run's checkpoint, `None` if it has none of this kind.
pub fn read_checkpoint(run: &RunDir, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
    Ok(find_checkpoint(run, kind)?.map(|found| (found.tensors, found.progress)))
}

/// A checkpoint, and what was found of newer ones that cannot be read.
struct Found {
    tensors: Vec<SavedTensor>,
    progress: Progress,
    passed_over: Vec<String>,
}

/// Of the last ones the newest that is whole. It is an error if there are some and none of them is.
fn find_checkpoint(run: &RunDir, kind: CheckpointKind) -> Result<Option<Found>> {
    let mut passed_over = Vec::new();
    let mut first = None;
    for path in candidates(run, kind) {
        match checkpoint::read::<Progress>(&path) {
            Ok((tensors, progress)) => {
                let step = progress.step;
                let told = |reason: String| format!("{reason}; the one before it, of step {step}, takes its place");
                let passed_over = passed_over.into_iter().map(told).collect();
                return Ok(Some(Found { tensors, progress, passed_over }));
            }
            Err(error) => {
                let error = Error::from(error);
                passed_over.push(error.message());
                first.get_or_insert(error);
            }
        }
    }
    first.map_or(Ok(None), Err)
}

/// Files that may hold it, the newest first. An engine that was killed between a checkpoint's two names has only given it the one with
/// the number.
fn candidates(run: &RunDir, kind: CheckpointKind) -> Vec<std::path::PathBuf> {
    let named = Some(run.checkpoint(kind)).filter(|path| path.exists());
    if kind != CheckpointKind::Last {
        return named.into_iter().collect();
    }
    let mut numbered = run.numbered_checkpoints();
    if let Some(named) = named {
        // Usually it is the same file as one of them; not in a run that another program has made, or that was made before there were numbers.
        if !numbered.iter().any(|(_, path)| is_same_file(path, &named)) {
            let step = checkpoint::read_record::<Progress>(&named).map_or(u64::MAX, |progress| progress.step);
            let place = numbered.partition_point(|(at, _)| *at > step);
            numbered.insert(place, (step, named));
        }
    }
    numbered.into_iter().map(|(_, path)| path).collect()
}

fn is_same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path| std::fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    identity(one).is_some() && identity(one) == identity(other)
}
