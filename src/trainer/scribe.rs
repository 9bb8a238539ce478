//! Writes checkpoints on a thread of its own, so that a step waits for a copy in memory and not for the disk. One after another, in the
//! order in which they were handed over; of the kinds of which only the newest counts, one that still waits gives way to a newer one. It
//! never decides what a failed write means: whoever asks gets to know.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread::{self, JoinHandle},
    time::Instant,
};

use super::{Progress, SavedTensor, Settled, Written};
use crate::{
    error::{Error, Result},
    event::CheckpointKind,
    run::{self, RunDir, checkpoint},
};

/// Copies that may wait, each of the size of the network and its optimiser; then whoever brings another one waits too.
const WAITING: usize = 2;

pub(super) struct Scribe {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    desk: Mutex<Desk>,
    news: Condvar,
}

#[derive(Default)]
struct Desk {
    waiting: VecDeque<Job>,
    writing: bool,
    closing: bool,
    settled: Vec<Settled>,
}

struct Job {
    kind: CheckpointKind,
    tensors: Arc<Vec<SavedTensor>>,
    progress: Progress,
}

impl Scribe {
    /// `keep`: how many of the last ones stay besides the best.
    pub fn start(run: &RunDir, keep: usize) -> Result<Self> {
        let shared = Arc::new(Shared { desk: Mutex::default(), news: Condvar::new() });
        let mut pen = Pen { run: run.clone(), keep: keep.max(1), written: None };
        let work = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("frostline-save".into())
            .spawn(move || work.write_on(&mut pen))
            .map_err(|error| Error::environment(format!("cannot start the thread that saves: {error}"), None))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub fn hand_over(&self, kind: CheckpointKind, tensors: Arc<Vec<SavedTensor>>, progress: Progress) {
        let mut desk = self.shared.desk();
        if matches!(kind, CheckpointKind::Last | CheckpointKind::Best) {
            desk.waiting.retain(|job| job.kind != kind);
        }
        while desk.waiting.len() >= WAITING {
            desk = self.shared.news.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
        desk.waiting.push_back(Job { kind, tensors, progress });
        self.shared.news.notify_all();
    }

    /// What was written, or failed, since this was last asked. `wait`: for everything that was handed over.
    pub fn settled(&self, wait: bool) -> Vec<Settled> {
        let mut desk = self.shared.desk();
        while wait && (desk.writing || !desk.waiting.is_empty()) {
            desk = self.shared.news.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut desk.settled)
    }

    /// Until all that was handed over is on the disk, or has failed.
    pub fn wait(&self) {
        let mut desk = self.shared.desk();
        while desk.writing || !desk.waiting.is_empty() {
            desk = self.shared.news.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Scribe {
    /// What was handed over is still written.
    fn drop(&mut self) {
        self.shared.desk().closing = true;
        self.shared.news.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic in there was reported when it happened, and must not become another one here.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Every change of the desk is whole by itself.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_on(&self, pen: &mut Pen) {
        loop {
            let mut desk = self.desk();
            let job = loop {
                if let Some(job) = desk.waiting.pop_front() {
                    break job;
                }
                if desk.closing {
                    return;
                }
                desk = self.news.wait(desk).unwrap_or_else(PoisonError::into_inner);
            };
            desk.writing = true;
            drop(desk);
            let begun = Instant::now();
            let Job { kind, tensors, progress } = job;
            let outcome = pen.write(kind, &tensors, &progress).map_err(Error::from);
            // Before anybody is told: their memory is needed.
            drop(tensors);
            let mut desk = self.desk();
            desk.writing = false;
            desk.settled.push(Settled { kind, progress, seconds: begun.elapsed().as_secs_f64(), outcome });
            self.news.notify_all();
        }
    }
}

/// Where the files lie and which is the last.
struct Pen {
    run: RunDir,
    keep: usize,
    /// The last file written, and of which copy.
    written: Option<(PathBuf, Weak<Vec<SavedTensor>>)>,
}

impl Pen {
    fn write(
        &mut self,
        kind: CheckpointKind,
        tensors: &Arc<Vec<SavedTensor>>,
        progress: &Progress,
    ) -> run::Result<Written> {
        let path = self.run.checkpoint(kind);
        let bytes = if kind == CheckpointKind::Last {
            let numbered = self.run.numbered_checkpoint(progress.step);
            let bytes = match self.put(&numbered, tensors, progress) {
                // Of those that are only there for safety the newest has to do.
                Err(error) if error.is_full_disk() && self.clear(progress.step, 1) => {
                    self.put(&numbered, tensors, progress)?
                }
                other => other?,
            };
            self.put(&path, tensors, progress)?;
            self.clear(progress.step, self.keep);
            bytes
        } else {
            self.put(&path, tensors, progress)?
        };
        if let CheckpointKind::Undo(number) = kind {
            self.keep_best(number)?;
        }
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Written { file, bytes, left: run::room(&path) })
    }

    /// A large network is written once: the best epoch is also the last one, and the last one has two names.
    fn put(
        &mut self,
        path: &std::path::Path,
        tensors: &Arc<Vec<SavedTensor>>,
        progress: &Progress,
    ) -> run::Result<u64> {
        let this = Arc::downgrade(tensors);
        let same = self.written.as_ref().filter(|(other, copy)| other != path && copy.ptr_eq(&this));
        let linked = same.and_then(|(other, _)| checkpoint::link(other, path).ok());
        let bytes = match linked {
            Some(bytes) => bytes,
            None => checkpoint::write(path, tensors, progress)?,
        };
        self.written = Some((path.to_path_buf(), this));
        Ok(bytes)
    }

    /// A second name for what is the best now, under which it stays when something better comes.
    fn keep_best(&self, number: u32) -> run::Result<()> {
        let (best, kept) = (self.run.checkpoint(CheckpointKind::Best), self.run.best_before(number));
        if best.exists() {
            checkpoint::link(&best, &kept)?;
        } else {
            // Of another intervention of that number, which was undone.
            let _ = std::fs::remove_file(kept);
        }
        Ok(())
    }

    /// Those before the last few go, and so do those of a stretch that was given up by going back before it.
    /// Whether any went.
    fn clear(&self, step: u64, keep: usize) -> bool {
        let (mut kept, mut cleared) = (0, false);
        for (at, path) in self.run.numbered_checkpoints() {
            kept += usize::from(at <= step);
            if at > step || kept > keep {
                // It only costs room, and is tried again at the next one.
                cleared |= std::fs::remove_file(path).is_ok();
            }
        }
        cleared
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;
    use crate::{
        plan::Plan,
        run::checkpoint::{DType, TensorData},
        trainer::{Origin, read_checkpoint},
    };

    const CONFIG: &str = r#"
[data]
source = "critters"
[model]
input = [8, 8, 3]
layers = [{ type = "flatten" }, { type = "dense", units = 1, activation = "sigmoid" }]
"#;

    struct Desktop {
        _root: tempfile::TempDir,
        run: RunDir,
        progress: Progress,
    }

    impl Desktop {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let run = RunDir::create(root.path(), "s", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
            let plan = Plan::parse(CONFIG, "s", &[]).unwrap();
            Self { _root: root, run, progress: Progress::new(&plan, Origin::default()) }
        }

        fn at(&self, step: u64) -> Progress {
            Progress { step, ..self.progress.clone() }
        }

        fn files(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(self.run.checkpoints())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    fn tensors(number: u8, bytes: usize) -> Arc<Vec<SavedTensor>> {
        Arc::new(vec![("w".into(), TensorData { shape: vec![bytes], dtype: DType::U8, bytes: vec![number; bytes] })])
    }

    #[test]
    fn the_last_few_stay_besides_the_best_and_what_was_given_up_goes() {
        let desk = Desktop::new();
        let scribe = Scribe::start(&desk.run, 2).unwrap();
        for step in 1..=4 {
            let tensors = tensors(step as u8, 10);
            if step == 2 {
                scribe.hand_over(CheckpointKind::Best, Arc::clone(&tensors), desk.at(step));
            }
            scribe.hand_over(CheckpointKind::Last, tensors, desk.at(step));
            let settled = scribe.settled(true);
            assert!(settled.iter().all(|each| each.outcome.is_ok()));
        }
        let numbered = |step: u64| format!("step-{step:012}.safetensors");
        assert_eq!(desk.files(), ["best.safetensors".into(), "last.safetensors".into(), numbered(3), numbered(4)]);
        let (best, at) = read_checkpoint(&desk.run, CheckpointKind::Best).unwrap().unwrap();
        assert_eq!((best, at.step), (tensors(2, 10).to_vec(), 2));
        // The run was taken back to step 3 and went on from there.
        fs::write(desk.run.numbered_checkpoint(9), b"given up").unwrap();
        scribe.hand_over(CheckpointKind::Last, tensors(5, 10), desk.at(4));
        scribe.wait();
        assert_eq!(desk.files(), ["best.safetensors".into(), "last.safetensors".into(), numbered(3), numbered(4)]);
        assert_eq!(read_checkpoint(&desk.run, CheckpointKind::Last).unwrap().unwrap().0, tensors(5, 10).to_vec());
    }

    #[test]
    fn one_that_still_waits_gives_way_to_a_newer_one_and_closing_writes_what_is_left() {
        let desk = Desktop::new();
        let scribe = Scribe::start(&desk.run, 1).unwrap();
        for step in 0..50 {
            scribe.hand_over(CheckpointKind::Last, tensors(step as u8, 1 << 20), desk.at(step));
        }
        drop(scribe);
        let (last, at) = read_checkpoint(&desk.run, CheckpointKind::Last).unwrap().unwrap();
        assert_eq!(at.step, 49);
        assert_eq!(last[0].1.bytes[0], 49);
        assert_eq!(desk.files().len(), 2, "{:?}", desk.files());
    }

    #[test]
    fn a_write_that_fails_is_told_and_the_one_before_it_stays() {
        let desk = Desktop::new();
        let scribe = Scribe::start(&desk.run, 1).unwrap();
        scribe.hand_over(CheckpointKind::Last, tensors(1, 10), desk.at(1));
        assert!(scribe.settled(true)[0].outcome.is_ok());
        // Bytes that do not fit their shape stand in for a disk that refuses.
        let mut wrong = tensors(2, 10).to_vec();
        wrong[0].1.bytes.pop();
        scribe.hand_over(CheckpointKind::Last, Arc::new(wrong), desk.at(2));
        let settled = scribe.settled(true);
        assert_eq!((settled.len(), settled[0].progress.step), (1, 2));
        assert!(settled[0].outcome.is_err());
        assert_eq!(read_checkpoint(&desk.run, CheckpointKind::Last).unwrap().unwrap().1.step, 1);
    }
}
