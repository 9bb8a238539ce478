//! What a picture looks like, in 264 bytes, so that every picture of a data set can be compared with every other: a difference
//! hash finds the candidates (Krawetz 2013, "Kind of Like That"), a thumbnail confirms them. It sees through another size, another
//! compression and small changes of tone; not through mirroring, rotation or a crop.

use super::super::{Pixels, Size};

/// The hash compares each of 8×8 cells with its right neighbour.
const CELLS: usize = 8;
const THUMBNAIL: usize = 16;

/// Pictures are reduced from this size, which each is brought to by averaging; its sides divide by those of the hash.
pub(super) const SEEN_AT: Size = Size { height: 72, width: 72, channels: 3 };

/// Most bits of the hash in which two pictures that look the same may differ. Seven, since eight bands of eight bits then have one
/// in common, which is how [`Looks`] finds them.
const MOST_BITS: u32 = 7;
/// Least correlation of two thumbnails, and their greatest mean difference in grey levels.
const LEAST_CORRELATION: f32 = 0.98;
const MOST_DIFFERENCE: f32 = 10.0;

/// The look of one picture, whatever its size and shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    hash: u64,
    thumbnail: [u8; THUMBNAIL * THUMBNAIL],
}

impl Look {
    pub fn of(pixels: &Pixels) -> Self {
        let grey = luma(pixels);
        let (width, height) = (pixels.size.width as usize, pixels.size.height as usize);
        let cells = averages(&grey, [width, height], [CELLS + 1, CELLS]);
        let hash = cells
            .chunks_exact(CELLS + 1)
            .flat_map(|row| row.windows(2))
            .fold(0, |hash, pair| hash << 1 | u64::from(pair[1] > pair[0]));
        let small = averages(&grey, [width, height], [THUMBNAIL, THUMBNAIL]);
        Self { hash, thumbnail: std::array::from_fn(|at| (small[at] + 0.5) as u8) }
    }

    /// Bits in which the hashes differ, 0 to 64.
    pub fn distance(&self, other: &Self) -> u32 {
        (self.hash ^ other.hash).count_ones()
    }

    /// Whether a person would call them the same picture.
    pub fn is_like(&self, other: &Self) -> bool {
        self.distance(other) <= MOST_BITS && {
            let (correlation, difference) = compare(&self.thumbnail, &other.thumbnail);
            // Empty pictures have no structure to correlate.
            difference <= 1.0 || (difference <= MOST_DIFFERENCE && correlation >= LEAST_CORRELATION)
        }
    }
}

/// ITU-R 601-2, as everywhere in this room, but not rounded.
fn luma(pixels: &Pixels) -> Vec<f32> {
    match pixels.size.channels {
        3 => pixels
            .bytes
            .chunks_exact(3)
            .map(|rgb| 0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2]))
            .collect(),
        _ => pixels.bytes.iter().map(|&value| f32::from(value)).collect(),
    }
}

/// The mean of each cell of a grid over the picture; a pixel on an edge counts in both cells by its parts. `[w, h]` to `[w, h]`.
fn averages(grey: &[f32], [width, height]: [usize; 2], [across, down]: [usize; 2]) -> Vec<f32> {
    let (columns, rows) = (shares(width, across), shares(height, down));
    let narrow: Vec<f32> = grey
        .chunks_exact(width)
        .flat_map(|line| columns.iter().map(|share| share.iter().map(|&(at, weight)| line[at] * weight).sum()))
        .collect();
    let column = |row: &[(usize, f32)], x: usize| row.iter().map(|&(y, weight)| narrow[y * across + x] * weight).sum();
    rows.iter().flat_map(|row| (0..across).map(move |x| column(row, x))).collect()
}

/// For each of `to` cells the positions of `from` under it, with weights that sum to 1.
fn shares(from: usize, to: usize) -> Vec<Vec<(usize, f32)>> {
    let step = from as f32 / to as f32;
    let cell = |number: usize| {
        let (start, end) = (number as f32 * step, (number + 1) as f32 * step);
        let last = (end.ceil() as usize).min(from);
        let weight = |at: usize| ((at + 1) as f32).min(end) - (at as f32).max(start);
        (start as usize..last).map(|at| (at, weight(at) / step)).filter(|(_, weight)| *weight > 0.0).collect()
    };
    (0..to).map(cell).collect()
}

/// Pearson's correlation and the mean absolute difference.
fn compare(a: &[u8], b: &[u8]) -> (f32, f32) {
    let count = a.len() as f32;
    let mean = |values: &[u8]| values.iter().map(|&value| f32::from(value)).sum::<f32>() / count;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut across, mut own_a, mut own_b, mut apart) = (0.0, 0.0, 0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (from_a, from_b) = (f32::from(a) - mean_a, f32::from(b) - mean_b);
        across += from_a * from_b;
        own_a += from_a * from_a;
        own_b += from_b * from_b;
        apart += f32::from(a.abs_diff(b));
    }
    let norm = (own_a * own_b).sqrt();
    (if norm > 0.0 { across / norm } else { 0.0 }, apart / count)
}

/// Many looks, asked for those that are like a given one: without comparing it with all.
#[derive(Debug)]
pub struct Looks {
    looks: Vec<Look>,
    /// For each byte of the hash and each of its values, who has it.
    bands: Vec<Vec<u32>>,
}

impl Default for Looks {
    fn default() -> Self {
        Self { looks: Vec::new(), bands: vec![Vec::new(); 8 << 8] }
    }
}

impl Looks {
    /// Numbers them from 0.
    pub fn add(&mut self, look: Look) {
        for (band, byte) in look.hash.to_le_bytes().into_iter().enumerate() {
            self.bands[band << 8 | usize::from(byte)].push(self.looks.len() as u32);
        }
        self.looks.push(look);
    }

    /// The numbers of those that look the same, each once, in no order.
    pub fn like(&self, look: &Look) -> impl Iterator<Item = usize> {
        let bytes = look.hash.to_le_bytes();
        bytes.into_iter().enumerate().flat_map(move |(band, byte)| {
            let candidates = self.bands[band << 8 | usize::from(byte)].iter().map(|&number| number as usize);
            candidates.filter(move |&number| {
                let theirs = self.looks[number].hash.to_le_bytes();
                // Met already in an earlier band.
                (0..band).all(|earlier| theirs[earlier] != bytes[earlier]) && self.looks[number].is_like(look)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn look(hash: u64) -> Look {
        Look { hash, thumbnail: [0; 256] }
    }

    #[test]
    fn a_cell_is_the_mean_of_what_is_under_it() {
        // Three columns in two cells: 10, 20 and half each of the middle: (10 + 20/2) / 1.5 and (20/2 + 40) / 1.5.
        let cells = averages(&[10.0, 20.0, 40.0], [3, 1], [2, 1]);
        assert!((cells[0] - 20.0 / 1.5).abs() < 1e-4 && (cells[1] - 50.0 / 1.5).abs() < 1e-4, "{cells:?}");
    }

    #[test]
    fn the_hash_has_a_one_where_it_gets_brighter_to_the_right() {
        let size = Size { height: 8, width: 9, channels: 1 };
        let rising = Pixels { size, bytes: (0..72).map(|at| (at % 9) * 20).collect() };
        let falling = Pixels { size, bytes: (0..72).map(|at| 200 - (at % 9) * 20).collect() };
        assert_eq!((Look::of(&rising).hash, Look::of(&falling).hash), (u64::MAX, 0));
        assert_eq!(Look::of(&rising).distance(&Look::of(&falling)), 64);
    }

    #[test]
    fn the_hash_is_pillow_s() {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data/");
        let figures: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(format!("{fixtures}dhash.json")).unwrap()).unwrap();
        let expected = u64::from_str_radix(figures["hash"].as_str().unwrap(), 16).unwrap();
        let look = Look::of(&super::super::super::decode_whole(format!("{fixtures}dhash.png").as_ref()).unwrap());
        let close = figures["close"].as_u64().unwrap() as u32;
        assert!((look.hash ^ expected).count_ones() <= close, "{:016x}", look.hash);
    }

    #[test]
    fn empty_pictures_are_alike_only_in_the_same_tone() {
        let plain =
            |value| Look::of(&Pixels { size: Size { height: 20, width: 30, channels: 1 }, bytes: vec![value; 600] });
        assert!(plain(200).is_like(&plain(200)) && !plain(200).is_like(&plain(100)));
    }

    proptest! {
        #[test]
        fn every_hash_near_enough_is_found_once_and_no_other(
            hashes in prop::collection::vec(any::<u64>(), 1..60),
            flips in prop::collection::vec(0_u32..64, 0..12),
        ) {
            let mut looks = Looks::default();
            for &hash in &hashes {
                looks.add(look(hash));
            }
            let asked = look(flips.iter().fold(hashes[0], |hash, bit| hash ^ 1 << bit));
            let mut found: Vec<usize> = looks.like(&asked).collect();
            found.sort_unstable();
            let expected: Vec<usize> = (0..hashes.len()).filter(|&at| look(hashes[at]).distance(&asked) <= 7).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
