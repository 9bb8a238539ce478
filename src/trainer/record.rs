//! Where the trainer leaves what it has to say. A run directory on disk in earnest, a list in memory in tests.

use image::RgbImage;

use super::{Evaluated, Progress, SavedTensor};
use crate::{
    data::Batch,
    error::Result,
    event::{CheckpointKind, Event},
};

pub trait Record {
    fn say(&mut self, event: Event) -> Result<()>;

    /// What a pass over a split made of the images of a batch. A run keeps the sums of it only.
    fn judged(&mut self, _batch: &Batch, _evaluated: &Evaluated) -> Result<()> {
        Ok(())
    }

    /// Keeps a picture and returns its blob name. One that is not `lasting` may be dropped for newer ones.
    fn picture(&mut self, picture: &RgbImage, lasting: bool) -> Result<String>;

    /// Writes a checkpoint, whole or not at all.
    fn checkpoint(&mut self, kind: CheckpointKind, tensors: &[SavedTensor], progress: &Progress) -> Result<Written>;

    /// Reads a checkpoint back; `None` if none was written.
    fn read_checkpoint(&mut self, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub file: String,
    pub bytes: u64,
}
