//! Reads a journal while it grows: complete lines only, by byte offset. A line that this version cannot read is reported
//! and passed over; only a journal of a newer protocol is refused. Never writes, never locks, never waits. Journals grow
//! to a hundred megabytes, so who needs few of the lines can tell by their [`Mark`]s, without parsing the rest.

use std::{
    fs::File,
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    error::{Error, Result},
    journal::Head,
};
use crate::event::{PROTOCOL, Stamped};

const CHUNK: usize = 64 * 1024;

/// One complete line of a journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    Event(Stamped),
    /// Damaged, or written by a version that knows more events.
    Unreadable {
        /// Where the line starts in the file.
        offset: u64,
        reason: String,
    },
}

/// What every version can read of a line.
#[derive(Deserialize)]
pub(super) struct Outline {
    pub seq: u64,
    pub event: String,
    pub protocol: Option<u32>,
}

impl Outline {
    /// Refuses what could be misunderstood: only the first event of an engine's life carries a protocol.
    pub fn check(&self, path: &Path) -> Result<()> {
        match self.protocol {
            Some(theirs) if self.event == "run_started" && theirs > PROTOCOL => {
                Err(Error::NewerProtocol { path: path.to_path_buf(), theirs, ours: PROTOCOL })
            }
            _ => Ok(()),
        }
    }
}

/// How every line begins: `{"seq":3,"at_ms":5,"event":"steps"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    pub seq: u64,
    pub at_ms: u64,
    pub event: &'a str,
}

impl<'a> Mark<'a> {
    /// `None` for a line that is damaged, or that another program has written in its own way.
    fn of(line: &'a [u8]) -> Option<Self> {
        let (seq, line) = number(line.strip_prefix(br#"{"seq":"#)?)?;
        let (at_ms, line) = number(line.strip_prefix(br#","at_ms":"#)?)?;
        let line = line.strip_prefix(br#","event":""#)?;
        let event = std::str::from_utf8(&line[..memchr::memchr(b'"', line)?]).ok()?;
        Some(Self { seq, at_ms, event })
    }
}

fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().position(|byte| !byte.is_ascii_digit())?;
    let number = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    Some((number, &text[digits..]))
}

/// A complete line that has not been parsed.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    bytes: &'a [u8],
    offset: u64,
    path: &'a Path,
}

impl<'a> Line<'a> {
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn mark(&self) -> Option<Mark<'a>> {
        Mark::of(self.bytes)
    }

    pub fn entry(&self) -> Result<Entry> {
        match serde_json::from_slice::<Stamped>(self.bytes) {
            Ok(stamped) => {
                if let crate::event::Event::RunStarted(started) = &stamped.event
                    && started.protocol > PROTOCOL
                {
                    let (path, theirs) = (self.path.to_path_buf(), started.protocol);
                    return Err(Error::NewerProtocol { path, theirs, ours: PROTOCOL });
                }
                Ok(Entry::Event(stamped))
            }
            Err(error) => {
                if let Ok(outline) = serde_json::from_slice::<Outline>(self.bytes) {
                    outline.check(self.path)?;
                }
                Ok(Entry::Unreadable { offset: self.offset, reason: error.to_string() })
            }
        }
    }
}

/// Where a line begins: the events before `bytes` have numbers below `events`.
pub type Place = Head;

/// A reader's place in a journal.
#[derive(Debug)]
pub struct Tail {
    file: File,
    path: PathBuf,
    /// What lies in the file from `start` on; `used` bytes of it are behind the reader.
    buffer: Vec<u8>,
    start: u64,
    used: usize,
    /// Above the numbers of the events that are behind the reader.
    events: u64,
}

impl Tail {
    /// From the first event on.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_at(path, Place::default())
    }

    /// From a place on that a reader of the same journal has reported.
    pub fn open_at(path: &Path, place: Place) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let Place { events, bytes } = place;
        Ok(Self { file, path: path.to_path_buf(), buffer: Vec::new(), start: bytes, used: 0, events })
    }

    /// Bytes of the journal that have been read as complete lines.
    pub fn offset(&self) -> u64 {
        self.start + self.used as u64
    }

    pub fn place(&self) -> Place {
        Place { events: self.events, bytes: self.offset() }
    }

    /// The next complete line, or `None` if there is none yet.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>> {
        let offset = self.offset();
        let line = self.line()?;
        Ok(line.map(|line| Line { bytes: &self.buffer[line], offset, path: &self.path }))
    }

    /// [`next_line`](Self::next_line), parsed.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let entry = self.next_line()?.map(|line| line.entry()).transpose()?;
        if let Some(Entry::Event(stamped)) = &entry {
            self.events = self.events.max(stamped.seq.saturating_add(1));
        }
        Ok(entry)
    }

    /// Passes over lines that say that they are older than `since`, `most` bytes of them or a line more, without parsing
    /// them. Returns whether the next line may be such a one too.
    pub fn pass_before(&mut self, since: u64, most: u64) -> Result<bool> {
        let end = self.offset() + most;
        while self.offset() < end {
            let Some(line) = self.line()? else { return Ok(false) };
            let (from, mark) = (line.start, Mark::of(&self.buffer[line]));
            match mark {
                // The beginning of an engine's life is read all the same: its protocol may be a newer one.
                Some(mark) if mark.seq < since && mark.event != "run_started" => {
                    self.events = self.events.max(mark.seq + 1);
                }
                _ => {
                    self.used = from;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Every event that is complete now; unreadable lines are left out.
    pub fn events(mut self) -> impl Iterator<Item = Result<Stamped>> {
        std::iter::from_fn(move || {
            loop {
                match self.next_entry().transpose()? {
                    Ok(Entry::Event(event)) => return Some(Ok(event)),
                    Ok(Entry::Unreadable { .. }) => {}
                    Err(error) => return Some(Err(error)),
                }
            }
        })
        .fuse()
    }

    /// Where the next complete line lies in the buffer; the reader is behind it then.
    fn line(&mut self) -> Result<Option<Range<usize>>> {
        let mut searched = self.used;
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                let line = self.used..searched + length;
                self.used = line.end + 1;
                return Ok(Some(line));
            }
            self.buffer.drain(..self.used);
            self.start += self.used as u64;
            self.used = 0;
            searched = self.buffer.len();
            self.buffer.resize(searched + CHUNK, 0);
            let got = self.file.read_at(&mut self.buffer[searched..], self.start + searched as u64);
            self.buffer.truncate(searched + *got.as_ref().unwrap_or(&0));
            match got {
                Ok(0) => {
                    // A resuming engine cuts a torn last line off, so half a line is not kept but read again later.
                    self.buffer.clear();
                    return self.still_there().map(|()| None);
                }
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", &self.path)(error)),
            }
        }
    }

    fn still_there(&self) -> Result<()> {
        let length = self.file.metadata().map_err(Error::io("read", &self.path))?.len();
        if length < self.start { Err(Error::Shrunk { path: self.path.clone() }) } else { Ok(()) }
    }
}

/// How much of a journal is there, up to the last line that is an event. It is read from its end; damage before it stays, and
/// readers report it and pass over.
pub fn end(path: &Path) -> Result<Head> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    let mut look = CHUNK as u64;
    loop {
        let from = length.saturating_sub(look);
        let mut bytes = vec![0; (length - from) as usize];
        file.read_exact_at(&mut bytes, from).map_err(Error::io("read", path))?;
        let mut feeds = memchr::memrchr_iter(b'\n', &bytes).peekable();
        while let Some(end) = feeds.next() {
            let begin = match feeds.peek() {
                Some(before) => before + 1,
                None if from == 0 => 0,
                // Its beginning is not here.
                None => break,
            };
            if let Ok(outline) = serde_json::from_slice::<Outline>(&bytes[begin..end]) {
                outline.check(path)?;
                return Ok(Head { events: outline.seq.saturating_add(1), bytes: from + end as u64 + 1 });
            }
        }
        if from == 0 {
            return Ok(Head::default());
        }
        look *= 4;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{fs, io::Write as _};

    use super::*;
    use crate::event::{Event, Level};

    fn log(seq: u64, message: &str) -> Stamped {
        Stamped { seq, at_ms: 5, event: Event::Log { level: Level::Info, message: message.into() } }
    }

    fn lines(events: &[Stamped]) -> Vec<u8> {
        events.iter().flat_map(|event| serde_json::to_vec(event).unwrap().into_iter().chain([b'\n'])).collect()
    }

    fn drain(tail: &mut Tail) -> Vec<Entry> {
        std::iter::from_fn(|| tail.next_entry().unwrap()).collect()
    }

    #[test]
    fn a_journal_that_grows_byte_by_byte_is_read_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let events: Vec<_> = (0..20).map(|seq| log(seq, "größer")).collect();
        let mut file = File::create(&path).unwrap();
        let mut tail = Tail::open(&path).unwrap();
        let mut seen = Vec::new();
        for byte in lines(&events) {
            file.write_all(&[byte]).unwrap();
            seen.extend(drain(&mut tail));
        }
        assert_eq!(seen, events.into_iter().map(Entry::Event).collect::<Vec<_>>());
        assert_eq!(tail.offset(), fs::metadata(&path).unwrap().len());
    }

    #[test]
    fn a_line_longer_than_a_chunk_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let events = [log(0, &"x".repeat(3 * CHUNK)), log(1, "y")];
        fs::write(&path, lines(&events)).unwrap();
        let read: Vec<_> = Tail::open(&path).unwrap().events().map(Result::unwrap).collect();
        assert_eq!(read, events);
    }

    #[test]
    fn a_line_from_the_future_in_the_middle_is_reported_and_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut bytes = lines(&[log(0, "a")]);
        let offset = bytes.len() as u64;
        bytes.extend(br#"{"seq":1,"at_ms":5,"event":"teleported"}"#);
        bytes.push(b'\n');
        bytes.extend(lines(&[log(2, "b")]));
        fs::write(&path, bytes).unwrap();
        let entries = drain(&mut Tail::open(&path).unwrap());
        let [Entry::Event(first), Entry::Unreadable { offset: at, reason }, Entry::Event(last)] = &entries[..] else {
            panic!("{entries:?}")
        };
        assert_eq!((first, last, *at), (&log(0, "a"), &log(2, "b"), offset));
        assert!(reason.contains("teleported"), "{reason}");
    }

    #[test]
    fn a_newer_protocol_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        fs::write(&path, b"{\"seq\":0,\"at_ms\":5,\"event\":\"run_started\",\"protocol\":99,\"shape\":\"unknown\"}\n")
            .unwrap();
        let error = Tail::open(&path).unwrap().next_entry().unwrap_err();
        assert!(matches!(error, Error::NewerProtocol { theirs: 99, ours: PROTOCOL, .. }), "{error}");
        assert!(error.to_string().contains("journal.jsonl"), "{error}");
    }

    #[test]
    fn a_torn_line_that_is_cut_off_and_replaced_is_not_mixed_with_its_successor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let whole = lines(&[log(0, "a")]);
        fs::write(&path, [&whole[..], b"{\"seq\":1,\"at_"].concat()).unwrap();
        let mut tail = Tail::open(&path).unwrap();
        assert_eq!(drain(&mut tail), [Entry::Event(log(0, "a"))]);
        fs::write(&path, [whole, lines(&[log(1, "b")])].concat()).unwrap();
        assert_eq!(drain(&mut tail), [Entry::Event(log(1, "b"))]);
        fs::write(&path, b"").unwrap();
        assert!(matches!(tail.next_entry(), Err(Error::Shrunk { .. })));
    }

    #[test]
    fn older_lines_are_passed_over_unread_but_for_a_newer_protocol() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut bytes = lines(&[log(0, "a"), log(1, "b")]);
        bytes.extend(b"{\"seq\":2,\"at_ms\":5,\"event\":\"log\",torn\n");
        let place = Place { events: 3, bytes: bytes.len() as u64 };
        bytes.extend(lines(&[log(3, "d"), log(4, "e")]));
        fs::write(&path, &bytes).unwrap();
        let mut tail = Tail::open(&path).unwrap();
        assert!(tail.pass_before(3, 1).unwrap(), "it read on after its share");
        assert!(!tail.pass_before(3, 1 << 20).unwrap());
        assert_eq!(tail.place(), place);
        assert_eq!(drain(&mut tail), [Entry::Event(log(3, "d")), Entry::Event(log(4, "e"))]);
        assert_eq!(drain(&mut Tail::open_at(&path, place).unwrap()).len(), 2);
        bytes.extend(b"{\"seq\":5,\"at_ms\":5,\"event\":\"run_started\",\"protocol\":99}\n");
        fs::write(&path, &bytes).unwrap();
        let mut tail = Tail::open(&path).unwrap();
        assert!(!tail.pass_before(u64::MAX, 1 << 20).unwrap());
        assert!(matches!(tail.next_entry(), Err(Error::NewerProtocol { .. })));
    }

    #[test]
    fn a_mark_tells_what_a_line_tells() {
        let line = &lines(&[log(7, "a")])[..];
        assert_eq!(Mark::of(line), Some(Mark { seq: 7, at_ms: 5, event: "log" }));
        for length in 0..line.len() {
            // Cut anywhere, it is no mark or the same.
            assert!(Mark::of(&line[..length]).is_none_or(|mark| mark == Mark::of(line).unwrap()), "{length}");
        }
        assert_eq!(Mark::of(br#"{"seq":99999999999999999999,"at_ms":1,"event":"log"}"#), None);
    }

    #[test]
    fn the_end_is_the_last_line_that_is_an_event_wherever_the_journal_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let long = lines(&[log(0, "a"), log(1, &"x".repeat(2 * CHUNK)), log(2, "c")]);
        fs::write(&path, [&long[..], b"\0\0\n{\"seq\":3,"].concat()).unwrap();
        assert_eq!(end(&path).unwrap(), Head { events: 3, bytes: long.len() as u64 });
        fs::write(&path, &long[..long.len() - 1]).unwrap();
        assert_eq!(end(&path).unwrap().events, 2);
        let short = lines(&[log(0, "a"), log(1, "b")]);
        for length in 0..=short.len() {
            fs::write(&path, &short[..length]).unwrap();
            let first = lines(&[log(0, "a")]).len();
            let whole = if length == short.len() {
                (2, length)
            } else if length >= first {
                (1, first)
            } else {
                (0, 0)
            };
            assert_eq!(end(&path).unwrap(), Head { events: whole.0, bytes: whole.1 as u64 }, "torn at {length}");
        }
    }
}
