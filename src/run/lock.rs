//! One engine a run. The kernel holds the lock for as long as the process lives, so a killed engine leaves none behind;
//! the process number inside the file is only for messages.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    thread,
    time::Duration,
};

use super::{
    dir::RunDir,
    error::{Error, Result},
};

/// Held by the engine from before its first write to the run until it ends.
#[derive(Debug)]
pub struct EngineLock {
    _file: File,
}

impl EngineLock {
    pub fn acquire(run: &RunDir) -> Result<Self> {
        /// [`holder`] takes the lock for some microseconds to see whether it is free; that must not turn an engine away.
        const TRIES: u32 = 20;
        let path = run.lock_file();
        let mut file = open(run)?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < TRIES => thread::sleep(Duration::from_millis(10)),
                Err(TryLockError::WouldBlock) => return Err(Error::Locked { run: run.name(), pid: pid_in(&mut file) }),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(Error::io("write", &path))?;
        Ok(Self { _file: file })
    }

    /// Whether an engine holds the run, and its process number where it is known.
    pub fn holder(run: &RunDir) -> Result<Option<Holder>> {
        if !run.lock_file().exists() {
            return Ok(None);
        }
        // For reading, so that another's run can be looked at too.
        let mut file = File::open(run.lock_file()).map_err(Error::io("open", run.lock_file()))?;
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(Holder { pid: pid_in(&mut file) })),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", run.lock_file())(error)),
        }
    }
}

/// The engine that holds a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    pub pid: Option<u32>,
}

fn open(run: &RunDir) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(run.lock_file())
        .map_err(Error::io("open", run.lock_file()))
}

fn pid_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_second_engine_is_refused_until_the_first_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let run = RunDir::create(root.path(), "a", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
        assert_eq!(EngineLock::holder(&run).unwrap(), None);
        let lock = EngineLock::acquire(&run).unwrap();
        let own = Some(std::process::id());
        assert_eq!(EngineLock::holder(&run).unwrap(), Some(Holder { pid: own }));
        assert!(matches!(EngineLock::acquire(&run), Err(Error::Locked { pid, .. }) if pid == own));
        drop(lock);
        assert_eq!(EngineLock::holder(&run).unwrap(), None);
        EngineLock::acquire(&run).unwrap();
    }
}
