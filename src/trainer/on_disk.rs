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
    event::{CheckpointKind, Event},
    run::{Blobs, Head, History, JournalWriter, RunDir, Tail, checkpoint},
};

/// Pictures that a run keeps; three an epoch and a few a second while somebody looks.
const BLOBS: usize = 2000;

/// The only writer of a run directory. Hold the run's lock while it lives.
pub struct OnDisk {
    run: RunDir,
    journal: JournalWriter,
    history: History,
    blobs: Blobs,
    reached: Reached,
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
        let mut record = Self { run: run.clone(), journal, history: History::default(), blobs, reached };
        for stamped in Tail::open(&run.journal())?.events() {
            record.follow(&stamped?.event);
        }
        Ok(record)
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
        Ok(())
    }

    fn picture(&mut self, picture: &RgbImage) -> Result<String> {
        let mut png = Cursor::new(Vec::new());
        PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
            .write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8)
            .map_err(|error| Error::internal(format!("a picture could not be encoded: {error}")))?;
        Ok(self.blobs.put(png.get_ref())?)
    }

    fn checkpoint(&mut self, kind: CheckpointKind, tensors: &[SavedTensor], progress: &Progress) -> Result<Written> {
        let path = self.run.checkpoint(kind);
        let bytes = checkpoint::write(&path, tensors, progress)?;
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

    fn picture(&mut self, picture: &RgbImage) -> Result<String> {
        whole(self).picture(picture)
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

/// A run that is only looked at: nothing is said and nothing is written.
pub struct ReadOnly(pub RunDir);

impl Record for ReadOnly {
    fn say(&mut self, _event: Event) -> Result<()> {
        Ok(())
    }

    fn picture(&mut self, _picture: &RgbImage) -> Result<String> {
        Err(Error::internal("a run that is only looked at keeps no pictures"))
    }

    fn checkpoint(&mut self, _: CheckpointKind, _: &[SavedTensor], _: &Progress) -> Result<Written> {
        Err(Error::internal("a run that is only looked at keeps no checkpoints"))
    }

    fn read_checkpoint(&mut self, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
        read_checkpoint(&self.0, kind)
    }
}

/// A run's checkpoint, `None` if it has none of this kind.
pub fn read_checkpoint(run: &RunDir, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
    let path = run.checkpoint(kind);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(checkpoint::read(&path)?))
}
