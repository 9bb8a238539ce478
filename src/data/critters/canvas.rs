//! What is drawn with: colours, inks, curves, and a canvas that keeps account of which pixels show a part that tells the species.

use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LinearGradient, Mask, Paint, Path, PathBuilder, Pixmap, Point,
    RadialGradient, Shader, SpreadMode, Stroke, Transform,
};

pub(super) type At = (f32, f32);

/// A colour, each part 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rgb(pub(super) f32, pub(super) f32, pub(super) f32);

pub(super) const BLACK: Rgb = Rgb(0.0, 0.0, 0.0);
pub(super) const WHITE: Rgb = Rgb(1.0, 1.0, 1.0);

impl Rgb {
    /// `hue` in turns.
    pub(super) fn hsl(hue: f32, saturation: f32, lightness: f32) -> Self {
        let chroma = saturation * lightness.min(1.0 - lightness);
        let part = |offset: f32| {
            let k = (offset + hue.rem_euclid(1.0) * 12.0) % 12.0;
            lightness - chroma * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)
        };
        Self(part(0.0), part(8.0), part(4.0))
    }

    /// This at `t` = 0, the other at 1.
    pub(super) fn mix(self, other: Self, t: f32) -> Self {
        Self(self.0 + (other.0 - self.0) * t, self.1 + (other.1 - self.1) * t, self.2 + (other.2 - self.2) * t)
    }

    pub(super) fn darker(self, t: f32) -> Self {
        self.mix(BLACK, t)
    }

    pub(super) fn lighter(self, t: f32) -> Self {
        self.mix(WHITE, t)
    }

    pub(super) fn lightness(self) -> f32 {
        0.299 * self.0 + 0.587 * self.1 + 0.114 * self.2
    }

    fn color(self, alpha: f32) -> Color {
        let inside = |part: f32| part.clamp(0.0, 1.0);
        Color::from_rgba(inside(self.0), inside(self.1), inside(self.2), inside(alpha)).unwrap_or(Color::BLACK)
    }
}

/// What fills a shape; positions are in the shape's own coordinates. The second figure of each pair is opacity.
#[derive(Clone, Copy)]
pub(super) enum Ink {
    Flat(Rgb),
    Glaze(Rgb, f32),
    Fade { from: At, to: At, start: (Rgb, f32), end: (Rgb, f32) },
    Glow { centre: At, radius: f32, inner: (Rgb, f32), outer: (Rgb, f32) },
}

impl Ink {
    fn is_opaque(&self) -> bool {
        match self {
            Self::Flat(_) => true,
            Self::Glaze(_, alpha) => *alpha >= 1.0,
            Self::Fade { start: (_, a), end: (_, b), .. } | Self::Glow { inner: (_, a), outer: (_, b), .. } => {
                a.min(*b) >= 1.0
            }
        }
    }

    fn paint(&self) -> Paint<'static> {
        let stops = |a: (Rgb, f32), b: (Rgb, f32)| {
            vec![GradientStop::new(0.0, a.0.color(a.1)), GradientStop::new(1.0, b.0.color(b.1))]
        };
        let point = |at: At| Point::from_xy(at.0, at.1);
        let shader = match *self {
            Self::Flat(colour) => Shader::SolidColor(colour.color(1.0)),
            Self::Glaze(colour, alpha) => Shader::SolidColor(colour.color(alpha)),
            Self::Fade { from, to, start, end } => {
                LinearGradient::new(point(from), point(to), stops(start, end), SpreadMode::Pad, Transform::identity())
                    .unwrap_or(Shader::SolidColor(start.0.color(start.1)))
            }
            Self::Glow { centre, radius, inner, outer } => {
                let centre = point(centre);
                RadialGradient::new(
                    centre,
                    0.0,
                    centre,
                    radius,
                    stops(inner, outer),
                    SpreadMode::Pad,
                    Transform::identity(),
                )
                .unwrap_or(Shader::SolidColor(inner.0.color(inner.1)))
            }
        };
        Paint { shader, ..Paint::default() }
    }
}

/// Whether a shape tells the species.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Neutral,
    Tell,
}

pub(super) struct Canvas {
    pub(super) colours: Pixmap,
    /// White where a tell is to be seen. Left out where nobody asks for it.
    tells: Option<Pixmap>,
    /// Shapes are drawn inside it alone.
    clip: Option<Mask>,
}

impl Canvas {
    pub(super) fn new(height: u32, width: u32, with_tells: bool) -> Self {
        let blank = || Pixmap::new(width, height).expect("sides of a picture are 1 to 16,384");
        let mut canvas = Self { colours: blank(), tells: with_tells.then(blank), clip: None };
        canvas.colours.fill(Color::BLACK);
        if let Some(tells) = &mut canvas.tells {
            tells.fill(Color::BLACK);
        }
        canvas
    }

    pub(super) fn height(&self) -> f32 {
        self.colours.height() as f32
    }

    pub(super) fn width(&self) -> f32 {
        self.colours.width() as f32
    }

    pub(super) fn fill(&mut self, part: Part, path: &Path, ink: Ink, at: Transform) {
        self.colours.fill_path(path, &ink.paint(), FillRule::Winding, at, self.clip.as_ref());
        if let (Some(tells), Some(paint)) = (&mut self.tells, account(part, ink)) {
            tells.fill_path(path, &paint, FillRule::Winding, at, self.clip.as_ref());
        }
    }

    /// `width` is in the path's own coordinates.
    pub(super) fn stroke(&mut self, part: Part, path: &Path, width: f32, ink: Ink, at: Transform) {
        let stroke = Stroke { width, line_cap: LineCap::Round, ..Stroke::default() };
        self.colours.stroke_path(path, &ink.paint(), &stroke, at, self.clip.as_ref());
        if let (Some(tells), Some(paint)) = (&mut self.tells, account(part, ink)) {
            tells.stroke_path(path, &paint, &stroke, at, self.clip.as_ref());
        }
    }

    /// What `draw` draws appears inside the path only.
    pub(super) fn within(&mut self, path: &Path, at: Transform, draw: impl FnOnce(&mut Self)) {
        let mut mask = Mask::new(self.colours.width(), self.colours.height()).expect("as large as the picture");
        mask.fill_path(path, FillRule::Winding, true, at);
        let outer = self.clip.replace(mask);
        draw(self);
        self.clip = outer;
    }

    /// `[h, w]`, 0 to 255.
    pub(super) fn mask(&self) -> Vec<u8> {
        self.tells.as_ref().map_or_else(Vec::new, |tells| tells.data().chunks_exact(4).map(|pixel| pixel[0]).collect())
    }
}

/// How a shape changes the account: a tell adds itself, anything opaque hides what was there, a glaze lets it shine through.
fn account(part: Part, ink: Ink) -> Option<Paint<'static>> {
    match part {
        Part::Tell => Some(Ink::Flat(WHITE).paint()),
        Part::Neutral if ink.is_opaque() => Some(Ink::Flat(BLACK).paint()),
        Part::Neutral => None,
    }
}

/// A path from drawing instructions. Shapes without an area become a point, which draws nothing.
pub(super) fn path(build: impl FnOnce(&mut PathBuilder)) -> Path {
    let mut builder = PathBuilder::new();
    build(&mut builder);
    builder.finish().unwrap_or_else(|| PathBuilder::from_circle(0.0, 0.0, f32::EPSILON).expect("a circle is a path"))
}

pub(super) fn ellipse(centre: At, across: f32, down: f32) -> Path {
    smooth(&ring(16, |angle| (centre.0 + across * angle.cos(), centre.1 + down * angle.sin())))
}

pub(super) fn polygon(points: &[At]) -> Path {
    path(|builder| {
        for (number, &(x, y)) in points.iter().enumerate() {
            if number == 0 { builder.move_to(x, y) } else { builder.line_to(x, y) }
        }
        builder.close();
    })
}

/// `count` points around a turn, starting at the right and going down.
pub(super) fn ring(count: usize, mut at: impl FnMut(f32) -> At) -> Vec<At> {
    (0..count).map(|number| at(number as f32 / count as f32 * std::f32::consts::TAU)).collect()
}

/// A closed curve through all points (Catmull and Rom's spline).
pub(super) fn smooth(points: &[At]) -> Path {
    let n = points.len();
    path(|builder| {
        builder.move_to(points[0].0, points[0].1);
        for i in 0..n {
            let [before, from, to, after] =
                [points[(i + n - 1) % n], points[i], points[(i + 1) % n], points[(i + 2) % n]];
            builder.cubic_to(
                from.0 + (to.0 - before.0) / 6.0,
                from.1 + (to.1 - before.1) / 6.0,
                to.0 - (after.0 - from.0) / 6.0,
                to.1 - (after.1 - from.1) / 6.0,
                to.0,
                to.1,
            );
        }
        builder.close();
    })
}
