//! A drawing as SVG: a few lines of text that every browser and forge draws. Names from outside cannot break it.

use std::fmt::Write as _;

use super::{Anchor, Drawing, Ink, Mark, Text};
use crate::{cli::explain::index::safe, text::guard};

pub fn svg(drawing: &Drawing) -> String {
    let Drawing { width, height, marks } = drawing;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\">\n"
    );
    for mark in marks {
        // Writing to a string cannot fail.
        let _ = match mark {
            Mark::Fill { area: [x, y, w, h], ink } => {
                writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\"{}/>",
                    paint("fill", *ink)
                )
            }
            Mark::Line { points, ink, width, dashed } => {
                let points: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
                let dashes = if *dashed { " stroke-dasharray=\"4 3\"" } else { "" };
                writeln!(
                    svg,
                    "<polyline points=\"{}\" fill=\"none\"{} stroke-width=\"{width}\" stroke-linejoin=\"round\"{dashes}/>",
                    points.join(" "),
                    paint("stroke", *ink)
                )
            }
            Mark::Dot { at: [x, y], radius, ink } => {
                writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"{}/>", paint("fill", *ink))
            }
            Mark::Text(text) => writeln!(svg, "{}", words(text)),
        };
    }
    svg + "</svg>\n"
}

fn paint(what: &str, Ink { rgb, opacity }: Ink) -> String {
    let solid = format!(" {what}=\"#{rgb:06x}\"");
    if opacity < 1.0 { format!("{solid} {what}-opacity=\"{opacity}\"") } else { solid }
}

fn words(Text { at: [x, y], words, size, ink, anchor, turned }: &Text) -> String {
    let place = if *turned {
        format!("transform=\"translate({x:.1} {y:.1}) rotate(-90)\"")
    } else {
        format!("x=\"{x:.1}\" y=\"{y:.1}\"")
    };
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let text = safe(&guard::clean(words));
    format!("<text {place}{anchor} font-size=\"{size}\"{}>{text}</text>", paint("fill", *ink))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_elements_and_names_stay_names() {
        let mut drawing = Drawing::new(40.0, 20.0);
        drawing.line(vec![[1.0, 2.0], [3.0, 4.26]], Ink::of(0).faint(0.5), 1.5);
        drawing.text([5.0, 6.0], "<b>&\u{1b}[2J", 11.0, Anchor::End);
        assert_eq!(
            svg(&drawing),
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"20\" viewBox=\"0 0 40 20\" font-family=\"sans-serif\">\n\
             <rect x=\"0.0\" y=\"0.0\" width=\"40.0\" height=\"20.0\" fill=\"#ffffff\"/>\n\
             <polyline points=\"1.0,2.0 3.0,4.3\" fill=\"none\" stroke=\"#0072b2\" stroke-opacity=\"0.5\" stroke-width=\"1.5\" \
             stroke-linejoin=\"round\"/>\n\
             <text x=\"5.0\" y=\"6.0\" text-anchor=\"end\" font-size=\"11\" fill=\"#333333\">&lt;b&gt;&amp;\\x1b[2J</text>\n\
             </svg>\n"
        );
    }
}
