//! What lies beyond the picture's border, in `scipy.ndimage`'s meaning of its modes. For bilinear sampling each mode but `constant`
//! amounts to another position inside.

use super::Fill;

impl Fill {
    /// The position inside `0..=last` that stands for `position`, along one axis; none where the fill value stands. The arithmetic is
    /// `map_coordinate`'s in scipy's `ni_interpolation.c`.
    pub(super) fn place(self, position: f64, last: f64) -> Option<f64> {
        if (0.0..=last).contains(&position) {
            return Some(position);
        }
        match self {
            Self::Constant(_) => None,
            Self::Nearest => Some(position.clamp(0.0, last)),
            // d c b a | a b c d | d c b a
            Self::Reflect => {
                let side = last + 1.0;
                let period = 2.0 * side;
                let position = position - period * (position / period).floor();
                Some((if position < side { position } else { period - 1.0 - position }).clamp(0.0, last))
            }
            // a b c d | a b c d | a b c d, but with a period of one pixel less: the last pixel lies upon the first.
            Self::Wrap if last == 0.0 => Some(0.0),
            Self::Wrap if position < 0.0 => {
                Some((position + last * ((-position / last).trunc() + 1.0)).clamp(0.0, last))
            }
            Self::Wrap => Some((position - last * (position / last).trunc()).clamp(0.0, last)),
        }
    }
}
