//! Threads that each take whole shards of a batch. Within a shard libtorch uses one thread, so nothing waits at a barrier after
//! every operation, and a thread whose core another program uses leaves its shards to the others.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::error::Result;
use super::shim;
use super::trunk::{self, Cost};

pub struct Shards {
    threads: usize,
}

impl Shards {
    pub fn new(threads: usize) -> Self {
        Self { threads: if shim::has_crew() { threads.max(1) } else { 1 } }
    }

    /// The pictures of each shard, a function of the batch's size, the network and the number of threads alone.
    pub fn of(&self, pictures: usize, cost: Cost) -> Vec<Range<usize>> {
        let mut first = 0;
        let shards = trunk::shards(pictures, cost, self.threads).into_iter();
        let range = |count| {
            first += count;
            first - count..first
        };
        shards.map(range).collect()
    }

    /// Works on every item, on whichever thread is free; the results stand in the items' order. The first error in that order
    /// comes back, and a panic goes on here. A single item gets all threads, operation by operation.
    pub fn map<T: Send, U: Send>(&self, items: Vec<T>, work: impl Fn(T) -> Result<U> + Sync) -> Result<Vec<U>> {
        if self.threads == 1 || items.len() == 1 {
            return items.into_iter().map(work).collect();
        }
        let next = AtomicUsize::new(0);
        let items: Vec<Mutex<Option<T>>> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
        let results: Vec<Mutex<_>> = items.iter().map(|_| Mutex::new(None)).collect();
        shim::crew(self.threads, &|| {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else { break };
                let item = item.lock().unwrap_or_else(PoisonError::into_inner).take();
                let item = item.expect("the counter gives each item to one thread");
                let result = catch_unwind(AssertUnwindSafe(|| work(item)));
                *results[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            }
        })?;
        let done = results.into_iter().map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner));
        done.map(|result| result.expect("the crew takes every item").unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    }
}
