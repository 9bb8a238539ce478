//! Bilinear sampling in whole numbers. First aim is taken at eight pixels, in 1/16384 of a pixel; then the four around each place are
//! mixed. Apart, as a processor does much of both at once that way. This is the plain arithmetic that `avx2` must equal.

/// Bytes that may be read beyond the last pixel.
pub(super) const SLACK: usize = 8;

/// Fractions of a pixel, and weights, are counted in 1/`ONE`.
pub(super) const ONE: i32 = 1 << BITS;
pub(super) const BITS: i32 = 14;

/// Added to a number below 2^36, it leaves that number, rounded to whole `1/ONE`s, in the low bits of the sum.
pub(super) const ROUNDER: f64 = (3_u64 << (51 - BITS)) as f64;

/// The input as it is read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) bytes: &'a [u8],
    /// Pixels in a row.
    pub(super) width: i32,
    /// The last row and the last column that have another behind them.
    pub(super) last_pair: [i32; 2],
}

/// Where eight pixels are taken from, and with what weights.
#[derive(Clone, Copy)]
pub(super) struct Eight {
    /// Where the upper left of four pixels begins.
    pub(super) bytes: [u32; LANES],
    /// Weights of the left (low 16 bits) and the right pixel of the upper row, in 1/`ONE`.
    pub(super) upper: [u32; LANES],
    pub(super) lower: [u32; LANES],
}

pub(super) const LANES: usize = 8;

/// For so many pixels aim is taken before they are mixed.
pub(super) const AIMED: usize = 64;

pub(super) type Aims = [Eight; AIMED / LANES];

impl Eight {
    pub(super) const NOWHERE: Self = Self { bytes: [0; LANES], upper: [0; LANES], lower: [0; LANES] };

    /// At places `[y, x]`, in 1/`ONE` of a pixel.
    pub(super) fn at<const C: usize>([y, x]: [[i32; LANES]; 2], source: &Source<'_>) -> Self {
        let mut eight = Self::NOWHERE;
        for lane in 0..LANES {
            let row = (y[lane] >> BITS).min(source.last_pair[0]);
            let column = (x[lane] >> BITS).min(source.last_pair[1]);
            let (down, right) = (y[lane] - row * ONE, x[lane] - column * ONE);
            let both = (down * right + ONE / 2) >> BITS;
            eight.bytes[lane] = (row * source.width + column) as u32 * C as u32;
            eight.upper[lane] = (ONE - down - right + both) as u32 | ((right - both) as u32) << 16;
            eight.lower[lane] = (down - both) as u32 | (both as u32) << 16;
        }
        eight
    }
}

impl Source<'_> {
    /// One pixel for each aim, as far as `out` goes.
    pub(super) fn mix<const C: usize>(&self, aims: &Aims, out: &mut [u8]) {
        let stride = self.width as usize * C;
        for (eight, out) in aims.iter().zip(out.chunks_mut(LANES * C)) {
            for (lane, pixel) in out.as_chunks_mut::<C>().0.iter_mut().enumerate() {
                let byte = eight.bytes[lane] as usize;
                let above = &self.bytes[byte..byte + 2 * C];
                let below = &self.bytes[byte + stride..byte + stride + 2 * C];
                for channel in 0..C {
                    let level = |row: &[u8], weights: u32| {
                        u32::from(row[channel]) * (weights & 0xFFFF) + u32::from(row[C + channel]) * (weights >> 16)
                    };
                    let sum = level(above, eight.upper[lane]) + level(below, eight.lower[lane]);
                    pixel[channel] = ((sum + ONE as u32 / 2) >> BITS) as u8;
                }
            }
        }
    }
}
