//! The embedded data set: cats and dogs, drawn. Every picture is a function of `(seed, index, species)`, at any size; no file
//! is shipped or fetched. The species differ in ears, muzzle and whiskers alone, and a mask says where those are to be seen:
//! ground truth for heat maps. Everything else comes from the same distributions for both.

use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Transform};

use super::random::{self, Purpose};
use super::{DataError, Pixels, Size, Source, resize};

/// The two classes, in the order of their labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Species {
    Cat,
    Dog,
}

impl Species {
    pub const ALL: [Self; 2] = [Self::Cat, Self::Dog];

    pub fn name(self) -> &'static str {
        match self {
            Self::Cat => "cat",
            Self::Dog => "dog",
        }
    }
}

/// One drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Critter {
    /// RGB.
    pub pixels: Pixels,
    /// `[h, w]`: 255 where an ear, the muzzle or a whisker is drawn and can be seen, 0 elsewhere, between on their edges.
    pub mask: Vec<u8>,
}

/// Which split a drawing belongs to. Each has its own numbers, so that a split's size changes no other split's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// A quarter of the 32-bit numbers for each; what is left is for drawings outside any split.
    fn first_index(self) -> u32 {
        self as u32 * (1 << 30)
    }
}

/// Cats and dogs in turn; the loader shuffles.
pub(super) fn label(i: usize) -> u32 {
    (i % Species::ALL.len()) as u32
}

pub(super) fn class_names() -> Vec<String> {
    Species::ALL.map(|species| species.name().to_owned()).to_vec()
}

/// Critters as a data set; drawn when they are asked for.
pub(super) struct CritterSource {
    seed: u64,
    part: Part,
    count: usize,
}

impl CritterSource {
    pub(super) fn new(seed: u64, part: Part, count: usize) -> Self {
        Self { seed, part, count }
    }
}

impl Source for CritterSource {
    fn len(&self) -> usize {
        self.count
    }

    fn label(&self, i: usize) -> u32 {
        label(i)
    }

    fn name(&self, i: usize) -> String {
        format!("{} #{i}", self.part.name())
    }

    fn load(&self, i: usize, size: Size) -> Result<Pixels, DataError> {
        let species = Species::ALL[label(i) as usize];
        let drawn = draw(self.seed, self.part.first_index() + i as u32, species, size.height, size.width);
        Ok(resize::to(drawn.pixels, size))
    }
}
/// Draws one critter. Height and width must not be 0.
pub fn draw(seed: u64, index: u32, species: Species, height: u32, width: u32) -> Critter {
    let mut rng = random::stream(seed, Purpose::Critter, u64::from(index), species as u64);
    let mut canvas = Pixmap::new(width, height).expect("a picture has sides");
    let shade = random::between(&mut rng, 0.2, 0.9) as f32;
    canvas.fill(Color::from_rgba(shade, 0.5, 1.0 - shade, 1.0).expect("within 0 to 1"));
    let ears = if species == Species::Cat {
        [(0.25, 0.45), (0.3, 0.1), (0.45, 0.3)]
    } else {
        [(0.25, 0.35), (0.1, 0.7), (0.3, 0.6)]
    };
    let mut path = PathBuilder::new();
    for mirror in [false, true] {
        let at = |(x, y): (f32, f32)| ((if mirror { 1.0 - x } else { x }) * width as f32, y * height as f32);
        path.move_to(at(ears[0]).0, at(ears[0]).1);
        path.line_to(at(ears[1]).0, at(ears[1]).1);
        path.line_to(at(ears[2]).0, at(ears[2]).1);
        path.close();
    }
    path.push_circle(0.5 * width as f32, 0.55 * height as f32, 0.3 * width.min(height) as f32);
    let mut paint = Paint::default();
    paint.set_color_rgba8(180, 120, 60, 255);
    if let Some(path) = path.finish() {
        canvas.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
    }
    let bytes = canvas.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let size = Size { height, width, channels: 3 };
    Critter { pixels: Pixels { size, bytes }, mask: vec![0; (height * width) as usize] }
}
