//! Some of a batch's pictures, as a batch of their own: what a step takes at once where the whole does not fit into memory.

use std::ops::Range;

use super::{Batch, Mix, Served};

impl Batch {
    /// The pictures of `range`, which lies within the batch. What was left out of the batch goes with none of them.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        let one = self.size.bytes();
        // With kept outputs only the pictures that are needed still are there, one behind the other.
        let pictures = match &self.features {
            Some(served) => served.pictures_before(range.start)..served.pictures_before(range.end),
            None => range.clone(),
        };
        Self {
            index: self.index,
            size: self.size,
            count: range.len(),
            images: self.images[pictures.start * one..pictures.end * one].to_vec(),
            features: self.features.as_ref().map(|served| served.part(range.clone())),
            labels: self.labels[range.clone()].to_vec(),
            mixed: self
                .mixed
                .as_ref()
                .map(|mix| Mix { labels: mix.labels[range.clone()].to_vec(), weight: mix.weight }),
            samples: self.samples[range].to_vec(),
            skipped: Vec::new(),
        }
    }
}

impl Served {
    /// Of the first `places` pictures, how many the batch holds besides.
    fn pictures_before(&self, places: usize) -> usize {
        if self.pictures() == self.held.len() { places } else { self.missing().take_while(|&at| at < places).count() }
    }

    fn part(&self, range: Range<usize>) -> Self {
        let held = |places: &[bool]| places.iter().filter(|held| **held).count();
        let (before, here) = (held(&self.held[..range.start]), held(&self.held[range.clone()]));
        let one = match held(&self.held) {
            0 => 0,
            all => self.records.len() / all,
        };
        Self {
            features: self.features.clone(),
            numbers: self.numbers[range.clone()].to_vec(),
            held: self.held[range].to_vec(),
            records: self.records[before * one..(before + here) * one].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Size;

    #[test]
    fn the_parts_of_a_batch_are_the_batch() {
        let size = Size { height: 1, width: 2, channels: 1 };
        let whole = Batch {
            index: 3,
            size,
            count: 3,
            images: vec![1, 2, 3, 4, 5, 6],
            features: None,
            labels: vec![7, 8, 9],
            mixed: Some(Mix { labels: vec![0, 1, 2], weight: 0.75 }),
            samples: vec![10, 11, 12],
            skipped: Vec::new(),
        };
        let last = whole.part(2..3);
        assert_eq!((last.count, &*last.images, &*last.labels, &*last.samples), (1, &[5, 6][..], &[9][..], &[12][..]));
        assert_eq!(last.mixed, Some(Mix { labels: vec![2], weight: 0.75 }));
        assert_eq!(whole.part(0..3), whole);
    }
}
