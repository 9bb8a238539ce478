//! The command line of `cargo xtask screenshots`.

use std::path::PathBuf;

use crate::failure::Failure;

pub const HELP: &str = "\
Makes docs/screens: pictures of the dashboard and a recording, from runs that train in a terminal nobody sees. Two minutes.

Usage: cargo xtask screenshots [OPTIONS]

  --only PARTS       of stills, recording, sixel (comma-separated); all if left out
  --frostline FILE   a built frostline beside its engine, instead of target/release/frostline, which is built if it is missing

It needs Xvfb, kitty (or xterm), xdotool and ImageMagick; with xterm also the picture that shows sixel graphics.
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Stills,
    Recording,
    Sixel,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    only: Vec<Part>,
    pub frostline: Option<PathBuf>,
    pub help: bool,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value =
                || words.next().ok_or_else(|| Failure::usage(format!("`screenshots {word}` wants a value")));
            match word.as_str() {
                "--help" | "-h" => options.help = true,
                "--frostline" => options.frostline = Some(value()?.into()),
                "--only" => {
                    for name in value()?.split(',') {
                        options.only.push(part(name)?);
                    }
                }
                other => {
                    return Err(Failure::usage(format!("`screenshots` has no option `{other}`")).hint("see --help"));
                }
            }
        }
        Ok(options)
    }

    pub fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

fn part(name: &str) -> Result<Part, Failure> {
    match name {
        "stills" => Ok(Part::Stills),
        "recording" => Ok(Part::Recording),
        "sixel" => Ok(Part::Sixel),
        other => Err(Failure::usage(format!("`screenshots --only` knows stills, recording and sixel, not `{other}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn everything_is_made_unless_parts_are_named() {
        let all = parse("").unwrap();
        assert!([Part::Stills, Part::Recording, Part::Sixel].into_iter().all(|part| all.wants(part)));
        let some = parse("--only stills,sixel").unwrap();
        assert!(some.wants(Part::Stills) && some.wants(Part::Sixel) && !some.wants(Part::Recording));
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong() {
        let said = |line: &str| parse(line).unwrap_err().what;
        assert_eq!(said("--frostline"), "`screenshots --frostline` wants a value");
        assert_eq!(said("--gif"), "`screenshots` has no option `--gif`");
        assert!(said("--only still").ends_with("not `still`"));
    }
}
