//! `cargo xtask torture` is this program: all of it, and the table.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

#[path = "mod.rs"]
mod torture;

use torture::{Row, disk, fuzz, ground::Ground, kills, memory, soak, socket, stall, table};

/// Between these two lines of docs/reliability.md.
const BEGIN: &str = "<!-- torture: begin -->";
const END: &str = "<!-- torture: end -->";

struct Scale {
    kills: u64,
    full: u64,
    frames: u64,
    soak: Duration,
    fuzz: Duration,
}

const WHOLE: Scale =
    Scale { kills: 500, full: 24, frames: 100_000, soak: Duration::from_secs(240), fuzz: Duration::from_secs(40) };

const SHORT: Scale =
    Scale { kills: 12, full: 3, frames: 2000, soak: Duration::from_secs(10), fuzz: Duration::from_secs(2) };

fn main() -> Result<()> {
    let (mut scale, mut into, mut only, mut seed) = (WHOLE, None, None, 1);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--short" => scale = SHORT,
            "--kills" => scale.kills = arguments.next().context("--kills N")?.parse()?,
            "--seed" => seed = arguments.next().context("--seed N")?.parse()?,
            "--only" => only = Some(arguments.next().context("--only PART")?),
            "--table" => into = Some(PathBuf::from(arguments.next().context("--table FILE")?)),
            other => bail!(
                "there is no option {other}; there are --short, --kills N, --seed N, --only PART and --table FILE"
            ),
        }
    }
    let engine = std::env::current_exe()?
        .ancestors()
        .map(|folder| folder.join("frostline-engine"))
        .find(|path| path.is_file())
        .context("no frostline-engine beside this program; `cargo build` makes it")?;
    let root = tempfile::Builder::new().prefix("frostline-torture").tempdir()?;
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    let mut rows: Vec<Row> = Vec::new();
    say("training the run that nobody disturbs");
    let mut ground = Ground::prepare(root.path(), &engine, &[])?;
    if wanted("kills") {
        rows.extend(kills::torture(&mut ground, scale.kills, seed, &mut |text| say(&text))?.rows());
    }
    if wanted("disk") {
        say("full, read-only and vanished disks");
        rows.extend(disk::full(&mut ground, scale.full)?);
        rows.extend(disk::read_only(&mut ground)?);
        rows.extend(disk::vanished_run(&mut ground, 2)?);
        rows.extend(disk::vanished_data(&mut ground)?);
    }
    if wanted("socket") {
        say("garbage on the socket");
        rows.extend(socket::garbage(&mut ground, scale.frames, seed)?);
        rows.extend(socket::two_engines(&mut ground, 3)?);
        rows.extend(socket::long_path(&mut ground)?);
    }
    if wanted("memory") {
        say("too little memory");
        rows.extend(memory::small(&mut ground)?);
    }
    if wanted("stall") {
        say("checkpoints beside the steps");
        rows.extend(stall::stall(&mut ground)?);
    }
    if wanted("soak") {
        say("viewers that come and go");
        rows.extend(soak::soak(&mut ground, scale.soak, seed)?);
    }
    if wanted("fuzz") {
        say("bytes that nobody wrote");
        rows.extend(fuzz::run(scale.fuzz, u64::MAX, seed)?);
    }
    let text = table(&rows);
    say(&text);
    into.map_or(Ok(()), |path| write(&path, &text))
}

fn write(path: &Path, table: &str) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("{} has no {BEGIN}", path.display()))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{} has no {END}", path.display()))?;
    std::fs::write(path, format!("{before}{BEGIN}\n{table}{END}{after}"))?;
    Ok(())
}

fn say(text: &str) {
    // Whoever reads it may have gone.
    let _ = writeln!(std::io::stdout(), "{text}");
}
