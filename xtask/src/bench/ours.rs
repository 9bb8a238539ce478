//! Frostline's own figures: what `frostline bench` prints, and what a run of `frostline train` leaves in its journal, with and without
//! a dashboard on it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::child::{self, Ended, Running};
use super::journal::{self, Journal};
use super::json::Json;
use super::load::Memory;
use super::measured::{By, Figure};
use super::options::Options;
use crate::environment::Environment;

const SYSTEM: &str = "Frostline";

/// One figure of `frostline bench --json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// `step`, `first_pass`, …
    pub what: String,
    pub values: Vec<f64>,
    pub data_wait: Option<f64>,
}

pub fn rates(lines: &[String]) -> Vec<Rate> {
    let parsed = lines.iter().filter_map(|line| Json::parse(line));
    let of_rate = parsed.filter(|line| line.text("line") == Some("rate"));
    of_rate
        .filter_map(|line| {
            let values = line.numbers("values");
            let (what, data_wait) = (line.text("what")?.to_owned(), line.number("data_wait"));
            (!values.is_empty()).then_some(Rate { what, values, data_wait })
        })
        .collect()
}

/// The engine's own peak in megabytes, from the last line of `frostline bench --json`.
pub fn peak_mb(lines: &[String]) -> Option<f64> {
    let parsed = lines.iter().filter_map(|line| Json::parse(line));
    parsed.rev().find_map(|line| line.number("peak_bytes")).map(|bytes| bytes / 1e6)
}

/// The figures of a job: each of its parts becomes the task that the job says.
pub fn figures(lines: &[String], tasks: &[(&str, &str)]) -> Vec<Figure> {
    let libtorch = lines.iter().find_map(|line| Json::parse(line)?.text("libtorch").map(str::to_owned));
    let version = libtorch.map_or_else(String::new, |version| format!("libtorch {version}"));
    let mut figures = Vec::new();
    for rate in rates(lines) {
        let Some((what, task)) = tasks.iter().find(|(what, _)| *what == rate.what) else { continue };
        let is_arithmetic = *task == "bound";
        figures.push(Figure {
            task: (*task).to_owned(),
            system: if is_arithmetic {
                format!("{} f32, Frostline", what.replace('_', " "))
            } else {
                SYSTEM.to_owned()
            },
            by: if is_arithmetic { By::Limit } else { By::Frostline },
            unit: match *task {
                "bound" => "GFLOP/s",
                "filters" => "filters/s",
                _ => "img/s",
            }
            .to_owned(),
            values: rate.values.iter().map(|value| if is_arithmetic { value / 1e9 } else { *value }).collect(),
            first_s: None,
            version: version.clone(),
        });
    }
    figures
}

/// `frostline bench CONFIG …`.
pub fn bench(environment: &Environment, frostline: &Path, options: &Options, config: &Path) -> Command {
    let mut command = child::mortal(environment, frostline);
    command.arg("bench").arg(config).arg("--json");
    command.args(["--seconds", &options.seconds.to_string(), "--repeats", &options.repeats.to_string()]);
    command.args(["--set", &format!("engine.threads={}", options.threads)]);
    command
}

/// A place as the value of a key in `--set`.
pub fn data_path(place: &Path) -> String {
    format!("data.path={}", Json::Text(place.to_string_lossy().into_owned()))
}

/// The thirty epochs of the recipe, with a cache of its own. The pictures of `test/` are left out: the peers do not look at them.
pub fn recipe(
    environment: &Environment,
    frostline: &Path,
    options: &Options,
    config: &Path,
    pictures: &Path,
    folder: &Path,
) -> Result<Command, String> {
    let _ = fs::remove_dir_all(folder);
    let data = folder.join("data");
    fs::create_dir_all(&data).map_err(|error| format!("can't create {}: {error}", data.display()))?;
    for split in ["train", "validation"] {
        std::os::unix::fs::symlink(pictures.join(split), data.join(split))
            .map_err(|error| format!("can't link {split}: {error}"))?;
    }
    let mut command = child::mortal(environment, frostline);
    command.env("FROSTLINE_CACHE", folder.join("cache"));
    command.arg("train").arg(config).args(["--headless", "--name", "bench", "--runs"]).arg(folder.join("runs"));
    for assignment in [data_path(&data), format!("engine.threads={}", options.threads)] {
        command.args(["--set", &assignment]);
    }
    Ok(command)
}

/// How many images all epochs of the recipe showed, validation included, as the run's journal says.
pub fn recipe_images(folder: &Path) -> Result<f64, String> {
    let runs = fs::read_dir(folder.join("runs")).map_err(|error| error.to_string())?;
    let journal = runs.flatten().map(|run| run.path().join("journal.jsonl")).find(|journal| journal.is_file());
    let text = fs::read_to_string(journal.ok_or("the run left no journal")?).map_err(|error| error.to_string())?;
    let lines: Vec<Json> = text.lines().filter_map(Json::parse).collect();
    let of_kind = |kind: &str| lines.iter().filter(|line| line.text("event") == Some(kind)).collect::<Vec<_>>();
    let opened = of_kind("data_opened");
    let images = opened.first().and_then(|line| Some(line.number("train")? + line.number("validation")?));
    let images = images.ok_or("the journal does not say how many images there are")?;
    Ok(images * of_kind("epoch_ended").len() as f64)
}

/// A run as a user starts it, in a folder of its own that goes with it.
pub struct Training<'a> {
    environment: &'a Environment,
    frostline: &'a Path,
    running: Running,
    folder: PathBuf,
    begun_ms: f64,
    tail: Option<BufReader<fs::File>>,
    pub journal: Journal,
    memory: Memory,
}

/// How long a run may take for all that comes before its second epoch, and for its windows.
const PATIENCE: Duration = Duration::from_secs(170);
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl<'a> Training<'a> {
    pub fn start(
        environment: &'a Environment,
        frostline: &'a Path,
        options: &Options,
        config: &Path,
        pictures: &Path,
        folder: PathBuf,
        more: &[&str],
    ) -> Result<Self, String> {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|error| format!("can't create {}: {error}", folder.display()))?;
        let mut command = child::mortal(environment, frostline);
        command.arg("train").arg(config).args(["--headless", "--name", "bench", "--runs"]).arg(&folder);
        let mut set = vec![data_path(pictures), "train.batch_size=32".to_owned(), "train.epochs=1000".to_owned()];
        set.push(format!("engine.threads={}", options.threads));
        if options.quick {
            set.push("data.limit=640".to_owned());
        }
        set.extend(more.iter().map(|assignment| (*assignment).to_owned()));
        for assignment in set {
            command.args(["--set", &assignment]);
        }
        let begun_ms = now_ms();
        let running = Running::start(command)?;
        Ok(Self {
            environment,
            frostline,
            running,
            folder,
            begun_ms,
            tail: None,
            journal: Journal::default(),
            memory: Memory::default(),
        })
    }

    /// Follows until `is_enough`; an error if the run ends before, or takes too long.
    fn follow(&mut self, mut is_enough: impl FnMut(&Journal) -> bool) -> Result<(), String> {
        let begun = Instant::now();
        let mut ended = Ended { lines: Vec::new(), status: None, memory: Memory::default() };
        loop {
            self.read();
            self.memory.look(self.running.id());
            if is_enough(&self.journal) {
                return Ok(());
            }
            while let child::Line::Said(line) = self.running.line(Duration::from_millis(1)) {
                ended.lines.push(line);
            }
            ended.status = self.running.status();
            if self.journal.ended || ended.status.is_some() || begun.elapsed() > PATIENCE {
                return Err(ended.reason());
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    fn read(&mut self) {
        if self.tail.is_none() {
            let runs = fs::read_dir(&self.folder).into_iter().flatten().flatten();
            let journal = runs.map(|run| run.path().join("journal.jsonl")).find(|journal| journal.is_file());
            self.tail = journal.and_then(|journal| fs::File::open(journal).ok()).map(BufReader::new);
        }
        let Some(tail) = &mut self.tail else { return };
        let mut line = String::new();
        // A line that is still being written comes in two halves, neither of which can be read; it is one of ten a second.
        while tail.read_line(&mut line).is_ok_and(|length| length > 0) {
            self.journal.read(&line);
            line.clear();
        }
    }

    /// Steady speed, first step and memory of the run itself.
    pub fn measure(mut self, options: &Options) -> Result<(Vec<Figure>, Option<f64>), String> {
        let (least_ms, wanted) = (options.seconds * 1e3, options.repeats as usize);
        self.follow(|journal| journal::windows(&journal.pieces, least_ms).len() >= wanted)?;
        let windows = journal::windows(&self.journal.pieces, least_ms);
        let values: Vec<f64> = windows.iter().filter_map(|window| Some(journal::rate(window)?.0)).collect();
        let first_epoch: Vec<_> = self.journal.pieces.iter().copied().filter(|piece| piece.epoch == 1).collect();
        let first_s = self.journal.first_step_ms.map(|at| (at - self.begun_ms) / 1e3);
        let mut figures = vec![figure("end-to-end", values, first_s)];
        figures.extend(journal::rate(&first_epoch).map(|(rate, _)| figure("first-epoch", vec![rate], None)));
        self.running.stop(Duration::from_secs(20));
        Ok((figures, self.memory.sum()))
    }

    /// How long steps wait for checkpoints, and what a step takes.
    pub fn saving(mut self, options: &Options, what: &str) -> Result<Vec<Figure>, String> {
        let wanted = 4 * options.repeats.max(2) as usize;
        // The first ones are of an epoch in which everything happens for the first time.
        self.follow(|journal| journal.pieces.iter().any(|piece| piece.epoch > 1))?;
        let before = self.journal.stalls.len();
        self.follow(|journal| journal.stalls.len() >= before + wanted)?;
        let (stalls, steps) = (self.journal.stalls[before..].to_vec(), self.journal.steps_ms());
        self.running.stop(Duration::from_secs(20));
        let in_ms = |task: &str, values| Figure { unit: "ms".to_owned(), ..figure(task, values, None) };
        Ok(vec![in_ms(&format!("checkpoint-{what}"), stalls), in_ms(&format!("checkpoint-{what}-step"), steps)])
    }

    /// Windows without and with a dashboard on the run, in turn.
    pub fn with_dashboard(mut self, options: &Options) -> Result<Vec<Figure>, String> {
        let pty = Pty::find(self.environment)?;
        self.follow(|journal| journal.pieces.iter().any(|piece| piece.epoch > 1))?;
        let (mut closed, mut open) = (Vec::new(), Vec::new());
        let mut dashboard: Option<Running> = None;
        for turn in 0..2 * options.repeats.max(2) {
            // Each of the two comes first in turn: machines drift.
            for is_open in [turn % 2 == 1, turn % 2 == 0] {
                if !is_open && dashboard.take().is_some() {
                    thread::sleep(Duration::from_millis(500));
                } else if is_open && dashboard.is_none() {
                    let runs = fs::read_dir(&self.folder).map_err(|error| error.to_string())?;
                    let run =
                        runs.flatten().map(|run| run.path()).find(|run| run.is_dir()).ok_or("the run has gone")?;
                    dashboard = Some(Running::start(pty.attach(self.environment, self.frostline, &run))?);
                    // Until it has drawn its first screens.
                    thread::sleep(Duration::from_secs(2));
                }
                let values = if is_open { &mut open } else { &mut closed };
                values.extend(self.window(options)?);
                if let Some(status) = dashboard.as_mut().and_then(Running::status) {
                    return Err(format!("the dashboard did not stay open ({status})"));
                }
            }
        }
        drop(dashboard);
        self.running.stop(Duration::from_secs(20));
        Ok(vec![figure("dashboard-closed", closed, None), figure("dashboard-open", open, None)])
    }

    /// Twice as long as elsewhere: a percent is to be told.
    fn window(&mut self, options: &Options) -> Result<Option<f64>, String> {
        let least_ms = options.seconds * 2e3;
        let from_ms = now_ms();
        let in_window = |journal: &Journal| journal::between(&journal.pieces, from_ms, f64::INFINITY);
        let length =
            |journal: &Journal| in_window(journal).iter().map(|piece| piece.to_ms - piece.from_ms).sum::<f64>();
        self.follow(|journal| length(journal) >= least_ms)?;
        Ok(journal::rate(&in_window(&self.journal)).map(|(rate, _)| rate))
    }
}

impl Drop for Training<'_> {
    fn drop(&mut self) {
        // Nobody needs its checkpoint; the engine leaves with the run's front end or is killed with it.
        self.running.stop(Duration::from_secs(20));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub fn figure(task: &str, values: Vec<f64>, first_s: Option<f64>) -> Figure {
    Figure {
        task: task.to_owned(),
        system: SYSTEM.to_owned(),
        by: By::Frostline,
        unit: "img/s".to_owned(),
        values,
        first_s,
        version: String::new(),
    }
}

/// A terminal for a dashboard that nobody looks at.
enum Pty {
    Script(PathBuf),
    Tmux(PathBuf),
}

impl Pty {
    /// `script` is the lighter one; tmux also draws what it is told.
    fn find(environment: &Environment) -> Result<Self, String> {
        let script = environment.program("script").map(Self::Script);
        let found = script.or_else(|| environment.program("tmux").map(Self::Tmux));
        found.ok_or_else(|| "there is neither script (util-linux) nor tmux to give the dashboard a terminal".to_owned())
    }

    fn attach(&self, environment: &Environment, frostline: &Path, run: &Path) -> Command {
        let quoted = |path: &Path| format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"));
        let attach = format!("exec {} attach {}", quoted(frostline), quoted(run));
        match self {
            Self::Script(script) => {
                let mut command = child::mortal(environment, script);
                command.env("TERM", "xterm-256color");
                command.arg("-qfec").arg(format!("stty rows 40 cols 120; {attach}")).arg("/dev/null");
                command
            }
            Self::Tmux(tmux) => {
                // -D: no server in the background, so that it ends with us. The session is made by its configuration.
                let mut command = child::mortal(environment, "sh");
                let tmux = quoted(tmux);
                let inner = attach.replace('\'', r"'\''");
                command.arg("-c").arg(format!(
                    "{tmux} -L frostline-bench -f /dev/null new-session -d -x 120 -y 40 '{inner}'; \
                     trap '{tmux} -L frostline-bench kill-server' EXIT TERM INT; sleep 600 & wait"
                ));
                command
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a run's journal is stamped with the wall clock")]
fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_program_become_figures_of_tasks() {
        let lines = [
            r#"{"line":"machine","device":"cpu","name":"x","threads":2,"loader_threads":2,"libtorch":"2.11.0"}"#,
            r#"{"line":"rate","what":"matrix_product","values":[3.32e11],"batch":0,"flops":0,"data_wait":null}"#,
            r#"{"line":"rate","what":"step","values":[150.0,151.0],"batch":32,"flops":1378722816,"data_wait":null}"#,
            r#"{"line":"memory","peak_bytes":601000000}"#,
            "error: something else",
        ]
        .map(str::to_owned);
        let figures = figures(&lines, &[("matrix_product", "bound"), ("step", "step")]);
        let told: Vec<_> = figures.iter().map(|one| (one.task.as_str(), one.by, one.values.as_slice())).collect();
        assert_eq!(
            told,
            [("bound", By::Limit, [332.0].as_slice()), ("step", By::Frostline, [150.0, 151.0].as_slice())]
        );
        assert_eq!(figures[1].version, "libtorch 2.11.0");
        assert_eq!(peak_mb(&lines), Some(601.0));
    }

    #[test]
    fn a_path_becomes_a_toml_string() {
        assert_eq!(data_path(Path::new("/a \"b\"")), r#"data.path="/a \"b\"""#);
    }
}
