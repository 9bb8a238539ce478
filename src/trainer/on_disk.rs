//! A run directory as a [`Record`]: journal, history, blobs and checkpoints.

use std::io::Cursor;

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
}

impl OnDisk {
    /// Goes on after what the journal already says. `clock` gives milliseconds since the Unix epoch.
    pub fn open(run: &RunDir, clock: impl FnMut() -> u64 + Send + 'static) -> Result<Self> {
        let journal = JournalWriter::open(&run.journal(), clock)?;
        let mut history = History::default();
        for stamped in Tail::open(&run.journal())?.events() {
            history.apply(&stamped?.event);
        }
        let blobs = Blobs::open(&run.blobs(), BLOBS)?;
        Ok(Self { run: run.clone(), journal, history, blobs })
    }

    /// Wakes whoever follows the journal.
    pub fn head(&self) -> watch::Receiver<Head> {
        self.journal.head()
    }
}

impl Record for OnDisk {
    fn say(&mut self, event: Event) -> Result<()> {
        let stamped = self.journal.append(event)?;
        if self.history.apply(&stamped.event) {
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

/// A run's checkpoint, `None` if it has none of this kind.
pub fn read_checkpoint(run: &RunDir, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
    let path = run.checkpoint(kind);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(checkpoint::read(&path)?))
}
