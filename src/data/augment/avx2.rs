//! The warp in the 256-bit vectors of x86-64 processors with AVX2. Aims are taken by the same lines of code as elsewhere, compiled for
//! these vectors; mixing is written out, two pixels at a time, in whole numbers, so with the same bytes as a result.
//! Two things here are `unsafe`, and nothing else in this room: calling what needs the feature, and reading bytes whose bounds are
//! kept for many at once.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_extract_epi32, _mm256_add_epi32,
    _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_madd_epi16, _mm256_packus_epi16, _mm256_packus_epi32,
    _mm256_set_m128i, _mm256_set1_epi32, _mm256_setr_epi8, _mm256_setr_epi32, _mm256_shuffle_epi8,
    _mm256_shuffle_epi32, _mm256_srai_epi32,
};

use super::warp::{Aims, BITS, ONE, SLACK, Source, Span};

/// Proof that the processor has AVX2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(());

const CHANNELS: usize = 3;
const LANES: usize = Aims::LANES;

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
    let mut aims = Aims::NONE;
    for (index, out) in out.chunks_mut(Aims::MOST * CHANNELS).enumerate() {
        span.aim::<CHANNELS>(index * Aims::MOST, out.len() / CHANNELS, &mut aims);
        mix(&span.source, &aims, out);
    }
}

#[target_feature(enable = "avx2")]
fn mix(source: &Source<'_>, aims: &Aims, out: &mut [u8]) {
    let rows = Rows::of(source);
    let eights = aims.bytes.as_chunks().0.iter().zip(aims.upper.as_chunks().0).zip(aims.lower.as_chunks().0);
    let (pixels, rest) = out.as_chunks_mut();
    let mut more = [0; LANES * CHANNELS];
    let last = (!rest.is_empty()).then_some(&mut more);
    for (out, ((bytes, upper), lower)) in pixels.iter_mut().chain(last).zip(eights) {
        eight(&rows, bytes, upper, lower, out);
    }
    rest.copy_from_slice(&more[..rest.len()]);
}

#[inline]
#[target_feature(enable = "avx2")]
fn eight(
    rows: &Rows<'_>,
    bytes: &[u32; LANES],
    upper: &[u32; LANES],
    lower: &[u32; LANES],
    out: &mut [u8; LANES * CHANNELS],
) {
    let (upper, lower) = (whole(upper), whole(lower));
    let [a, b, c, d, e, f, g, h] = *bytes;
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

#[inline]
#[target_feature(enable = "avx2")]
fn whole(n: &[u32; LANES]) -> __m256i {
    let [a, b, c, d, e, f, g, h] = *n;
    _mm256_setr_epi32(a as i32, b as i32, c as i32, d as i32, e as i32, f as i32, g as i32, h as i32)
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
