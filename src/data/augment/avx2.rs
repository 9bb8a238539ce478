//! The warp in the 256-bit vectors of x86-64 processors with AVX2: the operations of `Line::place`, `Eight::at` and `Source::mix` in the
//! same order, so with the same bytes as a result. Written out, as a compiler makes vectors of the plain code on some days only.
//! Nothing else in this room is `unsafe`: here it is calling what needs the feature, reading bytes whose bounds are kept without a
//! branch, and looking at a vector as an array.

use std::arch::x86_64::{
    __m128i, __m256, __m256d, __m256i, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_extract_epi32, _mm256_add_epi32,
    _mm256_add_pd, _mm256_castpd_ps, _mm256_castps_si256, _mm256_castsi256_si128, _mm256_extracti128_si256,
    _mm256_madd_epi16, _mm256_max_pd, _mm256_min_epi32, _mm256_min_pd, _mm256_mul_pd, _mm256_mullo_epi32,
    _mm256_or_si256, _mm256_packus_epi16, _mm256_packus_epi32, _mm256_set_m128i, _mm256_set1_epi32, _mm256_set1_pd,
    _mm256_setr_epi8, _mm256_setr_pd, _mm256_shuffle_epi8, _mm256_shuffle_epi32, _mm256_shuffle_ps, _mm256_slli_epi32,
    _mm256_srai_epi32, _mm256_sub_epi32,
};

use super::aim::{AIMED, Aims, BITS, Eight, LANES, ONE, ROUNDER, SLACK, Source};
use super::warp::{Line, STEPS, Span};

/// Proof that the processor has AVX2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(());

const CHANNELS: usize = 3;

#[expect(clippy::unused_self, reason = "it is the proof that the feature is there")]
impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// Pixels of three channels along a stretch.
    pub(super) fn fill(self, span: &Span<'_>, out: &mut [u8]) {
        // SAFETY: an `Avx2` exists only where `detect` found the feature.
        unsafe { fill(span, out) }
    }

    /// One pixel of three channels for each aim.
    pub(super) fn mix(self, source: &Source<'_>, aims: &Aims, out: &mut [u8]) {
        // SAFETY: likewise.
        unsafe { mix(source, aims, out) }
    }
}

#[target_feature(enable = "avx2")]
fn fill(span: &Span<'_>, out: &mut [u8]) {
    let mut aims = [Eight::NOWHERE; AIMED / LANES];
    for (index, out) in out.chunks_mut(AIMED * CHANNELS).enumerate() {
        let count = out.len().div_ceil(LANES * CHANNELS);
        for (eight, first) in aims[..count].iter_mut().zip((index * AIMED..).step_by(LANES)) {
            aim(span, first, eight);
        }
        mix(&span.source, &aims, out);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn aim(span: &Span<'_>, first: usize, eight: &mut Eight) {
    let [a, b, c, d, e, f, g, h] = STEPS;
    let (first, direction) = (_mm256_set1_pd(span.column(first)), _mm256_set1_pd(span.direction));
    // In an order that brings pixels 0 to 3 into one half of a vector of whole numbers, and 4 to 7 into the other.
    let near = _mm256_add_pd(first, _mm256_mul_pd(direction, _mm256_setr_pd(a, b, e, f)));
    let far = _mm256_add_pd(first, _mm256_mul_pd(direction, _mm256_setr_pd(c, d, g, h)));
    let (y, x) = (places(&span.lines[0], near, far), places(&span.lines[1], near, far));
    let [last_row, last_column] = span.source.last_pair;
    let row = _mm256_min_epi32(_mm256_srai_epi32::<BITS>(y), _mm256_set1_epi32(last_row));
    let column = _mm256_min_epi32(_mm256_srai_epi32::<BITS>(x), _mm256_set1_epi32(last_column));
    let down = _mm256_sub_epi32(y, _mm256_slli_epi32::<BITS>(row));
    let right = _mm256_sub_epi32(x, _mm256_slli_epi32::<BITS>(column));
    let both = _mm256_srai_epi32::<BITS>(_mm256_add_epi32(_mm256_madd_epi16(down, right), _mm256_set1_epi32(ONE / 2)));
    let upper_right = _mm256_sub_epi32(right, both);
    let upper_left = _mm256_sub_epi32(_mm256_sub_epi32(_mm256_set1_epi32(ONE), down), upper_right);
    let lower_left = _mm256_sub_epi32(down, both);
    let width = _mm256_set1_epi32(span.source.width);
    let pixel = _mm256_add_epi32(_mm256_mullo_epi32(row, width), column);
    *eight = Eight {
        bytes: numbers(_mm256_add_epi32(pixel, _mm256_add_epi32(pixel, pixel))),
        upper: numbers(_mm256_or_si256(upper_left, _mm256_slli_epi32::<16>(upper_right))),
        lower: numbers(_mm256_or_si256(lower_left, _mm256_slli_epi32::<16>(both))),
    };
}

/// `Line::place` of eight columns, in 1/`ONE` of a pixel.
#[inline]
#[target_feature(enable = "avx2")]
fn places(line: &Line, near: __m256d, far: __m256d) -> __m256i {
    // The low halves of the sums.
    _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(rounded(line, near), rounded(line, far)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn rounded(line: &Line, columns: __m256d) -> __m256 {
    let along = _mm256_add_pd(_mm256_set1_pd(line.base), _mm256_mul_pd(columns, _mm256_set1_pd(line.step)));
    let position = _mm256_add_pd(along, _mm256_set1_pd(line.offset));
    let place = _mm256_add_pd(_mm256_mul_pd(position, _mm256_set1_pd(line.scale)), _mm256_set1_pd(line.start));
    let place = _mm256_min_pd(_mm256_max_pd(place, _mm256_set1_pd(line.low)), _mm256_set1_pd(line.high));
    _mm256_castpd_ps(_mm256_add_pd(place, _mm256_set1_pd(ROUNDER)))
}

#[target_feature(enable = "avx2")]
fn mix(source: &Source<'_>, aims: &Aims, out: &mut [u8]) {
    let rows = Rows::of(source);
    let (pixels, rest) = out.as_chunks_mut();
    let (whole, last) = aims.split_at(pixels.len());
    for (eight, out) in whole.iter().zip(pixels) {
        mix_eight(&rows, eight, out);
    }
    if let Some(eight) = last.first().filter(|_| !rest.is_empty()) {
        let mut more = [0; LANES * CHANNELS];
        mix_eight(&rows, eight, &mut more);
        rest.copy_from_slice(&more[..rest.len()]);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn mix_eight(rows: &Rows<'_>, eight: &Eight, out: &mut [u8; LANES * CHANNELS]) {
    let (upper, lower) = (vector(eight.upper), vector(eight.lower));
    let [a, b, c, d, e, f, g, h] = eight.bytes;
    let first = two(rows, [a, e], _mm256_shuffle_epi32::<0x00>(upper), _mm256_shuffle_epi32::<0x00>(lower));
    let second = two(rows, [b, f], _mm256_shuffle_epi32::<0x55>(upper), _mm256_shuffle_epi32::<0x55>(lower));
    let third = two(rows, [c, g], _mm256_shuffle_epi32::<0xAA>(upper), _mm256_shuffle_epi32::<0xAA>(lower));
    let fourth = two(rows, [d, h], _mm256_shuffle_epi32::<0xFF>(upper), _mm256_shuffle_epi32::<0xFF>(lower));
    let all = _mm256_packus_epi16(_mm256_packus_epi32(first, second), _mm256_packus_epi32(third, fourth));
    // Drops the fourth byte of each pixel.
    let close = _mm256_shuffle_epi8(all, twice([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1]));
    let (near, far) = out.split_at_mut(12);
    store(_mm256_castsi256_si128(close), near);
    store(_mm256_extracti128_si256::<1>(close), far);
}

/// Two pixels, one in each half: their three channels in 32 bits each. `bytes` says where their upper left ones begin.
#[inline]
#[target_feature(enable = "avx2")]
fn two(rows: &Rows<'_>, bytes: [u32; 2], upper: __m256i, lower: __m256i) -> __m256i {
    let (upper, lower) =
        (_mm256_madd_epi16(rows.load(bytes, 0), upper), _mm256_madd_epi16(rows.load(bytes, rows.stride), lower));
    let sum = _mm256_add_epi32(_mm256_add_epi32(upper, lower), _mm256_set1_epi32(ONE / 2));
    _mm256_srai_epi32::<BITS>(sum)
}

/// Pairs of rows to read from.
struct Rows<'a> {
    bytes: &'a [u8],
    /// From a row to the one below it.
    stride: usize,
    /// The last byte at which eight can be read, and eight in the row below.
    last: u32,
}

impl<'a> Rows<'a> {
    fn of(source: &Source<'a>) -> Self {
        let stride = source.width as usize * CHANNELS;
        let last = source.bytes.len().checked_sub(stride + SLACK).expect("the workspace holds two rows and some slack");
        Self { bytes: source.bytes, stride, last: last as u32 }
    }

    /// Two pixels and their right neighbours, `skip` bytes after `bytes`: in each half the left and the right level of each channel
    /// side by side, in 16 bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(&self, bytes: [u32; 2], skip: usize) -> __m256i {
        let pair = _mm256_set_m128i(self.eight_bytes(bytes[1], skip), self.eight_bytes(bytes[0], skip));
        _mm256_shuffle_epi8(pair, twice([0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1]))
    }

    /// Six of them are wanted. `skip` is `stride` at most.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn eight_bytes(&self, byte: u32, skip: usize) -> __m128i {
        // Never in effect, as aims lie inside; but it makes reading safe without a branch.
        let at = byte.min(self.last) as usize + skip;
        debug_assert!(at + SLACK <= self.bytes.len());
        // SAFETY: `last + stride + SLACK` is the length of `bytes`.
        _mm_cvtsi64_si128(unsafe { self.bytes.as_ptr().add(at).cast::<i64>().read_unaligned() })
    }
}

fn vector(numbers: [u32; LANES]) -> __m256i {
    // SAFETY: both are 32 bytes, of which every pattern is a value.
    unsafe { std::mem::transmute(numbers) }
}

fn numbers(vector: __m256i) -> [u32; LANES] {
    // SAFETY: likewise.
    unsafe { std::mem::transmute(vector) }
}

/// Twelve of the sixteen bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn store(pixels: __m128i, out: &mut [u8]) {
    out[..8].copy_from_slice(&_mm_cvtsi128_si64(pixels).to_le_bytes());
    out[8..12].copy_from_slice(&_mm_extract_epi32::<2>(pixels).to_le_bytes());
}

/// The same sixteen bytes in both halves.
#[inline]
#[target_feature(enable = "avx2")]
#[rustfmt::skip]
fn twice(b: [i8; 16]) -> __m256i {
    _mm256_setr_epi8(
        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15],
        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15],
    )
}
