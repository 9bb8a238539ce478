//! The command line of `cargo xtask bench`.

use std::path::PathBuf;

use crate::failure::Failure;

pub const HELP: &str = "\
Measures Frostline beside what one would use instead, job by job, and says which of its targets are met.

Usage: cargo xtask bench [OPTIONS]

  --quick            only those that lead, once, in short windows: at most 8 minutes instead of 25. A preview: our own
                     run reads 640 pictures then, so its memory is smaller
  --only WORDS       only jobs in whose names one of these words stands (comma-separated; see --list)
  --list             print the jobs and do nothing
  --rounds N         how often the leaders of a task take turns (2)
  --seconds S        least length of a timed window (2.5)
  --repeats N        timed windows of a job in a round (3)
  --threads N        threads for everybody (as many as there are processors)
  --json FILE        append every figure to FILE; jobs that are in it already are not run again
  --table FILE       print table and verdicts of such a file and run nothing
  --growth           print how Frostline's own cost grows with image size, batch, images and threads instead
  --burn             build burn's peer too (6 minutes, once) and measure it
  --data DIR         cats and dogs: train/, validation/, test/, instead of pictures drawn into the cache
  --mnist DIR        the four files of MNIST or Fashion-MNIST
  --python FILE      a Python that has what benches/peers/requirements.txt lists, instead of one of our own
  --frostline FILE   a built frostline beside its engine, instead of building one
  --no-wait          don't wait for a quiet machine before each job, nor repeat what was disturbed
";

#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Options {
    pub quick: bool,
    pub only: Vec<String>,
    pub list: bool,
    pub rounds: u32,
    pub seconds: f64,
    pub repeats: u32,
    pub threads: usize,
    pub json: Option<PathBuf>,
    pub table: Option<PathBuf>,
    pub growth: bool,
    pub burn: bool,
    pub data: Option<PathBuf>,
    pub mnist: Option<PathBuf>,
    pub python: Option<PathBuf>,
    pub frostline: Option<PathBuf>,
    pub waits: bool,
    pub help: bool,
}

impl Options {
    /// `processors`: threads where the caller names no number.
    pub fn parse(arguments: &[String], processors: usize) -> Result<Self, Failure> {
        let (mut rounds, mut seconds, mut repeats) = (None, None, None);
        let mut options = Self {
            quick: false,
            only: Vec::new(),
            list: false,
            rounds: 2,
            seconds: 2.5,
            repeats: 3,
            threads: processors,
            json: None,
            table: None,
            growth: false,
            burn: false,
            data: None,
            mnist: None,
            python: None,
            frostline: None,
            waits: true,
            help: false,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| Failure::usage(format!("`bench {word}` wants a value")));
            match word.as_str() {
                "--quick" => options.quick = true,
                "--list" => options.list = true,
                "--growth" => options.growth = true,
                "--burn" => options.burn = true,
                "--no-wait" => options.waits = false,
                "--help" | "-h" => options.help = true,
                "--only" => options.only.extend(value()?.split(',').map(str::to_owned)),
                "--rounds" => rounds = Some(number(word, value()?, 1.0, 100.0)? as u32),
                "--repeats" => repeats = Some(number(word, value()?, 1.0, 100.0)? as u32),
                "--seconds" => seconds = Some(number(word, value()?, 0.05, 600.0)?),
                "--threads" => options.threads = number(word, value()?, 1.0, 4096.0)? as usize,
                "--json" => options.json = Some(value()?.into()),
                "--table" => options.table = Some(value()?.into()),
                "--data" => options.data = Some(value()?.into()),
                "--mnist" => options.mnist = Some(value()?.into()),
                "--python" => options.python = Some(value()?.into()),
                "--frostline" => options.frostline = Some(value()?.into()),
                other => return Err(Failure::usage(format!("`bench` has no option `{other}`")).hint("see --help")),
            }
        }
        if options.quick {
            (options.rounds, options.seconds, options.repeats) = (1, 1.5, 2);
        }
        options.rounds = rounds.unwrap_or(options.rounds);
        options.seconds = seconds.unwrap_or(options.seconds);
        options.repeats = repeats.unwrap_or(options.repeats);
        Ok(options)
    }

    pub fn wants(&self, job: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| job.contains(word.as_str()))
    }
}

fn number(option: &str, text: &str, least: f64, most: f64) -> Result<f64, Failure> {
    match text.parse::<f64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(Failure::usage(format!("`bench {option}` wants a number from {least} to {most}, not `{text}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words, 2)
    }

    #[test]
    fn quick_changes_what_was_not_asked_for() {
        let options = parse("--seconds 1 --quick").unwrap();
        assert_eq!((options.rounds, options.seconds, options.repeats), (1, 1.0, 2));
        assert_eq!(parse("").unwrap().rounds, 2);
    }

    #[test]
    fn jobs_are_chosen_by_parts_of_their_names() {
        let options = parse("--only step/,mnist-64").unwrap();
        let chosen = ["step/keras3", "mnist-64/keras3", "mnist-128/keras3"].map(|job| options.wants(job));
        assert_eq!(chosen, [true, true, false]);
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong() {
        let said = |line: &str| parse(line).unwrap_err().what;
        assert_eq!(said("--round 3"), "`bench` has no option `--round`");
        assert_eq!(said("--rounds"), "`bench --rounds` wants a value");
        assert_eq!(said("--seconds soon"), "`bench --seconds` wants a number from 0.05 to 600, not `soon`");
    }
}
