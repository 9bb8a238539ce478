//! One event file: messages of [`proto`](super::proto) in the framing of `TFRecord`, whose lengths and contents carry a masked CRC-32C
//! each, so that a reader stops at a torn end.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use prost::Message as _;

use super::proto::{Event, START, SessionLog, Summary, Value, What};
use crate::run::error::{Error, Result};

/// A writer at the end of a new file.
pub struct EventFile {
    file: BufWriter<File>,
    path: PathBuf,
}

impl EventFile {
    /// Makes `events.out.tfevents.<name>` the only event file of `folder`. A TensorBoard that watches takes it for the run's next life, in
    /// which all is told again.
    pub fn replace(folder: &Path, name: &str, at_ms: u64) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
            let old = entry.map_err(Error::io("read", folder))?.path();
            if old.file_name().is_some_and(|name| name.to_string_lossy().contains("tfevents")) {
                fs::remove_file(&old).map_err(Error::io("remove", &old))?;
            }
        }
        let path = folder.join(format!("events.out.tfevents.{name}"));
        let file = File::create(&path).map_err(Error::io("create", &path))?;
        let mut file = Self { file: BufWriter::new(file), path };
        file.write(at_ms, 0, What::FileVersion("brain.Event:2".into()))?;
        file.write(at_ms, 0, What::SessionLog(SessionLog { status: START }))?;
        Ok(file)
    }

    pub fn summary(&mut self, at_ms: u64, step: u64, value: Vec<Value>) -> Result<()> {
        self.write(at_ms, step, What::Summary(Summary { value }))
    }

    fn write(&mut self, at_ms: u64, step: u64, what: What) -> Result<()> {
        let event = Event { wall_time: at_ms as f64 / 1e3, step: step as i64, what: Some(what) };
        self.file.write_all(&record(&event.encode_to_vec())).map_err(Error::io("write", &self.path))
    }

    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(Error::io("write", &self.path))
    }
}

/// Length, its checksum, the content, its checksum; all little-endian.
pub fn record(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(content.len() + 16);
    record.extend(length);
    record.extend(masked(&length).to_le_bytes());
    record.extend(content);
    record.extend(masked(content).to_le_bytes());
    record
}

/// Rotated and moved, since a checksum over data that holds checksums tells little (`tensorflow/core/lib/hash/crc32c.h`).
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}
