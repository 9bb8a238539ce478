//! A thread that writes records behind the one that computes them. A few batches wait at most; a disk that is slower than the
//! computing holds it up then. After the first error nothing more is written.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::Shared;

/// Batches that may wait.
const WAITING: usize = 4;

pub(super) struct Writer {
    shared: Arc<Shared>,
    /// Nothing where no thread could be had: the caller writes itself then.
    jobs: Option<SyncSender<Job>>,
    pending: Arc<Pending>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    numbers: Vec<usize>,
    records: Vec<u8>,
}

/// Jobs that were given and are not done.
#[derive(Default)]
struct Pending {
    count: Mutex<usize>,
    none: Condvar,
}

impl Writer {
    pub(super) fn start(shared: &Arc<Shared>) -> Self {
        let (jobs, arrivals) = sync_channel(WAITING);
        let pending = Arc::new(Pending::default());
        let (its, its_pending) = (Arc::clone(shared), Arc::clone(&pending));
        let thread = thread::Builder::new().name("features".into()).spawn(move || work(&its, &arrivals, &its_pending));
        let thread = thread.ok();
        Self { shared: Arc::clone(shared), jobs: thread.as_ref().map(|_| jobs), pending, thread }
    }

    pub(super) fn write(&self, numbers: Vec<usize>, records: Vec<u8>) {
        let job = Job { numbers, records };
        self.pending.add();
        let left = match &self.jobs {
            Some(jobs) => jobs.send(job).err().map(|error| error.0),
            None => Some(job),
        };
        // Where there is no thread, or it is gone.
        if let Some(job) = left {
            job.write(&self.shared);
            self.pending.done();
        }
    }

    pub(super) fn settle(&self) {
        let count = self.pending.count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.pending.none.wait_while(count, |count| *count > 0).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has told itself, and left no half record that counts.
            let _ = thread.join();
        }
    }
}

fn work(shared: &Shared, jobs: &Receiver<Job>, pending: &Pending) {
    for job in jobs {
        job.write(shared);
        pending.done();
    }
}

impl Job {
    fn write(&self, shared: &Shared) {
        let Shared { file, whole, trouble } = shared;
        let length = self.records.len() / self.numbers.len().max(1);
        for (&number, record) in self.numbers.iter().zip(self.records.chunks_exact(length.max(1))) {
            if trouble.get().is_some() {
                return;
            }
            match file.keep(number, record) {
                Ok(true) => whole[number].store(true, Ordering::Release),
                Ok(false) => {}
                Err(error) => {
                    let _ = trouble.set(format!("{}: {error}", file.path().display()));
                }
            }
        }
    }
}

impl Pending {
    fn add(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    fn done(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count -= 1;
        if *count == 0 {
            self.none.notify_all();
        }
    }
}
