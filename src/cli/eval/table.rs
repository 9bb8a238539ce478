//! An evaluation as text for a terminal: the figures, the classes with what they were taken for, and what is most often mistaken. What is too
//! long for a screen says so; a report has it all.

use super::{
    figures::{self, share},
    findings::Findings,
};
use crate::{
    cli::table::{aligned, list},
    text::{figures::count, guard},
};

/// With more classes than this the matrix is wider than a screen.
const MATRIX: usize = 12;
const MOST_CLASSES: usize = 40;
const MOST_PAIRS: usize = 5;

pub fn page(findings: &Findings) -> String {
    let mut parts = vec![format!(
        "{}: loss {:.4}  accuracy {:.4}  on {} images",
        findings.split,
        findings.metrics.loss,
        findings.metrics.accuracy,
        count(findings.images)
    )];
    parts.extend(figures::trouble(findings));
    if !findings.per_class.is_empty() && findings.images > 0 {
        parts.push(classes(findings));
        parts.push(
            figures::overall(findings)
                .iter()
                .map(|(name, value)| format!("{name} {value}"))
                .collect::<Vec<_>>()
                .join("  "),
        );
    }
    if !findings.confused.is_empty() {
        let line = |pair: &super::findings::Confused| {
            let names = guard::clean(&format!("{} as {}", pair.truth, pair.predicted)).into_owned();
            format!("{names}: {} ({:.1} %)", count(pair.images), pair.share * 100.0)
        };
        parts.push(format!("most confused:\n{}", list(&findings.confused, MOST_PAIRS, line)));
    }
    parts.join("\n\n")
}

/// Rows are the truth, columns the predictions.
fn classes(findings: &Findings) -> String {
    let all = findings.per_class.len();
    let matrix = if all <= MATRIX { all } else { 0 };
    let mut head = vec!["truth".to_owned(), "#".to_owned()];
    head.extend((0..matrix).map(|class| class.to_string()));
    head.extend(["images", "recall", "precision", "F1"].map(str::to_owned));
    let mut rows = vec![head];
    let shown = if all <= MOST_CLASSES + 1 { all } else { MOST_CLASSES };
    for (class, one) in findings.per_class[..shown].iter().enumerate() {
        let mut row = vec![one.class.clone(), class.to_string()];
        row.extend(findings.confusion[class].iter().take(matrix).map(u64::to_string));
        let figures = one.figures;
        row.extend([count(figures.support), share(figures.recall), share(figures.precision), share(figures.f1)]);
        rows.push(row);
    }
    if shown < all {
        rows.push(vec![format!("… and {} more; a report has all", all - shown)]);
    }
    for (name, average) in [("macro", findings.macro_average), ("weighted", findings.weighted_average)] {
        if let Some(average) = average {
            let mut row = vec![name.to_owned()];
            row.resize(3 + matrix, String::new());
            row.extend([average.recall, average.precision, average.f1].map(|value| share(Some(value))));
            rows.push(row);
        }
    }
    aligned(&rows, |column| column > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::eval::Heard,
        event::{CheckpointKind, Metrics, Tested, evaluation::Judged},
    };

    fn tested(confusion: Vec<Vec<u64>>) -> Tested {
        let images = confusion.iter().flatten().sum();
        Tested { metrics: Metrics { loss: 0.3, accuracy: 0.75 }, images, checkpoint: CheckpointKind::Best, confusion }
    }

    #[test]
    fn the_classes_are_a_table_with_recall_precision_and_their_averages() {
        // 3 of 4 cats and 3 of 4 dogs, worked out by hand: recall, precision and F1 are 3/4; no bird was shown or named.
        let tested = tested(vec![vec![3, 1, 0], vec![1, 3, 0], vec![0, 0, 0]]);
        let names = ["猫".to_owned(), "dog".into(), "bird".into()];
        let mut findings = Findings::of("r", "test", &names, tested, &Heard::default(), 8);
        findings.top_k.clear();
        let text = page(&findings);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "test: loss 0.3000  accuracy 0.7500  on 8 images",
                "",
                "truth     #  0  1  2  images  recall  precision      F1",
                "猫        0  3  1  0       4  0.7500     0.7500  0.7500",
                "dog       1  1  3  0       4  0.7500     0.7500  0.7500",
                "bird      2  0  0  0       0       -          -       -",
                "macro                         0.7500     0.7500  0.7500",
                "weighted                      0.7500     0.7500  0.7500",
                "",
                "balanced accuracy 0.7500",
                "",
                "most confused:",
                "  猫 as dog: 1 (25.0 %)",
                "  dog as 猫: 1 (25.0 %)",
            ]
        );
    }

    #[test]
    fn many_classes_have_no_matrix_and_an_end() {
        let count = 100;
        let confusion = (0..count).map(|at| (0..count).map(|other| u64::from(at == other)).collect()).collect();
        let findings = Findings::of("r", "test", &[], tested(confusion), &Heard::default(), 8);
        let text = page(&findings);
        assert!(text.contains("… and 60 more; a report has all"), "{text}");
        assert!(text.lines().all(|line| line.len() < 100) && text.lines().count() < 60, "{text}");
    }

    #[test]
    fn numbers_that_are_none_are_said_to_be_none() {
        let judged = Judged {
            sample: 0,
            name: "a".into(),
            truth: 0,
            predicted: 0,
            loss: f64::NAN,
            probabilities: vec![f32::NAN; 2],
        };
        let heard = Heard { judged: vec![judged], ..Heard::default() };
        let findings = Findings::of("r", "test", &[], tested(vec![vec![1, 0], vec![0, 0]]), &heard, 8);
        let text = page(&findings);
        assert!(text.contains("for 1 of 1 images the network's output is not a number"), "{text}");
        assert!(!text.contains("ROC"), "{text}");
    }
}
