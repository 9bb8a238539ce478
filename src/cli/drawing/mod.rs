//! A drawing as a list of marks, measured in pixels from its upper left corner, and the two forms in which it is written: SVG, which
//! stays sharp at any size, and PNG, for what takes no SVG. No chart is known here, and no font is brought along.

mod png;
mod svg;

pub use png::png;
pub use svg::svg;

/// Okabe and Ito's colours, which colour-blind eyes tell apart, and two more.
pub const INKS: [u32; 10] =
    [0x00_72b2, 0xd5_5e00, 0x00_9e73, 0xcc_79a7, 0xe6_9f00, 0x56_b4e9, 0x00_0000, 0x99_9999, 0x7a_4fbf, 0x8c_6d31];

/// Width of a letter, as a part of its size: of the wider of the two forms, so that what is laid out by it fits in both.
pub const LETTER: f64 = 0.73;

#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    pub width: f64,
    pub height: f64,
    pub marks: Vec<Mark>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// `[left, top, width, height]`.
    Fill {
        area: [f64; 4],
        ink: Ink,
    },
    Line {
        points: Vec<[f64; 2]>,
        ink: Ink,
        width: f64,
        dashed: bool,
    },
    Dot {
        at: [f64; 2],
        radius: f64,
        ink: Ink,
    },
    Text(Text),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Where its baseline begins, is centred or ends.
    pub at: [f64; 2],
    pub words: String,
    pub size: f64,
    pub ink: Ink,
    pub anchor: Anchor,
    /// Upwards, by a quarter turn.
    pub turned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ink {
    /// `0xrr_ggbb`.
    pub rgb: u32,
    /// 0–1.
    pub opacity: f64,
}

impl Ink {
    pub const TEXT: Self = Self::solid(0x33_3333);
    pub const FAINT: Self = Self::solid(0x77_7777);
    pub const FRAME: Self = Self::solid(0x99_9999);
    pub const GRID: Self = Self::solid(0xee_eeee);

    pub const fn solid(rgb: u32) -> Self {
        Self { rgb, opacity: 1.0 }
    }

    /// The ink of the curve at this place of a legend.
    pub fn of(at: usize) -> Self {
        Self::solid(INKS[at % INKS.len()])
    }

    #[must_use]
    pub fn faint(self, opacity: f64) -> Self {
        Self { opacity, ..self }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Drawing {
    /// An empty one on white.
    pub fn new(width: f64, height: f64) -> Self {
        let ground = Mark::Fill { area: [0.0, 0.0, width, height], ink: Ink::solid(0xff_ffff) };
        Self { width, height, marks: vec![ground] }
    }

    pub fn fill(&mut self, area: [f64; 4], ink: Ink) {
        self.marks.push(Mark::Fill { area, ink });
    }

    pub fn line(&mut self, points: Vec<[f64; 2]>, ink: Ink, width: f64) {
        self.marks.push(Mark::Line { points, ink, width, dashed: false });
    }

    pub fn dashes(&mut self, points: Vec<[f64; 2]>, ink: Ink, width: f64) {
        self.marks.push(Mark::Line { points, ink, width, dashed: true });
    }

    pub fn dot(&mut self, at: [f64; 2], radius: f64, ink: Ink) {
        self.marks.push(Mark::Dot { at, radius, ink });
    }

    pub fn frame(&mut self, [left, top, width, height]: [f64; 4], ink: Ink) {
        let (right, bottom) = (left + width, top + height);
        self.line(vec![[left, top], [right, top], [right, bottom], [left, bottom], [left, top]], ink, 1.0);
    }

    pub fn text(&mut self, at: [f64; 2], text: impl Into<String>, size: f64, anchor: Anchor) {
        self.write(Text { at, words: text.into(), size, ink: Ink::TEXT, anchor, turned: false });
    }

    pub fn write(&mut self, text: Text) {
        self.marks.push(Mark::Text(text));
    }
}
