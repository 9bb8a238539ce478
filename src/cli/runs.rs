//! `frostline runs`: every run and how it stands, the newest last.

use std::fmt::Write as _;

use clap::Args;
use jiff::{Timestamp, tz::TimeZone};

use super::{Exit, Place, output::Output};
use crate::{
    error::{Error, Result},
    run::{self, Summary},
};

#[derive(Args, Debug)]
pub struct RunsArgs {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &RunsArgs, out: &mut Output) -> Result<Exit> {
    let mut summaries = Vec::new();
    for run in run::list(&args.place.runs)? {
        match run::summarise(&run) {
            Ok(summary) => summaries.push(summary),
            // One damaged run must not hide the others.
            Err(error) => super::output::complain(&Error::from(error).to_string()),
        }
    }
    if args.json {
        for summary in &summaries {
            out.json(summary)?;
        }
    } else if summaries.is_empty() {
        return Err(run::Error::NoRuns { root: args.place.runs.clone() }.into());
    } else {
        out.line(&table(&summaries, &TimeZone::system()))?;
    }
    Ok(Exit::DONE)
}

fn table(summaries: &[Summary], zone: &TimeZone) -> String {
    let header = ["RUN", "STATE", "EPOCH", "STEP", "BEST VAL ACC", "TEST ACC", "LATEST"].map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(header).chain(summaries.iter().map(|run| row(run, zone))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let lines: Vec<String> = rows
        .iter()
        .map(|[run, state, numbers @ .., latest]| {
            let mut line = format!("{run:0$}  {state:1$}", widths[0], widths[1]);
            for (number, width) in numbers.iter().zip(&widths[2..]) {
                let _ = write!(line, "  {number:>width$}");
            }
            line + "  " + latest
        })
        .collect();
    lines.join("\n")
}

fn row(summary: &Summary, zone: &TimeZone) -> [String; 7] {
    let share = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.4}"));
    let latest = summary
        .latest_at_ms
        .and_then(|ms| Timestamp::from_millisecond(ms as i64).ok())
        .map_or("-".into(), |at| at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string());
    [
        summary.run.clone(),
        summary.standing.to_string(),
        if summary.epochs == 0 { "-".into() } else { format!("{}/{}", summary.epoch, summary.epochs) },
        summary.step.to_string(),
        share(summary.best_validation_accuracy),
        share(summary.test_accuracy),
        latest,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Standing;

    #[test]
    fn the_table_lines_up() {
        let summary = |run: &str, standing, epochs, accuracy| Summary {
            run: run.into(),
            standing,
            model: "m".into(),
            epoch: epochs,
            epochs,
            step: u64::from(epochs) * 469,
            best_validation_accuracy: accuracy,
            test_accuracy: None,
            losses: vec![],
            started_at_ms: None,
            latest_at_ms: accuracy.map(|_| 1_772_000_000_000),
        };
        let summaries = [
            summary("2026-03-09-120005-demo", Standing::Interrupted, 10, Some(0.91)),
            summary("2026-03-10-080000-fashion-mnist", Standing::New, 0, None),
        ];
        let lines = table(&summaries, &TimeZone::UTC);
        assert_eq!(
            lines.lines().map(str::trim_end).collect::<Vec<_>>(),
            [
                "RUN                              STATE        EPOCH  STEP  BEST VAL ACC  TEST ACC  LATEST",
                "2026-03-09-120005-demo           interrupted  10/10  4690        0.9100         -  2026-02-25 06:13",
                "2026-03-10-080000-fashion-mnist  new              -     0             -         -  -",
            ]
        );
    }
}
