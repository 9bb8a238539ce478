//! The random choices of one drawing. Each layer has a stream of its own, so the cat and the dog of one index share pose, coat,
//! scenery and light, and differ in the one layer that knows the species.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use super::Species;
use crate::data::random::{self, Purpose};

/// What is being chosen. The numbers are part of every drawing.
#[derive(Clone, Copy)]
pub(super) enum Layer {
    Scenery,
    Animal,
    Head,
    Eyes,
    Foreground,
    Camera,
    Ornament,
    Tells(Species),
}

pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64, index: u32, layer: Layer) -> Self {
        let layer = match layer {
            Layer::Scenery => 0,
            Layer::Animal => 1,
            Layer::Head => 2,
            Layer::Eyes => 3,
            Layer::Foreground => 4,
            Layer::Camera => 5,
            Layer::Ornament => 6,
            Layer::Tells(Species::Cat) => 16,
            Layer::Tells(Species::Dog) => 17,
        };
        Self(random::stream(seed, Purpose::Critter, u64::from(index), layer))
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        random::between(&mut self.0, f64::from(low), f64::from(high)) as f32
    }

    /// Normal, cut off at two standard deviations.
    pub(super) fn about(&mut self, mean: f32, deviation: f32) -> f32 {
        mean + deviation * (random::normal(&mut self.0) as f32).clamp(-2.0, 2.0)
    }

    pub(super) fn chance(&mut self, p: f64) -> bool {
        random::chance(&mut self.0, p)
    }

    /// -1 or 1.
    pub(super) fn side(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    pub(super) fn count(&mut self, low: u64, high: u64) -> u64 {
        low + random::below(&mut self.0, high - low + 1)
    }

    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[random::below(&mut self.0, items.len() as u64) as usize]
    }

    /// Two grains of film: each a sum of four bytes, which is normal to the eye. Mean 0, standard deviation 1.
    pub(super) fn grains(&mut self) -> [f32; 2] {
        let bytes = self.0.next_u64().to_le_bytes();
        // A byte has mean 127.5 and variance (256² - 1) / 12; four of them add up.
        let sum = |part: &[u8]| part.iter().map(|&byte| f32::from(byte)).sum::<f32>();
        [(sum(&bytes[..4]) - 510.0) / 147.8, (sum(&bytes[4..]) - 510.0) / 147.8]
    }
}
