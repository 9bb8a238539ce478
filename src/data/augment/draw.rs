//! Drawing what happens to a picture. Every draw takes the same count of numbers from its stream, so that allowing one variation does
//! not change another, and what is drawn is a function of the stream alone.

use rand_chacha::rand_core::RngCore;

use super::affine::Affine;
use super::region::Region;
use super::tone::Tint;
use super::variation::Variation;
use super::{Augment, Erasing, Jitter, ResizedCrop, Shift, Size, Steps};
use crate::data::random::{between, chance, unit};

impl Augment {
    pub(in crate::data) fn draw(&self, size: Size, rng: &mut impl RngCore) -> Variation {
        let down = self.height_shift.draw(size.height, rng);
        let right = self.width_shift.draw(size.width, rng);
        let (horizontal, vertical) = (chance(rng, 0.5), chance(rng, 0.5));
        let mut either_way = |most: f64| between(rng, -1.0, 1.0) * most;
        let (theta, shear, channel_shift) =
            (either_way(self.rotation), either_way(self.shear), either_way(self.channel_shift));
        let [low, high] = self.zoom;
        let (zoom_x, zoom_y) = (between(rng, low, high), between(rng, low, high));
        let brightness = within(self.brightness, rng);
        let tints = self.jitter.unwrap_or_default().draw(rng);
        // What is not allowed is drawn all the same, and left aside.
        let ResizedCrop { scale, ratio } = self.crop.unwrap_or(ResizedCrop { scale: [1.0; 2], ratio: [1.0; 2] });
        let crop = Region::to_crop(size, scale, ratio, rng);
        let erasing =
            self.erasing.unwrap_or(Erasing { probability: 0.0, scale: [0.0; 2], ratio: [1.0; 2], value: [0; 3] });
        let erases = chance(rng, erasing.probability);
        let erased = Region::to_erase(size, erasing.scale, erasing.ratio, rng);
        Variation {
            affine: Affine { theta, down, right, shear, zoom_x, zoom_y },
            crop: self.crop.map(|_| crop),
            horizontal_flip: self.horizontal_flip && horizontal,
            vertical_flip: self.vertical_flip && vertical,
            fill: self.fill,
            channel_shift: Some(channel_shift).filter(|_| self.channel_shift != 0.0),
            brightness,
            tints,
            erased: erased.filter(|_| erases).map(|region| (region, erasing.value)),
        }
    }
}

impl Shift {
    /// In pixels.
    fn draw(&self, side: u32, rng: &mut impl RngCore) -> f64 {
        let drawn = between(rng, -1.0, 1.0);
        let step = match &self.steps {
            Steps::UpTo(most) => drawn * most,
            Steps::OneOf(steps) => {
                let chosen = ((drawn.abs() * steps.len() as f64) as usize).min(steps.len() - 1);
                steps[chosen] * if drawn < 0.0 { -1.0 } else { 1.0 }
            }
        };
        if self.relative { step * f64::from(side) } else { step }
    }
}

impl Jitter {
    fn draw(&self, rng: &mut impl RngCore) -> Vec<Tint> {
        let mut drawn = [
            within(self.brightness, rng).map(Tint::Brightness),
            within(self.contrast, rng).map(Tint::Contrast),
            within(self.saturation, rng).map(Tint::Saturation),
            within(self.hue, rng).map(Tint::Hue),
        ];
        // Fisher and Yates, with one number for each place.
        for last in (1..drawn.len()).rev() {
            drawn.swap(last, (unit(rng) * (last + 1) as f64) as usize);
        }
        drawn.into_iter().flatten().collect()
    }
}

fn within(range: Option<[f64; 2]>, rng: &mut impl RngCore) -> Option<f64> {
    let part = unit(rng);
    range.map(|[low, high]| low + (high - low) * part)
}
