//! What Frostline is to reach, and whether it does: ratios of figures from one run, each with the bound where there is one. Pure.

use std::fmt::Write as _;

use super::catalogue::NEIGHBOUR;
use super::measured::By;
use super::table::{Row, best, figure, rivals};

/// Floating-point operations of one image, forward and backward as autograd runs them (PyTorch's counter); `Arch::step_flops` gives
/// the same.
const FLOPS: &[(&str, f64)] = &[
    ("step", 1.378_722_816e9),
    ("mnist-64", 0.016_376_064e9),
    ("mnist-128", 0.016_376_064e9),
    ("vgg16-features", 13.230_982_656e9),
    ("vgg16-frozen", 13.239_372_8e9),
    ("vgg16-block5", 15.154_596_864e9),
    // Forty times forward to block3_conv1, and back to the picture.
    ("filters", 402.6e9),
];

#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub target: String,
    pub asked: String,
    pub reached: Option<f64>,
    pub is_met: Option<bool>,
    /// What it was compared with, or what is missing.
    pub note: String,
}

/// Whether more or less than the asked ratio is good.
#[derive(Clone, Copy)]
enum Asked {
    AtLeast(f64),
    AtMost(f64),
}

/// One of the rows' figures with the name of whose it is.
struct Other<'a> {
    name: &'a str,
    value: f64,
}

struct Judge<'a> {
    rows: &'a [Row],
    verdicts: Vec<Verdict>,
}

/// The rows of targets, in their order; what was not measured is said so.
pub fn verdicts(rows: &[Row]) -> Vec<Verdict> {
    let mut judge = Judge { rows, verdicts: Vec::new() };
    judge.against("step, resident batch", "step", By::Stock, 1.15);
    judge.bound("step, resident batch", "step", 0.68);
    judge.against("end to end from JPEGs", "end-to-end", By::Stock, 1.45);
    judge.against("end to end from JPEGs", "end-to-end", By::Hand, 1.05);
    let step = judge.ours("step").map(|row| Other { name: "our own step", value: row.median });
    judge.compare(
        "end to end from JPEGs",
        Asked::AtLeast(0.97),
        "our own step",
        judge.ours_at("end-to-end"),
        step.as_ref(),
    );
    judge.against("input, first pass", "input-first", By::Stock, 2.5);
    judge.against("input, first pass", "input-first", By::Hand, 1.2);
    judge.against("input, later passes", "input-later", By::Stock, 8.0);
    judge.against("input, later passes", "input-later", By::Hand, 1.5);
    judge.against("MNIST, batch 64", "mnist-64", By::Stock, 1.3);
    judge.against("MNIST, batch 128", "mnist-128", By::Stock, 1.3);
    for (target, task) in
        [("VGG16 features", "vgg16-features"), ("VGG16 frozen base", "vgg16-frozen"), ("VGG16 block5", "vgg16-block5")]
    {
        judge.against(target, task, By::Stock, 1.0);
        judge.bound(target, task, 0.95);
    }
    judge.against("VGG16 features recipe", "vgg16-recipe", By::Hand, 1.0);
    judge.recipe();
    judge.against("Grad-CAM, VGG16 at 224 px", "grad-cam", By::Stock, 3.5);
    judge.against("Grad-CAM, VGG16 at 224 px", "grad-cam", By::Hand, 1.15);
    judge.against("filters, block3_conv1", "filters", By::Stock, 1.0);
    judge.bound("filters, block3_conv1", "filters", 0.9);
    judge.first_step();
    judge.memory();
    judge.neighbour();
    let closed = judge.ours("dashboard-closed").map(|row| Other { name: "without it", value: row.median });
    judge.compare(
        "dashboard open",
        Asked::AtLeast(0.99),
        "without it",
        judge.ours_at("dashboard-open"),
        closed.as_ref(),
    );
    judge.saving("checkpoint, 3.5 million weights: longest wait", "checkpoint-small");
    judge.saving("checkpoint, 69 million weights: longest wait", "checkpoint-large");
    judge.verdicts
}

impl<'a> Judge<'a> {
    fn ours(&self, task: &str) -> Option<&'a Row> {
        best(self.rows, &[task], By::Frostline)
    }

    fn ours_at(&self, task: &str) -> Option<f64> {
        self.ours(task).map(|row| row.median)
    }

    fn compare(&mut self, target: &str, asked: Asked, than: &str, ours: Option<f64>, other: Option<&Other<'_>>) {
        let (sign, ratio) = match asked {
            Asked::AtLeast(ratio) => ('≥', ratio),
            Asked::AtMost(ratio) => ('≤', ratio),
        };
        let reached = ours.zip(other).map(|(ours, other)| ours / other.value);
        let is_met = reached.map(|reached| match asked {
            Asked::AtLeast(ratio) => reached >= ratio,
            Asked::AtMost(ratio) => reached <= ratio,
        });
        let note = match (ours, other) {
            (Some(ours), Some(other)) => format!("{} : {} ({})", figure(ours), figure(other.value), other.name),
            (None, _) => "Frostline was not measured".to_owned(),
            (_, None) => "nothing to compare with was measured".to_owned(),
        };
        self.verdicts.push(Verdict {
            target: target.to_owned(),
            asked: format!("{sign} {ratio} × {than}"),
            reached,
            is_met,
            note,
        });
    }

    /// The ratio to the best of a kind.
    fn against(&mut self, target: &str, task: &str, by: By, ratio: f64) {
        let rival = best(self.rows, &rivals(task), by).map(|row| Other { name: &row.system, value: row.median });
        let than = if by == By::Hand { "by hand" } else { "the best stock" };
        self.compare(target, Asked::AtLeast(ratio), than, self.ours_at(task), rival.as_ref());
    }

    /// The share of the best rate of float32 arithmetic that any library reached in the run.
    fn bound(&mut self, target: &str, task: &str, share: f64) {
        let flops = FLOPS.iter().find(|(name, _)| *name == task).map_or(f64::NAN, |(_, flops)| *flops);
        let is_f32 = |row: &&Row| row.by == By::Limit && row.unit == "GFLOP/s" && !row.system.contains("bf16");
        let rate = self.rows.iter().filter(is_f32).max_by(|a, b| a.median.total_cmp(&b.median));
        let note = rate.map(|row| format!("what {} GFLOP/s allow: {}", figure(row.median), row.system));
        let bound = rate.zip(note.as_ref()).map(|(row, name)| Other { name, value: row.median * 1e9 / flops });
        self.compare(target, Asked::AtLeast(share), "the bound", self.ours_at(task), bound.as_ref());
    }

    /// Against running the base in every epoch: two thirds of the images are steps on the frozen base, a third is evaluated.
    fn recipe(&mut self) {
        let uncached = self.ours_at("vgg16-frozen").zip(self.ours_at("vgg16-features"));
        let uncached = uncached.map(|(frozen, features)| 3.0 / (2.0 / frozen + 1.0 / features));
        let other = uncached.map(|value| Other { name: "frozen base in every epoch", value });
        let ours = self.ours_at("vgg16-recipe");
        self.compare("VGG16 features recipe", Asked::AtLeast(15.0), "uncached", ours, other.as_ref());
    }

    /// From JPEGs, as somebody starts it.
    fn first_step(&mut self) {
        let first = |row: &Row| row.first_s.map(|seconds| (row.system.clone(), seconds));
        let stock = self.rows.iter().filter(|row| row.task == "end-to-end" && row.by == By::Stock).filter_map(first);
        let quickest = stock.min_by(|(_, a), (_, b)| a.total_cmp(b));
        let other = quickest.as_ref().map(|(name, value)| Other { name, value: *value });
        let ours = self.ours("end-to-end").and_then(|row| row.first_s);
        self.compare("first step, seconds", Asked::AtMost(0.5), "the quickest stock", ours, other.as_ref());
    }

    /// Against the smallest of the stock systems that reach at least half of the best one's speed: memory is easily saved by
    /// being slow.
    fn memory(&mut self) {
        let fastest = best(self.rows, &["end-to-end"], By::Stock).map_or(0.0, |row| row.median);
        let is_rival = |row: &&Row| row.task == "end-to-end" && row.by == By::Stock && row.median >= 0.5 * fastest;
        let sized = self.rows.iter().filter(is_rival).filter_map(|row| Some((row, row.peak_mb?)));
        let smallest = sized.min_by(|(_, a), (_, b)| a.total_cmp(b));
        let other = smallest.map(|(row, value)| Other { name: &row.system, value });
        let ours = self.ours("end-to-end").and_then(|row| row.peak_mb);
        self.compare("peak memory, MB", Asked::AtMost(0.7), "the smallest stock", ours, other.as_ref());
    }

    /// The longest that any step waited, against the median of the steps.
    fn saving(&mut self, target: &str, task: &str) {
        let longest = self.ours(task).map(|row| row.most);
        let step =
            self.ours(&format!("{task}-step")).map(|row| Other { name: "milliseconds of a step", value: row.median });
        self.compare(target, Asked::AtMost(1.0), "a step", longest, step.as_ref());
    }

    fn neighbour(&mut self) {
        let beside = format!("step{NEIGHBOUR}");
        let alone = self.ours("step").map(|row| Other { name: "undisturbed", value: row.median });
        self.compare("busy neighbour", Asked::AtLeast(0.6), "undisturbed", self.ours_at(&beside), alone.as_ref());
    }
}

/// As Markdown.
pub fn render(verdicts: &[Verdict]) -> String {
    let mut text = "| target | asked | reached | | figures |\n|---|---|---|---|---|\n".to_owned();
    for Verdict { target, asked, reached, is_met, note } in verdicts {
        let reached = reached.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.3}"));
        let word = match is_met {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "not measured",
        };
        let _ = writeln!(text, "| {target} | {asked} | {reached} | {word} | {note} |");
    }
    let met = verdicts.iter().filter(|verdict| verdict.is_met == Some(true)).count();
    let measured = verdicts.iter().filter(|verdict| verdict.is_met.is_some()).count();
    let _ = writeln!(text, "\n{met} of {measured} met, {} not measured", verdicts.len() - measured);
    text
}

#[cfg(test)]
mod tests {
    use super::super::measured::Measured;
    use super::super::measured::tests::measured;
    use super::super::table::rows;
    use super::*;

    fn find(all: &[Measured], target: &str, nth: usize) -> Verdict {
        let verdicts = verdicts(&rows(all));
        verdicts.into_iter().filter(|verdict| verdict.target == target).nth(nth).unwrap()
    }

    fn limit(system: &str, gigaflops: f64) -> Measured {
        let mut one = measured("bound", system, By::Limit, &[gigaflops]);
        one.figure.unit = "GFLOP/s".into();
        one
    }

    #[test]
    fn a_ratio_is_met_from_its_own_value_on() {
        let all = |ours| {
            [measured("step", "Frostline", By::Frostline, &[ours]), measured("step", "Keras", By::Stock, &[100.0])]
        };
        let verdict = find(&all(115.0), "step, resident batch", 0);
        assert_eq!(
            (verdict.asked.as_str(), verdict.reached, verdict.is_met),
            ("≥ 1.15 × the best stock", Some(1.15), Some(true))
        );
        assert_eq!(verdict.note, "115.0 : 100.0 (Keras)");
        assert_eq!(find(&all(114.9), "step, resident batch", 0).is_met, Some(false));
    }

    #[test]
    fn the_bound_is_the_best_float32_rate_over_the_operations_of_an_image() {
        // 332 GFLOP/s allow 240.8 images a second of 1.3787 GFLOP; 68 % of that are 163.7.
        let all = |ours| {
            [
                measured("step", "Frostline", By::Frostline, &[ours]),
                limit("a", 100.0),
                limit("b", 332.0),
                limit("bf16 product", 900.0),
            ]
        };
        let verdict = find(&all(164.0), "step, resident batch", 1);
        assert_eq!(verdict.is_met, Some(true));
        assert_eq!(verdict.note, "164.0 : 240.8 (what 332.0 GFLOP/s allow: b)");
        assert_eq!(find(&all(163.5), "step, resident batch", 1).is_met, Some(false));
    }

    #[test]
    fn the_first_step_is_compared_with_the_quickest_and_memory_with_the_smallest_that_is_not_slow() {
        let one = |system: &str, by, rate, first, peak| {
            let mut one = measured("end-to-end", system, by, &[rate]);
            (one.figure.first_s, one.peak_mb) = (Some(first), Some(peak));
            one
        };
        let all = [
            one("Frostline", By::Frostline, 150.0, 1.2, 700.0),
            one("Keras", By::Stock, 100.0, 5.5, 1200.0),
            one("PyTorch", By::Stock, 60.0, 3.0, 1100.0),
            one("burn", By::Stock, 20.0, 2.0, 600.0),
            one("by hand", By::Hand, 140.0, 0.1, 10.0),
        ];
        let first = find(&all, "first step, seconds", 0);
        assert_eq!((first.reached, first.is_met), (Some(0.6), Some(false)));
        assert!(first.note.ends_with("(burn)"), "{}", first.note);
        let memory = find(&all, "peak memory, MB", 0);
        assert_eq!((memory.is_met, memory.note.as_str()), (Some(true), "700.0 : 1,100 (PyTorch)"));
    }

    #[test]
    fn the_recipe_is_compared_with_the_base_in_every_epoch() {
        let ours = |task: &str, rate| measured(task, "Frostline", By::Frostline, &[rate]);
        // 2,000 images at 20 a second and 1,000 at 40 are 125 seconds: 24 images a second.
        let all = [ours("vgg16-frozen", 20.0), ours("vgg16-features", 40.0), ours("vgg16-recipe", 480.0)];
        let verdict = find(&all, "VGG16 features recipe", 1);
        assert_eq!((verdict.reached, verdict.is_met), (Some(20.0), Some(true)));
    }

    #[test]
    fn a_neighbour_and_a_dashboard_are_compared_with_ourselves() {
        let ours = |task: &str, rate| measured(task, "Frostline", By::Frostline, &[rate]);
        let all = [
            ours("step", 150.0),
            ours("step+neighbour", 75.0),
            ours("dashboard-open", 149.0),
            ours("dashboard-closed", 150.0),
            measured("checkpoint-large", "Frostline", By::Frostline, &[20.0, 90.0]),
            measured("checkpoint-large-step", "Frostline", By::Frostline, &[300.0, 290.0, 310.0]),
        ];
        assert_eq!(find(&all, "busy neighbour", 0).reached, Some(0.5));
        assert_eq!(find(&all, "dashboard open", 0).is_met, Some(true));
        let verdict = find(&all, "checkpoint, 69 million weights: longest wait", 0);
        assert_eq!((verdict.reached, verdict.is_met), (Some(0.3), Some(true)), "the longest of them");
        assert_eq!(find(&all, "end to end from JPEGs", 2).note, "Frostline was not measured");
    }

    #[test]
    fn what_was_not_measured_is_neither_met_nor_missed() {
        let text = render(&verdicts(&[]));
        assert_eq!(text.lines().filter(|line| line.contains("| not measured |")).count(), 29);
        assert!(text.ends_with("0 of 0 met, 29 not measured\n"), "{text}");
    }
}
