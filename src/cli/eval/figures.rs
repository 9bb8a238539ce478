//! How the figures of an evaluation are called and written, once for the terminal and the reports.

use super::findings::Findings;
use crate::text::figures::count;

/// `0.7500`, or a stroke for what does not exist.
pub fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

/// What is said of the whole split besides loss and accuracy. What does not exist is left out.
pub fn overall(findings: &Findings) -> Vec<(String, String)> {
    let mut figures = vec![("balanced accuracy".to_owned(), findings.balanced_accuracy)];
    // The first is the accuracy.
    figures.extend(findings.top_k.iter().filter(|top| top.k > 1).map(|top| (format!("top-{}", top.k), top.accuracy)));
    figures.extend([
        ("ROC-AUC".to_owned(), findings.roc_auc),
        ("average precision".to_owned(), findings.average_precision),
        ("ECE".to_owned(), findings.expected_calibration_error),
        ("Brier".to_owned(), findings.brier),
    ]);
    figures.into_iter().filter_map(|(name, value)| Some((name, share(Some(value?))))).collect()
}

/// What makes the figures worth less.
pub fn trouble(findings: &Findings) -> Option<String> {
    let all = findings.images;
    (findings.broken > 0).then(|| {
        format!(
            "for {} of {} images the network's output is not a number: its weights have blown up, and what is made of probabilities \
             does not exist",
            count(findings.broken as u64),
            count(all)
        )
    })
}
