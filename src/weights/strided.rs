//! A tensor as a view of a flat storage: offset, shape and strides, all in elements, as `PyTorch` has them. Gathering makes it
//! contiguous; a view that reaches beyond its storage is refused before anything is read.

use super::error::{Fault, Read};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

impl View {
    /// Elements.
    pub(super) fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))
    }

    /// The storage must have so many elements.
    fn reach(&self) -> Option<usize> {
        if self.shape.contains(&0) {
            return Some(0);
        }
        let steps = self.shape.iter().zip(&self.strides);
        let last = steps.map(|(&side, &stride)| (side - 1).checked_mul(stride));
        last.into_iter().try_fold(self.offset, |sum, step| sum.checked_add(step?))?.checked_add(1)
    }

    /// Whether the view lies inside a storage of so many elements. A small storage behind a huge shape (stride 0) would cost
    /// memory that no file paid for.
    pub(super) fn check(&self, elements: usize) -> Read<()> {
        let reach = self.reach().filter(|_| self.shape.len() == self.strides.len());
        match (reach, self.count()) {
            (Some(reach), Some(count)) if reach <= elements && count <= elements => Ok(()),
            _ => Err(Fault::damaged(format!(
                "a tensor of shape {:?} reaches beyond its {elements} stored elements",
                self.shape
            ))),
        }
    }

    /// The elements in row-major order. Call [`Self::check`] first.
    pub(super) fn gather(&self, storage: &[u8], size: usize) -> Vec<u8> {
        let count = self.count().unwrap_or(0);
        if count == 0 {
            return Vec::new();
        }
        if self.is_contiguous() {
            return storage[self.offset * size..][..count * size].to_vec();
        }
        let mut out = Vec::with_capacity(count * size);
        let mut index = vec![0; self.shape.len()];
        let mut at = self.offset;
        for _ in 0..count {
            out.extend_from_slice(&storage[at * size..][..size]);
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                at += self.strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                at -= self.strides[axis] * self.shape[axis];
                index[axis] = 0;
            }
        }
        out
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (&side, &stride) in self.shape.iter().zip(&self.strides).rev() {
            // The stride of an axis of one is never used.
            if side > 1 && stride != expected {
                return false;
            }
            expected *= side;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn view(offset: usize, shape: &[usize], strides: &[usize]) -> View {
        View { offset, shape: shape.to_vec(), strides: strides.to_vec() }
    }

    #[test]
    fn a_transposed_view_is_gathered_row_by_row() {
        // numpy.arange(6).reshape(3, 2).T.ravel()
        let transposed = view(0, &[2, 3], &[1, 2]);
        transposed.check(6).unwrap();
        assert_eq!(transposed.gather(&[0, 1, 2, 3, 4, 5], 1), [0, 2, 4, 1, 3, 5]);
        assert_eq!(view(1, &[2, 2], &[2, 1]).gather(&[0, 1, 2, 3, 4], 1), [1, 2, 3, 4]);
        assert_eq!(view(1, &[2, 1, 1], &[2, 7, 9]).gather(&[0, 1, 2, 3, 4], 1), [1, 3]);
        assert_eq!(view(1, &[], &[]).gather(&[0, 1, 2, 3], 2), [2, 3]);
    }

    #[test]
    fn a_view_beyond_its_storage_is_refused() {
        assert!(view(1, &[2, 3], &[3, 1]).check(6).is_err());
        assert!(view(0, &[usize::MAX, 2], &[1, 1]).check(6).is_err());
        assert!(view(0, &[2], &[usize::MAX]).check(6).is_err());
        assert!(view(0, &[2], &[]).check(6).is_err());
        // A stride of 0 would make a gigabyte of one number.
        assert!(view(0, &[1 << 30], &[0]).check(6).is_err());
        assert!(view(9, &[0, 5], &[5, 1]).check(6).is_ok());
    }
}
