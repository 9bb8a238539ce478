//! Viewers that attach, stall and die all the time, while memory and open files of the engine are measured.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use frostline::{command::Watch, event::PROTOCOL, run::RunDir, wire::ClientMessage};

use super::{
    Row,
    chance::Chance,
    ground::{Ground, eventually, log},
};

/// Bytes by which an engine may grow over the second half of a soak: a journal's places, and what an allocator keeps.
const GROWTH: u64 = 24 << 20;

struct Measured {
    resident: u64,
    files: usize,
}

pub fn soak(ground: &mut Ground, time: Duration, seed: u64) -> Result<Vec<Row>> {
    let run = ground.run_in(&ground.root.join("soaked"), &["train.epochs=1000000", "train.checkpoint_minutes=0.02"])?;
    let mut engine = ground.start(&run)?;
    eventually("the socket", || Ok(connect(&run, 0).ok()))?;
    let mut chance = Chance::new(seed);
    let (mut attached, mut samples) = (0_u64, Vec::new());
    let (begun, mut measured) = (Instant::now(), Instant::now());
    let mut stalled: Vec<UnixStream> = Vec::new();
    while begun.elapsed() < time {
        ensure!(!engine.is_over()?, "the engine ended; {}", log(&run));
        let since = if chance.one_in(2) { 0 } else { u64::MAX };
        if let Ok(mut viewer) = connect(&run, since) {
            attached += 1;
            match chance.below(4) {
                // Reads a little, and dies.
                0 => {
                    viewer.set_read_timeout(Some(Duration::from_millis(10)))?;
                    let _ = viewer.read(&mut vec![0; 1 + chance.below(100_000)]);
                }
                // Wants pictures, and dies.
                1 => {
                    let watch = Watch { sample: chance.below(8) as u32, ..Watch::default() };
                    let mut out = Vec::new();
                    ClientMessage::Watch(Some(watch)).put(&mut out)?;
                    let _ = viewer.write_all(&out);
                }
                // Stalls for a while.
                2 => stalled.push(viewer),
                _ => {}
            }
        }
        if stalled.len() > 20 {
            stalled.remove(chance.below(20));
        }
        std::thread::sleep(Duration::from_millis(5));
        if measured.elapsed() > time / 40 {
            measured = Instant::now();
            samples.push(measure(engine.pid())?);
        }
    }
    drop(stalled);
    engine.kill()?;
    let middle = &samples[samples.len() / 2..];
    let (first, last) = (middle.first().context("no sample")?, middle.last().context("no sample")?);
    let grown = last.resident.saturating_sub(first.resident);
    let files = samples.iter().map(|sample| sample.files).max().unwrap_or(0);
    let lost = u64::from(grown > GROWTH) + u64::from(files > 150);
    ensure!(lost == 0, "the engine grew by {} KiB and had {files} files open", grown >> 10);
    let note = format!(
        "over {} s; resident memory {:.0} MiB half way and {:.0} MiB at the end, at most {files} open files",
        time.as_secs(),
        first.resident as f64 / f64::from(1 << 20),
        last.resident as f64 / f64::from(1 << 20),
    );
    super::disk::clear(run.path());
    Ok(vec![Row::new("viewers that attach, stall and die", attached, "viewers", lost, note)])
}

fn connect(run: &RunDir, since: u64) -> Result<UnixStream> {
    let mut stream = UnixStream::connect(run.socket()?.context("no socket yet")?)?;
    let mut out = Vec::new();
    ClientMessage::Hello { protocol: PROTOCOL, client: "soak".into(), since, digest: None, light: false }
        .put(&mut out)?;
    stream.write_all(&out)?;
    Ok(stream)
}

fn measure(pid: u32) -> Result<Measured> {
    let pages: u64 = fs::read_to_string(format!("/proc/{pid}/statm"))?
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .context("statm")?;
    Ok(Measured { resident: pages * 4096, files: fs::read_dir(format!("/proc/{pid}/fd"))?.count() })
}
