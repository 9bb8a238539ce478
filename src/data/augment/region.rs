//! Upright rectangles of a picture, and how torchvision draws them: for the resized crop, for erasing, for `CutMix`.

use rand_chacha::rand_core::RngCore;

use super::Size;
use crate::data::random;

/// In pixels. Lies inside its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) struct Region {
    pub(in crate::data) top: u32,
    pub(in crate::data) left: u32,
    pub(in crate::data) height: u32,
    pub(in crate::data) width: u32,
}

/// How often torchvision tries to draw a rectangle that fits.
const ATTEMPTS: usize = 10;

impl Region {
    pub(in crate::data) fn whole(size: Size) -> Self {
        Self { top: 0, left: 0, height: size.height, width: size.width }
    }

    /// The byte ranges of its rows in a picture `[h, w, c]`.
    pub(super) fn rows(self, size: Size) -> impl Iterator<Item = std::ops::Range<usize>> {
        let channels = size.channels as usize;
        let (stride, length) = (size.width as usize * channels, self.width as usize * channels);
        let start = self.left as usize * channels;
        (self.top as usize..(self.top + self.height) as usize).map(move |row| {
            let start = row * stride + start;
            start..start + length
        })
    }

    /// One value a channel.
    pub(super) fn paint(self, value: &[u8], size: Size, pixels: &mut [u8]) {
        for row in self.rows(size) {
            for pixel in pixels[row].chunks_exact_mut(value.len()) {
                pixel.copy_from_slice(value);
            }
        }
    }

    /// `RandomResizedCrop.get_params`: the first of ten rectangles that fits, otherwise the largest central one of an allowed shape.
    pub(super) fn to_crop(size: Size, scale: [f64; 2], ratio: [f64; 2], rng: &mut impl RngCore) -> Self {
        let (height, width) = (f64::from(size.height), f64::from(size.width));
        let fits = |[wide, high]: [f64; 2]| wide > 0.0 && wide <= width && high > 0.0 && high <= height;
        let (found, position) = draw(size, scale, ratio, fits, rng);
        if let Some([wide, high]) = found {
            return Self::at(position, [high, wide], size);
        }
        let shape = width / height;
        let (high, wide) = if shape < ratio[0] {
            ((width / ratio[0]).round_ties_even(), width)
        } else if shape > ratio[1] {
            (height, (height * ratio[1]).round_ties_even())
        } else {
            (height, width)
        };
        let (high, wide) = (high.max(1.0) as u32, wide.max(1.0) as u32);
        Self { top: (size.height - high) / 2, left: (size.width - wide) / 2, height: high, width: wide }
    }

    /// `RandomErasing.get_params`: the first of ten rectangles that is smaller than the picture, otherwise none.
    pub(super) fn to_erase(size: Size, scale: [f64; 2], ratio: [f64; 2], rng: &mut impl RngCore) -> Option<Self> {
        let (height, width) = (f64::from(size.height), f64::from(size.width));
        // Here the ratio is height over width.
        let (found, position) = draw(size, scale, ratio, |[high, wide]| high < height && wide < width, rng);
        found.map(|extent| Self::at(position, extent, size))
    }

    /// torchvision's `CutMix`: a box of the picture's shape and `1 - share` of its area about `centre` (`[y, x]`), cut off at the border.
    pub(super) fn to_mix(size: Size, share: f64, [y, x]: [u32; 2]) -> Self {
        let half = 0.5 * (1.0 - share).sqrt();
        let span = |centre: u32, side: u32| {
            let reach = (half * f64::from(side)) as u32;
            (centre.saturating_sub(reach), (centre + reach).min(side))
        };
        let ((top, bottom), (left, right)) = (span(y, size.height), span(x, size.width));
        Self { top, left, height: bottom - top, width: right - left }
    }

    /// `position` is uniform in `[0, 1)`.
    fn at(position: [f64; 2], extent: [f64; 2], size: Size) -> Self {
        let [height, width] = extent.map(|pixels| pixels as u32);
        let first = |part: f64, free: u32| ((part * f64::from(free + 1)) as u32).min(free);
        Self {
            top: first(position[0], size.height - height),
            left: first(position[1], size.width - width),
            height,
            width,
        }
    }
}

/// The first of ten `[√(area · ratio), √(area / ratio)]` that `fits`, and a position; always as many numbers from `rng`.
fn draw(
    size: Size,
    scale: [f64; 2],
    ratio: [f64; 2],
    fits: impl Fn([f64; 2]) -> bool,
    rng: &mut impl RngCore,
) -> (Option<[f64; 2]>, [f64; 2]) {
    let whole = f64::from(size.height) * f64::from(size.width);
    let [narrow, wide] = ratio.map(libm::log);
    let mut found = None;
    for _ in 0..ATTEMPTS {
        let area = whole * random::between(rng, scale[0], scale[1]);
        let ratio = libm::exp(random::between(rng, narrow, wide));
        let sides = [(area * ratio).sqrt().round_ties_even(), (area / ratio).sqrt().round_ties_even()];
        found = found.or(Some(sides).filter(|&sides| fits(sides)));
    }
    (found, [random::unit(rng), random::unit(rng)])
}
