//! Where a network's blocks end: one layer for each size that its maps have on the way down.

use super::{Arch, Op, Shape};

/// Of very deep networks only so many, the deepest.
const MOST: usize = 8;

impl Arch {
    /// The last layer before each halving of the maps, pooling itself left out: what a sweep over the depth shows. Maps that a convolution
    /// without padding made a few pixels smaller still count as of the same block.
    pub fn block_ends(&self) -> Vec<usize> {
        let Shape::Map { height: whole, .. } = self.input() else { return Vec::new() };
        let mut ends: Vec<(i64, usize)> = Vec::new();
        for (index, layer) in self.layers().iter().enumerate() {
            let Shape::Map { height, .. } = layer.output else { continue };
            if height == 0 || !speaks(&layer.op) {
                continue;
            }
            let halvings = (whole as f64 / height as f64).log2().round() as i64;
            match ends.last_mut() {
                Some((before, end)) if *before == halvings => *end = index,
                _ => ends.push((halvings, index)),
            }
        }
        let skipped = ends.len().saturating_sub(MOST);
        ends.into_iter().skip(skipped).map(|(_, index)| index).collect()
    }
}

/// Layers that change nothing but sizes and scales show nothing of their own.
fn speaks(op: &Op) -> bool {
    op.has_kernel() || matches!(op, Op::BatchNorm { .. } | Op::Activation(_) | Op::Add | Op::Concatenate)
}
