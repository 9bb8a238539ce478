//! The embedded data set: cats and dogs, drawn. Every picture is a function of `(seed, index, species)`, at any size; no file
//! is shipped or fetched. The species differ in ears, muzzle and whiskers alone, and a mask says where those are to be seen:
//! ground truth for heat maps. Everything else comes from the same distributions for both.

mod animal;
mod camera;
mod canvas;
mod dice;
mod ears;
mod head;
mod muzzle;
mod ornament;
mod scenery;
#[cfg(test)]
mod tests;

use animal::{Coat, Pose};
use canvas::Canvas;
use dice::{Dice, Layer};
use ears::Ears;

use super::{DataError, Interpolation, Pixels, Size, Source, resize};

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
        let index = self.part.first_index() + i as u32;
        let canvas = compose(Canvas::new(size.height, size.width, false), self.seed, index, species);
        Ok(resize::to(photograph(&canvas, self.seed, index), size, Interpolation::Nearest))
    }

    /// Of the drawing itself no version is kept: whoever keeps what was made of the pictures adds this program's.
    fn identity(&self, size: Size) -> Option<blake3::Hash> {
        Some(blake3::hash(format!("critters {} {} {} {size:?}", self.seed, self.part.name(), self.count).as_bytes()))
    }
}

/// The drawing that stands at a position of the test split of this seed, with its label.
pub fn held_out(seed: u64, i: usize, height: u32, width: u32) -> (Critter, u32) {
    let label = label(i);
    (draw(seed, Part::Test.first_index() + i as u32, Species::ALL[label as usize], height, width), label)
}

/// Draws one critter. Height and width must not be 0. The cat and the dog of one seed and index differ in the tells alone.
pub fn draw(seed: u64, index: u32, species: Species, height: u32, width: u32) -> Critter {
    let canvas = compose(Canvas::new(height, width, true), seed, index, species);
    Critter { pixels: photograph(&canvas, seed, index), mask: canvas.mask() }
}

/// From back to front.
fn compose(mut canvas: Canvas, seed: u64, index: u32, species: Species) -> Canvas {
    let dice = |layer| Dice::new(seed, index, layer);
    let mut animal = dice(Layer::Animal);
    let pose = Pose::roll(&mut animal, canvas.height(), canvas.width());
    let coat = Coat::roll(&mut animal);
    let mut tells = dice(Layer::Tells(species));
    let ears = Ears::roll(&mut tells, species);
    let mut shape = dice(Layer::Head);

    scenery::background(&mut canvas, &mut dice(Layer::Scenery));
    head::body(&mut canvas, &mut animal, &pose, &coat);
    ears.draw_behind(&mut canvas, &pose, &coat);
    let outline = head::outline(&mut shape);
    head::head(&mut canvas, &mut shape, &pose, &coat, &outline);
    muzzle::muzzle(&mut canvas, &mut tells, &pose, &coat, species);
    head::eyes(&mut canvas, &mut dice(Layer::Eyes), &pose, &coat);
    ears.draw_before(&mut canvas, &pose, &coat);
    ornament::ornament(&mut canvas, &mut dice(Layer::Ornament), &pose);
    muzzle::whiskers(&mut canvas, &mut tells, &pose, &coat, species);
    scenery::foreground(&mut canvas, &mut dice(Layer::Foreground), &pose);
    canvas
}

fn photograph(canvas: &Canvas, seed: u64, index: u32) -> Pixels {
    let bytes = camera::photograph(&canvas.colours, &mut Dice::new(seed, index, Layer::Camera));
    Pixels { size: Size { height: canvas.colours.height(), width: canvas.colours.width(), channels: 3 }, bytes }
}
