//! SIGKILL at any moment: after a while, while a checkpoint has its temporary name, right after a line of the journal. Sometimes what a
//! power cut leaves behind is added: half a line, half a checkpoint, a newest checkpoint that cannot be read.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use frostline::{
    event::{CheckpointKind, Event, Level},
    run::RunDir,
};

use super::{
    Row,
    chance::Chance,
    ground::{Engine, Ground, events, log, newest},
};

#[derive(Clone, Copy)]
enum When {
    After(Duration),
    /// A temporary file in `checkpoints` or `blobs` was seen so often.
    HalfWritten(usize),
    /// The journal has grown so often.
    Told(usize),
}

#[derive(Default)]
pub struct Killed {
    pub kills: u64,
    pub resumes: u64,
    pub runs: u64,
    /// Kills that left a checkpoint half written, a torn line put there, a checkpoint spoilt.
    half_written: u64,
    torn: u64,
    spoilt: u64,
}

/// Kills engines until `kills` are dead, over as many runs as that takes; each is brought to its end and compared.
pub fn torture(ground: &mut Ground, kills: u64, seed: u64, say: &mut dyn FnMut(String)) -> Result<Killed> {
    let mut chance = Chance::new(seed);
    let mut killed = Killed::default();
    while killed.kills < kills {
        let run = ground.run()?;
        one_run(ground, &run, kills, &mut chance, &mut killed)?;
        say(format!("{} of {kills} kills, {} runs whole", killed.kills, killed.runs));
    }
    Ok(killed)
}

impl Killed {
    pub fn rows(&self) -> Vec<Row> {
        let Self { kills, resumes, runs, half_written, torn, spoilt } = *self;
        let from = format!(
            "each time the run opened and went on from its newest whole checkpoint; {half_written} kills left a file half written"
        );
        let end = "weights, statistics, optimiser slots and every epoch's figures, with the run that nobody disturbed";
        vec![
            Row::new("engine killed (SIGKILL) at a random moment", kills, "kills", 0, from),
            Row::new(
                "resumed",
                resumes,
                "resumes",
                0,
                "at the step of the newest whole checkpoint, in the middle of an epoch too",
            ),
            Row::new("killed runs compared bit for bit at their end", runs, "runs", 0, end),
            Row::new("half a line left at the end of the journal", torn, "times", 0, "cut off, and told"),
            Row::new(
                "newest checkpoint made unreadable",
                spoilt,
                "times",
                0,
                "the one before it took its place, and that was told",
            ),
        ]
    }
}

fn one_run(ground: &Ground, run: &RunDir, most: u64, chance: &mut Chance, killed: &mut Killed) -> Result<()> {
    loop {
        let before = events(run)?.len();
        let expected = newest(run);
        let spoilt = spoil(run, chance)?;
        let expected = if spoilt { newest(run) } else { expected };
        killed.spoilt += u64::from(spoilt);
        let torn = tear(run, chance)?;
        killed.torn += u64::from(torn);
        let mut engine = ground.start(run)?;
        let is_over = if killed.kills < most {
            !kill(&mut engine, run, when(chance))?
        } else {
            engine.wait_patiently().map(|_| true)?
        };
        let after = events(run)?;
        let started = after[before.min(after.len())..].iter().find_map(|stamped| match &stamped.event {
            Event::RunStarted(started) => Some(started.resumed.map(|resumed| resumed.step)),
            _ => None,
        });
        if let Some(resumed) = started {
            ensure!(
                resumed == expected,
                "{} went on from {resumed:?}, its newest checkpoint is {expected:?}",
                run.name()
            );
            killed.resumes += u64::from(resumed.is_some());
            let warned = |what: &str| {
                after[before..].iter().any(|stamped| {
                    matches!(&stamped.event, Event::Log { level: Level::Warning, message } if message.contains(what))
                })
            };
            let has_trained = after[before..].iter().any(|stamped| matches!(stamped.event, Event::EpochStarted { .. }));
            ensure!(
                !spoilt || !has_trained || warned("takes its place"),
                "{}: an unreadable checkpoint was not told",
                run.name()
            );
            ensure!(!torn || !has_trained || warned("middle of a line"), "{}: a torn line was not told", run.name());
        }
        if is_over {
            let status = engine.wait_patiently()?;
            ensure!(status.success(), "{} ended with {status}; {}", run.name(), log(run));
            ground.compare(run)?;
            killed.runs += 1;
            return Ok(());
        }
        killed.kills += 1;
        killed.half_written += u64::from(!half_written(run).is_empty());
    }
}

fn when(chance: &mut Chance) -> When {
    match chance.below(4) {
        0 => When::HalfWritten(1 + chance.below(12)),
        1 => When::Told(1 + chance.below(60)),
        _ => When::After(Duration::from_millis(chance.below(1800) as u64)),
    }
}

/// False if it came to its end before.
fn kill(engine: &mut Engine, run: &RunDir, when: When) -> Result<bool> {
    let begun = Instant::now();
    let (mut sightings, mut is_there, mut length) = (0, false, None);
    loop {
        if engine.is_over()? {
            return Ok(false);
        }
        let is_due = match when {
            When::After(time) => begun.elapsed() >= time,
            When::HalfWritten(times) => {
                let was_there = std::mem::replace(&mut is_there, !half_written(run).is_empty());
                sightings += usize::from(is_there && !was_there);
                sightings >= times
            }
            When::Told(times) => {
                let now = fs::metadata(run.journal()).ok().map(|found| found.len());
                sightings += usize::from(now != length);
                length = now;
                sightings >= times
            }
        };
        if is_due {
            // What ended in this very moment was not killed.
            return Ok(!engine.kill()?.success());
        }
        std::thread::sleep(Duration::from_micros(100));
    }
}

fn half_written(run: &RunDir) -> Vec<PathBuf> {
    let names = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = names(run.checkpoints()).chain(names(run.blobs()));
    all.filter(|path| path.extension().is_some_and(|extension| extension == "partial")).collect()
}

/// Sometimes half of another line follows the last one.
fn tear(run: &RunDir, chance: &mut Chance) -> Result<bool> {
    let text = fs::read_to_string(run.journal()).unwrap_or_default();
    let Some(line) = text.lines().last().filter(|_| chance.one_in(5)) else { return Ok(false) };
    let mut cut = 1 + chance.below(line.len() - 1);
    while !line.is_char_boundary(cut) {
        cut -= 1;
    }
    fs::OpenOptions::new().append(true).open(run.journal())?.write_all(&line.as_bytes()[..cut])?;
    Ok(cut > 0)
}

/// Sometimes the newest checkpoint is cut short, under both of its names, and half of another one is left over.
fn spoil(run: &RunDir, chance: &mut Chance) -> Result<bool> {
    let numbered = run.numbered_checkpoints();
    if numbered.len() < 2 || !chance.one_in(6) {
        return Ok(false);
    }
    let newest = &numbered[0].1;
    let bytes = fs::read(newest)?;
    for path in [newest, &run.checkpoint(CheckpointKind::Last)] {
        // Not in place: the best one may be the same file.
        fs::remove_file(path)?;
        fs::write(path, &bytes[..chance.below(bytes.len())])?;
    }
    fs::write(newest.with_extension("safetensors.partial"), &bytes[..bytes.len() / 2])?;
    Ok(true)
}
