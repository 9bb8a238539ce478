//! A run directory as a [`Record`]: journal, history, blobs and checkpoints.

use std::{
    io::Cursor,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use image::{
    ExtendedColorType, ImageEncoder as _, RgbImage,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use tokio::sync::watch;

use super::{Progress, Record, SavedTensor, Written};
use crate::{
    error::{Error, Result},
    event::{CheckpointKind, Event, Explained, Level, Stamped},
    run::{Blobs, Head, History, JournalWriter, RunDir, Tail, TensorBoard, checkpoint},
};

/// Pictures that a run keeps besides those of its epochs' ends: a few a second while somebody looks.
const BLOBS: usize = 2000;

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
    followers: Vec<Box<dyn Follower>>,
    reached: Reached,
    /// The last checkpoint, and where the run stood.
    written: Option<(CheckpointKind, Progress)>,
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
        let (history, followers) = (History::default(), Vec::new());
        let mut record = Self { run: run.clone(), journal, history, blobs, followers, reached, written: None };
        for stamped in Tail::open(&run.journal())?.events() {
            let event = stamped?.event;
            record.follow(&event);
            if let Event::Explained(Explained { kept: true, pictures, .. }) = event {
                record.blobs.last(pictures.into_iter().map(|picture| picture.blob));
            }
        }
        Ok(record)
    }

    /// Tells one more of the events to come.
    pub fn tell(&mut self, follower: impl Follower + 'static) {
        self.followers.push(Box::new(follower));
    }

    /// Bytes of a torn last line that were cut off the journal.
    pub fn cut(&self) -> u64 {
        self.journal.cut()
    }

    pub fn reached(&self) -> Reached {
        self.reached
    }

    /// Whether the history changed.
    fn follow(&mut self, event: &Event) -> bool {
        match event {
            Event::Steps(steps) => self.reached = Reached { step: steps.step, epoch: steps.epoch },
            Event::EpochStarted { epoch, step } => self.reached = Reached { step: *step, epoch: *epoch },
            Event::EpochEnded(ended) => self.reached = Reached { step: ended.step, epoch: ended.epoch },
            _ => {}
        }
        self.history.apply(event)
    }

    /// Wakes whoever follows the journal.
    pub fn head(&self) -> watch::Receiver<Head> {
        self.journal.head()
    }
}

impl Record for OnDisk {
    fn say(&mut self, event: Event) -> Result<()> {
        let stamped = self.journal.append(event)?;
        if self.follow(&stamped.event) {
            self.history.write(&self.run.history())?;
        }
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

    fn checkpoint(&mut self, kind: CheckpointKind, tensors: &[SavedTensor], progress: &Progress) -> Result<Written> {
        let path = self.run.checkpoint(kind);
        // The best epoch is also the last one: weights do not change but by steps, and a large network is written once.
        let same = self.written.as_ref().filter(|(other, then)| *other != kind && then == progress);
        let linked = same.and_then(|(other, _)| checkpoint::link(&self.run.checkpoint(*other), &path).ok());
        let bytes = match linked {
            Some(bytes) => bytes,
            None => checkpoint::write(&path, tensors, progress)?,
        };
        self.written = Some((kind, progress.clone()));
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Written { file, bytes })
    }

    fn read_checkpoint(&mut self, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
        read_checkpoint(&self.run, kind)
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

    fn checkpoint(&mut self, kind: CheckpointKind, tensors: &[SavedTensor], progress: &Progress) -> Result<Written> {
        whole(self).checkpoint(kind, tensors, progress)
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
    let path = run.checkpoint(kind);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(checkpoint::read(&path)?))
}
