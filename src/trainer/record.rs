//! Where the trainer leaves what it has to say. A run directory on disk in earnest, a list in memory in tests.

use std::sync::Arc;

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

    /// Begins to write a checkpoint, whole or not at all. It need not be on the disk when this returns: [`settled`](Self::settled)
    /// tells what became of it.
    fn checkpoint(&mut self, kind: CheckpointKind, tensors: Arc<Vec<SavedTensor>>, progress: &Progress) -> Result<()>;

    /// What became of checkpoints since this was last asked, in order. `wait`: of all that were begun. One that a newer one has
    /// overtaken is not told of.
    fn settled(&mut self, wait: bool) -> Vec<Settled>;

    /// Has the best checkpoint be the one of when [`Undo`](CheckpointKind::Undo) was written: what was better since is given up.
    fn go_back(&mut self, undo: u32) -> Result<()>;

    /// Nobody will ask for this one again.
    fn forget(&mut self, undo: u32);

    /// Reads a checkpoint back, after all that were begun are written; `None` if none was.
    fn read_checkpoint(&mut self, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>>;
}

/// A checkpoint that is on the disk, or will not be.
#[derive(Debug)]
pub struct Settled {
    pub kind: CheckpointKind,
    /// Where the run stood.
    pub progress: Progress,
    /// That writing it took, beside the steps.
    pub seconds: f64,
    pub outcome: Result<Written>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub file: String,
    pub bytes: u64,
    /// Bytes that are left on the disk; `None` where nobody can tell.
    pub left: Option<u64>,
}
