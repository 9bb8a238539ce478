//! Disks that are full, read-only or gone, and data that vanishes. Small file systems are made in a mount namespace of their own; where
//! the system does not let this user make one, a limit on the size of files stands in for the full disk.

use std::{
    fs,
    os::unix::{fs::symlink, process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use frostline::{
    data::{DataSpec, Interpolation, Size, SourceSpec},
    event::{Event, Level},
    run::RunDir,
};

use super::{
    Row,
    ground::{Ground, events, eventually, log},
};

/// Whether small file systems can be made here.
pub fn can_mount() -> bool {
    let tried = Command::new("unshare").args(["-Urm", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Runs that meet the end of their disk, at another place each, and then go on where there is room.
pub fn full(ground: &mut Ground, times: u64) -> Result<Vec<Row>> {
    let mounts = can_mount();
    let (mut refused, mut ended) = (0, 0);
    for number in 0..times {
        let run = ground.run()?;
        let status = if mounts {
            // From less than one checkpoint to several.
            in_small_tmpfs(ground, &run, 600 + number * 6000 / times)?
        } else {
            with_limit(ground, &run, 200_000 + number * 3_000_000 / times)?
        };
        let told = events(&run)?;
        let unsaved = |event: &Event| matches!(event, Event::Log { level: Level::Error, message } if message.contains("no checkpoint was written"));
        refused += told.iter().filter(|stamped| unsaved(&stamped.event)).count() as u64;
        if status != Some(0) {
            ensure!(status == Some(3), "{} ended with {status:?} on a full disk; {}", run.name(), log(&run));
            ended += 1;
            ground.finish(&run).with_context(|| format!("after a full disk, number {number}"))?;
        } else if told.iter().any(|stamped| unsaved(&stamped.event))
            && super::ground::newest(&run) != Some(ground.end.step)
        {
            // It came to its end without its last checkpoints: what it would have saved is trained again.
            ground.finish(&run).with_context(|| format!("after refused checkpoints, number {number}"))?;
        }
    }
    let how = if mounts { "a tmpfs of 0.6 to 6.6 MB" } else { "a limit on the size of files" };
    let note = format!(
        "{how}; {refused} checkpoint writes were refused and told, {ended} runs ended with exit code 3; all went on with the same result"
    );
    Ok(vec![Row::new("disk full", times, "runs", 0, note)])
}

/// The exit code.
fn in_small_tmpfs(ground: &Ground, run: &RunDir, kib: u64) -> Result<Option<i32>> {
    let small = ground.root.join("small");
    fs::create_dir_all(&small)?;
    let script = r#"mount -t tmpfs -o size="$1"k none "$2" && cp -a "$3/." "$2" && { "$4" train "$2"; code=$?; cp -a "$2/." "$3"; exit $code; }"#;
    let status = Command::new("unshare")
        .args(["-Urm", "sh", "-c", script, "sh", &kib.to_string()])
        .args([&small, run.path(), &ground.engine])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(status.code())
}

fn with_limit(ground: &Ground, run: &RunDir, bytes: u64) -> Result<Option<i32>> {
    let mut command = ground.command(run);
    // SAFETY: both calls are async-signal-safe and touch no memory of this process.
    unsafe {
        command.pre_exec(move || {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            if libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
    Ok(command.status()?.code())
}

/// A run in a directory that nobody may write to.
pub fn read_only(ground: &mut Ground) -> Result<Vec<Row>> {
    if !can_mount() {
        return Ok(vec![Row::new("run directory read-only", 0, "runs", 0, "this system lets nobody mount")]);
    }
    let run = ground.run()?;
    let script = r#"mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" train "$1""#;
    let output = Command::new("unshare")
        .args(["-Urm", "sh", "-c", script, "sh"])
        .args([run.path(), &ground.engine])
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.code() == Some(3), "read-only: {} {said}", output.status);
    ensure!(said.to_lowercase().contains("read-only"), "{said}");
    ensure!(events(&run)?.is_empty(), "something was written");
    ground.finish(&run)?;
    Ok(vec![Row::new(
        "run directory read-only",
        1,
        "runs",
        0,
        "refused with exit code 3 and the reason; went on when it could be written to",
    )])
}

/// The run directory is deleted under a running engine, which has nothing left to work for.
pub fn vanished_run(ground: &mut Ground, times: u64) -> Result<Vec<Row>> {
    for _ in 0..times {
        let run = ground.run_in(&ground.root.join("vanishing"), &["train.epochs=100000"])?;
        let mut engine = ground.start(&run)?;
        eventually("the first epoch", || Ok((events(&run)?.len() > 20).then_some(())))?;
        // The engine may make a file while they are deleted.
        eventually("the end of the directory", || {
            let _ = fs::remove_dir_all(run.path());
            Ok((!run.path().exists()).then_some(()))
        })?;
        let begun = Instant::now();
        let status = engine.wait_patiently()?;
        ensure!(status.code() == Some(3), "the engine of a run that is gone ended with {status}");
        ensure!(begun.elapsed() < Duration::from_secs(60), "it took {:?} to notice", begun.elapsed());
    }
    Ok(vec![Row::new(
        "run directory deleted under the engine",
        times,
        "runs",
        0,
        "the engine notices at the next write that counts, and ends with exit code 3",
    )])
}

/// A file of the data set is deleted while a run trains on it.
pub fn vanished_data(ground: &mut Ground) -> Result<Vec<Row>> {
    let data = ground.root.join("pictures");
    let spec = DataSpec {
        source: SourceSpec::Critters { train: 24, validation: 0, test: 0 },
        size: Size { height: 16, width: 16, channels: 3 },
        interpolation: Interpolation::default(),
        validation_fraction: None,
        limit: None,
        seed: 1,
        augment: frostline::data::Augment::default(),
    };
    let drawn = frostline::data::open(&spec)?;
    for position in 0..drawn.train.len() {
        let class = &drawn.classes[drawn.train.label(position) as usize];
        let folder = data.join("train").join(class);
        fs::create_dir_all(&folder)?;
        let pixels = drawn.train.load(position, spec.size)?;
        image::save_buffer(folder.join(format!("{position}.png")), &pixels.bytes, 16, 16, image::ColorType::Rgb8)?;
    }
    let path = format!("data.path={}", toml::Value::String(data.to_string_lossy().into_owned()));
    let config = ["data.source=folder", &path, "data.cache=none", "data.validation_fraction=0.25", "train.epochs=200"];
    let run = folder_run(ground, &config)?;
    let mut engine = ground.start(&run)?;
    let epochs = |run: &RunDir| -> Result<usize> {
        Ok(events(run)?.iter().filter(|stamped| matches!(stamped.event, Event::EpochEnded(_))).count())
    };
    eventually("an epoch", || Ok((epochs(&run)? > 0).then_some(())))?;
    let gone = fs::read_dir(data.join("train").join(&drawn.classes[0]))?.next().context("a file")??.path();
    fs::remove_file(&gone)?;
    // One that leads to itself can be neither read nor told apart from a broken disk.
    symlink(&gone, &gone)?;
    let status = engine.wait_patiently()?;
    ensure!(status.success(), "a run whose picture was gone ended with {status}; {}", log(&run));
    let told =
        events(&run)?.iter().any(|stamped| matches!(&stamped.event, Event::Skipped { files, .. } if !files.is_empty()));
    ensure!(told, "the picture that was gone was not told");
    Ok(vec![Row::new(
        "file of the data set deleted in mid-run",
        1,
        "runs",
        0,
        "told by name, left out, and the run completed",
    )])
}

fn folder_run(ground: &Ground, config: &[&str]) -> Result<RunDir> {
    let text = super::ground::CONFIG.replace(
        "source = \"critters\"\ntrain = 48\nvalidation = 8\ntest = 8\n",
        "source = \"folder\"\npath = \"/\"\n",
    );
    let overrides: Vec<String> = config.iter().map(|&each| each.to_owned()).collect();
    let plan =
        frostline::plan::Plan::parse(&text, "torture", &overrides).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(RunDir::create_at(&ground.root.join("on-pictures"), &plan.to_toml())?)
}

/// Nothing of a torture is left in the way of the next one.
pub fn clear(path: &Path) {
    let _ = fs::remove_dir_all(path);
}
