//! What reaches the trainer from outside: requests, taken between steps, and what viewers have on their screens.

use std::{
    cell::RefCell,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use crate::command::{Request, Watch};

/// The trainer's end of the line to its viewers. It never waits for them, except while the run is paused.
pub struct Inbox {
    requests: Receiver<Request>,
    /// One that was seen and not taken yet.
    next: RefCell<Option<Request>>,
    watched: Box<dyn Fn() -> Vec<Watch> + Send>,
}

impl Inbox {
    /// `watched` tells what is on screens at this moment, without repetitions.
    pub fn new(requests: Receiver<Request>, watched: impl Fn() -> Vec<Watch> + Send + 'static) -> Self {
        Self { requests, next: RefCell::new(None), watched: Box::new(watched) }
    }

    pub(super) fn take(&self) -> Option<Request> {
        self.next.take().or_else(|| self.requests.try_recv().ok())
    }

    /// Whether somebody waits for something else to end.
    pub(super) fn has_request(&self) -> bool {
        let mut next = self.next.borrow_mut();
        if next.is_none() {
            *next = self.requests.try_recv().ok();
        }
        next.is_some()
    }

    pub(super) fn wait(&self, at_most: Duration) -> Option<Request> {
        if let Some(request) = self.next.take() {
            return Some(request);
        }
        match self.requests.recv_timeout(at_most) {
            Ok(request) => Some(request),
            Err(RecvTimeoutError::Timeout) => None,
            // Nobody can ask for anything any more; don't spin.
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(at_most);
                None
            }
        }
    }

    pub(super) fn watched(&self) -> Vec<Watch> {
        (self.watched)()
    }
}
