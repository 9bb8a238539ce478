//! `frostline eval`: loss, accuracy and the confusion of a run's network on a split of its data.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};

use super::{
    Exit, Place,
    output::{Output, complain},
    query, report,
};
use crate::{
    error::Result,
    event::{Event, Stamped, Tested},
    run::{Entry, RunDir, Tail},
    text::figures,
};

#[derive(Args, Debug)]
pub struct EvalArgs {
    /// The run: its name, a unique part of it, a path, or `last`
    #[arg(default_value = "last")]
    run: String,
    #[arg(long, value_enum, default_value_t = Split::Test)]
    split: Split,
    #[arg(long, value_enum, default_value_t = Kept::Best)]
    checkpoint: Kept,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Split {
    Train,
    Validation,
    Test,
}

/// The checkpoints that a run keeps.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kept {
    /// The one with the best validation figures
    Best,
    Last,
}

/// As the engine's command line spells it.
pub fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

pub fn run(args: &EvalArgs, out: &mut Output) -> Result<Exit> {
    let run = args.place.find(&args.run)?;
    let arguments = vec![
        "eval".into(),
        run.path().into(),
        "--split".into(),
        word(&args.split).into(),
        "--checkpoint".into(),
        word(&args.checkpoint).into(),
    ];
    let classes = class_names(&run)?;
    query::ask(arguments, |event: Event, line| match event {
        Event::Tested(_) if args.json => out.line(line),
        Event::Tested(tested) => out.line(&table(&tested, &word(&args.split), &classes)),
        // What is not the result, for example images that were left out of it, must not be taken for it.
        event => {
            if let Some(line) = report::Reporter::default().line(&event) {
                complain(&line);
            }
            Ok(())
        }
    })
}

/// As the run's data set had them; empty if the run never opened it.
pub fn class_names(run: &RunDir) -> Result<Vec<String>> {
    let mut classes = Vec::new();
    if run.journal().exists() {
        let mut tail = Tail::open(&run.journal())?;
        while let Some(line) = tail.next_line()? {
            // One line in many thousands.
            if line.mark().is_none_or(|mark| mark.event == "data_opened")
                && let Entry::Event(Stamped { event: Event::DataOpened(data), .. }) = line.entry()?
            {
                classes = data.classes;
            }
        }
    }
    Ok(classes)
}

/// The figures, then how the images of each class were named: rows are the truth, columns the predictions.
fn table(tested: &Tested, split: &str, classes: &[String]) -> String {
    let mut text = format!(
        "{split}: loss {:.4}  accuracy {:.4}  on {} images",
        tested.metrics.loss,
        tested.metrics.accuracy,
        figures::count(tested.images)
    );
    let count = tested.confusion.len();
    if count == 0 {
        return text;
    }
    let name = |class: usize| classes.get(class).cloned().unwrap_or_else(|| class.to_string());
    let name_width = (0..count).map(|class| unicode_width::UnicodeWidthStr::width(name(class).as_str())).max();
    let name_width = name_width.unwrap_or(0).max("truth".len());
    let largest = tested.confusion.iter().flatten().max().copied().unwrap_or(0);
    let width = largest.to_string().len().max(count.to_string().len()).max(3);
    let padded = |text: &str| {
        let room = name_width.saturating_sub(unicode_width::UnicodeWidthStr::width(text));
        format!("{text}{}", " ".repeat(room))
    };
    let _ = write!(text, "\n\n{}  {:>4}", padded("truth"), "#");
    for class in 0..count {
        let _ = write!(text, "  {class:>width$}");
    }
    text.push_str("  recall  precision");
    for (class, row) in tested.confusion.iter().enumerate() {
        let right = row.get(class).copied().unwrap_or(0);
        let named: u64 = tested.confusion.iter().filter_map(|row| row.get(class)).sum();
        let _ = write!(text, "\n{}  {class:>4}", padded(&name(class)));
        for cell in row {
            let _ = write!(text, "  {cell:>width$}");
        }
        let _ = write!(text, "  {:>6}  {:>9}", share(right, row.iter().sum()), share(right, named));
    }
    text
}

fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "-".into() } else { format!("{:.4}", part as f64 / whole as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CheckpointKind, Metrics};

    #[test]
    fn the_confusion_is_a_table_with_recall_and_precision() {
        let tested = Tested {
            metrics: Metrics { loss: 0.3, accuracy: 0.75 },
            images: 8,
            checkpoint: CheckpointKind::Best,
            // 3 of 4 cats and 3 of 4 dogs; worked out by hand: recall 3/4, precision 3/4; no bird was shown or named.
            confusion: vec![vec![3, 1, 0], vec![1, 3, 0], vec![0, 0, 0]],
        };
        let text = table(&tested, "test", &["猫".into(), "dog".into(), "bird".into()]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "test: loss 0.3000  accuracy 0.7500  on 8 images",
                "",
                "truth     #    0    1    2  recall  precision",
                "猫        0    3    1    0  0.7500     0.7500",
                "dog       1    1    3    0  0.7500     0.7500",
                "bird      2    0    0    0       -          -",
            ]
        );
    }
}
