//! The short form of `cargo xtask torture`: a few kills, a few full disks, some garbage and some fuzzing in seconds.

use std::{path::Path, time::Duration};

#[path = "../torture/mod.rs"]
mod ways;

use ways::{disk, fuzz, ground::Ground, kills, socket};

fn ground(root: &Path) -> Ground {
    let engine = Path::new(env!("CARGO_BIN_EXE_frostline-engine"));
    Ground::prepare(root, engine, &["train.epochs=10"]).unwrap()
}

#[test]
fn killed_engines_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let killed = kills::torture(&mut ground(folder.path()), 6, 7, &mut |_| {}).unwrap();
    assert_eq!((killed.kills, killed.runs > 0), (6, true));
}

#[test]
fn disks_that_are_full_or_gone_are_survived() {
    let folder = tempfile::tempdir().unwrap();
    let mut ground = ground(folder.path());
    disk::full(&mut ground, 2).unwrap();
    disk::read_only(&mut ground).unwrap();
    disk::vanished_run(&mut ground, 1).unwrap();
}

#[test]
fn garbage_and_a_second_engine_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut ground = ground(folder.path());
    socket::garbage(&mut ground, 300, 3).unwrap();
    socket::two_engines(&mut ground, 1).unwrap();
    socket::long_path(&mut ground).unwrap();
}

#[test]
fn no_reader_panics_at_bytes_that_nobody_wrote() {
    fuzz::run(Duration::from_millis(300), 2000, 11).unwrap();
}
