//! One viewer's place in the journal. Reading for one never changes what another gets. A viewer that has been up to date
//! and then falls behind loses step aggregates and pictures, and is told how many; it never loses anything else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    error::{Error, Result},
    message::ServerMessage,
};
use crate::{
    event::{Event, Stamped},
    run::{Entry, Head, Place, RunDir, Tail},
};

/// Bytes of journal from which a viewer counts as slow: about a minute of steps.
const BEHIND: u64 = 256 << 10;
/// Milliseconds between two tellings of steps over a slow line.
const SPARED: u64 = 500;
/// Of each list of images that the network is wrong about.
const SPARED_CASES: usize = 8;
/// Bytes of frames that are gathered before they are sent.
pub(super) const BATCH: usize = 64 << 10;
/// Bytes of journal that are read for one viewer before others have their turn, and between two remembered places.
const STRIDE: u64 = 1 << 20;

/// Places in a run's journal, so that a viewer that comes back need not read what it knows. Any reader adds to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Arc<Mutex<Vec<Place>>>);

impl Places {
    /// The last place before which there is only what is older than `since`.
    fn before(&self, since: u64) -> Place {
        let places = self.lock();
        let after = places.partition_point(|place| place.events <= since);
        after.checked_sub(1).map(|last| places[last]).unwrap_or_default()
    }

    fn note(&self, place: Place) {
        let mut places = self.lock();
        if place.bytes >= places.last().map_or(0, |last| last.bytes) + STRIDE {
            places.push(place);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Place>> {
        // A push is the only change, so a panic elsewhere leaves the list whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Cursor {
    tail: Tail,
    places: Places,
    since: u64,
    /// Whether there may still be older events than `since` ahead.
    passing: bool,
    /// Whether the viewer has once had everything. Until then it reads history, however long that takes.
    live: bool,
    skipped: u64,
    /// Of a viewer behind a slow line: when the newest steps were that it got, in milliseconds.
    spared: Option<u64>,
}

impl Cursor {
    /// At the event `since`, or at the journal's end if there is no such event yet.
    pub fn open(run: &RunDir, since: u64, head: Head, places: Places) -> Result<Self> {
        let place = if since >= head.events { head } else { places.before(since) };
        let tail = Tail::open_at(&run.journal(), place)?;
        Ok(Self { tail, places, since: since.min(head.events), passing: true, live: false, skipped: 0, spared: None })
    }

    /// At a place in the journal.
    pub fn begin(run: &RunDir, place: Place, places: Places) -> Result<Self> {
        let tail = Tail::open_at(&run.journal(), place)?;
        Ok(Self { tail, places, since: place.events, passing: true, live: false, skipped: 0, spared: None })
    }

    /// The viewer is behind a slow line: it gets steps less often, and the beginnings of long lists. What it does without, its screen would
    /// show in a column or two.
    #[must_use]
    pub fn sparing(self) -> Self {
        Self { spared: Some(0), ..self }
    }

    /// What a viewer behind a slow line gets of an event that is new.
    fn spare(&mut self, mut stamped: Stamped) -> Option<Stamped> {
        let Some(newest) = self.spared.as_mut().filter(|_| self.live) else { return Some(stamped) };
        match &mut stamped.event {
            Event::Steps(_) if stamped.at_ms < newest.saturating_add(SPARED) => return None,
            Event::Steps(_) => *newest = stamped.at_ms,
            Event::Mistakes(mistakes) => mistakes.shorten(SPARED_CASES),
            _ => {}
        }
        Some(stamped)
    }

    /// Appends frames until a batch is full or others should have their turn; returns whether the journal may hold more.
    pub fn fill(&mut self, head: Head, out: &mut Vec<u8>) -> Result<bool> {
        let pause = self.tail.offset() + STRIDE;
        while out.len() < BATCH && self.tail.offset() < pause {
            self.places.note(self.tail.place());
            if self.passing && self.tail.pass_before(self.since, STRIDE)? {
                continue;
            }
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
                Entry::Event(stamped) => {
                    self.passing = false;
                    let Some(stamped) = self.spare(stamped) else { continue };
                    ServerMessage::Event(stamped)
                }
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
    // What is kept of an epoch is the epoch's.
    matches!(
        event,
        Event::Steps(_) | Event::Evaluating { .. } | Event::Painted(_) | Event::Probed(_) | Event::Machine(_)
    ) || matches!(event, Event::Explained(explained) if !explained.kept)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{event::Level, run::JournalWriter};

    fn long_run(root: &std::path::Path, events: u64) -> (RunDir, Head) {
        let run = RunDir::create(root, "a", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
        let mut journal = JournalWriter::open(&run.journal(), || 5).unwrap();
        for _ in 0..events {
            journal.append(Event::Log { level: Level::Info, message: "x".repeat(10_000) }).unwrap();
        }
        let head = *journal.head().borrow();
        (run, head)
    }

    #[test]
    fn history_is_read_in_turns_and_a_viewer_that_comes_back_does_not_read_it_again() {
        let root = tempfile::tempdir().unwrap();
        let (run, head) = long_run(root.path(), 500);
        let places = Places::default();
        let mut cursor = Cursor::open(&run, 450, head, places.clone()).unwrap();
        let (mut out, mut turns) = (Vec::new(), 0);
        while cursor.fill(head, &mut out).unwrap() {
            let before = cursor.tail.offset();
            assert!(turns > 0 || before <= STRIDE + 11_000, "it read {before} bytes at a stretch");
            turns += 1;
            out.clear();
        }
        assert!(turns >= 4, "others had only {turns} turns");
        let again = Cursor::open(&run, 450, head, places).unwrap();
        assert!(again.tail.offset() > head.bytes / 2, "it begins at byte {}", again.tail.offset());
        assert!(again.tail.place().events <= 450);
    }

    #[test]
    fn who_wants_only_news_reads_nothing_old() {
        let root = tempfile::tempdir().unwrap();
        let (run, head) = long_run(root.path(), 5);
        let mut cursor = Cursor::open(&run, u64::MAX, head, Places::default()).unwrap();
        assert_eq!(cursor.tail.offset(), head.bytes);
        let mut journal = JournalWriter::open(&run.journal(), || 5).unwrap();
        journal.append(Event::Log { level: Level::Info, message: "news".into() }).unwrap();
        let mut out = Vec::new();
        cursor.fill(*journal.head().borrow(), &mut out).unwrap();
        assert!(String::from_utf8_lossy(&out).contains("news"));
    }

    #[test]
    fn behind_a_slow_line_steps_come_twice_a_second() {
        use crate::event::{Gathered, Steps};
        let root = tempfile::tempdir().unwrap();
        let (run, head) = long_run(root.path(), 1);
        let mut now = 1_000;
        let clock = move || {
            now += 100;
            now
        };
        let mut journal = JournalWriter::open(&run.journal(), clock).unwrap();
        let gathered = Gathered::default();
        let mut cursors = [false, true].map(|sparing| {
            let cursor = Cursor::open(&run, 1, head, Places::default()).unwrap();
            let mut cursor = if sparing { cursor.sparing() } else { cursor };
            cursor.fill(head, &mut Vec::new()).unwrap();
            cursor
        });
        for step in 1..=20 {
            let steps = Steps {
                epoch: 1,
                step,
                step_in_epoch: step as u32,
                count: 1,
                loss: gathered,
                accuracy: gathered,
                learning_rate: 1.0,
                images_per_second: 1.0,
                data_wait: 0.0,
            };
            journal.append(Event::Steps(steps)).unwrap();
        }
        let told = cursors.each_mut().map(|cursor| {
            let mut out = Vec::new();
            cursor.fill(*journal.head().borrow(), &mut out).unwrap();
            String::from_utf8_lossy(&out).matches("\"event\":\"steps\"").count()
        });
        assert_eq!(told, [20, 4]);
    }
}
