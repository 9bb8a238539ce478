//! Reads a journal while it grows: complete lines only, by byte offset. A line that this version cannot read is reported
//! and passed over; only a journal of a newer protocol is refused. Never writes, never locks, never waits.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::error::{Error, Result};
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

/// A reader's place in a journal.
#[derive(Debug)]
pub struct Tail {
    file: File,
    path: PathBuf,
    /// What lies in the file from `start` on; `used` bytes of it are behind the reader.
    buffer: Vec<u8>,
    start: u64,
    used: usize,
}

impl Tail {
    /// From the first event on.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        Ok(Self { file, path: path.to_path_buf(), buffer: Vec::new(), start: 0, used: 0 })
    }

    /// Bytes of the journal that have been read as complete lines.
    pub fn offset(&self) -> u64 {
        self.start + self.used as u64
    }

    /// The next complete line, or `None` if there is none yet.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let offset = self.offset();
        let Some(line) = self.line()? else { return Ok(None) };
        match serde_json::from_slice::<Stamped>(line) {
            Ok(stamped) => {
                if let crate::event::Event::RunStarted(started) = &stamped.event
                    && started.protocol > PROTOCOL
                {
                    let (path, theirs) = (self.path.clone(), started.protocol);
                    return Err(Error::NewerProtocol { path, theirs, ours: PROTOCOL });
                }
                Ok(Some(Entry::Event(stamped)))
            }
            Err(error) => {
                let outline = serde_json::from_slice::<Outline>(line);
                if let Ok(outline) = outline {
                    outline.check(&self.path)?;
                }
                Ok(Some(Entry::Unreadable { offset, reason: error.to_string() }))
            }
        }
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

    fn line(&mut self) -> Result<Option<&[u8]>> {
        let mut searched = self.used;
        loop {
            if let Some(length) = self.buffer[searched..].iter().position(|&byte| byte == b'\n') {
                let line = self.used..searched + length;
                self.used = line.end + 1;
                return Ok(Some(&self.buffer[line]));
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
}
