//! A program with a time limit: what it printed, how it ended, and how much memory its processes took. It stays in our group of
//! processes, so that Ctrl-C reaches it and all that it started.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::load::{self, Memory};
use crate::environment::Environment;

/// Between two looks at the clock and at the memory: looking takes time from what is measured.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long the last lines may take after the program has ended. A process that it left behind can hold the pipe open for ever.
const LAST_LINES: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Ended {
    pub lines: Vec<String>,
    /// `None`: the time was up, and it was killed.
    pub status: Option<ExitStatus>,
    pub memory: Memory,
}

impl Ended {
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// Why there is no figure, in a few words: the last line that names an error, or how it ended.
    pub fn reason(&self) -> String {
        let Some(status) = self.status else { return "it took too long and was stopped".to_owned() };
        let lines = self.lines.iter().map(|line| line.trim());
        let names_an_error = |line: &&str| line.contains("Error") || line.contains("error:");
        let said = lines.clone().rfind(names_an_error).or_else(|| lines.clone().rfind(|line| !line.is_empty()));
        let said: String = said.unwrap_or("it said nothing").chars().take(200).collect();
        if status.success() {
            format!("it printed no figure ({said})")
        } else {
            format!("it failed ({status}): {said}")
        }
    }
}

/// Runs it to its end. Standard output and error are both taken; `each` hears every line.
pub fn run(command: Command, limit: Duration, mut each: impl FnMut(&str)) -> Result<Ended, String> {
    let mut running = Running::start(command)?;
    let begun = Instant::now();
    let mut ended = Ended { lines: Vec::new(), status: None, memory: Memory::default() };
    let mut looked = Instant::now();
    loop {
        if looked.elapsed() >= LOOK_EVERY {
            looked = Instant::now();
            ended.memory.look(running.id());
        }
        match running.line(LOOK_EVERY) {
            Line::Said(line) => {
                each(&line);
                ended.lines.push(line);
            }
            Line::Nothing => {}
            Line::Over => thread::sleep(Duration::from_millis(20)),
        }
        if let Some(status) = running.status() {
            ended.status = Some(status);
            break;
        }
        if begun.elapsed() > limit {
            return Ok(ended);
        }
    }
    let last = Instant::now();
    while last.elapsed() < LAST_LINES {
        match running.line(LAST_LINES) {
            Line::Said(line) => {
                each(&line);
                ended.lines.push(line);
            }
            Line::Nothing => {}
            Line::Over => break,
        }
    }
    Ok(ended)
}

pub enum Line {
    Said(String),
    Nothing,
    Over,
}

/// A program at work. Dropping it ends it and all that it started.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    is_over: bool,
}

impl Running {
    pub fn start(mut command: Command) -> Result<Self, String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program} did not start: {error}"))?;
        let (send, lines) = mpsc::channel();
        let pipes = [
            child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
            child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        ];
        for pipe in pipes.into_iter().flatten() {
            let send = send.clone();
            thread::spawn(move || {
                for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                    if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Self { child, lines, is_over: false })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn line(&mut self, at_most: Duration) -> Line {
        match self.lines.recv_timeout(at_most) {
            Ok(line) => Line::Said(line),
            Err(RecvTimeoutError::Timeout) => Line::Nothing,
            Err(RecvTimeoutError::Disconnected) => Line::Over,
        }
    }

    /// How it ended, if it has.
    pub fn status(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        self.is_over |= status.is_some();
        status
    }

    /// Asks it to end, and gives it some time for that.
    pub fn stop(&mut self, patience: Duration) {
        send_signal("TERM", &[self.id()]);
        let begun = Instant::now();
        while self.status().is_none() && begun.elapsed() < patience {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over && self.status().is_none() {
            send_signal("KILL", &load::tree(self.id()));
            let _ = self.child.wait();
        }
    }
}

fn send_signal(signal: &str, processes: &[u32]) {
    let processes = processes.iter().map(u32::to_string);
    let _ = Command::new("kill").arg(format!("-{signal}")).args(processes).stderr(Stdio::null()).status();
}

/// A command that dies with this process even where no Ctrl-C reaches it, if util-linux's `setpriv` is there to arrange that.
pub fn mortal(environment: &Environment, program: impl AsRef<std::ffi::OsStr>) -> Command {
    match environment.program("setpriv") {
        Some(setpriv) => {
            let mut command = environment.command(setpriv);
            command.args(["--pdeathsig", "TERM", "--"]).arg(program);
            command
        }
        None => environment.command(program),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_outputs_are_heard_and_a_failure_gives_its_reason() {
        let mut heard = Vec::new();
        let script = "echo one; echo 'ValueError: two' >&2; echo; exit 3";
        let ended = run(shell(script), Duration::from_secs(20), |line| heard.push(line.to_owned())).unwrap();
        heard.sort();
        assert_eq!(heard, ["", "ValueError: two", "one"]);
        assert_eq!(ended.reason(), "it failed (exit status: 3): ValueError: two");
    }

    #[test]
    fn a_program_that_takes_too_long_is_stopped_with_all_that_it_started() {
        let begun = Instant::now();
        let ended = run(shell("echo $$; sleep 60 & wait"), Duration::from_millis(600), |_| {}).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(20));
        assert_eq!(ended.reason(), "it took too long and was stopped");
        let root: u32 = ended.lines[0].parse().unwrap();
        assert_eq!(load::tree(root), [root], "nothing descends from it any more");
    }

    #[test]
    fn what_it_leaves_behind_does_not_hold_us_up() {
        let begun = Instant::now();
        let ended = run(shell("sleep 6 & echo done"), Duration::from_secs(20), |_| {}).unwrap();
        assert!(ended.is_success() && begun.elapsed() < Duration::from_secs(5));
        assert_eq!(ended.lines, ["done"]);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        assert!(run(Command::new("/nowhere/at-all"), Duration::from_secs(1), |_| {}).is_err());
    }
}
