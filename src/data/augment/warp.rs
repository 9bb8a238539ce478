//! All that moves pixels, in one pass of bilinear sampling from `[h, w, c]` bytes to the same: crop, turn, shift, shear, zoom, flips.
//! Positions are found in 64-bit floats as scipy finds them, then rounded to 1/16384 of a pixel, and pixels are mixed in whole
//! numbers, so a processor's vectors give the very bytes that plain arithmetic gives. Against scipy's floats that costs at most half
//! a grey level for the last rounding and 1/32 for the rounding of places and weights.

use std::ops::Range;

use super::affine::Axis;
use super::aim::{AIMED, Aims, Eight, LANES, ROUNDER, SLACK, Source};
use super::region::Region;
use super::{Fill, Size};

/// Where each output pixel is taken from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Warp {
    /// Rows and columns of the input, before it is cropped.
    pub(super) axes: [Axis; 2],
    /// What is shown of the input.
    pub(super) region: Region,
    pub(super) horizontal_flip: bool,
    pub(super) vertical_flip: bool,
    pub(super) fill: Fill,
}

/// Memory that one picture after the other uses, and the choice between vectors and plain arithmetic.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The input, at least two pixels high and wide, and some bytes that may be read beyond its end.
    padded: Vec<u8>,
    #[cfg(target_arch = "x86_64")]
    vectors: Option<super::avx2::Avx2>,
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            padded: Vec::new(),
            #[cfg(target_arch = "x86_64")]
            vectors: super::avx2::Avx2::detect(),
        }
    }
}

/// One axis of the input, along one row of the output.
#[derive(Clone, Copy)]
pub(super) struct Line {
    /// Position before the crop: `(base + column * step) + offset`.
    pub(super) base: f64,
    pub(super) step: f64,
    pub(super) offset: f64,
    /// The last position before the crop.
    last: f64,
    /// Position in the input: `position * scale + start`, from `low` to `high`.
    pub(super) scale: f64,
    pub(super) start: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// A stretch of an output row whose pixels all lie inside, or may be brought inside by the nearest position there.
#[derive(Clone, Copy)]
pub(super) struct Span<'a> {
    pub(super) source: Source<'a>,
    /// Rows and columns of the input.
    pub(super) lines: [Line; 2],
    /// Of the unflipped output: where the stretch begins, and 1 or -1.
    pub(super) first: f64,
    pub(super) direction: f64,
}

impl Workspace {
    /// Never uses vectors: for measuring and comparing.
    pub fn plain() -> Self {
        Self {
            padded: Vec::new(),
            #[cfg(target_arch = "x86_64")]
            vectors: None,
        }
    }

    /// Copies the picture to where some bytes beyond its end may be read; one pixel high or wide, it is doubled.
    fn hold(&mut self, pixels: &[u8], size: Size) {
        let (channels, stride) = (size.channels as usize, size.width as usize * size.channels as usize);
        self.padded.clear();
        if size.width > 1 {
            self.padded.extend_from_slice(pixels);
        } else {
            self.padded.extend(pixels.chunks_exact(channels).flat_map(|pixel| [pixel, pixel]).flatten());
        }
        if size.height == 1 {
            self.padded.extend_from_within(..stride.max(2 * channels));
        }
        self.padded.extend_from_slice(&[0; SLACK]);
    }

    /// `out` is as long as the stretch.
    fn fill<const C: usize>(&self, span: &Span<'_>, out: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(vectors) = self.vectors.filter(|_| C == 3) {
            return vectors.fill(span, out);
        }
        let mut aims = [Eight::NOWHERE; AIMED / LANES];
        for (index, out) in out.chunks_mut(AIMED * C).enumerate() {
            span.aim::<C>(index * AIMED, out.len() / C, &mut aims);
            span.source.mix::<C>(&aims, out);
        }
    }

    /// Pixels from `first` on that lie outside.
    fn fill_beyond<const C: usize>(&self, span: &Span<'_>, first: usize, fill: Fill, out: &mut [u8]) {
        if let Fill::Constant(level) = fill {
            out.fill(level);
            return;
        }
        let mut aims = [Eight::NOWHERE; AIMED / LANES];
        for (index, out) in out.chunks_mut(AIMED * C).enumerate() {
            span.aim_beyond::<C>(first + index * AIMED, out.len() / C, fill, &mut aims);
            #[cfg(target_arch = "x86_64")]
            if let Some(vectors) = self.vectors.filter(|_| C == 3) {
                vectors.mix(&span.source, &aims, out);
                continue;
            }
            span.source.mix::<C>(&aims, out);
        }
    }
}

impl Warp {
    /// `pixels` and `out` are `[h, w, c]`.
    pub(super) fn run(&self, pixels: &[u8], size: Size, workspace: &mut Workspace, out: &mut [u8]) {
        workspace.hold(pixels, size);
        match size.channels {
            3 => self.rows::<3>(size, workspace, out),
            _ => self.rows::<1>(size, workspace, out),
        }
    }

    fn rows<const C: usize>(&self, size: Size, workspace: &Workspace, out: &mut [u8]) {
        let (height, width) = (size.height as usize, size.width as usize);
        let source = Source {
            bytes: &workspace.padded,
            width: width.max(2) as i32,
            last_pair: [height.max(2) as i32 - 2, width.max(2) as i32 - 2],
        };
        let (first, direction) = if self.horizontal_flip { ((width - 1) as f64, -1.0) } else { (0.0, 1.0) };
        for (row, out) in out.chunks_exact_mut(width * C).enumerate() {
            let row = if self.vertical_flip { height - 1 - row } else { row };
            let span = Span { source, lines: self.lines(row as f64, size), first, direction };
            if self.fill == Fill::Nearest {
                workspace.fill::<C>(&span, out);
                continue;
            }
            let inside = span.inside(width);
            let (left, right) = (inside.start * C, inside.end * C);
            workspace.fill_beyond::<C>(&span, 0, self.fill, &mut out[..left]);
            workspace.fill::<C>(&span.from(inside.start), &mut out[left..right]);
            workspace.fill_beyond::<C>(&span, inside.end, self.fill, &mut out[right..]);
        }
    }

    fn lines(&self, row: f64, size: Size) -> [Line; 2] {
        let Region { top, left, height, width } = self.region;
        let line = |axis: Axis, first: u32, extent: u32, side: u32| {
            let scale = f64::from(extent) / f64::from(side);
            Line {
                base: row * axis.per_row,
                step: axis.per_column,
                offset: axis.offset,
                last: f64::from(side - 1),
                scale,
                // Centres of pixels lie half-way between their edges, and edges fall on edges.
                start: f64::from(first) + 0.5 * scale - 0.5,
                low: f64::from(first),
                high: f64::from(first + extent - 1),
            }
        };
        [line(self.axes[0], top, height, size.height), line(self.axes[1], left, width, size.width)]
    }
}

impl Line {
    /// Before the crop.
    #[inline]
    fn at(&self, column: f64) -> f64 {
        (self.base + column * self.step) + self.offset
    }

    /// From a position before the crop to a place in the input, in 1/`ONE` of a pixel.
    #[inline]
    fn place(&self, position: f64) -> i32 {
        let place = position * self.scale + self.start;
        // Not `max` and `min`, which take pains over what is no number.
        let place = if place > self.low { place } else { self.low };
        let place = if place < self.high { place } else { self.high };
        (place + ROUNDER).to_bits() as i32
    }

    /// The columns of the stretch whose positions lie inside. They are neighbours, as rounding never turns the order around.
    fn inside(&self, span: &Span<'_>, count: usize) -> Range<usize> {
        let at = |index: usize| self.at(span.column(index));
        let first = |there: &dyn Fn(f64) -> bool| {
            let (mut from, mut to) = (0, count);
            while from < to {
                let middle = usize::midpoint(from, to);
                if there(at(middle)) {
                    to = middle;
                } else {
                    from = middle + 1;
                }
            }
            from
        };
        if self.step * span.direction >= 0.0 {
            first(&|position| position >= 0.0)..first(&|position| position > self.last)
        } else {
            first(&|position| position <= self.last)..first(&|position| position < 0.0)
        }
    }
}

impl Span<'_> {
    /// In the unflipped output.
    #[inline]
    pub(super) fn column(&self, index: usize) -> f64 {
        self.first + self.direction * f64::from(index as i32)
    }

    /// The same stretch, entered later.
    pub(super) fn from(self, index: usize) -> Self {
        Self { first: self.column(index), ..self }
    }

    fn inside(&self, count: usize) -> Range<usize> {
        let [rows, columns] = self.lines.map(|line| line.inside(self, count));
        let (start, end) = (rows.start.max(columns.start), rows.end.min(columns.end));
        start..end.max(start)
    }

    /// Takes aim at `count` pixels from `first` on, and at a few more.
    fn aim<const C: usize>(&self, first: usize, count: usize, aims: &mut Aims) {
        self.aim_by::<C>(first, count, aims, |line, column| line.place(line.at(column)));
    }

    /// The same for pixels that lie outside, each in its own way.
    fn aim_beyond<const C: usize>(&self, first: usize, count: usize, fill: Fill, aims: &mut Aims) {
        self.aim_by::<C>(first, count, aims, |line, column| {
            line.place(fill.place(line.at(column), line.last).unwrap_or_default())
        });
    }

    #[inline]
    fn aim_by<const C: usize>(&self, first: usize, count: usize, aims: &mut Aims, place: impl Fn(&Line, f64) -> i32) {
        for (index, eight) in aims[..count.div_ceil(LANES)].iter_mut().enumerate() {
            let first = self.column(first + index * LANES);
            let mut places = [[0; LANES]; 2];
            for (line, places) in self.lines.iter().zip(&mut places) {
                for (place_here, step) in places.iter_mut().zip(STEPS) {
                    *place_here = place(line, first + self.direction * step);
                }
            }
            *eight = Eight::at::<C>(places, &self.source);
        }
    }
}

/// From the first of eight pixels to each.
pub(super) const STEPS: [f64; LANES] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
