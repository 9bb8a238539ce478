//! Random variations of a training picture, as Keras's `ImageDataGenerator` makes them: a shift by a fraction of the side, bilinear,
//! edges repeated (`order=1`, `fill_mode="nearest"`), then flips. What to do is drawn first, so that it can be shown and tested.

use rand_chacha::rand_core::RngCore;

use super::{Pixels, Size, random};

/// Which variations are allowed. The default allows none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    pub horizontal_flip: bool,
    pub vertical_flip: bool,
    /// Largest shift to either side, as a fraction of the width.
    pub width_shift: f64,
    /// Largest shift up or down, as a fraction of the height.
    pub height_shift: f64,
}

/// What happens to one picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Variation {
    /// Output pixel `(y, x)` shows input `(y + down, x + right)`, before flips. In pixels.
    pub(super) down: f64,
    pub(super) right: f64,
    pub(super) horizontal_flip: bool,
    pub(super) vertical_flip: bool,
}

impl Augment {
    /// True if no picture would change.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What training shows of `pixels` when it is sample `sample` of the split in epoch `epoch`: the same bytes that a batch holds,
    /// but for mixing, which needs a second picture.
    #[must_use]
    pub fn preview(&self, pixels: &Pixels, seed: u64, epoch: u64, sample: u32) -> Pixels {
        let mut rng = random::stream(seed, random::Purpose::Augment, epoch, u64::from(sample));
        let mut bytes = Vec::with_capacity(pixels.size.bytes());
        self.draw(pixels.size, &mut rng).apply(&pixels.bytes, pixels.size, &mut bytes);
        Pixels { size: pixels.size, bytes }
    }

    /// Every draw takes the same numbers from the stream, so that allowing one variation does not change another.
    pub(super) fn draw(&self, size: Size, rng: &mut impl RngCore) -> Variation {
        let mut shift = |fraction: f64, side: u32| random::between(rng, -1.0, 1.0) * fraction * f64::from(side);
        let down = shift(self.height_shift, size.height);
        let right = shift(self.width_shift, size.width);
        let (horizontal, vertical) = (random::chance(rng, 0.5), random::chance(rng, 0.5));
        Variation {
            down,
            right,
            horizontal_flip: self.horizontal_flip && horizontal,
            vertical_flip: self.vertical_flip && vertical,
        }
    }
}

impl Variation {
    /// Appends the varied picture to `out`. `pixels` is `[h, w, c]`.
    pub(super) fn apply(&self, pixels: &[u8], size: Size, out: &mut Vec<u8>) {
        let channels = size.channels as usize;
        let stride = size.width as usize * channels;
        let (rows, row_weight) = taps(size.height, self.down, self.vertical_flip);
        let (columns, column_weight) = taps(size.width, self.right, self.horizontal_flip);
        let mix = |a: u8, b: u8, weight: f32| f32::from(a) + (f32::from(b) - f32::from(a)) * weight;
        for (upper, lower) in rows {
            let upper = &pixels[upper * stride..(upper + 1) * stride];
            let lower = &pixels[lower * stride..(lower + 1) * stride];
            for &(left, right) in &columns {
                let (left, right) = (left * channels, right * channels);
                for channel in 0..channels {
                    let above = mix(upper[left + channel], upper[right + channel], column_weight);
                    let below = mix(lower[left + channel], lower[right + channel], column_weight);
                    out.push((above + (below - above) * row_weight + 0.5) as u8);
                }
            }
        }
    }
}

/// For each output position the two input positions between which it falls, and how far it is towards the second (the same
/// everywhere, because a shift is the same everywhere). Positions outside become the edge.
fn taps(side: u32, shift: f64, flip: bool) -> (Vec<(usize, usize)>, f32) {
    let whole = shift.floor();
    let edge = i64::from(side) - 1;
    let inside = |position: i64| position.clamp(0, edge) as usize;
    let mut pairs: Vec<_> =
        (0..=edge).map(|position| position + whole as i64).map(|first| (inside(first), inside(first + 1))).collect();
    if flip {
        pairs.reverse();
    }
    (pairs, (shift - whole) as f32)
}
