//! The engine process: finding it, starting it in a session of its own so that it outlives this one, and telling what it
//! last said when it is gone.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::hint;
use crate::{
    error::{Error, Result},
    run::{EngineLock, RunDir},
};

/// Lines of `engine.log` that are shown when the engine has died.
const LAST_WORDS: usize = 12;

/// The engine's program, which is installed beside this one.
pub fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()
        .map_err(|error| Error::environment(format!("cannot tell where frostline lies: {error}"), None))?;
    let engine = own.with_file_name("frostline-engine");
    if engine.is_file() {
        return Ok(engine);
    }
    Err(Error::environment(
        format!("there is no {}: this frostline was built without the feature `engine`", engine.display()),
        Some("build both programs with `cargo build --release`".into()),
    ))
}

/// Starts the engine of a run. It reads nothing, and prints into `engine.log`.
pub fn start(run: &RunDir) -> Result<Child> {
    let program = program()?;
    let log = open_log(run)
        .map_err(|error| Error::environment(format!("cannot open {}: {error}", run.engine_log().display()), None))?;
    let mut command = Command::new(&program);
    command.arg("train").arg(run.path()).stdin(Stdio::null()).stdout(log.0).stderr(log.1);
    // SAFETY: `setsid` is async-signal-safe and touches no memory of this process.
    unsafe {
        command.pre_exec(|| if libc::setsid() == -1 { Err(io::Error::last_os_error()) } else { Ok(()) });
    }
    command.spawn().map_err(|error| Error::environment(format!("cannot start {}: {error}", program.display()), None))
}

fn open_log(run: &RunDir) -> io::Result<(File, File)> {
    let log = OpenOptions::new().create(true).append(true).open(run.engine_log())?;
    Ok((log.try_clone()?, log))
}

/// Asks a process to end (`SIGTERM`), or ends it (`SIGKILL`).
pub fn signal(pid: u32, signal: i32) {
    // SAFETY: `kill` touches no memory; the process is a child that has not been waited for, so the number is still its.
    unsafe {
        libc::kill(pid as libc::pid_t, signal);
    }
}

/// Gives an engine that has closed its connections the time to let go of the run.
pub async fn settled(run: &RunDir, child: Option<Child>) -> Option<ExitStatus> {
    const LEAVING: Duration = Duration::from_secs(15);
    if let Some(mut child) = child {
        return timeout(LEAVING, child.wait()).await.ok()?.ok();
    }
    let free = async {
        while matches!(EngineLock::holder(run), Ok(Some(_))) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Another engine may hold it already; then there is one to connect to.
    let _ = timeout(LEAVING, free).await;
    None
}

/// The error of an engine that is gone without having said how the run ended.
pub fn died(run: &RunDir, status: Option<ExitStatus>) -> Error {
    let how = status.map(|status| format!(" ({status})")).unwrap_or_default();
    let mut message = format!("the engine of {} died{how}", run.name());
    let words = last_words(run);
    if words.is_empty() {
        message.push_str("; its engine.log is empty");
    } else {
        message.push_str("\n  the end of its engine.log:");
        for line in words {
            message.push_str("\n  | ");
            message.push_str(&line);
        }
    }
    Error::environment(message, Some(format!("go on from its last checkpoint: {}", hint::resume(run))))
}

/// The last lines of `engine.log`.
pub fn last_words(run: &RunDir) -> Vec<String> {
    const LOOK: u64 = 16 << 10;
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(run.engine_log())?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOOK)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_WORDS)..].iter().map(|&line| line.to_owned()).collect()
}
