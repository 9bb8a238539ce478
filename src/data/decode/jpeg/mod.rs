//! Baseline JPEGs at a reduced size: each component's blocks go through the smallest inverse transform that still gives as many
//! pixels as are wanted, which is exactly the whole picture averaged over squares of 2×2, 4×4 or 8×8 pixels. Makes planes, not
//! colours. Anything unusual or damaged is left to a library.

mod bits;
mod header;
mod idct;

use multiversion::multiversion;

use bits::{Bits, END};
use header::{Component, Header, NATURAL};

/// One component of a picture, row-major.
pub(super) struct Plane {
    pub(super) stride: usize,
    pub(super) rows: usize,
    /// What the picture covers of it, from its upper left corner; the rest is padding.
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) bytes: Vec<u8>,
    /// Pixels a side that a block of 8×8 became.
    side: usize,
}

/// A picture whose header was read and found ordinary.
pub(super) struct Reader<'a> {
    header: Header,
    scan: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (header, scan) = header::read(bytes)?;
        Some(Self { header, scan })
    }

    /// Height and width as stored.
    pub(super) fn dimensions(&self) -> [u32; 2] {
        [self.header.height, self.header.width]
    }

    /// The TIFF structure that may hold the orientation.
    pub(super) fn take_exif(&mut self) -> Option<Vec<u8>> {
        self.header.exif.take()
    }

    /// One (grey) or three (JFIF's `YCbCr`) planes, each with at least `height` × `width` pixels as far as it has so many.
    pub(super) fn planes(&self, height: usize, width: usize) -> Option<Vec<Plane>> {
        let components = &self.header.components;
        let most = |side: fn(&Component) -> usize| components.iter().map(side).max().unwrap_or(1);
        let (down, across) = (most(|component| component.down), most(|component| component.across));
        let [whole_height, whole_width] = self.dimensions();
        let units = [(whole_height as usize).div_ceil(8 * down), (whole_width as usize).div_ceil(8 * across)];
        let plane = |component: &Component| {
            let blocks_down = f64::from(whole_height) * component.down as f64 / (8 * down) as f64;
            let blocks_across = f64::from(whole_width) * component.across as f64 / (8 * across) as f64;
            let is_enough = |&side: &usize| {
                let (high, wide) = ((blocks_down * side as f64).ceil(), (blocks_across * side as f64).ceil());
                high >= height as f64 && wide >= width as f64
            };
            let side = [1, 2, 4].into_iter().find(is_enough).unwrap_or(8);
            let (rows, stride) = (units[0] * component.down * side, units[1] * component.across * side);
            let (height, width) = (blocks_down * side as f64, blocks_across * side as f64);
            Plane { stride, rows, width, height, bytes: vec![0; stride * rows], side }
        };
        let mut planes: Vec<Plane> = components.iter().map(plane).collect();
        let (plain, ends) = header::unstuffed(self.scan)?;
        fill(&self.header, units, &plain, &ends, &mut planes)?;
        Some(planes)
    }
}

/// Decodes the scan, unit by unit.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt"))]
fn fill(
    header: &Header,
    [units_down, units_across]: [usize; 2],
    plain: &[u8],
    ends: &[usize],
    planes: &mut [Plane],
) -> Option<()> {
    let mut begin = 0;
    let mut ends = ends.iter();
    let mut bits = Bits::new(&[]);
    let mut before = [0_i32; 3];
    for unit in 0..units_down * units_across {
        if unit == 0 || (header.restart > 0 && unit % header.restart == 0) {
            let &end = ends.next()?;
            if bits.is_overdrawn() {
                return None;
            }
            (bits, begin, before) = (Bits::new(&plain[begin..end]), end, [0; 3]);
        }
        let (row, column) = (unit / units_across, unit % units_across);
        for ((component, plane), before) in header.components.iter().zip(&mut *planes).zip(&mut before) {
            let steps = header.steps[component.steps].as_ref()?;
            let (dc, ac) = (header.dc[component.dc].as_deref()?, header.ac[component.ac].as_deref()?);
            for y in 0..component.down {
                for x in 0..component.across {
                    let mut block = [[0; 8]; 8];
                    bits.refill();
                    *before = before.wrapping_add(bits.next(dc)?.1);
                    block[0][0] = before.wrapping_mul(steps[0]);
                    let mut at = 1;
                    'block: while at < 64 {
                        // The block's first value takes up to 27 bits, each other 26: two of them fit into what a refill gives.
                        for refills in [true, false] {
                            let (zeros, value) = bits.next(ac)?;
                            at += zeros;
                            if at > 63 {
                                break 'block;
                            }
                            block.as_flattened_mut()[usize::from(NATURAL[at] & 63)] = value.wrapping_mul(steps[at]);
                            at += 1;
                            if at > 63 {
                                break 'block;
                            }
                            if refills {
                                bits.refill();
                            }
                        }
                    }
                    // 64: the last coefficient was not zero. In between: a run too long.
                    if at > 64 && at < END {
                        return None;
                    }
                    let (top, left) =
                        ((row * component.down + y) * plane.side, (column * component.across + x) * plane.side);
                    let out = plane.bytes.get_mut(top * plane.stride + left..)?;
                    match plane.side {
                        8 => idct::inverse::<8>(&block, out, plane.stride),
                        4 => idct::inverse::<4>(&block, out, plane.stride),
                        2 => idct::inverse::<2>(&block, out, plane.stride),
                        _ => idct::inverse::<1>(&block, out, plane.stride),
                    }
                }
            }
        }
    }
    (!bits.is_overdrawn()).then_some(())
}
