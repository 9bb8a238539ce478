//! Records of one length in one file: a head that says whose they are, a checksum for each record, the records. Writes go
//! through system calls, so that a full disk is an error and not a signal; reads go through a read-only mapping. A record counts
//! only if its checksum fits: what a crash tore, another program wrote or a disk lost is made again, never trusted.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use blake3::{Hash, Hasher};
use memmap2::Mmap;
use tempfile::{NamedTempFile, PersistError};

use super::folder::{self, CacheFolder};

/// Of the head, and what the records' place is a multiple of.
const PAGE: usize = 4096;
/// Of what the head says to programs. Behind it stands what it says to people: its length in two bytes, and text.
const HEAD: usize = 96;
/// Of a record's checksum. All zeros: no record yet.
const SUM: usize = 16;

/// What is to be kept.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Wanted<'a> {
    /// Two files with the same one hold the same bytes at the same number.
    pub(in crate::data) identity: Hash,
    pub(in crate::data) records: usize,
    pub(in crate::data) record_bytes: usize,
    /// For a person who looks through the folder.
    pub(in crate::data) about: &'a str,
}

/// How much may be kept, in bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Limits {
    /// In this file; records beyond it find no room.
    pub(in crate::data) file: u64,
    /// In all files of the folder: those that were not used for longest make way.
    pub(in crate::data) folder: u64,
}

/// Open for reading and writing; any number of processes may have the same one.
pub(in crate::data) struct CacheFile {
    path: PathBuf,
    file: File,
    map: Mmap,
    identity: Hash,
    /// Records that there is room for, from the first on.
    room: usize,
    record_bytes: usize,
}

impl CacheFile {
    /// The file that holds what is wanted, made if there is none that fits.
    pub(in crate::data) fn open(place: &CacheFolder, wanted: Wanted<'_>, limits: Limits) -> io::Result<Self> {
        let Wanted { identity, records, record_bytes, about } = wanted;
        let room = records.min(usize::try_from(limits.file).unwrap_or(usize::MAX) / record_bytes.max(1));
        let path = place.file(identity);
        let mut layout = Layout { magic: place.kind.magic(), identity, room, record_bytes };
        // With other limits the room is another; a larger file is as good.
        let file = if let Some((file, room)) = layout.open(&path)? {
            layout.room = room;
            file
        } else {
            place.make_room(&path, layout.length(), limits.folder)?;
            layout.create(place, &path, about)?
        };
        // For as long as this is open; [`CacheFolder::make_room`] leaves it then. Never waits: nobody holds it alone for longer than it
        // takes to unlink it.
        file.lock_shared()?;
        folder::touch(&file);
        let map = map(&file)?;
        if (map.len() as u64) < layout.length() {
            return Err(io::Error::other("the file was cut off while it was opened"));
        }
        Ok(Self { path, file, map, identity, room: layout.room, record_bytes })
    }

    pub(in crate::data) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::data) fn room(&self) -> usize {
        self.room
    }

    /// True if the record is there and whole. Reads all of it.
    pub(in crate::data) fn holds(&self, number: usize) -> bool {
        let mut sum = [0; SUM];
        number < self.room
            && self.file.read_exact_at(&mut sum, sum_at(number)).is_ok()
            && sum != [0; SUM]
            && sum == self.checksum(number, self.record(number))
    }

    /// The bytes at a record's place, whatever they are: ask [`Self::holds`] once before.
    pub(in crate::data) fn record(&self, number: usize) -> &[u8] {
        let first = records_at(self.room) + number * self.record_bytes;
        &self.map[first..first + self.record_bytes]
    }

    /// Stores a record; false where there is no room for it.
    pub(in crate::data) fn keep(&self, number: usize, record: &[u8]) -> io::Result<bool> {
        if number >= self.room || record.len() != self.record_bytes {
            return Ok(false);
        }
        let first = records_at(self.room) + number * self.record_bytes;
        self.file.write_all_at(record, first as u64)?;
        self.file.write_all_at(&self.checksum(number, record), sum_at(number))?;
        Ok(true)
    }

    fn checksum(&self, number: usize, record: &[u8]) -> [u8; SUM] {
        let mut hasher = Hasher::new();
        hasher.update(self.identity.as_bytes()).update(&number.to_le_bytes()).update(record);
        let mut sum = [0; SUM];
        sum.copy_from_slice(&hasher.finalize().as_bytes()[..SUM]);
        sum
    }
}

/// What the head of a cache file says, and how many checksums stand behind it; none of the records is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) room: u64,
    pub(super) filled: u64,
    pub(super) record_bytes: u64,
    pub(super) about: String,
}

/// Nothing for a file that is none of ours, or damaged.
pub(super) fn describe(path: &Path, magic: [u8; 16]) -> Option<Described> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut page = [0; PAGE];
    file.read_exact_at(&mut page, 0).ok()?;
    let head = Layout::read(&page[..HEAD].try_into().ok()?)?;
    if head.magic != magic || length != head.checked_length()? {
        return None;
    }
    let text_bytes = usize::from(u16::from_le_bytes([page[HEAD], page[HEAD + 1]])).min(PAGE - HEAD - 2);
    let about = String::from_utf8_lossy(&page[HEAD + 2..][..text_bytes]).into_owned();
    let mut filled = 0;
    let mut sums = vec![0; SUM * 4096];
    let mut at = 0;
    while at < head.room {
        let sums = &mut sums[..SUM * (head.room - at).min(4096)];
        file.read_exact_at(sums, sum_at(at)).ok()?;
        filled += sums.chunks_exact(SUM).filter(|sum| sum.iter().any(|&byte| byte != 0)).count() as u64;
        at += 4096;
    }
    Some(Described { room: head.room as u64, filled, record_bytes: head.record_bytes as u64, about })
}

fn sum_at(number: usize) -> u64 {
    (PAGE + number * SUM) as u64
}

fn records_at(room: usize) -> usize {
    PAGE + (room * SUM).next_multiple_of(PAGE)
}

#[derive(Clone, Copy)]
struct Layout {
    magic: [u8; 16],
    identity: Hash,
    room: usize,
    record_bytes: usize,
}

impl Layout {
    fn length(&self) -> u64 {
        (records_at(self.room) + self.room * self.record_bytes) as u64
    }

    /// For figures that came from a file.
    fn checked_length(&self) -> Option<u64> {
        let sums = self.room.checked_mul(SUM)?.checked_next_multiple_of(PAGE)?;
        let length = self.room.checked_mul(self.record_bytes)?.checked_add(sums)?.checked_add(PAGE)?;
        Some(length as u64)
    }

    /// Magic, identity, room, size of a record; and their hash.
    fn head(&self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[..16].copy_from_slice(&self.magic);
        head[16..48].copy_from_slice(self.identity.as_bytes());
        head[48..56].copy_from_slice(&(self.room as u64).to_le_bytes());
        head[56..64].copy_from_slice(&(self.record_bytes as u64).to_le_bytes());
        let hash = blake3::hash(&head[..64]);
        head[64..].copy_from_slice(hash.as_bytes());
        head
    }

    /// Nothing where the hash does not fit.
    fn read(head: &[u8; HEAD]) -> Option<Self> {
        let number = |at: usize| usize::try_from(u64::from_le_bytes(head[at..at + 8].try_into().ok()?)).ok();
        let identity: [u8; 32] = head[16..48].try_into().ok()?;
        let magic = head[..16].try_into().ok()?;
        let found = Self { magic, identity: identity.into(), room: number(48)?, record_bytes: number(56)? };
        (found.head() == *head).then_some(found)
    }

    /// The file that is there and its room. One that does not fit, is damaged or smaller than wanted is removed.
    fn open(&self, path: &Path) -> io::Result<Option<(File, usize)>> {
        let file = match OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(room) = self.room_of(&file) {
            return Ok(Some((file, room)));
        }
        std::fs::remove_file(path)?;
        Ok(None)
    }

    fn room_of(&self, file: &File) -> Option<usize> {
        let mut head = [0; HEAD];
        file.read_exact_at(&mut head, 0).ok()?;
        let found = Self::read(&head)?;
        let is_same =
            (found.magic, found.identity, found.record_bytes) == (self.magic, self.identity, self.record_bytes);
        let is_whole = found.room >= self.room && file.metadata().ok()?.len() == found.checked_length()?;
        (is_same && is_whole).then_some(found.room)
    }

    /// Under a name of its own first, so that nobody ever sees half a head. The first of several threads and processes wins.
    fn create(&self, place: &CacheFolder, path: &Path, about: &str) -> io::Result<File> {
        let own = NamedTempFile::with_prefix_in(".", &place.path)?;
        self.write_head(own.as_file(), about)?;
        match own.persist_noclobber(path) {
            Ok(file) => Ok(file),
            Err(PersistError { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => {
                let (file, _) = self.open(path)?.ok_or(error)?;
                Ok(file)
            }
            Err(PersistError { error, .. }) => Err(error),
        }
    }

    fn write_head(&self, file: &File, about: &str) -> io::Result<()> {
        file.set_len(self.length())?;
        file.write_all_at(&self.head(), 0)?;
        let mut end = about.len().min(PAGE - HEAD - 2);
        while !about.is_char_boundary(end) {
            end -= 1;
        }
        let about = &about.as_bytes()[..end];
        file.write_all_at(&(about.len() as u16).to_le_bytes(), HEAD as u64)?;
        file.write_all_at(about, HEAD as u64 + 2)
    }
}

fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is read-only, and records are looked at only after their checksum fitted. Processes that share the file
    // write the same bytes to the same place, since a record is a function of the file's identity and its number, and never shorten
    // it: a file that does not fit is unlinked instead, which leaves this mapping as it is. A stranger who shortens the user's own
    // cache file ends the process with SIGBUS; that is the price of not copying.
    unsafe { Mmap::map(file) }
}
