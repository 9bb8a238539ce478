//! Randomness as a function: a stream is named by `(seed, purpose, a, b)` and nothing else, so a draw depends neither on the
//! threads that loaded a batch nor on what was drawn before, and a resumed run needs no generator state.
//! The distributions are written out here, because those of the `rand` crate may change between its versions.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What a stream is for. The discriminants are part of every result: never renumber them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Order of an epoch's samples: `(epoch, 0)`.
    Shuffle = 1,
    /// One sample's augmentation: `(epoch, position in the split)`.
    Augment = 2,
    /// Which samples of a class go to validation: `(class, 0)`.
    Split = 3,
    /// Initial weights: `(parameter, 0)`.
    Initialise = 4,
    /// A dropout layer's mask: `(step, position of the layer)`.
    Dropout = 5,
    /// One layer of a critter picture: `(index, layer)`.
    Critter = 6,
    /// How the pictures of a batch are mixed: `(epoch, number of the batch)`.
    Mix = 7,
    /// Noise and jitter of explanations: `(filter or sample, step)`.
    Explain = 11,
}

/// The generator for one purpose. `a` and `b` say which draw: an epoch and a sample, a step, a parameter.
pub fn stream(seed: u64, purpose: Purpose, a: u64, b: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (part, word) in key.chunks_exact_mut(8).zip([seed, purpose as u64, a, b]) {
        part.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// Uniform in `[0, 1)` with 53 bits.
pub fn unit(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Uniform in `[low, high)`.
pub fn between(rng: &mut impl RngCore, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(rng)
}

/// True with probability `p`.
pub fn chance(rng: &mut impl RngCore, p: f64) -> bool {
    unit(rng) < p
}

/// Uniform in `0..n`, without the bias of a remainder (Lemire 2019, "Fast random integer generation in an interval").
/// `n` must not be 0.
pub fn below(rng: &mut impl RngCore, n: u64) -> u64 {
    let threshold = n.wrapping_neg() % n;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(n);
        if product as u64 >= threshold {
            return (product >> 64) as u64;
        }
    }
}

/// Standard normal (Box and Muller 1958).
pub fn normal(rng: &mut impl RngCore) -> f64 {
    let radius = (-2.0 * (1.0 - unit(rng)).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(rng)).cos()
}

/// Beta(α, α), for α above 0: X / (X + Y) of two gamma variables. Their logarithms are drawn, since for a small α they are too
/// small themselves.
pub fn beta(rng: &mut impl RngCore, alpha: f64) -> f64 {
    let (x, y) = (log_gamma(rng, alpha), log_gamma(rng, alpha));
    1.0 / (1.0 + libm::exp(y - x))
}

/// The logarithm of a gamma variable of shape α and scale 1 (Marsaglia and Tsang 2000; their boost for every α).
fn log_gamma(rng: &mut impl RngCore, alpha: f64) -> f64 {
    let boost = libm::log(1.0 - unit(rng)) / alpha;
    let d = alpha + 1.0 - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x).powi(3);
        let u = 1.0 - unit(rng);
        if v > 0.0 && libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return libm::log(d * v) + boost;
        }
    }
}

/// Fisher and Yates: every order is equally likely.
pub fn shuffle<T>(rng: &mut impl RngCore, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_stream_is_chacha8_keyed_by_its_four_words() {
        // RFC-style test vector of ChaCha8 with an all-zero key (Bernstein's reference, 256-bit key, zero IV).
        let mut zero = ChaCha8Rng::from_seed([0; 32]);
        assert_eq!(zero.next_u32().to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f]);

        let mut key = [0; 32];
        key[0] = 7;
        key[8] = Purpose::Augment as u8;
        key[16] = 3;
        key[24] = 9;
        assert_eq!(stream(7, Purpose::Augment, 3, 9).next_u64(), ChaCha8Rng::from_seed(key).next_u64());
    }

    #[test]
    fn each_word_of_the_name_changes_the_stream() {
        let first = |seed, purpose, a, b| stream(seed, purpose, a, b).next_u64();
        let base = first(1, Purpose::Shuffle, 1, 1);
        for other in [
            first(2, Purpose::Shuffle, 1, 1),
            first(1, Purpose::Augment, 1, 1),
            first(1, Purpose::Shuffle, 2, 1),
            first(1, Purpose::Shuffle, 1, 2),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn below_reaches_every_value_about_equally_often() {
        let mut rng = stream(0, Purpose::Shuffle, 0, 0);
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[below(&mut rng, 6) as usize] += 1;
        }
        // Binomial: mean 10,000, standard deviation 91.
        assert!(counts.iter().all(|&n| n.abs_diff(10_000) < 400), "{counts:?}");
    }

    #[test]
    fn shuffle_makes_every_order_about_equally_often() {
        let mut rng = stream(0, Purpose::Shuffle, 1, 0);
        let mut counts = std::collections::BTreeMap::<[u8; 3], u32>::new();
        for _ in 0..6_000 {
            let mut items = [0, 1, 2];
            shuffle(&mut rng, &mut items);
            *counts.entry(items).or_default() += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|&n| n.abs_diff(1_000) < 150), "{counts:?}");
    }

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let mut rng = stream(0, Purpose::Critter, 0, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }
}
