//! What travels between an engine and its viewers: frames on a stream, over the run's Unix socket or the stdio of `ssh`.
//! A viewer says `Hello`, gets every event since the one it names, then the live ones; pictures come when asked for.
//! The trainer is never waited for and never waits: commands go into its inbox, events come out of the journal.

pub mod client;
mod connection;
mod cursor;
mod error;
pub mod frame;
mod lease;
mod message;
mod packed;
mod server;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use error::{Error, Result};
pub use lease::Leases;
pub use message::{ClientMessage, ServerMessage, Welcome};
pub use packed::{Joined, piece_number};
pub use server::{Server, ServerHandle, replay};
