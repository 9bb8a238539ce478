//! How Frostline's own cost grows: with the side of the images, the batch, the number of images and the threads. Tables as they
//! stand in docs/performance.md.

use std::fmt::Write as _;
use std::time::Duration;

use super::catalogue::CATS_AND_DOGS;
use super::child;
use super::measured::median;
use super::options::Options;
use super::ours::{self, Rate};
use super::places::Places;
use super::table::figure;
use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::say;

/// The largest setting is slow: 300 px at batch 128 would be minutes a window.
const LIMIT: Duration = Duration::from_secs(290);

/// One table: what is changed, to what, and what is measured.
struct Series {
    title: &'static str,
    /// Heads the first column.
    name: &'static str,
    parts: &'static str,
    settings: Vec<(String, Vec<String>)>,
}

fn series(threads: usize) -> Vec<Series> {
    let one = |value: usize, set: String| (value.to_string(), vec![set]);
    let sides = [75, 150, 224, 300].map(|side| one(side, format!("model.input=[{side},{side},3]")));
    let batches = [8, 16, 32, 64, 128].map(|batch| one(batch, format!("train.batch_size={batch}")));
    let images = [250, 500, 1000, 2000].map(|images| one(images, format!("data.limit={images}")));
    let threads = (1..=threads).map(|threads| one(threads, format!("engine.threads={threads}")));
    vec![
        Series { title: "Side of the images", name: "side", parts: "step,eval,pipeline", settings: sides.into() },
        Series { title: "Batch", name: "batch", parts: "step,eval", settings: batches.into() },
        Series { title: "Images", name: "images", parts: "pipeline,end-to-end", settings: images.into() },
        Series { title: "Threads", name: "threads", parts: "step,eval,pipeline", settings: threads.collect() },
    ]
}

/// The columns, by what `frostline bench` calls them.
const COLUMNS: &[(&str, &str)] = &[
    ("step", "step img/s"),
    ("evaluation", "evaluation img/s"),
    ("first_pass", "input, first pass img/s"),
    ("later_passes", "input, later img/s"),
    ("first_epoch", "first epoch img/s"),
    ("end_to_end", "later epochs img/s"),
];

pub fn run(
    environment: &Environment,
    checkout: &Checkout,
    options: &Options,
    places: &Places,
) -> Result<String, String> {
    let frostline = places.frostline.as_ref().map_err(String::clone)?;
    let pictures = places.pictures.as_ref().map_err(String::clone)?;
    let mut text = String::new();
    for Series { title, name, parts, settings } in series(options.threads) {
        let mut rows = Vec::new();
        for (value, set) in settings {
            let mut command = ours::bench(environment, frostline, options, &checkout.root().join(CATS_AND_DOGS));
            command.args(["--only", parts, "--set", &ours::data_path(pictures)]);
            if name != "batch" {
                command.args(["--batch-size", "32"]);
            }
            // After the number of threads that everybody gets, which one of the series changes.
            for assignment in &set {
                command.args(["--set", assignment]);
            }
            say::line(&format!("{name} {value}"));
            let ended = child::run(command, LIMIT, |_| {})?;
            let rates = ours::rates(&ended.lines);
            if rates.is_empty() {
                say::line(&format!("left out: {}", ended.reason()));
            }
            rows.push((value, rates, ours::peak_mb(&ended.lines)));
        }
        let _ = writeln!(text, "### {title}\n\n{}", table(name, &rows));
    }
    Ok(text)
}

/// Columns that no row has are left out.
fn table(name: &str, rows: &[(String, Vec<Rate>, Option<f64>)]) -> String {
    let columns = COLUMNS.iter().filter(|(what, _)| rows.iter().any(|(_, rates, _)| find(rates, what).is_some()));
    let columns: Vec<_> = columns.collect();
    let mut text = format!("| {name} |");
    for (_, title) in &columns {
        let _ = write!(text, " {title} |");
    }
    let waits = rows.iter().any(|(_, rates, _)| rates.iter().any(|rate| rate.data_wait.is_some()));
    text.push_str(if waits { " waits for data |" } else { "" });
    text.push_str(" peak MB |\n|");
    text.push_str(&"---|".repeat(columns.len() + 2 + usize::from(waits)));
    text.push('\n');
    for (value, rates, peak) in rows {
        let _ = write!(text, "| {value} |");
        for (what, _) in &columns {
            let _ = write!(text, " {} |", find(rates, what).map_or_else(|| "–".to_owned(), figure));
        }
        if waits {
            let share = rates.iter().find_map(|rate| rate.data_wait);
            let _ =
                write!(text, " {} |", share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0)));
        }
        let _ = writeln!(text, " {} |", peak.map_or_else(|| "–".to_owned(), |peak| format!("{peak:.0}")));
    }
    text
}

fn find(rates: &[Rate], what: &str) -> Option<f64> {
    rates.iter().find(|rate| rate.what == what).and_then(|rate| median(&rate.values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_columns_that_were_measured() {
        let rate = |what: &str, value, data_wait| Rate { what: what.to_owned(), values: vec![value], data_wait };
        let rows = [
            (
                "250".to_owned(),
                vec![rate("first_pass", 2100.0, None), rate("end_to_end", 150.0, Some(0.004))],
                Some(600.2),
            ),
            ("500".to_owned(), vec![], None),
        ];
        let expected = "| images | input, first pass img/s | later epochs img/s | waits for data | peak MB |\n\
                        |---|---|---|---|---|\n| 250 | 2,100 | 150.0 | 0.4 % | 600 |\n| 500 | – | – | – | – |\n";
        assert_eq!(table("images", &rows), expected);
    }

    #[test]
    fn threads_run_from_one_to_all() {
        let last = series(3).pop().unwrap();
        let values: Vec<_> = last.settings.iter().map(|(value, _)| value.as_str()).collect();
        assert_eq!(values, ["1", "2", "3"]);
    }
}
