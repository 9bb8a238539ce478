//! Carries out the jobs: waits for a quiet machine, runs one program at a time, notes what disturbed it, keeps what it measured.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::catalogue::{Images, Job, NEIGHBOUR, Work};
use super::child::{self, Running};
use super::json::Json;
use super::load::{self, Load};
use super::measured::{Figure, Measured, NOISY, median};
use super::options::Options;
use super::ours::{self, Training};
use super::places::{Places, RUNS};
use super::table::figure;
use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::say;

/// A job that takes longer hangs. torch.compile with a cold cache takes a minute.
const LIMIT: Duration = Duration::from_secs(250);
/// Longest wait for a quiet machine before a job.
const WAIT: Duration = Duration::from_secs(55);

/// glibc told to keep and reuse large blocks, which libtorch lives on.
const TUNABLES: &str = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=8589934592:glibc.malloc.trim_threshold=17179869184:\
                        glibc.malloc.top_pad=268435456";

pub struct Session<'a> {
    pub environment: &'a Environment,
    pub checkout: &'a Checkout,
    pub options: &'a Options,
    pub places: &'a Places,
    pub processors: usize,
    pub measured: Vec<Measured>,
    /// Jobs without a figure, and why.
    pub skipped: Vec<(String, String)>,
    pub begun: Instant,
}

/// A job's figures and its peak memory, or why there are none.
type Outcome = Result<(Vec<Figure>, Option<f64>), String>;

impl Session<'_> {
    /// Group by group; within a group everybody has had a turn before the next round begins.
    pub fn run(&mut self, jobs: &[Job]) -> Result<(), Failure> {
        let rounds = 0..self.options.rounds;
        for group in jobs.chunk_by(|one, next| one.group == next.group) {
            for round in rounds.clone() {
                for job in group.iter().filter(|job| round == 0 || job.leads) {
                    self.turn(job, round)?;
                }
            }
        }
        Ok(())
    }

    fn turn(&mut self, job: &Job, round: u32) -> Result<(), Failure> {
        let is_done = |one: &Measured| one.job == job.name && one.round == round;
        if self.measured.iter().any(is_done) || self.skipped.iter().any(|(name, _)| *name == job.name) {
            return Ok(());
        }
        // Once more, if somebody else was at work.
        let attempts = if self.options.waits { 2 } else { 1 };
        for _ in 0..attempts {
            if self.options.waits && !load::wait_until_quiet(WAIT) {
                say::line("the machine does not become quiet");
            }
            let neighbour = job.has_neighbour.then(|| Running::start(busy(self.environment))).transpose();
            let neighbour = neighbour.map_err(Failure::new)?;
            let (before, since) = (Load::now(), Instant::now());
            let outcome = self.work(job);
            // It has to be over before the time that our children used is looked at.
            drop(neighbour);
            let (others, stolen) = Load::now().shares_since(before, since.elapsed(), self.processors);
            let (figures, peak_mb) = match outcome {
                Ok(outcome) => outcome,
                Err(reason) => {
                    say::line(&format!("{} {}: left out: {reason}", self.clock(), job.name));
                    self.skipped.push((job.name.clone(), reason));
                    return Ok(());
                }
            };
            let said: Vec<String> = figures.iter().map(spoken).collect();
            let disturbed = if others > NOISY || stolen > NOISY { ", disturbed" } else { "" };
            let busy = format!("others {:.0} %{disturbed}", others * 100.0);
            say::line(&format!("{} {}: {} ({busy})", self.clock(), job.name, said.join("; ")));
            for mut figure in figures {
                if job.has_neighbour {
                    figure.task.push_str(NEIGHBOUR);
                }
                let one = Measured { figure, job: job.name.clone(), round, peak_mb, others, stolen };
                self.keep(&one)?;
                self.measured.push(one);
            }
            if disturbed.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn clock(&self) -> String {
        let seconds = self.begun.elapsed().as_secs();
        format!("{:>2}:{:02}", seconds / 60, seconds % 60)
    }

    fn keep(&self, one: &Measured) -> Result<(), Failure> {
        let Some(path) = &self.options.json else { return Ok(()) };
        let file = File::options().create(true).append(true).open(path);
        file.and_then(|mut file| writeln!(file, "{}", one.to_json()))
            .map_err(|error| Failure::io("write to", path, &error))
    }

    fn work(&self, job: &Job) -> Outcome {
        match &job.work {
            Work::Peer { script, arguments, tuned } => self.peer(script, arguments, *tuned),
            Work::Burn { mode } => self.burn(mode),
            Work::Bench { config, options, images, tasks } => self.bench(config, options, *images, tasks),
            Work::Train => self.training()?.measure(self.options),
            Work::Saving { config, what } => Ok((self.saving(config)?.saving(self.options, what)?, None)),
            Work::Recipe => self.recipe(),
            Work::Dashboard => Ok((self.training()?.with_dashboard(self.options)?, None)),
        }
    }

    fn peer(&self, script: &str, arguments: &str, tuned: bool) -> Outcome {
        let python = self.places.python.as_ref().map_err(String::clone)?;
        let mut command = child::mortal(self.environment, python);
        command.arg(self.places.peers.join(script)).args(arguments.split_whitespace());
        self.common(&mut command, script, arguments)?;
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        if tuned {
            command.env("GLIBC_TUNABLES", TUNABLES);
        }
        of_peer(command)
    }

    fn burn(&self, mode: &str) -> Outcome {
        let program = self.places.burn.as_ref().map_err(String::clone)?;
        let mut command = child::mortal(self.environment, program);
        command.arg(mode);
        self.common(&mut command, mode, "")?;
        of_peer(command)
    }

    /// Threads, windows and data as every peer takes them.
    fn common(&self, command: &mut Command, script: &str, arguments: &str) -> Result<(), String> {
        let Options { threads, seconds, repeats, .. } = self.options;
        command.args(["--threads", &threads.to_string(), "--seconds", &seconds.to_string()]);
        command.args(["--repeats", &repeats.to_string()]);
        if script.starts_with("mnist") {
            command.arg("--mnist").arg(self.places.mnist.as_ref().map_err(String::clone)?);
        } else if script.starts_with("pipeline")
            || script.contains("recipe")
            || arguments.contains("--pipe")
            || matches!(script, "end-to-end" | "input")
        {
            command.arg("--data").arg(self.places.pictures.as_ref().map_err(String::clone)?);
        }
        Ok(())
    }

    fn bench(&self, config: &str, options: &str, images: Images, tasks: &[(&str, &str)]) -> Outcome {
        let frostline = self.places.frostline.as_ref().map_err(String::clone)?;
        let mut command = ours::bench(self.environment, frostline, self.options, &self.checkout.root().join(config));
        command.args(options.split_whitespace());
        let data = match images {
            Images::None => None,
            Images::CatsAndDogs => Some(self.places.pictures.as_ref().map_err(String::clone)?),
            Images::Mnist => Some(self.places.mnist.as_ref().map_err(String::clone)?),
        };
        if let Some(data) = data {
            command.args(["--set", &ours::data_path(data)]);
        }
        if options.contains("pipeline") {
            // Nothing else runs then: all threads are for loading, as with the peers.
            command.args(["--set", &format!("engine.loader_threads={}", self.options.threads)]);
        }
        let ended = child::run(command, LIMIT, |_| {})?;
        let figures = ours::figures(&ended.lines, tasks);
        if figures.len() < tasks.len() || !ended.is_success() {
            return Err(ended.reason());
        }
        Ok((figures, ended.memory.sum()))
    }

    /// In a folder of its own, so that nothing is kept from before.
    fn recipe(&self) -> Outcome {
        let frostline = self.places.frostline.as_ref().map_err(String::clone)?;
        let pictures = self.places.pictures.as_ref().map_err(String::clone)?;
        let config = self.checkout.root().join(super::catalogue::RECIPE);
        let folder = self.places.folder.join(format!("{RUNS}{}", std::process::id()));
        let command = ours::recipe(self.environment, frostline, self.options, &config, pictures, &folder)?;
        let begun = Instant::now();
        let ended = child::run(command, LIMIT, |_| {});
        let seconds = begun.elapsed().as_secs_f64();
        let images = ours::recipe_images(&folder);
        let _ = fs::remove_dir_all(&folder);
        let ended = ended?;
        if !ended.is_success() {
            return Err(ended.reason());
        }
        Ok((vec![ours::figure("vgg16-recipe", vec![images? / seconds], None)], ended.memory.sum()))
    }

    fn training(&self) -> Result<Training<'_>, String> {
        self.training_of(super::catalogue::CATS_AND_DOGS, &[])
    }

    /// Seconds between two checkpoints, so that the disk keeps up with the large ones.
    fn saving(&self, config: &str) -> Result<Training<'_>, String> {
        self.training_of(config, &["train.checkpoint_minutes=0.1"])
    }

    fn training_of(&self, config: &str, more: &[&str]) -> Result<Training<'_>, String> {
        let frostline = self.places.frostline.as_ref().map_err(String::clone)?;
        let pictures = self.places.pictures.as_ref().map_err(String::clone)?;
        let config = self.checkout.root().join(config);
        let folder = self.places.folder.join(format!("{RUNS}{}", std::process::id()));
        Training::start(self.environment, frostline, self.options, &config, pictures, folder, more)
    }
}

/// Runs a peer and takes the figures that it prints.
fn of_peer(command: Command) -> Outcome {
    let ended = child::run(command, LIMIT, |_| {})?;
    let figures: Vec<Figure> = ended.lines.iter().filter_map(|line| Figure::of_line(line)).collect();
    if figures.is_empty() { Err(ended.reason()) } else { Ok((figures, ended.memory.largest())) }
}

/// `Keras 3 143.2`.
fn spoken(one: &Figure) -> String {
    format!("{} {}", one.system, median(&one.values).map_or_else(|| "–".to_owned(), figure))
}

/// Keeps one processor busy with nothing.
fn busy(environment: &Environment) -> Command {
    let mut command = child::mortal(environment, "sh");
    command.args(["-c", "while :; do :; done"]);
    command
}

/// What a file of results holds; lines that are none are passed over.
pub fn read(path: &Path) -> Result<Vec<Measured>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))?;
    Ok(text.lines().filter_map(|line| Measured::of_json(&Json::parse(line)?)).collect())
}
