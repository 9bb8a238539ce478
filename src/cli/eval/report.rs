//! An evaluation as files: a page in Markdown or HTML with its drawings in a folder beside it, all figures as JSON, or a line an image as
//! CSV.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Heard, charts,
    document::{self, Drawing, Exhibit, Part},
    figures::{self, share},
    findings::{Class, Findings, Sample},
    gallery, heatmap, save, unwritten,
};
use crate::{
    cli::table::several,
    error::{Error, Result},
    text::figures::count,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Markdown,
    Html,
    Json,
    Csv,
}

/// With more classes the matrix is a picture only.
const MATRIX: usize = 20;
/// Skipped files that a page lists.
const SKIPPED: usize = 100;

impl Format {
    /// By the file's ending. What cannot be written is said before anything is measured.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let format = match ending.as_str() {
            "md" | "markdown" => Self::Markdown,
            "html" | "htm" => Self::Html,
            "json" => Self::Json,
            "csv" => Self::Csv,
            _ => {
                let text = format!("{}: no kind of report ends like this", path.display());
                return Err(Error::user(text, ".md and .html make a page, .json all figures, .csv a line an image"));
            }
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(Error::user(format!("{}: no such folder", folder.display()), "make it first"));
        }
        Ok(format)
    }

    pub fn is_page(self) -> bool {
        matches!(self, Self::Markdown | Self::Html)
    }

    pub fn described(self) -> &'static str {
        match self {
            Self::Markdown | Self::Html => "a report, its pictures in the folder beside it",
            Self::Json => "all figures",
            Self::Csv => "a line an image",
        }
    }
}

pub fn write(format: Format, path: &Path, findings: &Findings, heard: &Heard) -> Result<()> {
    let bytes = match format {
        Format::Json => {
            let text = serde_json::to_string_pretty(findings).map_err(|error| Error::internal(error.to_string()))?;
            (text + "\n").into_bytes()
        }
        Format::Csv => csv(findings, heard).map_err(|error| Error::internal(error.to_string()))?,
        Format::Markdown | Format::Html => {
            let folder = folder_of(path);
            fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, &error))?;
            let parts = parts(findings, heard, &folder)?;
            let title = format!("{} on its {} images", findings.run, findings.split);
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let page = if format == Format::Html { document::html } else { document::markdown };
            page(&title, &parts, &name).into_bytes()
        }
    };
    fs::write(path, bytes).map_err(|error| unwritten(path, &error))
}

/// `out.files` for `out.md`.
fn folder_of(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(".files");
    path.with_file_name(name)
}

/// One line an image, in the order of the split.
fn csv(findings: &Findings, heard: &Heard) -> csv::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = ["image", "truth", "predicted", "loss"].map(str::to_owned).into_iter();
    writer.write_record(head.chain(findings.classes.iter().map(|class| format!("probability of {class}"))))?;
    let name = |class: u32| findings.classes.get(class as usize).cloned().unwrap_or_else(|| class.to_string());
    for judged in &heard.judged {
        let head = [judged.name.clone(), name(judged.truth), name(judged.predicted), judged.loss.to_string()];
        writer.write_record(head.into_iter().chain(judged.probabilities.iter().map(f32::to_string)))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn parts(findings: &Findings, heard: &Heard, folder: &Path) -> Result<Vec<Part>> {
    let mut parts = vec![Part::Text(summary(findings))];
    parts.extend(figures::trouble(findings).map(Part::Text));
    if findings.images > 0 {
        let rows = figures::overall(findings).into_iter().map(|(name, value)| vec![name, value]).collect();
        parts.push(Part::Table { head: vec!["figure".into(), String::new()], rows });
        parts.push(Part::Heading("Classes".into()));
        parts.push(classes(findings));
        confusion(findings, folder, &mut parts)?;
        curves(findings, folder, &mut parts)?;
    }
    let shown = gallery::write(folder, heard)?;
    let is_other = |list: &&[Sample]| **list != findings.worst[..];
    for (heading, words, list) in [
        ("Worst", "The images with the highest loss.", Some(&findings.worst[..])),
        ("Confidently wrong", "Named wrong, the surest first.", Some(&findings.confidently_wrong[..]).filter(is_other)),
        ("Least confident", "The images that could have gone either way.", Some(&findings.least_confident[..])),
        ("Most confused", "The surest mistake of each of the commonest kinds.", Some(&findings.confused_examples[..])),
    ] {
        let Some(list) = list.filter(|list| !list.is_empty()) else { continue };
        parts.push(Part::Heading(heading.into()));
        parts.push(Part::Text(words.into()));
        parts.push(samples(list, findings, &shown));
    }
    if !findings.skipped.is_empty() {
        parts.push(Part::Heading("Left out".into()));
        let more = findings.skipped.len().saturating_sub(SKIPPED);
        let more = if more > 0 { format!(" The first {SKIPPED}; the JSON report lists all.") } else { String::new() };
        let all = several(findings.skipped.len(), "file");
        parts.push(Part::Text(format!("{all} that cannot be read, in none of the figures.{more}")));
        let rows = findings.skipped.iter().take(SKIPPED).map(|file| vec![file.path.clone(), file.reason.clone()]);
        parts.push(Part::Table { head: vec!["file".into(), "why".into()], rows: rows.collect() });
    }
    Ok(parts)
}

fn summary(findings: &Findings) -> String {
    let checkpoint = findings.checkpoint.word();
    let positive = findings.positive.as_ref().map(|class| format!(" Figures of two classes take {class} as positive."));
    format!(
        "The {checkpoint} checkpoint on {} images: loss {:.4}, accuracy {:.4}.{}",
        count(findings.images),
        findings.metrics.loss,
        findings.metrics.accuracy,
        positive.unwrap_or_default()
    )
}

fn classes(findings: &Findings) -> Part {
    let head = ["class", "#", "images", "recall", "precision", "F1", "ROC-AUC", "average precision"];
    let row = |(at, class): (usize, &Class)| {
        let figures = class.figures;
        vec![
            class.name.clone(),
            at.to_string(),
            count(figures.support),
            share(figures.recall),
            share(figures.precision),
            share(figures.f1),
            share(class.roc_auc),
            share(class.average_precision),
        ]
    };
    let mut rows: Vec<Vec<String>> = findings.per_class.iter().enumerate().map(row).collect();
    for (name, average) in [("macro average", findings.macro_average), ("weighted average", findings.weighted_average)]
    {
        if let Some(average) = average {
            let mut row = vec![name.to_owned(), String::new(), String::new()];
            row.extend([average.recall, average.precision, average.f1].map(|value| share(Some(value))));
            row.extend([String::new(), String::new()]);
            rows.push(row);
        }
    }
    Part::Table { head: head.map(str::to_owned).to_vec(), rows }
}

fn confusion(findings: &Findings, folder: &Path, parts: &mut Vec<Part>) -> Result<()> {
    const NAME: &str = "confusion.png";
    let path = folder.join(NAME);
    save(&heatmap::confusion(&findings.confusion), &path)?;
    parts.push(Part::Heading("Confusion".into()));
    parts.push(Part::Text("Rows are the truth, columns the predictions; colours are shares of a row.".into()));
    parts.push(Part::Drawings(vec![Drawing { file: NAME.into(), alt: "confusion matrix".into() }]));
    if findings.classes.len() <= MATRIX {
        let head = std::iter::once("truth".to_owned()).chain(findings.classes.iter().cloned()).collect();
        let row = |(name, row): (&String, &Vec<u64>)| {
            std::iter::once(name.clone()).chain(row.iter().map(|&images| count(images))).collect()
        };
        let rows = findings.classes.iter().zip(&findings.confusion).map(row).collect();
        parts.push(Part::Table { head, rows });
    }
    if !findings.confused.is_empty() {
        let head = ["truth", "taken for", "images", "share of the class"].map(str::to_owned).to_vec();
        let row = |pair: &super::findings::Confused| {
            let share = format!("{:.1} %", pair.share * 100.0);
            vec![pair.truth.clone(), pair.predicted.clone(), count(pair.images), share]
        };
        parts.push(Part::Table { head, rows: findings.confused.iter().map(row).collect() });
    }
    Ok(())
}

fn curves(findings: &Findings, folder: &Path, parts: &mut Vec<Part>) -> Result<()> {
    let several = findings.positive.is_none();
    // Of two classes the second's curves say it all; of many those that are ranked worst are drawn.
    let mut drawn: Vec<&Class> =
        if several { findings.per_class.iter().collect() } else { findings.per_class[1..].iter().collect() };
    drawn.retain(|class| class.roc_auc.is_some());
    drawn.sort_by(|a, b| a.roc_auc.unwrap_or(1.0).total_cmp(&b.roc_auc.unwrap_or(1.0)));
    let omitted = drawn.len().saturating_sub(charts::MOST);
    drawn.truncate(charts::MOST);
    let mut drawings = Vec::new();
    let mut draw = |file: &str, alt: &str, svg: String| {
        let path = folder.join(file);
        fs::write(&path, svg).map_err(|error| unwritten(&path, &error))?;
        drawings.push(Drawing { file: file.into(), alt: alt.into() });
        Ok::<_, Error>(())
    };
    let of = |points: fn(&Class) -> &Vec<[f64; 2]>| -> Vec<charts::Curve> {
        let curve = |class: &&Class| charts::Curve { name: class.name.clone(), points: points(class).clone() };
        drawn.iter().map(curve).collect()
    };
    if !drawn.is_empty() {
        let axes = ["false positive rate", "true positive rate"];
        draw("roc.svg", "ROC curve", charts::curves("ROC", axes, &of(|class| &class.roc), true))?;
        let precision_recall = charts::curves(
            "precision and recall",
            ["recall", "precision"],
            &of(|class| &class.precision_recall),
            false,
        );
        draw("precision-recall.svg", "precision-recall curve", precision_recall)?;
    }
    if !findings.reliability.is_empty() {
        draw("reliability.svg", "reliability diagram", charts::reliability(&findings.reliability))?;
    }
    if drawings.is_empty() {
        return Ok(());
    }
    parts.push(Part::Heading("Curves and calibration".into()));
    let mut words = Vec::new();
    if omitted > 0 {
        words.push(format!("The {} classes that are ranked worst are drawn.", charts::MOST));
    }
    if let Some(error) = findings.expected_calibration_error {
        let bins = findings.reliability.len();
        words.push(format!(
            "The expected calibration error is {error:.4}: the mean distance of the blue bars from the line, weighted by how many \
             images each of the {bins} bins holds (orange)."
        ));
    }
    if !words.is_empty() {
        parts.push(Part::Text(words.join(" ")));
    }
    parts.push(Part::Drawings(drawings));
    Ok(())
}

fn samples(list: &[Sample], findings: &Findings, shown: &std::collections::HashMap<u32, gallery::Shown>) -> Part {
    let lines = |sample: &Sample| {
        vec![
            sample.image.clone(),
            format!("{}, taken for {}", sample.truth, sample.predicted),
            format!("{:.2} % for {}", sample.confidence * 100.0, sample.predicted),
            format!("{:.2} % for {}, loss {:.4}", sample.probability * 100.0, sample.truth, sample.loss),
        ]
    };
    if list.iter().all(|sample| !shown.contains_key(&sample.position)) {
        let head = ["image", "truth", "taken for", "with", "loss"].map(str::to_owned).to_vec();
        let row = |sample: &Sample| {
            let with = format!("{:.2} %", sample.confidence * 100.0);
            vec![
                sample.image.clone(),
                sample.truth.clone(),
                sample.predicted.clone(),
                with,
                format!("{:.4}", sample.loss),
            ]
        };
        return Part::Table { head, rows: list.iter().map(row).collect() };
    }
    let exhibit = |sample: &Sample| match shown.get(&sample.position) {
        Some(shown) => Exhibit {
            pictures: shown.drawings(&sample.image),
            lines: lines(sample).into_iter().chain(shown.remarks(&findings.classes)).collect(),
        },
        None => Exhibit { pictures: vec![None, None, None], lines: lines(sample) },
    };
    let head = ["image", "for the predicted class", "for the true class", ""].map(str::to_owned).to_vec();
    Part::Gallery { head, rows: list.iter().map(exhibit).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_that_is_no_report_is_refused_before_anything_is_measured() {
        assert_eq!(Format::of(Path::new("a.MD")).ok(), Some(Format::Markdown));
        assert_eq!(Format::of(Path::new("a.htm")).ok(), Some(Format::Html));
        let message = |path: &str| Format::of(Path::new(path)).err().map(|error| error.message());
        assert_eq!(message("a.pdf"), Some("a.pdf: no kind of report ends like this".into()));
        assert_eq!(message("nowhere/a.md"), Some("nowhere: no such folder".into()));
        assert_eq!(folder_of(Path::new("x/my out.md")), Path::new("x/my out.files"));
    }
}
