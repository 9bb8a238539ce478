//! Curves as SVG: a few lines of text that every browser and forge draws, at any size.

use std::fmt::Write as _;

use crate::{cli::explain::index::safe, metrics::Bin, text::guard};

/// Of the drawing's inner square, in pixels, and what is left around it for words.
const SIDE: f64 = 240.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 28.0;
const BELOW: f64 = 44.0;
/// Okabe and Ito's, which colour-blind eyes tell apart, and two more.
const INKS: [&str; 10] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999", "#7a4fbf", "#8c6d31"];

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
    let mut svg = frame(title, [x, y], legend);
    if diagonal {
        svg.push_str(&diagonal_line());
    }
    for (at, (curve, ink)) in curves.iter().zip(INKS).enumerate() {
        let points: Vec<String> = curve.points.iter().map(|&point| pair(point)).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"1.5\"/>",
            points.join(" ")
        );
        if legend > 0.0 {
            let (left, top) = (LEFT + SIDE + 14.0, TOP + 10.0 + 20.0 * at as f64);
            let name = safe(&guard::fit(&curve.name, 22, "…"));
            let _ = writeln!(
                svg,
                "<line x1=\"{left}\" y1=\"{top}\" x2=\"{}\" y2=\"{top}\" stroke=\"{ink}\" stroke-width=\"3\"/>\
                 <text x=\"{}\" y=\"{}\">{name}</text>",
                left + 16.0,
                left + 22.0,
                top + 4.0
            );
        }
    }
    svg + "</svg>\n"
}

/// Accuracy by confidence: bars beside the diagonal on which a calibrated network's would end, and how many images each stands for.
pub fn reliability(bins: &[Bin]) -> String {
    let mut svg = frame("reliability", ["confidence", "accuracy"], 0.0);
    let most = bins.iter().map(|bin| bin.images).max().unwrap_or(0).max(1) as f64;
    for bin in bins {
        let Some(accuracy) = bin.accuracy else { continue };
        let [left, right] = [bin.from, bin.to].map(|x| LEFT + x * SIDE);
        let bar = |height: f64, ink: &str, opacity: f64| {
            format!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{ink}\" fill-opacity=\"{opacity}\"/>\n",
                left + 0.5,
                TOP + (1.0 - height) * SIDE,
                right - left - 1.0,
                height * SIDE
            )
        };
        svg.push_str(&bar(accuracy, INKS[0], 0.75));
        svg.push_str(&bar(bin.images as f64 / most * 0.12, INKS[1], 0.9));
    }
    svg.push_str(&diagonal_line());
    svg + "</svg>\n"
}

fn frame(title: &str, [x, y]: [&str; 2], legend: f64) -> String {
    let (width, height) = (LEFT + SIDE + 16.0 + legend, TOP + SIDE + BELOW);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"#333\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"#999\"/>\n\
         <text x=\"{}\" y=\"16\" text-anchor=\"middle\" font-size=\"13\">{title}</text>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{x}</text>\n\
         <text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{y}</text>\n",
        LEFT + SIDE / 2.0,
        LEFT + SIDE / 2.0,
        height - 8.0,
        TOP + SIDE / 2.0,
    );
    for tick in 0..=4 {
        let at = f64::from(tick) / 4.0;
        let (across, down) = (LEFT + at * SIDE, TOP + (1.0 - at) * SIDE);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{down}\" x2=\"{}\" y2=\"{down}\" stroke=\"#eee\"/>\
             <line x1=\"{across}\" y1=\"{TOP}\" x2=\"{across}\" y2=\"{}\" stroke=\"#eee\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{at}</text>\
             <text x=\"{across}\" y=\"{}\" text-anchor=\"middle\">{at}</text>",
            LEFT + SIDE,
            TOP + SIDE,
            LEFT - 5.0,
            down + 4.0,
            TOP + SIDE + 15.0
        );
    }
    svg
}

fn diagonal_line() -> String {
    let (from, to) = (pair([0.0, 0.0]), pair([1.0, 1.0]));
    format!("<polyline points=\"{from} {to}\" stroke=\"#777\" stroke-dasharray=\"4 3\"/>\n")
}

fn pair([x, y]: [f64; 2]) -> String {
    format!("{:.1},{:.1}", LEFT + x * SIDE, TOP + (1.0 - y) * SIDE)
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
