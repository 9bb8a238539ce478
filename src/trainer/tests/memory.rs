//! A record in memory instead of a run directory.

use super::*;

pub(super) type Saved = Arc<Mutex<Vec<(CheckpointKind, Vec<SavedTensor>, Progress)>>>;

#[derive(Default)]
pub(super) struct Memory {
    pub(super) events: Vec<Event>,
    pub(super) saved: Saved,
    pub(super) settled: Vec<Settled>,
    /// Bytes left on the disk.
    pub(super) left: Option<u64>,
    /// The disk is full for so many checkpoints.
    pub(super) full_for: usize,
    /// What is on screens all the time.
    pub(super) watched: Vec<Watch>,
    /// Blobs that are to stay.
    pub(super) lasting: usize,
    pub(super) hears: Option<Hears>,
}

/// Who is told of each event.
pub(super) type Hears = Box<dyn FnMut(&Event)>;

impl Record for Memory {
    fn say(&mut self, event: Event) -> Result<()> {
        if let Some(hears) = &mut self.hears {
            hears(&event);
        }
        self.events.push(event);
        Ok(())
    }

    fn picture(&mut self, picture: &RgbImage, lasting: bool) -> Result<String> {
        self.lasting += usize::from(lasting);
        Ok(format!("{}x{}", picture.width(), picture.height()))
    }

    fn checkpoint(&mut self, kind: CheckpointKind, tensors: Arc<Vec<SavedTensor>>, progress: &Progress) -> Result<()> {
        let settled = |outcome| Settled { kind, progress: progress.clone(), seconds: 0.0, outcome };
        if self.full_for > 0 {
            self.full_for -= 1;
            let full = Error::environment("no space left on device", None);
            self.settled.push(settled(Err(full)));
            return Ok(());
        }
        self.settled.push(settled(Ok(Written { file: "memory".into(), bytes: 8, left: self.left })));
        // Through the text that a file holds.
        let progress = serde_json::from_str(&serde_json::to_string(progress).unwrap()).unwrap();
        self.saved.lock().unwrap().push((kind, tensors.to_vec(), progress));
        Ok(())
    }

    fn settled(&mut self, _wait: bool) -> Vec<Settled> {
        std::mem::take(&mut self.settled)
    }

    fn go_back(&mut self, undo: u32) -> Result<()> {
        let mut kept = self.saved.lock().unwrap();
        let at = kept.iter().rposition(|(kind, ..)| *kind == CheckpointKind::Undo(undo)).unwrap();
        let best = kept[..at].iter().rfind(|(kind, ..)| *kind == CheckpointKind::Best).cloned();
        kept.retain(|(kind, ..)| *kind != CheckpointKind::Best);
        kept.extend(best);
        Ok(())
    }

    fn forget(&mut self, undo: u32) {
        self.saved.lock().unwrap().retain(|(kind, ..)| *kind != CheckpointKind::Undo(undo));
    }

    fn read_checkpoint(&mut self, kind: CheckpointKind) -> Result<Option<(Vec<SavedTensor>, Progress)>> {
        let saved = self.saved.lock().unwrap();
        let newest = saved.iter().rev().find(|(written, ..)| *written == kind);
        Ok(newest.map(|(_, tensors, progress)| (tensors.clone(), progress.clone())))
    }
}
