//! `frostline doctor`: what this terminal and this machine can do, what keeps Frostline from working, and what to do about it. It looks and
//! proves; it changes nothing.

mod folders;
mod machine;
mod terminal;

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use super::{Exit, Place, output::Output};
use crate::{
    error::{Class, Error, Result},
    tui::Appearance,
};

#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Print one JSON object a finding
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    Ok,
    /// Something works less well than it could.
    Hint,
    /// Something keeps Frostline from working.
    Trouble,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    part: &'static str,
    name: &'static str,
    mark: Mark,
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

/// Findings of one part.
struct Part(&'static str);

impl Part {
    fn ok(&self, name: &'static str, found: impl Into<String>) -> Finding {
        Finding { part: self.0, name, mark: Mark::Ok, found: found.into(), advice: None }
    }

    fn hint(&self, name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { mark: Mark::Hint, advice: Some(advice.into()), ..self.ok(name, found) }
    }

    fn trouble(&self, name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { mark: Mark::Trouble, ..self.hint(name, found, advice) }
    }

    /// What an error says.
    fn failed(&self, name: &'static str, error: &Error) -> Finding {
        let advice = error.hint();
        Finding { mark: Mark::Trouble, advice, ..self.ok(name, error.message()) }
    }
}

pub fn run(args: &DoctorArgs, out: &mut Output) -> Result<Exit> {
    let appearance = Appearance::detect(|name| std::env::var(name).ok());
    let terminal = terminal::examine(appearance);
    let mut teller = Teller { json: args.json, ascii: appearance.ascii, part: "", troubles: 0 };
    teller.tell(&terminal.findings, out)?;
    if !args.json
        && let Some(able) = terminal.able
    {
        out.line("")?;
        terminal::show_test_picture(able);
        out.line(terminal::TEST_PICTURE)?;
    }
    teller.tell(&machine::examine(), out)?;
    teller.tell(&folders::examine(&args.place.runs), out)?;
    if !args.json {
        out.line(&format!("\n{}", teller.verdict()))?;
    }
    Ok(if teller.troubles > 0 { Exit(Class::Environment.exit_code()) } else { Exit::DONE })
}

/// Tells findings as they come: loading libtorch takes a while.
struct Teller {
    json: bool,
    ascii: bool,
    /// Whose heading stands.
    part: &'static str,
    troubles: usize,
}

impl Teller {
    fn tell(&mut self, findings: &[Finding], out: &mut Output) -> Result<()> {
        for finding in findings {
            self.troubles += usize::from(finding.mark == Mark::Trouble);
            if self.json {
                out.json(finding)?;
                continue;
            }
            if self.part != finding.part {
                let gap = if self.part.is_empty() { "" } else { "\n" };
                out.line(&format!("{gap}{}", finding.part))?;
                self.part = finding.part;
            }
            out.line(&self.line(finding))?;
        }
        Ok(())
    }

    fn line(&self, finding: &Finding) -> String {
        let mark = match (finding.mark, self.ascii) {
            (Mark::Ok, false) => "✓",
            (Mark::Ok, true) => "+",
            (Mark::Hint, _) => "!",
            (Mark::Trouble, false) => "✗",
            (Mark::Trouble, true) => "x",
        };
        let mut line = format!("  {mark} {:<12} {}", finding.name, finding.found);
        if let Some(advice) = &finding.advice {
            let _ = write!(line, "\n{:17}{} {advice}", "", if self.ascii { "->" } else { "→" });
        }
        line
    }

    fn verdict(&self) -> String {
        match self.troubles {
            0 => "nothing keeps frostline from working".into(),
            1 => "one thing keeps frostline from working".into(),
            n => format!("{n} things keep frostline from working"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_stands_under_what_was_found() {
        let part = Part("terminal");
        let teller = |ascii| Teller { json: false, ascii, part: "", troubles: 0 };
        assert_eq!(teller(false).line(&part.ok("locale", "C.UTF-8")), "  ✓ locale       C.UTF-8");
        let hint = part.hint("colours", "none", "unset NO_COLOR");
        assert_eq!(teller(true).line(&hint), "  ! colours      none\n                 -> unset NO_COLOR");
    }

    #[test]
    fn a_finding_is_an_object_of_its_own() {
        let finding = Part("folders").trouble("runs", "runs is full", "make room");
        assert_eq!(
            serde_json::to_string(&finding).ok().as_deref(),
            Some(r#"{"part":"folders","name":"runs","mark":"trouble","found":"runs is full","advice":"make room"}"#)
        );
    }
}
