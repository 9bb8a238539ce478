//! What a journal comes to, made small for the way: zlib's format, in one piece, or in pieces that a viewer asks for one after another when
//! nothing else is on its line. Unpacking stops where no honest sender gets.

use std::io::{Read as _, Write as _};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

use super::error::{Error, Result};
use crate::run::{RunDir, digest};

/// Bytes of a piece: half a second of 64 kbit/s.
pub const PIECE: usize = 4 << 10;
/// Unpacked, far above any digest.
const LARGEST: u64 = 64 << 20;
/// Before a piece's number, where else the name of a picture stands.
const PIECES: &str = "digest/";

pub(super) fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes)?;
    Ok(packer.finish()?)
}

pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    ZlibDecoder::new(bytes)
        .take(LARGEST + 1)
        .read_to_end(&mut whole)
        .map_err(|error| Error::garbage(format!("a digest that cannot be unpacked: {error}")))?;
    if whole.len() as u64 > LARGEST {
        return Err(Error::garbage("a digest that is too large"));
    }
    Ok(whole)
}

/// What piece `number` is asked for by.
pub fn piece_name(number: usize) -> String {
    format!("{PIECES}{number}")
}

/// The number of a piece, by its name.
pub fn piece_number(name: &str) -> Option<usize> {
    name.strip_prefix(PIECES)?.parse().ok()
}

/// The whole digest of one viewer, while it takes the pieces.
#[derive(Default)]
pub(super) struct Pieces(Vec<u8>);

impl Pieces {
    /// The first is of the digest as it is then, those that follow of the same. A piece that is not full is the last one.
    pub fn get(&mut self, run: &RunDir, number: usize) -> Option<Vec<u8>> {
        if number == 0 {
            self.0 = pack(&digest::read(run, digest::Form::Whole)?.body).ok()?;
        }
        let first = number.checked_mul(PIECE).filter(|first| *first <= self.0.len() && !self.0.is_empty())?;
        let piece = self.0[first..].iter().copied().take(PIECE).collect::<Vec<_>>();
        if piece.len() < PIECE {
            self.0 = Vec::new();
        }
        Some(piece)
    }
}

/// Puts pieces together again.
#[derive(Debug, Default)]
pub struct Joined {
    packed: Vec<u8>,
    pieces: usize,
}

impl Joined {
    /// The name of the piece that is missing next.
    pub fn next(&self) -> String {
        piece_name(self.pieces)
    }

    /// Takes the next piece; the whole once it was the last. `Err` where it is not the one that is missing, or all of them are no digest.
    pub fn take(&mut self, name: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
        if piece_number(name) != Some(self.pieces) || bytes.len() > PIECE || self.packed.len() as u64 > LARGEST {
            return Err(Error::garbage("a piece of a digest that was not asked for"));
        }
        self.packed.extend(bytes);
        self.pieces += 1;
        if bytes.len() == PIECE { Ok(None) } else { unpack(&self.packed).map(Some) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::run::{JournalWriter, Place};

    fn noise(bytes: usize) -> Vec<u8> {
        let mixed = |at: u32| {
            (at.wrapping_mul(2_654_435_761) ^ at.wrapping_mul(2_654_435_761) >> 15).wrapping_mul(2_246_822_519)
        };
        (0..bytes as u32).map(|at| (mixed(at) >> 24) as u8).collect()
    }

    #[test]
    fn what_is_packed_comes_back_and_what_is_cut_is_refused() {
        let body = noise(3000);
        let packed = pack(&body).unwrap();
        assert_eq!(unpack(&packed).unwrap(), body);
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end]).is_err(), "cut at {end}");
        }
        assert!(unpack(b"no such thing").is_err());
    }

    #[test]
    fn a_digest_comes_in_pieces_and_as_it_was_when_they_began() {
        let root = tempfile::tempdir().unwrap();
        let run = RunDir::create(root.path(), "a", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
        let mut pieces = Pieces::default();
        assert_eq!(pieces.get(&run, 0), None, "there is none yet");
        let mut journal = JournalWriter::open(&run.journal(), || 5).unwrap();
        let log = |message: String| crate::event::Event::Log { level: crate::event::Level::Info, message };
        journal.append(log("one".into())).unwrap();
        let place: Place = *journal.head().borrow();
        let body = noise(30_000);
        digest::write(&run, digest::Form::Whole, place, &body).unwrap();
        let (mut joined, mut whole) = (Joined::default(), None);
        let mut count = 0;
        while whole.is_none() {
            let name = joined.next();
            let piece = pieces.get(&run, piece_number(&name).unwrap()).unwrap();
            whole = joined.take(&name, &piece).unwrap();
            count += 1;
            digest::write(&run, digest::Form::Whole, place, &[1]).unwrap();
        }
        assert!(count > 3, "{count}");
        assert_eq!(serde_json::from_slice::<Vec<u8>>(&whole.unwrap()).unwrap(), body);
        assert_eq!(pieces.get(&run, 1), None, "it was taken whole");
        assert!(Joined::default().take("digest/7", &[1]).is_err());
    }
}
