//! The warp's inner loop in the 256-bit vectors of x86-64 processors with AVX2: eight pixels of three bytes at a time, by the same
//! operations in the same order as `Span::fill`, so with the same bytes as a result. Nothing else in this room is `unsafe`.

use std::arch::x86_64::{
    __m128i, __m256d, __m256i, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_extract_epi32, _mm256_add_epi32,
    _mm256_add_pd, _mm256_castpd_ps, _mm256_castps_si256, _mm256_castsi256_si128, _mm256_extract_epi32,
    _mm256_extracti128_si256, _mm256_madd_epi16, _mm256_max_pd, _mm256_min_epi32, _mm256_min_pd, _mm256_mul_pd,
    _mm256_or_si256, _mm256_packus_epi16, _mm256_packus_epi32, _mm256_set_m128i, _mm256_set1_epi32, _mm256_set1_pd,
    _mm256_setr_epi8, _mm256_setr_pd, _mm256_shuffle_epi8, _mm256_shuffle_epi32, _mm256_shuffle_ps, _mm256_slli_epi32,
    _mm256_srai_epi32, _mm256_sub_epi32,
};

use super::warp::{BITS, Line, ONE, ROUNDER, SLACK, Source, Span};

/// Proof that the processor has AVX2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(());

/// Pixels at a time.
const LANES: usize = 8;
const CHANNELS: usize = 3;

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// What `Span::fill::<3>` does.
    pub(super) fn fill(self, span: &Span<'_>, out: &mut [u8]) {
        if out.len() < LANES * CHANNELS {
            return span.fill::<CHANNELS>(out);
        }
        // SAFETY: an `Avx2` exists only where `detect` found the feature.
        unsafe { fill(span, out) }
    }
}

/// `out` holds at least eight pixels.
#[target_feature(enable = "avx2")]
fn fill(span: &Span<'_>, out: &mut [u8]) {
    let count = out.len() / CHANNELS;
    for first in (0..count - LANES).step_by(LANES) {
        block(span, first, &mut out[first * CHANNELS..]);
    }
    // The last eight may overlap those before them, which come out the same once more.
    block(span, count - LANES, &mut out[(count - LANES) * CHANNELS..]);
}

#[target_feature(enable = "avx2")]
fn block(span: &Span<'_>, first: usize, out: &mut [u8]) {
    let at = _mm256_set1_pd(first as f64);
    let column = |indices: __m256d| {
        let indices = _mm256_add_pd(at, indices);
        _mm256_add_pd(_mm256_set1_pd(span.first), _mm256_mul_pd(_mm256_set1_pd(span.direction), indices))
    };
    // In an order that brings pixels 0 to 3 into one half of a vector of whole numbers, and 4 to 7 into the other.
    let columns = [column(_mm256_setr_pd(0.0, 1.0, 4.0, 5.0)), column(_mm256_setr_pd(2.0, 3.0, 6.0, 7.0))];
    let [y, x] = [places(&span.lines[0], columns), places(&span.lines[1], columns)];
    let [row, down] = apart(y, span.source.last_pair[0]);
    let [column, right] = apart(x, span.source.last_pair[1]);

    // Weights, two of a row in each 32 bits: those of the left and of the right pixel.
    let both = _mm256_srai_epi32::<BITS>(_mm256_add_epi32(_mm256_madd_epi16(down, right), _mm256_set1_epi32(ONE / 2)));
    let upper_right = _mm256_sub_epi32(right, both);
    let lower_left = _mm256_sub_epi32(down, both);
    let upper_left = _mm256_sub_epi32(_mm256_sub_epi32(_mm256_set1_epi32(ONE), down), upper_right);
    let upper = _mm256_or_si256(upper_left, _mm256_slli_epi32::<16>(upper_right));
    let lower = _mm256_or_si256(lower_left, _mm256_slli_epi32::<16>(both));

    // Row and column fit into 16 bits each: `row * width + column`.
    let pixel = _mm256_madd_epi16(
        _mm256_or_si256(column, _mm256_slli_epi32::<16>(row)),
        _mm256_set1_epi32(1 | (span.source.width << 16)),
    );
    let byte = _mm256_add_epi32(pixel, _mm256_add_epi32(pixel, pixel));
    let low = [
        _mm256_extract_epi32::<0>(byte),
        _mm256_extract_epi32::<1>(byte),
        _mm256_extract_epi32::<2>(byte),
        _mm256_extract_epi32::<3>(byte),
    ];
    let high = [
        _mm256_extract_epi32::<4>(byte),
        _mm256_extract_epi32::<5>(byte),
        _mm256_extract_epi32::<6>(byte),
        _mm256_extract_epi32::<7>(byte),
    ];
    let mixed = |i: usize, upper: __m256i, lower: __m256i| mix(&span.source, [low[i], high[i]], upper, lower);
    let two = [
        mixed(0, _mm256_shuffle_epi32::<0x00>(upper), _mm256_shuffle_epi32::<0x00>(lower)),
        mixed(1, _mm256_shuffle_epi32::<0x55>(upper), _mm256_shuffle_epi32::<0x55>(lower)),
    ];
    let more = [
        mixed(2, _mm256_shuffle_epi32::<0xAA>(upper), _mm256_shuffle_epi32::<0xAA>(lower)),
        mixed(3, _mm256_shuffle_epi32::<0xFF>(upper), _mm256_shuffle_epi32::<0xFF>(lower)),
    ];
    let four = _mm256_packus_epi16(_mm256_packus_epi32(two[0], two[1]), _mm256_packus_epi32(more[0], more[1]));
    // Drops the fourth byte of each pixel.
    let close = _mm256_shuffle_epi8(four, twice([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1]));
    store(_mm256_castsi256_si128(close), &mut out[..12]);
    store(_mm256_extracti128_si256::<1>(close), &mut out[12..24]);
}

/// `Line::place` of eight columns, in 1/`ONE` of a pixel.
#[target_feature(enable = "avx2")]
fn places(line: &Line, columns: [__m256d; 2]) -> __m256i {
    let all = _mm256_set1_pd;
    let place = |columns: __m256d| {
        let along = _mm256_add_pd(all(line.base), _mm256_mul_pd(columns, all(line.step)));
        let position = _mm256_add_pd(along, all(line.offset));
        let place = _mm256_add_pd(_mm256_mul_pd(position, all(line.scale)), all(line.start));
        let place = _mm256_min_pd(_mm256_max_pd(place, all(line.low)), all(line.high));
        _mm256_castpd_ps(_mm256_add_pd(place, all(ROUNDER)))
    };
    // The low halves of the sums.
    _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(place(columns[0]), place(columns[1])))
}

/// Whole pixels, at most `last`, and what is left.
#[target_feature(enable = "avx2")]
fn apart(places: __m256i, last: i32) -> [__m256i; 2] {
    let whole = _mm256_min_epi32(_mm256_srai_epi32::<BITS>(places), _mm256_set1_epi32(last));
    [whole, _mm256_sub_epi32(places, _mm256_slli_epi32::<BITS>(whole))]
}

/// Two pixels, one in each half: their three channels in 32 bits each. `bytes` says where their upper left ones begin.
#[target_feature(enable = "avx2")]
fn mix(source: &Source<'_>, bytes: [i32; 2], upper: __m256i, lower: __m256i) -> __m256i {
    // Left and right of each channel side by side, in 16 bits.
    let pairs = twice([0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1]);
    let row = |skip: usize, weights: __m256i| {
        let [near, far] = bytes.map(|byte| load(source.bytes, byte as usize + skip));
        _mm256_madd_epi16(_mm256_shuffle_epi8(_mm256_set_m128i(far, near), pairs), weights)
    };
    let sum = _mm256_add_epi32(row(0, upper), row(source.width as usize * CHANNELS, lower));
    _mm256_srai_epi32::<BITS>(_mm256_add_epi32(sum, _mm256_set1_epi32(ONE / 2)))
}

/// Eight bytes, of which six are wanted.
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8], at: usize) -> __m128i {
    let (eight, _) =
        bytes[at..].split_first_chunk::<SLACK>().expect("the workspace keeps this much behind the last pixel");
    _mm_cvtsi64_si128(i64::from_le_bytes(*eight))
}

/// Twelve of the sixteen bytes.
#[target_feature(enable = "avx2")]
fn store(pixels: __m128i, out: &mut [u8]) {
    out[..8].copy_from_slice(&_mm_cvtsi128_si64(pixels).to_le_bytes());
    out[8..12].copy_from_slice(&_mm_extract_epi32::<2>(pixels).to_le_bytes());
}

/// The same sixteen bytes in both halves.
#[target_feature(enable = "avx2")]
#[rustfmt::skip]
fn twice(b: [i8; 16]) -> __m256i {
    _mm256_setr_epi8(
        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15],
        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15],
    )
}
