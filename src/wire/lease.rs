//! What viewers look at now, and therefore what is worth computing. A lease is held by a connection and goes with it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::command::Watch;

/// Shared by the server, which writes, and the trainer, which looks between two steps.
#[derive(Clone, Debug, Default)]
pub struct Leases(Arc<Mutex<BTreeMap<u64, Watch>>>);

impl Leases {
    /// The distinct watches, in the order in which their viewers came.
    pub fn snapshot(&self) -> Vec<Watch> {
        let mut watches = Vec::new();
        for watch in self.held().values() {
            if !watches.contains(watch) {
                watches.push(watch.clone());
            }
        }
        watches
    }

    pub(super) fn of(&self, client: u64) -> Lease {
        Lease { leases: self.clone(), client }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<u64, Watch>> {
        // Every change is a single insertion or removal, so a panic elsewhere leaves the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One viewer's right to have something computed.
#[derive(Debug)]
pub(super) struct Lease {
    leases: Leases,
    client: u64,
}

impl Lease {
    pub fn set(&self, watch: Option<Watch>) {
        match watch {
            Some(watch) => self.leases.held().insert(self.client, watch),
            None => self.leases.held().remove(&self.client),
        };
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_goes_with_its_viewer_and_the_same_wish_counts_once() {
        let leases = Leases::default();
        let watch = |sample| Watch { sample, ..Watch::default() };
        let (first, second) = (leases.of(1), leases.of(2));
        first.set(Some(watch(1)));
        second.set(Some(watch(1)));
        assert_eq!(leases.snapshot(), [watch(1)]);
        second.set(Some(watch(2)));
        assert_eq!(leases.snapshot(), [watch(1), watch(2)]);
        drop(first);
        assert_eq!(leases.snapshot(), [watch(2)]);
        second.set(None);
        assert_eq!(leases.snapshot(), []);
    }
}
