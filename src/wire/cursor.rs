//! One viewer's place in the journal. Reading for one never changes what another gets. A viewer that has been up to date
//! and then falls behind loses step aggregates and pictures, and is told how many; it never loses anything else.

use super::{
    error::{Error, Result},
    message::ServerMessage,
};
use crate::{
    event::Event,
    run::{Entry, Head, Tail},
};

/// Bytes of journal from which a viewer counts as slow: about a minute of steps.
const BEHIND: u64 = 256 << 10;
/// Bytes of frames that are gathered before they are sent.
pub(super) const BATCH: usize = 64 << 10;

pub(super) struct Cursor {
    tail: Tail,
    since: u64,
    /// Whether the viewer has once had everything. Until then it reads history, however long that takes.
    live: bool,
    skipped: u64,
}

impl Cursor {
    pub fn new(tail: Tail, since: u64) -> Self {
        Self { tail, since, live: false, skipped: 0 }
    }

    /// Appends frames until a batch is full; returns whether the journal may hold more.
    pub fn fill(&mut self, head: Head, out: &mut Vec<u8>) -> Result<bool> {
        while out.len() < BATCH {
            let slow = self.live && head.bytes.saturating_sub(self.tail.offset()) > BEHIND;
            let Some(entry) = self.tail.next_entry()? else {
                self.tell_skipped(out)?;
                if !std::mem::replace(&mut self.live, true) {
                    ServerMessage::UpToDate.put(out)?;
                }
                return Ok(false);
            };
            let message = match entry {
                Entry::Event(stamped) if stamped.seq < self.since => continue,
                Entry::Event(stamped) if slow && can_be_left_out(&stamped.event) => {
                    self.skipped += 1;
                    continue;
                }
                Entry::Event(stamped) => ServerMessage::Event(stamped),
                Entry::Unreadable { offset, reason } => ServerMessage::Unreadable { offset, reason },
            };
            self.tell_skipped(out)?;
            match message.put(out) {
                // One event that is too long to send must not end the viewer's connection.
                Err(error @ Error::Garbage { .. }) => {
                    let offset = self.tail.offset();
                    ServerMessage::Unreadable { offset, reason: error.to_string() }.put(out)?;
                }
                sent => sent?,
            }
        }
        Ok(true)
    }

    fn tell_skipped(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match std::mem::take(&mut self.skipped) {
            0 => Ok(()),
            events => ServerMessage::Behind { events }.put(out),
        }
    }
}

fn can_be_left_out(event: &Event) -> bool {
    matches!(event, Event::Steps(_) | Event::Explained(_) | Event::Evaluating { .. })
}
