//! What a journal amounts to, kept beside it, so that who comes late need not read it from its first line: a million steps are hundreds of
//! megabytes. It knows nothing of what it keeps. One that does not belong to the journal, or that another version wrote, is passed over.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use super::{
    dir::RunDir,
    error::{Error, Result},
    tail::Place,
    whole,
};

/// Whose digests are read.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The first line of the file; the second is what the events come to.
#[derive(Serialize, Deserialize)]
struct Heading {
    version: String,
    /// Of the journal, as far as it is in here.
    events: u64,
    bytes: u64,
}

/// What was kept, and where the journal goes on.
#[derive(Debug, PartialEq, Eq)]
pub struct Digest {
    pub place: Place,
    /// JSON.
    pub body: Vec<u8>,
}

/// How much of it is kept in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Whole,
    /// What is soon told over a slow line.
    Light,
}

impl Form {
    fn path(self, run: &RunDir) -> PathBuf {
        match self {
            Self::Whole => run.digest(),
            Self::Light => run.light_digest(),
        }
    }
}

/// Keeps what the journal comes to up to `place`.
pub fn write(run: &RunDir, form: Form, place: Place, body: &impl Serialize) -> Result<()> {
    let path = form.path(run);
    let heading = Heading { version: VERSION.into(), events: place.events, bytes: place.bytes };
    let mut bytes = Vec::new();
    let written = serde_json::to_writer(&mut bytes, &heading).and_then(|()| {
        bytes.push(b'\n');
        serde_json::to_writer(&mut bytes, body)
    });
    written.map_err(std::io::Error::from).map_err(Error::io("write", &path))?;
    // It can be made anew from the journal: nobody waits for the disk.
    whole::replace(&path, &bytes, false).map_err(Error::io("write", &path))
}

/// `None` where nothing is kept that fits the journal.
pub fn read(run: &RunDir, form: Form) -> Option<Digest> {
    let mut body = fs::read(form.path(run)).ok()?;
    let end = memchr::memchr(b'\n', &body)?;
    let heading: Heading = serde_json::from_slice(&body[..end]).ok()?;
    let place = Place { events: heading.events, bytes: heading.bytes };
    if heading.version != VERSION || !ends_a_line(run, place) {
        return None;
    }
    body.drain(..=end);
    Some(Digest { place, body })
}

/// Whether the journal reaches so far, and a line ends there.
fn ends_a_line(run: &RunDir, place: Place) -> bool {
    let last = || {
        let mut byte = [0];
        File::open(run.journal()).ok()?.read_exact_at(&mut byte, place.bytes.checked_sub(1)?).ok()?;
        Some(byte[0])
    };
    last() == Some(b'\n')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_does_not_fit_its_journal_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let run = RunDir::create(root.path(), "a", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
        assert_eq!(read(&run, Form::Whole), None, "there is none yet");
        fs::write(run.journal(), "one\ntwo\n").unwrap();
        let place = Place { events: 1, bytes: 4 };
        write(&run, Form::Whole, place, &[1, 2]).unwrap();
        assert_eq!(read(&run, Form::Whole), Some(Digest { place, body: b"[1,2]".to_vec() }));
        assert_eq!(read(&run, Form::Light), None);
        fs::write(run.journal(), "longer\n").unwrap();
        assert_eq!(read(&run, Form::Whole), None, "no line ends there");
        fs::write(run.journal(), "on").unwrap();
        assert_eq!(read(&run, Form::Whole), None, "the journal is shorter");
        let text = fs::read_to_string(run.digest()).unwrap();
        for end in 0..text.len() - 5 {
            fs::write(run.digest(), &text[..end]).unwrap();
            read(&run, Form::Whole);
        }
    }
}
