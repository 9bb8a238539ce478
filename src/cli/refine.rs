//! From a light state to the whole one, while nothing else is on the line: the digest in pieces, and what has happened since the light one.

use std::collections::VecDeque;

use super::asking::Asking;
use crate::{
    event::Stamped,
    state::RunState,
    wire::{Joined, Result, ServerMessage, client::Sender, piece_number},
};

/// Events that are kept until the whole is there; where it takes longer the coarse curves stay.
const MOST: usize = 20_000;

/// Of one connection.
#[derive(Default)]
pub(super) struct Refining(Option<Refine>);

#[derive(Default)]
struct Refine {
    joined: Joined,
    since: VecDeque<Stamped>,
}

/// What a message was.
#[allow(clippy::large_enum_variant, reason = "it lives for one turn of the loop")]
pub(super) enum Sifted {
    /// For others.
    Other(Result<Option<ServerMessage>>),
    /// A piece, of which nothing follows yet.
    Piece,
    /// The last piece: this belongs on the screen in place of what is there.
    Whole(Box<RunState>),
}

impl Refining {
    /// What the screen begins with has come.
    pub fn begin(&mut self, state: &RunState) {
        self.0 = state.light.then(Refine::default);
    }

    /// Hears every message, and keeps those to itself that are pieces.
    pub fn sift(&mut self, message: Result<Option<ServerMessage>>, asking: &mut Asking, sender: &Sender) -> Sifted {
        match message {
            Ok(Some(ServerMessage::Blob { name, bytes })) if piece_number(&name).is_some() => {
                asking.came(&name, sender);
                let Some(refine) = &mut self.0 else { return Sifted::Piece };
                match refine.joined.take(&name, &bytes) {
                    Ok(None) => asking.later(refine.joined.next(), sender),
                    Ok(Some(whole)) => {
                        let since = self.0.take().map(|refine| refine.since).unwrap_or_default();
                        if let Some(state) = brought_on(&whole, &since) {
                            return Sifted::Whole(state);
                        }
                    }
                    Err(_) => self.0 = None,
                }
                Sifted::Piece
            }
            Ok(Some(ServerMessage::NoBlob { name })) if piece_number(&name).is_some() => {
                asking.came(&name, sender);
                self.0 = None;
                Sifted::Piece
            }
            other => {
                match (&mut self.0, &other) {
                    (Some(refine), Ok(Some(ServerMessage::Event(stamped)))) => {
                        refine.since.push_back(stamped.clone());
                        if refine.since.len() > MOST {
                            self.0 = None;
                        }
                    }
                    // Not before the screen has what happened last.
                    (Some(refine), Ok(Some(ServerMessage::UpToDate))) => asking.later(refine.joined.next(), sender),
                    _ => {}
                }
                Sifted::Other(other)
            }
        }
    }
}

/// The whole state, with what has happened since the light one. It may be newer than that, never older: what it knows already changes
/// nothing.
fn brought_on(whole: &[u8], since: &VecDeque<Stamped>) -> Option<Box<RunState>> {
    let mut state: RunState = serde_json::from_slice(whole).ok()?;
    for stamped in since {
        state.apply(stamped);
    }
    Some(Box::new(state))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::event::{Event, Level};

    #[test]
    fn what_happened_meanwhile_is_in_the_whole_once() {
        let said = |seq| {
            let event = Event::Log { level: Level::Info, message: format!("line {seq}") };
            Stamped { seq, at_ms: seq, event }
        };
        let mut whole = RunState::default();
        (0..6).for_each(|seq| whole.apply(&said(seq)));
        // The light one was of the first four.
        let since = (4..9).map(said).collect();
        let state = brought_on(&serde_json::to_vec(&whole).unwrap(), &since).unwrap();
        let told: Vec<u64> = state.log.iter().map(|line| line.seq).collect();
        assert_eq!(told, (0..9).collect::<Vec<_>>());
        assert!(brought_on(b"{", &VecDeque::new()).is_none());
    }
}
