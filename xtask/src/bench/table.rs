//! The table: one line for each task and system, the best first, over all rounds. Pure: text from figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::catalogue::NEIGHBOUR;
use super::measured::{By, Measured, median};

/// All rounds of one system at one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub task: String,
    pub system: String,
    pub by: By,
    pub unit: String,
    pub median: f64,
    pub least: f64,
    pub most: f64,
    pub first_s: Option<f64>,
    pub peak_mb: Option<f64>,
    pub version: String,
    /// No round of it found the machine quiet.
    pub is_noisy: bool,
}

/// Tasks in the order of measuring, systems by speed. Where a quiet round is there, noisy ones don't count.
pub fn rows(measured: &[Measured]) -> Vec<Row> {
    let mut tasks: Vec<&str> = Vec::new();
    let mut groups: BTreeMap<(usize, &str), Vec<&Measured>> = BTreeMap::new();
    for one in measured {
        let task = one.figure.task.as_str();
        let at = tasks.iter().position(|known| *known == task).unwrap_or_else(|| {
            tasks.push(task);
            tasks.len() - 1
        });
        groups.entry((at, &one.figure.system)).or_default().push(one);
    }
    let mut rows: Vec<(usize, Row)> =
        groups.into_iter().filter_map(|((at, _), group)| Some((at, row(&group)?))).collect();
    rows.sort_by(|(a, one), (b, other)| a.cmp(b).then(other.median.total_cmp(&one.median)));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn row(group: &[&Measured]) -> Option<Row> {
    let is_noisy = group.iter().all(|one| one.is_noisy());
    let counted: Vec<&&Measured> = group.iter().filter(|one| is_noisy || !one.is_noisy()).collect();
    let values: Vec<f64> = counted.iter().flat_map(|one| one.figure.values.iter().copied()).collect();
    let firsts: Vec<f64> = counted.iter().filter_map(|one| one.figure.first_s).collect();
    let figure = &group.first()?.figure;
    Some(Row {
        task: figure.task.clone(),
        system: figure.system.clone(),
        by: figure.by,
        unit: figure.unit.clone(),
        median: median(&values)?,
        least: values.iter().copied().fold(f64::INFINITY, f64::min),
        most: values.iter().copied().fold(0.0, f64::max),
        first_s: median(&firsts),
        peak_mb: counted.iter().filter_map(|one| one.peak_mb).reduce(f64::max),
        version: figure.version.clone(),
        is_noisy,
    })
}

/// The fastest row of a kind among some tasks.
pub fn best<'a>(rows: &'a [Row], tasks: &[&str], by: By) -> Option<&'a Row> {
    let fits = |row: &&Row| row.by == by && tasks.contains(&row.task.as_str());
    rows.iter().filter(fits).max_by(|a, b| a.median.total_cmp(&b.median))
}

/// The tasks among which a task's best stock system is looked for: one that keeps no decoded pictures reads them again.
pub fn rivals(task: &str) -> Vec<&str> {
    if task == "input-later" { vec!["input-first", "input-later"] } else { vec![task] }
}

/// As Markdown.
pub fn render(rows: &[Row]) -> String {
    let mut text = "| task | system | median (min–max) | of the best stock | first step s | peak MB |\n".to_owned();
    text.push_str("|---|---|---|---|---|---|\n");
    let mut last = "";
    for row in rows {
        let task = if row.task == last { String::new() } else { title(&row.task) };
        last = &row.task;
        let stock = best(rows, &rivals(&row.task), By::Stock).filter(|_| row.by != By::Limit);
        let ratio = stock.map_or_else(String::new, |stock| format!("{:.2}", row.median / stock.median));
        let unit = if row.unit == "img/s" { String::new() } else { format!(" {}", row.unit) };
        let noisy = if row.is_noisy { " !" } else { "" };
        let name = match row.by {
            By::Frostline => format!("**{}**", row.system),
            By::Hand => format!("by hand: {}", row.system),
            _ => row.system.clone(),
        };
        let range = format!("{} ({}–{}){unit}", figure(row.median), figure(row.least), figure(row.most));
        let first = row.first_s.map_or_else(String::new, |seconds| format!("{seconds:.1}"));
        let peak =
            row.peak_mb.filter(|_| row.by != By::Limit).map_or_else(String::new, |megabytes| format!("{megabytes:.0}"));
        let _ = writeln!(text, "| {task} | {name}{noisy} | {range} | {ratio} | {first} | {peak} |");
    }
    if rows.iter().any(|row| row.is_noisy) {
        text.push_str("\n!: other programs took more than 5 % of the processors in every round.\n");
    }
    text
}

/// Every version that was met, once.
pub fn versions(rows: &[Row]) -> String {
    let mut versions: Vec<&str> = rows.iter().flat_map(|row| row.version.split(", ")).collect();
    versions.retain(|version| !version.is_empty());
    versions.sort_unstable();
    versions.dedup();
    versions.join(", ")
}

pub fn title(task: &str) -> String {
    if let Some(task) = task.strip_suffix(NEIGHBOUR) {
        return format!("{}, beside a busy neighbour", title(task));
    }
    match task {
        "step" => "cats and dogs, one batch of 32".to_owned(),
        "step-bf16" => "the same in bfloat16".to_owned(),
        "end-to-end" => "cats and dogs, from JPEGs, batch 32".to_owned(),
        "first-epoch" => "the same, first epoch".to_owned(),
        "input-first" => "input alone, first pass".to_owned(),
        "input-later" => "input alone, later passes".to_owned(),
        "mnist-64" => "MNIST, batch 64".to_owned(),
        "mnist-128" => "MNIST, batch 128".to_owned(),
        "vgg16-features" => "VGG16 at 150 px, features".to_owned(),
        "vgg16-frozen" => "VGG16 at 150 px, head on a frozen base".to_owned(),
        "vgg16-block5" => "VGG16 at 150 px, block5 and head".to_owned(),
        "vgg16-recipe" => "VGG16 features recipe, 30 epochs".to_owned(),
        "grad-cam" => "Grad-CAM, VGG16 at 224 px".to_owned(),
        "filters" => "pictures of filters, block3_conv1, 150 px".to_owned(),
        "dashboard-closed" => "training, no dashboard".to_owned(),
        "dashboard-open" => "training, dashboard open".to_owned(),
        "bound" => "the machine".to_owned(),
        other => other.to_owned(),
    }
}

/// `4,376`, `149.3`, `24.71`, `0.532`.
pub fn figure(value: f64) -> String {
    match value {
        1000.0.. => {
            let digits = format!("{value:.0}");
            let (thousands, rest) = digits.split_at(digits.len() - 3);
            format!("{thousands},{rest}")
        }
        100.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::measured::tests::measured;
    use super::*;

    #[test]
    fn systems_are_set_against_the_best_stock_one() {
        let mut ours = measured("step", "Frostline", By::Frostline, &[180.0, 184.0, 182.0]);
        (ours.figure.first_s, ours.peak_mb) = (Some(1.234), Some(601.6));
        let all = [
            measured("step", "Keras", By::Stock, &[140.0]),
            ours,
            measured("step", "pool-first", By::Hand, &[150.0]),
            measured("step", "PyTorch", By::Stock, &[83.0]),
            measured("bound", "matrix product", By::Limit, &[4321.0]),
        ];
        let text = render(&rows(&all));
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| cats and dogs, one batch of 32 | **Frostline** | 182.0 (180.0–184.0) | 1.30 | 1.2 | 602 |",
                "|  | by hand: pool-first | 150.0 (150.0–150.0) | 1.07 |  |  |",
                "|  | Keras | 140.0 (140.0–140.0) | 1.00 |  |  |",
                "|  | PyTorch | 83.00 (83.00–83.00) | 0.59 |  |  |",
                "| the machine | matrix product | 4,321 (4,321–4,321) |  |  |  |",
            ]
        );
    }

    #[test]
    fn a_noisy_round_counts_only_where_there_is_no_quiet_one() {
        let mut noisy = measured("step", "Keras", By::Stock, &[40.0]);
        noisy.others = 0.3;
        let quiet = measured("step", "Keras", By::Stock, &[140.0, 142.0]);
        let row = &rows(&[noisy.clone(), quiet])[0];
        assert_eq!((row.median, row.least, row.is_noisy), (141.0, 140.0, false));
        let row = &rows(&[noisy])[0];
        assert_eq!((row.median, row.is_noisy), (40.0, true));
        assert!(render(std::slice::from_ref(row)).contains("Keras !"));
    }

    #[test]
    fn later_passes_rival_with_what_decodes_each_time() {
        let all = [
            measured("input-first", "torchvision", By::Stock, &[859.0]),
            measured("input-later", "tf.data", By::Stock, &[425.0]),
            measured("input-later", "Frostline", By::Frostline, &[8590.0]),
        ];
        let rows = rows(&all);
        assert_eq!(best(&rows, &rivals("input-later"), By::Stock).map(|row| row.median), Some(859.0));
        assert!(render(&rows).contains("| **Frostline** | 8,590 (8,590–8,590) | 10.00 |"));
    }

    #[test]
    fn versions_are_listed_once() {
        let mut keras = measured("step", "Keras", By::Stock, &[1.0]);
        keras.figure.version = "keras 3.15.1, tensorflow 2.21.0".into();
        let mut other = measured("mnist-64", "Keras", By::Stock, &[1.0]);
        other.figure.version = "tensorflow 2.21.0".into();
        assert_eq!(versions(&rows(&[keras, other])), "keras 3.15.1, tensorflow 2.21.0");
    }

    #[test]
    fn figures_have_four_digits_or_so() {
        assert_eq!(
            [4376.4, 12345.0, 149.26, 24.705, 0.5316].map(figure),
            ["4,376", "12,345", "149.3", "24.70", "0.532"]
        );
    }
}
