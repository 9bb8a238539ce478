//! An evaluation's charts in the unit square: ROC, precision and recall, reliability. What their numbers mean is decided elsewhere.

use crate::{
    cli::drawing::{Anchor, Drawing, INKS, Ink, Text, svg},
    metrics::Bin,
    text::guard,
};

/// Of the drawing's inner square, in pixels, and what is left around it for words.
const SIDE: f64 = 240.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 28.0;
const BELOW: f64 = 44.0;
const SIZE: f64 = 11.0;

/// Curves that a chart draws; more could not be told apart.
pub const MOST: usize = INKS.len();

pub struct Curve {
    pub name: String,
    /// Both in 0–1.
    pub points: Vec<[f64; 2]>,
}

/// Curves in the unit square, with a legend where there are several.
pub fn curves(title: &str, [x, y]: [&str; 2], curves: &[Curve], diagonal: bool) -> String {
    let legend = if curves.len() > 1 { 170.0 } else { 0.0 };
    let mut drawing = frame(title, [x, y], legend);
    if diagonal {
        diagonal_line(&mut drawing);
    }
    for (at, curve) in curves.iter().take(MOST).enumerate() {
        drawing.line(curve.points.iter().map(|&point| place(point)).collect(), Ink::of(at), 1.5);
        if legend > 0.0 {
            let (left, top) = (LEFT + SIDE + 14.0, TOP + 10.0 + 20.0 * at as f64);
            drawing.line(vec![[left, top], [left + 16.0, top]], Ink::of(at), 3.0);
            drawing.text([left + 22.0, top + 4.0], guard::fit(&curve.name, 22, "…"), SIZE, Anchor::Start);
        }
    }
    svg(&drawing)
}

/// Accuracy by confidence: bars beside the diagonal on which a calibrated network's would end, and how many images each stands for.
pub fn reliability(bins: &[Bin]) -> String {
    let mut drawing = frame("reliability", ["confidence", "accuracy"], 0.0);
    let most = bins.iter().map(|bin| bin.images).max().unwrap_or(0).max(1) as f64;
    for bin in bins {
        let Some(accuracy) = bin.accuracy else { continue };
        let [left, right] = [bin.from, bin.to].map(|x| LEFT + x * SIDE);
        let mut bar = |height: f64, ink: Ink| {
            drawing.fill([left + 0.5, TOP + (1.0 - height) * SIDE, right - left - 1.0, height * SIDE], ink);
        };
        bar(accuracy, Ink::of(0).faint(0.75));
        bar(bin.images as f64 / most * 0.12, Ink::of(1).faint(0.9));
    }
    diagonal_line(&mut drawing);
    svg(&drawing)
}

fn frame(title: &str, [x, y]: [&str; 2], legend: f64) -> Drawing {
    let (width, height) = (LEFT + SIDE + 16.0 + legend, TOP + SIDE + BELOW);
    let mut drawing = Drawing::new(width, height);
    for tick in 0..=4 {
        let at = f64::from(tick) / 4.0;
        let (across, down) = (LEFT + at * SIDE, TOP + (1.0 - at) * SIDE);
        drawing.line(vec![[LEFT, down], [LEFT + SIDE, down]], Ink::GRID, 1.0);
        drawing.line(vec![[across, TOP], [across, TOP + SIDE]], Ink::GRID, 1.0);
        drawing.text([LEFT - 5.0, down + 4.0], at.to_string(), SIZE, Anchor::End);
        drawing.text([across, TOP + SIDE + 15.0], at.to_string(), SIZE, Anchor::Middle);
    }
    drawing.frame([LEFT, TOP, SIDE, SIDE], Ink::FRAME);
    drawing.text([LEFT + SIDE / 2.0, 16.0], title, 13.0, Anchor::Middle);
    drawing.text([LEFT + SIDE / 2.0, height - 8.0], x, SIZE, Anchor::Middle);
    let at = [14.0, TOP + SIDE / 2.0];
    drawing.write(Text { at, words: y.into(), size: SIZE, ink: Ink::TEXT, anchor: Anchor::Middle, turned: true });
    drawing
}

fn diagonal_line(drawing: &mut Drawing) {
    drawing.dashes(vec![place([0.0, 0.0]), place([1.0, 1.0])], Ink::FAINT, 1.0);
}

fn place([x, y]: [f64; 2]) -> [f64; 2] {
    [LEFT + x * SIDE, TOP + (1.0 - y) * SIDE]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_begins_below_and_ends_above() {
        let curve = |name: &str| Curve { name: name.into(), points: vec![[0.0, 0.0], [0.5, 1.0], [1.0, 1.0]] };
        let one = curves("ROC", ["x", "y"], &[curve("dog")], true);
        assert!(one.contains("points=\"48.0,268.0 168.0,28.0 288.0,28.0\"") && !one.contains("dog"), "{one}");
        let two = curves("ROC", ["x", "y"], &[curve("dog"), curve("<cat>")], false);
        assert!(two.contains("&lt;cat&gt;") && !two.contains("dasharray") && two.ends_with("</svg>\n"), "{two}");
    }

    #[test]
    fn a_bin_without_images_has_no_bar() {
        let bin = |images, accuracy| Bin { from: 0.5, to: 1.0, images, confidence: accuracy, accuracy };
        let bars = |svg: &str| svg.matches("fill-opacity").count();
        assert_eq!(bars(&reliability(&[bin(0, None), bin(4, Some(0.5))])), 2);
        assert_eq!(bars(&reliability(&[])), 0);
    }
}
