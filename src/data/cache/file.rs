//! Decoded pictures of one source in one file: a head that says whose they are, a checksum for each picture, the pictures. Writes go
//! through system calls, so that a full disk is an error and not a signal; reads go through a read-only mapping. A picture counts
//! only if its checksum fits: what a crash tore, another program wrote or a disk lost is decoded again, never trusted.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use blake3::{Hash, Hasher};
use memmap2::Mmap;

use super::folder;

const MAGIC: &[u8; 16] = b"frostline pixels";
/// Of the head, and what the pictures' place is a multiple of.
const PAGE: usize = 4096;
/// Of a picture's checksum. All zeros: no picture yet.
const SUM: usize = 16;

/// Open for reading and writing; any number of processes may have the same one.
pub(super) struct CacheFile {
    path: PathBuf,
    file: File,
    map: Mmap,
    identity: Hash,
    /// Pictures that there is room for, from the first on.
    room: usize,
    picture_bytes: usize,
}

impl CacheFile {
    /// The file of a source of so many pictures, made if there is none that fits. At most `budget` bytes of pictures.
    pub(super) fn open(
        place: &Path,
        identity: Hash,
        pictures: usize,
        picture_bytes: usize,
        budget: usize,
    ) -> io::Result<Self> {
        let room = pictures.min(budget / picture_bytes.max(1));
        let path = folder::file(place, identity);
        let mut layout = Layout { identity, room, picture_bytes };
        // With another budget the room is another; a larger file is as good.
        let file = if let Some((file, room)) = layout.open(&path)? {
            layout.room = room;
            file
        } else {
            folder::make_room(place, &path, layout.length(), budget)?;
            layout.create(place, &path)?
        };
        folder::touch(&file);
        let map = map(&file)?;
        if (map.len() as u64) < layout.length() {
            return Err(io::Error::other("the file was cut off while it was opened"));
        }
        Ok(Self { path, file, map, identity, room: layout.room, picture_bytes })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// True if the picture is there and whole. Reads all of it.
    pub(super) fn holds(&self, number: usize) -> bool {
        let mut sum = [0; SUM];
        number < self.room
            && self.file.read_exact_at(&mut sum, sum_at(number)).is_ok()
            && sum != [0; SUM]
            && sum == self.checksum(number, self.picture(number))
    }

    /// The bytes at a picture's place, whatever they are: ask [`Self::holds`] once before.
    pub(super) fn picture(&self, number: usize) -> &[u8] {
        let first = pictures_at(self.room) + number * self.picture_bytes;
        &self.map[first..first + self.picture_bytes]
    }

    /// Stores a picture; false where there is no room for it.
    pub(super) fn keep(&self, number: usize, picture: &[u8]) -> io::Result<bool> {
        if number >= self.room || picture.len() != self.picture_bytes {
            return Ok(false);
        }
        let first = pictures_at(self.room) + number * self.picture_bytes;
        self.file.write_all_at(picture, first as u64)?;
        self.file.write_all_at(&self.checksum(number, picture), sum_at(number))?;
        Ok(true)
    }

    fn checksum(&self, number: usize, picture: &[u8]) -> [u8; SUM] {
        let mut hasher = Hasher::new();
        hasher.update(self.identity.as_bytes()).update(&number.to_le_bytes()).update(picture);
        let mut sum = [0; SUM];
        sum.copy_from_slice(&hasher.finalize().as_bytes()[..SUM]);
        sum
    }
}

fn sum_at(number: usize) -> u64 {
    (PAGE + number * SUM) as u64
}

fn pictures_at(room: usize) -> usize {
    PAGE + (room * SUM).next_multiple_of(PAGE)
}

struct Layout {
    identity: Hash,
    room: usize,
    picture_bytes: usize,
}

impl Layout {
    fn length(&self) -> u64 {
        (pictures_at(self.room) + self.room * self.picture_bytes) as u64
    }

    /// Magic, identity, room, size of a picture; and their hash.
    fn head(&self) -> [u8; 96] {
        let mut head = [0; 96];
        head[..16].copy_from_slice(MAGIC);
        head[16..48].copy_from_slice(self.identity.as_bytes());
        head[48..56].copy_from_slice(&(self.room as u64).to_le_bytes());
        head[56..64].copy_from_slice(&(self.picture_bytes as u64).to_le_bytes());
        let hash = blake3::hash(&head[..64]);
        head[64..].copy_from_slice(hash.as_bytes());
        head
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
        let mut head = [0; 96];
        file.read_exact_at(&mut head, 0).ok()?;
        let room = usize::try_from(u64::from_le_bytes(head[48..56].try_into().ok()?)).ok()?;
        let found = Self { room, ..*self };
        let is_whole = head == found.head() && room >= self.room && file.metadata().ok()?.len() == found.length();
        is_whole.then_some(room)
    }

    /// Under a name of its own first, so that nobody ever sees half a head. The first of several processes wins.
    fn create(&self, place: &Path, path: &Path) -> io::Result<File> {
        let own = place.join(format!(".{}-{}", self.identity.to_hex(), std::process::id()));
        let result = self.create_as(&own, path);
        let _ = std::fs::remove_file(&own);
        match result {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let (file, _) = self.open(path)?.ok_or(error)?;
                Ok(file)
            }
            result => result,
        }
    }

    fn create_as(&self, own: &Path, path: &Path) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(own)?;
        file.set_len(self.length())?;
        file.write_all_at(&self.head(), 0)?;
        std::fs::hard_link(own, path)?;
        Ok(file)
    }
}

fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is read-only, and pictures are looked at only after their checksum fitted. Processes that share the file
    // write the same bytes to the same place, since a picture is a function of its identity and number, and never shorten it: a file
    // that does not fit is unlinked instead, which leaves this mapping as it is. A stranger who shortens the user's own cache file
    // ends the process with SIGBUS; that is the price of not copying.
    unsafe { Mmap::map(file) }
}
