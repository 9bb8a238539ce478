//! A small mutating fuzzer over a corpus, on stable Rust: what a reader must never do with any bytes is panic. It follows no coverage;
//! its corpora are whole files of each format, and it changes few bytes at a time, so that it gets past the first checks.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{
    Row,
    chance::Chance,
    targets::{Target, all},
};

/// Numbers at which lengths and offsets go wrong.
const EDGES: [u32; 12] =
    [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff];

/// So long, or so often, for each target, whichever is over first.
pub fn run(time: Duration, most: u64, seed: u64) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let (mut executions, mut names) = (0, Vec::new());
    for mut target in all()? {
        let done = one(&mut target, time, most, seed)?;
        executions += done;
        names.push(format!("{} {done}", target.name));
    }
    rows.push(Row::new(
        "bytes that nobody wrote, to every reader",
        executions,
        "executions",
        0,
        format!("no panic and no abort: {}", names.join(", ")),
    ));
    Ok(rows)
}

fn one(target: &mut Target, time: Duration, most: u64, seed: u64) -> Result<u64> {
    let mut chance = Chance::new(seed);
    let begun = Instant::now();
    let mut done = 0;
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut failed = None;
    while done < most && begun.elapsed() < time {
        let bytes = mutated(&target.corpus, &mut chance);
        if catch_unwind(AssertUnwindSafe(|| (target.read)(&bytes))).is_err() {
            failed = Some(bytes);
            break;
        }
        done += 1;
    }
    std::panic::set_hook(quiet);
    if let Some(bytes) = &failed {
        let path = std::env::temp_dir().join(format!("frostline-fuzz-{}", target.name.replace(' ', "-")));
        std::fs::write(&path, bytes)?;
        ensure!(failed.is_none(), "{}: execution {done} panicked; its bytes are in {}", target.name, path.display());
    }
    Ok(done)
}

fn mutated(corpus: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = corpus[chance.below(corpus.len())].clone();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len());
        match chance.below(8) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
            1 if !bytes.is_empty() => bytes[at] = chance.next() as u8,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, chance.next() as u8),
            4 if !bytes.is_empty() => {
                let end = at + chance.below((bytes.len() - at).min(64)) + 1;
                bytes.drain(at..end.min(bytes.len()));
            }
            5 if bytes.len() >= at + 4 => {
                let edge = EDGES[chance.below(EDGES.len())];
                let edge = if chance.one_in(2) { edge.to_le_bytes() } else { edge.to_be_bytes() };
                bytes[at..at + 4].copy_from_slice(&edge);
            }
            6 => {
                // A piece of another one.
                let other = &corpus[chance.below(corpus.len())];
                let from = chance.below(other.len());
                let piece = &other[from..(from + chance.below(128)).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            7 => {
                let piece = bytes[at..(at + chance.below(64)).min(bytes.len())].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => {}
        }
    }
    bytes
}
