//! What comes in by the socket, and by the door: garbage, connections that say nothing, a second engine, a run deep down in folders.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use frostline::{event::Event, run::RunDir, wire::client};

use super::{
    Row,
    chance::Chance,
    ground::{Engine, Ground, events, eventually, log},
};

fn connect(run: &RunDir) -> Result<UnixStream> {
    let socket = run.socket()?.context("no socket yet")?;
    Ok(UnixStream::connect(socket)?)
}

fn serving(ground: &mut Ground, run: &RunDir) -> Result<Engine> {
    let engine = ground.start(run)?;
    eventually("the socket", || Ok(connect(run).ok()))?;
    Ok(engine)
}

/// Floods the engine for as long as a run takes, over and over, while a viewer follows it.
pub fn garbage(ground: &mut Ground, frames: u64, seed: u64) -> Result<Vec<Row>> {
    let mut chance = Chance::new(seed);
    let (mut sent, mut half_open, mut runs) = (0, 0, 0);
    while sent < frames {
        let run = ground.run()?;
        let mut engine = serving(ground, &run)?;
        let mut silent = Vec::new();
        let following = std::thread::spawn({
            let run = run.clone();
            move || follow(&run)
        });
        while sent < frames && !engine.is_over()? {
            let Ok(mut stream) = connect(&run) else { break };
            if chance.one_in(8) {
                // It begins a frame, and never goes on.
                let _ = stream.write_all(&[40, 0, 0][..chance.below(4)]);
                half_open += 1;
                silent.push(stream);
                if silent.len() > 100 {
                    silent.clear();
                }
                continue;
            }
            for _ in 0..20 {
                let mut frame: Vec<u8> = (0..chance.below(300)).map(|_| chance.next() as u8).collect();
                if chance.one_in(2) && frame.len() > 5 {
                    // A length and a kind that are right, and nonsense in it.
                    let length = frame.len() as u32 - 4;
                    frame[..4].copy_from_slice(&length.to_le_bytes());
                    frame[4] = chance.below(3) as u8;
                }
                sent += 1;
                if stream.write_all(&frame).is_err() {
                    break;
                }
            }
            stream.set_read_timeout(Some(Duration::from_millis(20)))?;
            let _ = stream.read(&mut [0; 256]);
        }
        let status = engine.wait_patiently()?;
        ensure!(status.success(), "{} ended with {status} under garbage; {}", run.name(), log(&run));
        let heard = following.join().map_err(|_| anyhow::anyhow!("the viewer panicked"))??;
        let epochs = events(&run)?.iter().filter(|stamped| matches!(stamped.event, Event::EpochEnded(_))).count();
        ensure!(heard == epochs, "the viewer heard {heard} of {epochs} epochs");
        ground.compare(&run)?;
        runs += 1;
    }
    let note = format!(
        "{half_open} connections left half open besides, over {runs} runs that each ended bit for bit like the undisturbed one, while a viewer heard every epoch"
    );
    Ok(vec![Row::new("garbage on the socket", sent, "frames", 0, note)])
}

/// How many epochs a viewer hears of.
fn follow(run: &RunDir) -> Result<usize> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let socket = run.socket()?.context("no socket")?;
        let begun = Instant::now();
        let mut connection = loop {
            match client::connect(&socket, "torture", client::From::Event(0)).await {
                Ok(connection) => break connection,
                Err(error) if begun.elapsed() > Duration::from_secs(5) => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let mut epochs = 0;
        while let Ok(Some(message)) = connection.receiver.next().await {
            if let frostline::wire::ServerMessage::Event(stamped) = message {
                epochs += usize::from(matches!(stamped.event, Event::EpochEnded(_)));
                if matches!(stamped.event, Event::RunEnded(_)) {
                    break;
                }
            }
        }
        Ok(epochs)
    })
}

/// A second engine on a run that has one.
pub fn two_engines(ground: &mut Ground, times: u64) -> Result<Vec<Row>> {
    for _ in 0..times {
        let run = ground.run()?;
        let mut first = serving(ground, &run)?;
        let output = ground.command(&run).stderr(std::process::Stdio::null()).status()?;
        if !first.is_over()? {
            ensure!(output.code() == Some(2), "the second engine ended with {output}");
        }
        ensure!(first.wait_patiently()?.success(), "the first engine was disturbed; {}", log(&run));
        ground.compare(&run)?;
    }
    Ok(vec![Row::new(
        "second engine on the same run",
        times,
        "runs",
        0,
        "refused with exit code 2; the first one's result is unchanged",
    )])
}

/// Beyond the 108 bytes that the path of a socket may have.
pub fn long_path(ground: &mut Ground) -> Result<Vec<Row>> {
    let path = ground.root.join("a-folder-with-quite-a-long-name/".repeat(20));
    let run = ground.run_in(&path, &[])?;
    let mut engine = serving(ground, &run)?;
    let heard = follow(&run)?;
    ensure!(engine.wait_patiently()?.success(), "{}", log(&run));
    ensure!(heard == ground.end.losses.len(), "the viewer heard {heard} epochs");
    ground.compare(&run)?;
    Ok(vec![Row::new(
        "run directory on a long path",
        1,
        "runs",
        0,
        format!("{} bytes, served and watched", path.as_os_str().len()),
    )])
}
