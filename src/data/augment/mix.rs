//! Mixing the pictures of a batch in pairs: mixup (Zhang et al. 2017) and `CutMix` (Yun et al. 2019), as torchvision does them: one
//! share for the whole batch, and each picture's partner is the one before it. Where both are allowed, each batch draws one of them.

use super::Size;
use super::region::Region;
use crate::data::random::{self, Purpose, below, beta, chance};

/// The parameter α of Beta(α, α), from which the shares are drawn; 0 never mixes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mixing {
    pub mixup: f64,
    pub cutmix: f64,
}

/// What a batch's pictures show besides their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// The lighter label of each picture.
    pub labels: Vec<i64>,
    /// The weight of the batch's own labels, from 0.5 to 1; these have the rest.
    pub weight: f64,
}

/// How two pictures become one, where `share` is the first one's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::data) enum Blend {
    Mixup {
        share: f64,
    },
    /// The second picture shows in the region.
    CutMix {
        region: Region,
    },
}

/// Shares are counted in 1/65536.
const ONE: u32 = 1 << 16;

impl Mixing {
    /// Mixes the pictures (`[n, h, w, c]`), as the three numbers decide, and leaves the heavier of each picture's two labels in `labels`.
    pub fn apply(
        self,
        [seed, epoch, batch]: [u64; 3],
        size: Size,
        images: &mut [u8],
        labels: &mut Vec<i64>,
    ) -> Option<Mix> {
        let blend = self.draw([seed, epoch, batch], size)?;
        if labels.len() < 2 {
            return None;
        }
        blend.apply(size, images);
        let mut rolled = labels.clone();
        rolled.rotate_right(1);
        let share = blend.share(size);
        if share < 0.5 {
            std::mem::swap(labels, &mut rolled);
        }
        Some(Mix { labels: rolled, weight: share.max(1.0 - share) })
    }

    pub(in crate::data) fn draw(self, [seed, epoch, batch]: [u64; 3], size: Size) -> Option<Blend> {
        let mut rng = random::stream(seed, Purpose::Mix, epoch, batch);
        let cuts = chance(&mut rng, 0.5);
        let cuts = if self.mixup > 0.0 { cuts && self.cutmix > 0.0 } else { true };
        let alpha = if cuts { self.cutmix } else { self.mixup };
        if alpha <= 0.0 {
            return None;
        }
        let share = beta(&mut rng, alpha);
        Some(if cuts {
            let centre = [size.height, size.width].map(|side| below(&mut rng, side.into()) as u32);
            Blend::CutMix { region: Region::to_mix(size, share, centre) }
        } else {
            Blend::Mixup { share }
        })
    }
}

impl Blend {
    /// Of the own label. A box cut off at the border is smaller than was drawn, and what it left counts.
    pub(in crate::data) fn share(self, size: Size) -> f64 {
        match self {
            Self::Mixup { share } => (share * f64::from(ONE)).round() / f64::from(ONE),
            Self::CutMix { region: Region { height, width, .. } } => {
                let area = |height, width| f64::from(height) * f64::from(width);
                1.0 - area(height, width) / area(size.height, size.width)
            }
        }
    }

    /// Of pictures `[n, h, w, c]`, each with the one before it, the first with the last.
    pub(in crate::data) fn apply(self, size: Size, images: &mut [u8]) {
        let bytes = size.bytes();
        let last = images[images.len() - bytes..].to_vec();
        // From the end, so that a partner is met before it changes itself.
        let mut rest = images;
        while rest.len() > bytes {
            let (before, own) = rest.split_at_mut(rest.len() - bytes);
            self.pair(size, own, &before[before.len() - bytes..]);
            rest = before;
        }
        self.pair(size, rest, &last);
    }

    fn pair(self, size: Size, own: &mut [u8], partner: &[u8]) {
        match self {
            Self::Mixup { share } => {
                let share = (share * f64::from(ONE)).round() as u32;
                for (own, &partner) in own.iter_mut().zip(partner) {
                    *own = ((u32::from(*own) * share + u32::from(partner) * (ONE - share) + ONE / 2) >> 16) as u8;
                }
            }
            Self::CutMix { region } => {
                for row in region.rows(size) {
                    own[row.clone()].copy_from_slice(&partner[row]);
                }
            }
        }
    }
}
