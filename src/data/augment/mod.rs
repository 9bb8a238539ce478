//! Random variations of training pictures: those of Keras's `ImageDataGenerator`, with its words and meaning, and some of torchvision's.
//! What happens to a picture is drawn first (`draw`), as a function of seed, epoch and sample, and done then: one warp for all that
//! moves pixels (`affine`, `warp`, `border`, `aim`; `avx2` where the processor has it), then brightness and colour (`tone`), then erasing.

mod affine;
mod aim;
#[cfg(target_arch = "x86_64")]
mod avx2;
mod border;
mod draw;
mod mix;
mod region;
mod strength;
mod tone;
mod variation;
mod warp;

#[cfg(test)]
mod tests;

pub use mix::{Mix, Mixing};
pub use warp::Workspace;

use super::random::{self, Purpose};
use super::{Pixels, Size};

/// Which variations are allowed. The default allows none.
#[derive(Clone, Debug, PartialEq)]
pub struct Augment {
    /// Largest turn to either side, in degrees.
    pub rotation: f64,
    pub width_shift: Shift,
    pub height_shift: Shift,
    /// Largest shear angle to either side, in degrees.
    pub shear: f64,
    /// The factor of each axis lies between these; below 1 the picture grows.
    pub zoom: [f64; 2],
    pub horizontal_flip: bool,
    pub vertical_flip: bool,
    pub fill: Fill,
    /// Grey levels multiply by a factor between these.
    pub brightness: Option<[f64; 2]>,
    /// So many grey levels are added or taken at most.
    pub channel_shift: f64,
    pub crop: Option<ResizedCrop>,
    pub jitter: Option<Jitter>,
    pub erasing: Option<Erasing>,
    /// Of whole batches, once their pictures are varied.
    pub mixing: Mixing,
    /// So many variants are drawn of each picture, and shown in turn; 0: a new one in each epoch.
    pub variants: u32,
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            rotation: 0.0,
            width_shift: Shift::none(),
            height_shift: Shift::none(),
            shear: 0.0,
            zoom: [1.0, 1.0],
            horizontal_flip: false,
            vertical_flip: false,
            fill: Fill::Nearest,
            brightness: None,
            channel_shift: 0.0,
            crop: None,
            jitter: None,
            erasing: None,
            mixing: Mixing::default(),
            variants: 0,
        }
    }
}

/// How far a picture may move along one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    pub steps: Steps,
    /// The figures are fractions of the side; otherwise pixels.
    pub relative: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Steps {
    /// Anywhere up to so far to either side.
    UpTo(f64),
    /// One of these, to either side. Not empty.
    OneOf(Vec<f64>),
}

impl Shift {
    pub fn none() -> Self {
        Self::fraction(0.0)
    }

    /// Up to this fraction of the side to either side.
    pub fn fraction(most: f64) -> Self {
        Self { steps: Steps::UpTo(most), relative: true }
    }
}

/// What is shown where the warp reaches beyond the picture: `scipy.ndimage`'s modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// The edge, repeated.
    Nearest,
    /// A grey level.
    Constant(u8),
    /// The picture mirrored at its border.
    Reflect,
    /// The picture again.
    Wrap,
}

/// torchvision's `RandomResizedCrop`: a part of the picture, brought to its full size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResizedCrop {
    /// The part's share of the area.
    pub scale: [f64; 2],
    /// Its width over its height.
    pub ratio: [f64; 2],
}

/// torchvision's `ColorJitter`: factors between these, applied in an order that is drawn too.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Jitter {
    pub brightness: Option<[f64; 2]>,
    pub contrast: Option<[f64; 2]>,
    pub saturation: Option<[f64; 2]>,
    /// In turns of the colour circle, from -0.5 to 0.5.
    pub hue: Option<[f64; 2]>,
}

/// torchvision's `RandomErasing`: a rectangle painted over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Erasing {
    pub probability: f64,
    /// The rectangle's share of the area.
    pub scale: [f64; 2],
    /// Its height over its width.
    pub ratio: [f64; 2],
    /// Red, green and blue; grey pictures take the first.
    pub value: [u8; 3],
}

impl Augment {
    /// True if no picture would change.
    pub fn is_none(&self) -> bool {
        *self == Self { fill: self.fill, variants: self.variants, ..Self::default() }
    }

    /// The epoch whose variant an epoch shows: itself, or with `variants` one of the first so many.
    pub fn shown_in(&self, epoch: u64) -> u64 {
        epoch.checked_rem(self.variants.into()).unwrap_or(epoch)
    }

    /// Fills `out` with what training shows of `pixels` (`[h, w, c]`, as is `out`) when it is sample `sample` of the split in epoch
    /// `epoch`. Mixing comes later.
    pub fn vary(&self, pixels: &[u8], size: Size, draw: Draw, workspace: &mut Workspace, out: &mut [u8]) {
        let epoch = self.shown_in(draw.epoch);
        let mut rng = random::stream(draw.seed, Purpose::Augment, epoch, u64::from(draw.sample));
        self.draw(size, &mut rng).apply(pixels, size, workspace, out);
    }

    /// One picture as training sees it: the same bytes that a batch holds, but for mixing, which needs a second picture.
    #[must_use]
    pub fn preview(&self, pixels: &Pixels, seed: u64, epoch: u64, sample: u32) -> Pixels {
        let mut bytes = vec![0; pixels.size.bytes()];
        let draw = Draw { seed, epoch, sample };
        self.vary(&pixels.bytes, pixels.size, draw, &mut Workspace::default(), &mut bytes);
        Pixels { size: pixels.size, bytes }
    }
}

/// Names a draw: the same one gives the same variation, whatever was drawn before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    pub seed: u64,
    pub epoch: u64,
    /// Position in the split.
    pub sample: u32,
}
