//! A coordinate system on the screen: ranges, round ticks, and where a value falls.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Style},
    symbols::Marker,
    widgets::{
        Widget,
        canvas::{Canvas, Line as Segment},
    },
};

/// The vertical axis.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// From the lower to the upper edge; of a logarithmic axis the exponents of ten.
    pub y: [f64; 2],
    pub log: bool,
}

impl Scale {
    /// How high a value stands. What has no logarithm stands nowhere.
    fn level(&self, value: f64) -> f64 {
        match self.log {
            true if value > 0.0 => value.log10(),
            true => f64::NAN,
            false => value,
        }
    }

    /// Round values along the axis, with the decimals that tell them apart.
    pub fn ticks(&self, most: usize) -> (Vec<f64>, usize) {
        let [low, high] = self.y;
        if !self.log {
            return ticks(low, high, most);
        }
        let decades = |parts: &[f64]| -> Vec<f64> {
            let (first, last) = (low.floor() as i32, high.ceil() as i32);
            let all = (first..=last).flat_map(|power| parts.iter().map(move |part| part * 10f64.powi(power)));
            all.filter(|value| (low..=high).contains(&value.log10())).collect()
        };
        let fits = |values: &Vec<f64>| (1..=most).contains(&values.len());
        let chosen = [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]].into_iter().map(decades).find(fits);
        match chosen {
            Some(values) => {
                let least = values.first().copied().unwrap_or(1.0);
                (values, (-(least.log10() + 1e-9).floor()).max(0.0) as usize)
            }
            // Between two decades the values themselves are round.
            None => ticks(10f64.powf(low), 10f64.powf(high), most),
        }
    }
}

/// An area with the ranges that it spans.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    pub area: Rect,
    pub x: [f64; 2],
    pub scale: Scale,
}

impl Plot {
    /// The cell of a point, if it is inside and a number.
    pub fn cell(&self, x: f64, y: f64) -> Option<(u16, u16)> {
        let column = self.column(x)?;
        let [low, high] = self.scale.y;
        let share = (self.scale.level(y) - low) / (high - low);
        (0.0..=1.0).contains(&share).then(|| {
            let row = ((1.0 - share) * f64::from(self.area.height)).floor().min(f64::from(self.area.height) - 1.0);
            (column, self.area.y + row as u16)
        })
    }

    /// The value of `x` in the middle of a column.
    pub fn at(&self, column: u16) -> f64 {
        let share = (f64::from(column.saturating_sub(self.area.x)) + 0.5) / f64::from(self.area.width.max(1));
        self.x[0] + share.min(1.0) * (self.x[1] - self.x[0])
    }

    pub fn column(&self, x: f64) -> Option<u16> {
        let share = (x - self.x[0]) / (self.x[1] - self.x[0]);
        (self.area.width > 0 && self.area.height > 0 && (0.0..=1.0).contains(&share)).then(|| {
            let column = (share * f64::from(self.area.width)).floor().min(f64::from(self.area.width) - 1.0);
            self.area.x + column as u16
        })
    }

    /// A line through `points`, broken where one is no number; what lies above or below is held at the edge.
    pub fn line(&self, points: &[(f64, f64)], marker: Marker, color: Color, buffer: &mut Buffer) {
        let segments: Vec<Segment> = match points {
            [(x, y)] => vec![self.segment((*x, *y), (*x, *y), color)],
            _ => points.windows(2).map(|pair| self.segment(pair[0], pair[1], color)).collect(),
        };
        self.segments(&segments, marker, buffer);
    }

    /// Vertical strokes from the least to the greatest of each bucket.
    pub fn strokes(&self, strokes: &[(f64, f64, f64)], marker: Marker, color: Color, buffer: &mut Buffer) {
        let segments: Vec<Segment> =
            strokes.iter().map(|(x, low, high)| self.segment((*x, *low), (*x, *high), color)).collect();
        self.segments(&segments, marker, buffer);
    }

    fn segment(&self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), color: Color) -> Segment {
        let hold = |y: f64| self.scale.level(y).clamp(self.scale.y[0], self.scale.y[1]);
        Segment { x1, y1: hold(y1), x2, y2: hold(y2), color }
    }

    fn segments(&self, segments: &[Segment], marker: Marker, buffer: &mut Buffer) {
        Canvas::default()
            .marker(marker)
            .x_bounds(self.x)
            .y_bounds(self.scale.y)
            .paint(|context| {
                for segment in segments.iter().filter(|s| [s.x1, s.y1, s.x2, s.y2].iter().all(|v| v.is_finite())) {
                    context.draw(segment);
                }
            })
            .render(self.area, buffer);
    }

    /// A mark at a point, over whatever is there.
    pub fn mark(&self, x: f64, y: f64, symbol: &str, style: Style, buffer: &mut Buffer) {
        if let Some(cell) = self.cell(x, y).and_then(|at| buffer.cell_mut(at)) {
            cell.set_symbol(symbol).set_style(style);
        }
    }
}

/// Round numbers (1, 2 or 5 times a power of ten) inside `low..=high`, at most `most` of them, with the decimals that tell them apart.
pub fn ticks(low: f64, high: f64, most: usize) -> (Vec<f64>, usize) {
    let span = high - low;
    if most == 0 || !(span > 0.0 && span.is_finite()) {
        return (Vec::new(), 0);
    }
    let magnitude = 10f64.powf((span / most as f64).log10().floor());
    let fits = |step: f64| (high / step).floor() - (low / step).ceil() + 1.0 <= most as f64;
    let step = [1.0, 2.0, 5.0, 10.0, 20.0].into_iter().map(|m| m * magnitude).find(|s| fits(*s)).unwrap_or(span);
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    ((first..=last).map(|i| i as f64 * step).collect(), decimals)
}

/// The range of `values` that are numbers, with a little air; `None` if there are none.
pub fn range(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let (low, high) =
        values.filter(|v| v.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    (low <= high).then(|| {
        let air = ((high - low) * 0.06).max(high.abs().max(1e-6) * 1e-3);
        [low - air, high + air]
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round() {
        let written = |low, high, most| {
            let (ticks, decimals) = ticks(low, high, most);
            ticks.iter().map(|t| format!("{t:.decimals$}")).collect::<Vec<_>>()
        };
        assert_eq!(written(0.0, 0.71, 4), ["0.0", "0.2", "0.4", "0.6"]);
        assert_eq!(written(0.48, 1.0, 3), ["0.6", "0.8", "1.0"]);
        assert_eq!(ticks(0.971, 0.979, 3).1, 3, "near numbers need decimals");
        assert_eq!(ticks(1.0, 1.0, 3).0, Vec::<f64>::new());
    }

    #[test]
    fn points_fall_where_they_belong() {
        let plot = Plot { area: Rect::new(10, 5, 20, 4), x: [0.0, 100.0], scale: Scale { y: [0.0, 1.0], log: false } };
        assert_eq!(plot.cell(0.0, 0.0), Some((10, 8)));
        assert_eq!(plot.cell(100.0, 1.0), Some((29, 5)));
        assert_eq!(plot.cell(50.0, f64::NAN), None);
        assert_eq!(plot.cell(101.0, 0.5), None);
        assert!((plot.at(plot.column(50.0).unwrap_or(0)) - 50.0).abs() <= 2.5);
    }

    #[test]
    fn decades_are_equally_far_apart() {
        let scale = Scale { y: [-3.0, 1.0], log: true };
        let plot = Plot { area: Rect::new(0, 0, 10, 8), x: [0.0, 1.0], scale };
        let rows = [0.001_1, 0.011, 0.11, 1.1].map(|y| plot.cell(0.0, y).map(|cell| cell.1));
        assert_eq!(rows, [7, 5, 3, 1].map(Some));
        assert_eq!(plot.cell(0.0, 0.0), None, "nought has no logarithm");
        assert_eq!(scale.ticks(5).0, [0.001, 0.01, 0.1, 1.0, 10.0]);
        assert_eq!(Scale { y: [-1.0, 0.0], log: true }.ticks(4).0, [0.1, 0.2, 0.5, 1.0]);
    }

    proptest! {
        #[test]
        fn ticks_stay_inside_and_few(low in -1e6..1e6f64, span in 1e-6..1e6f64, most in 1usize..12) {
            let (ticks, _) = ticks(low, low + span, most);
            prop_assert!(ticks.len() <= most + 1);
            prop_assert!(ticks.iter().all(|t| *t >= low - span * 1e-6 && *t <= low + span * (1.0 + 1e-6)));
        }
    }
}
