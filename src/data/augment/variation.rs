//! What happens to one picture, once it is drawn, and the order in which it happens: Keras's for what Keras knows, then torchvision's
//! colours, then erasing.

use super::affine::Affine;
use super::region::Region;
use super::tone::{self, Tint};
use super::warp::{Warp, Workspace};
use super::{Fill, Size};

#[derive(Clone, Debug, PartialEq)]
pub(in crate::data) struct Variation {
    pub(in crate::data) affine: Affine,
    pub(in crate::data) crop: Option<Region>,
    pub(in crate::data) horizontal_flip: bool,
    pub(in crate::data) vertical_flip: bool,
    pub(in crate::data) fill: Fill,
    /// Grey levels to add.
    pub(in crate::data) channel_shift: Option<f64>,
    /// Factor.
    pub(in crate::data) brightness: Option<f64>,
    /// In this order.
    pub(in crate::data) tints: Vec<Tint>,
    pub(in crate::data) erased: Option<(Region, [u8; 3])>,
}

impl Default for Variation {
    fn default() -> Self {
        Self {
            affine: Affine::default(),
            crop: None,
            horizontal_flip: false,
            vertical_flip: false,
            fill: Fill::Nearest,
            channel_shift: None,
            brightness: None,
            tints: Vec::new(),
            erased: None,
        }
    }
}

impl Variation {
    /// `pixels` and `out` are `[h, w, c]`. Each stage that is drawn rounds to whole grey levels.
    pub(in crate::data) fn apply(&self, pixels: &[u8], size: Size, workspace: &mut Workspace, out: &mut [u8]) {
        if self.moves() {
            self.warp(size).run(pixels, size, workspace, out);
        } else {
            out.copy_from_slice(pixels);
        }
        if self.channel_shift.is_some() || self.brightness.is_some() {
            tone::shift_and_brighten(self.channel_shift.unwrap_or(0.0), self.brightness.unwrap_or(1.0), out);
        }
        for tint in &self.tints {
            tint.apply(size.channels, out);
        }
        if let Some((region, value)) = self.erased {
            region.paint(&value[..size.channels as usize], size, out);
        }
    }

    fn moves(&self) -> bool {
        self.affine != Affine::default() || self.crop.is_some() || self.horizontal_flip || self.vertical_flip
    }

    fn warp(&self, size: Size) -> Warp {
        Warp {
            axes: self.affine.axes(size),
            region: self.crop.unwrap_or(Region::whole(size)),
            horizontal_flip: self.horizontal_flip,
            vertical_flip: self.vertical_flip,
            fill: self.fill,
        }
    }
}
