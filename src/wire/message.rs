//! The messages, both ways. `Hello` and `Welcome` carry the protocol; everything else is sent only between equals.

use serde::{Deserialize, Serialize};

use super::{
    error::{Error, Result},
    frame::{self, Frame},
    packed,
};
use crate::{
    command::{Request, Watch},
    event::Stamped,
};

/// From a viewer to the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientMessage {
    /// The first message. `since` is the `seq` of the first event that the viewer lacks; a number that there is not yet
    /// asks for news alone.
    Hello {
        protocol: u32,
        client: String,
        since: u64,
        /// Wants what the journal comes to in place of its beginning, where it is kept by this very version, which reads it alike.
        #[serde(default)]
        digest: Option<String>,
        /// Is behind a slow line: wants less of it, and can unpack.
        #[serde(default)]
        light: bool,
    },
    Request(Request),
    /// What is on the viewer's screen now; `None` gives the lease back.
    Watch(Option<Watch>),
    /// Asks for a picture.
    Blob {
        name: String,
    },
}

/// Travel as pictures do; no picture has such names.
const DIGEST: &str = "digest";
const PACKED: &str = "digest.z";

/// From the run to a viewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerMessage {
    Welcome(Welcome),
    /// The last message: the run will not serve this viewer.
    Refused {
        reason: String,
    },
    Event(Stamped),
    /// In place of the events until now: what they come to, as a JSON [`RunState`](crate::state::RunState).
    #[serde(skip)]
    Digest(Vec<u8>),
    /// The same for those who can unpack: it arrives as [`Digest`](Self::Digest).
    #[serde(skip)]
    Packed(Vec<u8>),
    /// Once: the viewer has everything that there was; what follows happens now.
    UpToDate,
    /// The viewer was too slow: so many step aggregates and pictures were left out here.
    Behind {
        events: u64,
    },
    /// A line of the journal that cannot be read was passed over here.
    Unreadable {
        offset: u64,
        reason: String,
    },
    /// The picture is not, or no longer, there.
    NoBlob {
        name: String,
    },
    #[serde(skip)]
    Blob {
        name: String,
        bytes: Vec<u8>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    pub protocol: u32,
    /// The run directory's name.
    pub run: String,
    /// Events there are already: those with a smaller `seq` are history.
    pub head: u64,
    /// Whether an engine is at the other end; otherwise the journal is replayed and nobody answers requests.
    pub live: bool,
}

impl ClientMessage {
    pub fn put(&self, out: &mut Vec<u8>) -> Result<()> {
        frame::put_json(out, self)
    }

    pub fn from_frame(frame: &Frame) -> Result<Self> {
        match frame {
            Frame::Json(text) => serde_json::from_slice(text).map_err(|error| Error::garbage(error.to_string())),
            Frame::Blob { .. } => Err(Error::garbage("a picture from a viewer")),
        }
    }
}

impl ServerMessage {
    pub fn put(&self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Blob { name, bytes } => frame::put_blob(out, name, bytes),
            Self::Digest(bytes) => frame::put_blob(out, DIGEST, bytes),
            Self::Packed(bytes) => frame::put_blob(out, PACKED, &packed::pack(bytes)?),
            message => frame::put_json(out, message),
        }
    }

    pub fn from_frame(frame: Frame) -> Result<Self> {
        match frame {
            Frame::Json(text) => serde_json::from_slice(&text).map_err(|error| Error::garbage(error.to_string())),
            Frame::Blob { name, bytes } if name == DIGEST => Ok(Self::Digest(bytes)),
            Frame::Blob { name, bytes } if name == PACKED => Ok(Self::Digest(packed::unpack(&bytes)?)),
            Frame::Blob { name, bytes } => Ok(Self::Blob { name, bytes }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{command::Command, event::Event, wire::frame::Decoder};

    #[test]
    fn every_kind_of_message_comes_back_as_it_was_sent() {
        let event = Event::Stage { stage: crate::event::Stage::FirstBatch, detail: "d".into() };
        let request = Request { id: 1 << 50, by: "a@b".into(), command: Command::FrostLine { layer: None } };
        let mut out = Vec::new();
        let from_viewer = [
            ClientMessage::Hello {
                protocol: 1,
                client: "a".into(),
                since: u64::MAX,
                digest: Some("0.1.0".into()),
                light: true,
            },
            ClientMessage::Request(request),
            ClientMessage::Watch(None),
            ClientMessage::Watch(Some(Watch { sample: 3, layer: Some("conv2d".into()), ..Watch::default() })),
            ClientMessage::Blob { name: "n".into() },
        ];
        for message in &from_viewer {
            message.put(&mut out).unwrap();
        }
        let from_run = [
            ServerMessage::Welcome(Welcome { protocol: 1, run: "r".into(), head: 9, live: true }),
            ServerMessage::Refused { reason: "r".into() },
            ServerMessage::Event(Stamped { seq: 1, at_ms: 2, event }),
            ServerMessage::UpToDate,
            ServerMessage::Behind { events: 3 },
            ServerMessage::Unreadable { offset: 4, reason: "r".into() },
            ServerMessage::NoBlob { name: "n".into() },
            ServerMessage::Blob { name: "n".into(), bytes: vec![0, 255] },
        ];
        for message in &from_run {
            message.put(&mut out).unwrap();
        }
        ServerMessage::Packed(vec![7; 9000]).put(&mut out).unwrap();
        let mut decoder = Decoder::default();
        decoder.push(&out);
        let mut frame = || decoder.next_frame().unwrap().unwrap();
        for message in from_viewer {
            assert_eq!(ClientMessage::from_frame(&frame()).unwrap(), message);
        }
        for message in from_run {
            assert_eq!(ServerMessage::from_frame(frame()).unwrap(), message);
        }
        assert_eq!(ServerMessage::from_frame(frame()).unwrap(), ServerMessage::Digest(vec![7; 9000]));
    }
}
