//! Appends events to `journal.jsonl`: one JSON object a line, `seq` without a gap across the lives of all engines of a run.
//! A torn last line is cut off on opening, never fatal. Reads no clock of its own and knows no viewer; whoever wants to
//! follow subscribes to the [`Head`].

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use tokio::sync::watch;

use super::{
    error::{Error, Result},
    tail,
};
use crate::event::{Event, Stamped};

/// How much of the journal is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Events, which is also the `seq` of the next one.
    pub events: u64,
    pub bytes: u64,
}

/// The only writer of a run's journal; hold the run's lock while it lives.
pub struct JournalWriter {
    file: File,
    path: PathBuf,
    clock: Box<dyn FnMut() -> u64 + Send>,
    head: watch::Sender<Head>,
    cut: u64,
}

impl JournalWriter {
    /// Opens or makes the journal and goes on after its last whole line. `clock` gives milliseconds since the Unix epoch.
    pub fn open(path: &Path, clock: impl FnMut() -> u64 + Send + 'static) -> Result<Self> {
        let file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(Error::io("open", path))?;
        let head = tail::end(path)?;
        let length = file.metadata().map_err(Error::io("open", path))?.len();
        if length > head.bytes {
            file.set_len(head.bytes).map_err(Error::io("cut a torn line off", path))?;
        }
        let head = watch::Sender::new(head);
        let cut = length - head.borrow().bytes;
        Ok(Self { file, path: path.to_path_buf(), clock: Box::new(clock), head, cut })
    }

    /// Bytes of a torn end that opening cut off.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    pub fn head(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// When this returns, the line is with the kernel and readers have been woken; what a person acts on is on the disk.
    pub fn append(&mut self, event: Event) -> Result<Stamped> {
        let head = *self.head.borrow();
        let stamped = Stamped { seq: head.events, at_ms: (self.clock)(), event };
        let mut line =
            serde_json::to_vec(&stamped).map_err(|source| Error::Unwritable { path: self.path.clone(), source })?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // Half a line may stand there (a full disk); the next event must not be glued to it.
            let _ = self.file.set_len(head.bytes);
            return Err(Error::io("write", &self.path)(error));
        }
        // Before the sync: the line stands there even where the disk refuses to confirm it.
        self.head.send_replace(Head { events: head.events + 1, bytes: head.bytes + line.len() as u64 });
        if is_milestone(&stamped.event) {
            self.file.sync_data().map_err(Error::io("write", &self.path))?;
        }
        Ok(stamped)
    }
}

/// What must survive a power cut: the rest is rebuilt by training on from the last checkpoint.
fn is_milestone(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted(_)
            | Event::EpochEnded(_)
            | Event::Checkpoint(_)
            | Event::Answered(_)
            | Event::Tested(_)
            | Event::RunEnded(_)
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;
    use crate::{
        event::{Level, PROTOCOL, State},
        run::Tail,
    };

    fn ticking() -> impl FnMut() -> u64 + Send {
        let mut now = 1_000;
        move || {
            now += 7;
            now
        }
    }

    fn log(message: &str) -> Event {
        Event::Log { level: Level::Info, message: message.into() }
    }

    fn read(path: &Path) -> Vec<Stamped> {
        Tail::open(path).unwrap().events().map(Result::unwrap).collect()
    }

    #[test]
    fn numbers_and_times_run_on_across_engines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut first = JournalWriter::open(&path, ticking()).unwrap();
        let head = first.head();
        let mut said = vec![first.append(log("a")).unwrap(), first.append(log("b\nc")).unwrap()];
        assert_eq!(*head.borrow(), Head { events: 2, bytes: fs::metadata(&path).unwrap().len() });
        drop(first);
        let mut second = JournalWriter::open(&path, || 9_999).unwrap();
        assert_eq!(second.cut(), 0);
        said.push(second.append(Event::StateChanged { state: State::Running, step: 0 }).unwrap());
        assert_eq!(read(&path), said);
        assert_eq!(
            said.iter().map(|event| (event.seq, event.at_ms)).collect::<Vec<_>>(),
            [(0, 1007), (1, 1014), (2, 9_999)]
        );
    }

    #[test]
    fn a_journal_torn_at_any_byte_opens_and_goes_on_without_a_gap() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut writer = JournalWriter::open(&path, ticking()).unwrap();
        let said: Vec<_> = ["a", "größer", "c"].map(|text| writer.append(log(text)).unwrap()).into();
        drop(writer);
        let whole = fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let complete = whole[..length].split(|&byte| byte == b'\n').count() - 1;
            let mut writer = JournalWriter::open(&path, || 1).unwrap();
            let next = writer.append(log("next")).unwrap();
            assert_eq!(next.seq, complete as u64, "torn at {length}");
            assert_eq!(read(&path), [&said[..complete], &[next]].concat(), "torn at {length}");
        }
    }

    #[test]
    fn garbage_after_the_last_event_is_cut_off_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut writer = JournalWriter::open(&path, ticking()).unwrap();
        writer.append(log("a")).unwrap();
        drop(writer);
        let whole = fs::read(&path).unwrap();
        // What a file system may leave after a power cut: blocks of zeros, and a line feed among them.
        let garbage = [[0_u8; 40].as_slice(), b"\n\0\0"].concat();
        fs::write(&path, [whole, garbage.clone()].concat()).unwrap();
        let mut writer = JournalWriter::open(&path, ticking()).unwrap();
        assert_eq!(writer.cut(), garbage.len() as u64);
        writer.append(log("b")).unwrap();
        assert_eq!(read(&path).iter().map(|event| event.seq).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_journal_of_a_newer_protocol_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let line = format!("{{\"seq\":0,\"event\":\"run_started\",\"protocol\":{}}}\n", PROTOCOL + 1);
        fs::write(&path, &line).unwrap();
        assert!(matches!(JournalWriter::open(&path, || 0), Err(Error::NewerProtocol { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), line);
    }
}
