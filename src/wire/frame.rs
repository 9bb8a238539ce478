//! Frames on a byte stream: `u32` length (little-endian, of what follows), `u8` kind, payload. Kind 0 is a JSON message,
//! kind 1 a blob: `u8` length of its name, the name, the bytes. Decoding holds no more than has arrived, and refuses
//! lengths that no frame of ours has.

use serde::Serialize;

use super::error::{Error, Result};

/// The longest frame, in bytes after the length: far above any event or picture.
pub const LONGEST: usize = 16 << 20;

const JSON: u8 = 0;
const BLOB: u8 = 1;
const LENGTH: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    Json(Vec<u8>),
    Blob { name: String, bytes: Vec<u8> },
}

/// Appends a JSON frame to `out`.
pub fn put_json(out: &mut Vec<u8>, message: &impl Serialize) -> Result<()> {
    let start = begin(out, JSON);
    serde_json::to_writer(&mut *out, message).map_err(Error::Unwritable)?;
    end(out, start)
}

/// Appends a blob frame to `out`.
pub fn put_blob(out: &mut Vec<u8>, name: &str, bytes: &[u8]) -> Result<()> {
    let length = u8::try_from(name.len()).map_err(|_| Error::garbage("the name of a blob is too long"))?;
    let start = begin(out, BLOB);
    out.push(length);
    out.extend(name.as_bytes());
    out.extend(bytes);
    end(out, start)
}

fn begin(out: &mut Vec<u8>, kind: u8) -> usize {
    let start = out.len();
    out.extend([0; LENGTH]);
    out.push(kind);
    start
}

/// Fills in the length; a frame that is too long is taken back, so that the stream stays readable.
fn end(out: &mut Vec<u8>, start: usize) -> Result<()> {
    let length = out.len() - start - LENGTH;
    if length > LONGEST {
        out.truncate(start);
        return Err(Error::garbage(format!("a frame of {length} bytes is too long")));
    }
    out[start..start + LENGTH].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(())
}

/// Turns bytes, split anywhere, into frames.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    used: usize,
    longest: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { buffer: Vec::new(), used: 0, longest: LONGEST }
    }
}

impl Decoder {
    /// From here on a longer frame is refused.
    pub fn limit(&mut self, longest: usize) {
        self.longest = longest;
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.used);
        self.used = 0;
        self.buffer.extend(bytes);
    }

    /// The next whole frame, or `None` until more bytes have come. After an error the stream is lost.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        let waiting = &self.buffer[self.used..];
        let Some((length, rest)) = waiting.split_first_chunk::<LENGTH>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length == 0 || length > self.longest {
            return Err(Error::garbage(format!("a frame of {length} bytes")));
        }
        // The kind is looked at as soon as it is there: a peer that talks something else is told at once.
        if let Some(&kind) = rest.first()
            && !matches!(kind, JSON | BLOB)
        {
            return Err(Error::garbage(format!("a frame of the unknown kind {kind}")));
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        self.used += LENGTH + length;
        let (kind, payload) = (body[0], &body[1..]);
        if kind == JSON {
            return Ok(Some(Frame::Json(payload.to_vec())));
        }
        let short = || Error::garbage("a blob shorter than its name");
        let (&name_length, rest) = payload.split_first().ok_or_else(short)?;
        let (name, bytes) = rest.split_at_checked(name_length.into()).ok_or_else(short)?;
        let name = std::str::from_utf8(name).map_err(|_| Error::garbage("a blob whose name is not UTF-8"))?;
        Ok(Some(Frame::Blob { name: name.to_owned(), bytes: bytes.to_vec() }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn encoded(frames: &[Frame]) -> Vec<u8> {
        let mut out = Vec::new();
        for frame in frames {
            match frame {
                Frame::Json(text) => {
                    put_json(&mut out, &serde_json::from_slice::<serde_json::Value>(text).unwrap()).unwrap();
                }
                Frame::Blob { name, bytes } => put_blob(&mut out, name, bytes).unwrap(),
            }
        }
        out
    }

    fn decode(pieces: &[&[u8]]) -> Result<Vec<Frame>> {
        let mut decoder = Decoder::default();
        let mut frames = Vec::new();
        for piece in pieces {
            decoder.push(piece);
            while let Some(frame) = decoder.next_frame()? {
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    fn any_frame() -> impl Strategy<Value = Frame> {
        prop_oneof![
            ".{0,40}".prop_map(|text| Frame::Json(serde_json::to_vec(&text).unwrap())),
            (".{0,20}", proptest::collection::vec(any::<u8>(), 0..200))
                .prop_map(|(name, bytes)| Frame::Blob { name, bytes }),
        ]
    }

    proptest! {
        #[test]
        fn frames_do_not_depend_on_where_the_stream_is_split(
            frames in proptest::collection::vec(any_frame(), 0..8),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..20),
        ) {
            let bytes = encoded(&frames);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(decode(&pieces).unwrap(), frames);
        }

        #[test]
        fn any_bytes_are_frames_or_an_error_but_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&[&bytes]);
        }
    }

    #[test]
    fn garbage_is_refused_before_its_length_has_arrived() {
        for (garbage, reason) in [
            (&b"Welcome to host"[..], "a frame of"),
            (&[0xff; 4], "4294967295 bytes"),
            (&[0; 4], "0 bytes"),
            (&[5, 0, 0, 0, 7], "unknown kind 7"),
            (&[2, 0, 0, 0, 1, 9], "shorter than its name"),
            (&[1, 0, 0, 0, 1], "shorter than its name"),
            (&[3, 0, 0, 0, 1, 1, 0xff], "not UTF-8"),
        ] {
            let error = decode(&[garbage]).unwrap_err().to_string();
            assert!(error.contains(reason), "{garbage:?}: {error}");
        }
    }

    #[test]
    fn a_limit_holds_before_the_frame_has_come() {
        let mut decoder = Decoder::default();
        decoder.limit(100);
        decoder.push(&[101, 0, 0, 0]);
        assert!(decoder.next_frame().unwrap_err().to_string().contains("a frame of 101 bytes"));
    }

    #[test]
    fn a_frame_that_is_too_long_is_not_sent() {
        let mut out = vec![1];
        assert!(put_blob(&mut out, "a", &vec![0; LONGEST]).is_err());
        assert_eq!(out, [1]);
    }
}
