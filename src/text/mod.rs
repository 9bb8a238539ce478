//! Text as a person reads it, in a log or on a screen: how figures are written, and the gate for words from outside.
//! Pure; it uses no other room.

pub mod figures;
pub mod guard;
pub mod ticks;
