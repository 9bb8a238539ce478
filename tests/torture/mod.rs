//! What a run survives, tried out on real engines: kills, full and vanished disks, damaged files, garbage on the socket, viewers that
//! die, bytes that nobody wrote. `cargo xtask torture` runs all of it and writes the table of docs/reliability.md; the suite runs a
//! short form.
#![allow(dead_code, reason = "the suite uses a part of it")]

pub mod chance;
pub mod disk;
pub mod fuzz;
pub mod ground;
pub mod kills;
pub mod memory;
pub mod soak;
pub mod socket;
pub mod stall;
pub mod targets;

/// One line of the table: how often something was tried, and how often a promise was broken.
pub struct Row {
    pub what: String,
    pub tried: u64,
    pub unit: &'static str,
    pub lost: u64,
    pub note: String,
}

impl Row {
    pub fn new(what: &str, tried: u64, unit: &'static str, lost: u64, note: impl Into<String>) -> Self {
        Self { what: what.into(), tried, unit, lost, note: note.into() }
    }
}

/// As docs/reliability.md has it.
pub fn table(rows: &[Row]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("| What was done | Times | Broken promises | Seen |\n|---|---|---|---|\n");
    for Row { what, tried, unit, lost, note } in rows {
        let _ = writeln!(text, "| {what} | {tried} {unit} | {lost} | {note} |");
    }
    text
}
