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

use crate::text::ticks;

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
        if self.log { ticks::logarithmic(low, high, most) } else { ticks::linear(low, high, most) }
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
        self.segments(&self.joined(points, color), marker, buffer);
    }

    /// The same, two dots thick where dots are small and there is room for it.
    pub fn strong_line(&self, points: &[(f64, f64)], marker: Marker, color: Color, buffer: &mut Buffer) {
        const ROOMY: u16 = 6;
        let mut segments = self.joined(points, color);
        if matches!(marker, Marker::Braille) && self.area.height >= ROOMY {
            let [low, high] = self.scale.y;
            let dot = (high - low) / (f64::from(self.area.height) * 4.0 - 1.0);
            let lower = |y: f64| (y - dot).max(low);
            let below: Vec<_> =
                segments.iter().map(|s| Segment { y1: lower(s.y1), y2: lower(s.y2), ..s.clone() }).collect();
            segments.extend(below);
        }
        self.segments(&segments, marker, buffer);
    }

    fn joined(&self, points: &[(f64, f64)], color: Color) -> Vec<Segment> {
        match points {
            [(x, y)] => vec![self.segment((*x, *y), (*x, *y), color)],
            _ => points.windows(2).map(|pair| self.segment(pair[0], pair[1], color)).collect(),
        }
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

/// The range of `values` that are numbers, with a little air; `None` if there are none.
pub fn range(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let (low, high) =
        values.filter(|v| v.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    (low <= high).then(|| {
        // What does not change gets the half of itself around it, so that there are other round numbers than its own.
        let air = if high > low { ((high - low) * 0.06).max(high.abs() * 1e-3) } else { high.abs().max(1e-6) / 2.0 };
        [low - air, high + air]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
