//! The inverse cosine transform at full and at reduced size, bit for bit as libjpeg has it (`jidctint.c` and `jidctred.c`, after
//! Loeffler, Ligtenberg and Moschytz, 1989). The reduced ones are the full one followed by averaging squares of 2×2 or 4×4
//! pixels, simplified. Loops go over eight columns or rows at once, in which form compilers make vector code of them.

#![allow(clippy::inline_always)] // into the version for each processor, or it would be compiled for none of them

/// Rows of a block, or its columns.
type Block = [[i32; 8]; 8];

/// Fractional bits of the constants, and of what passes from columns to rows.
const CONSTANT: u32 = 13;
const KEPT: u32 = 2;

const fn fix(value: f64) -> i32 {
    (value * 8192.0 + 0.5) as i32
}

/// Times a constant. Damaged files overflow; what comes of it does not matter, but it may not panic.
#[inline(always)]
fn mul(value: i32, by: i32) -> i32 {
    value.wrapping_mul(by)
}

#[inline(always)]
fn sum<const N: usize>(values: [i32; N]) -> i32 {
    values.into_iter().fold(0, i32::wrapping_add)
}

/// Rounded division by a power of two.
#[inline(always)]
fn down(value: i32, bits: u32) -> i32 {
    value.wrapping_add(1 << (bits - 1)) >> bits
}

#[inline(always)]
fn eight(v: [i32; 8], shift: u32) -> [i32; 8] {
    let z = mul(sum([v[2], v[6]]), fix(0.541_196_100));
    let t2 = sum([z, mul(v[6], -fix(1.847_759_065))]);
    let t3 = sum([z, mul(v[2], fix(0.765_366_865))]);
    let (t0, t1) = (v[0].wrapping_add(v[4]) << CONSTANT, v[0].wrapping_sub(v[4]) << CONSTANT);
    let even = [t0.wrapping_add(t3), t1.wrapping_add(t2), t1.wrapping_sub(t2), t0.wrapping_sub(t3)];

    let z5 = mul(sum([v[7], v[3], v[5], v[1]]), fix(1.175_875_602));
    let z1 = mul(sum([v[7], v[1]]), -fix(0.899_976_223));
    let z2 = mul(sum([v[5], v[3]]), -fix(2.562_915_447));
    let z3 = sum([mul(sum([v[7], v[3]]), -fix(1.961_570_560)), z5]);
    let z4 = sum([mul(sum([v[5], v[1]]), -fix(0.390_180_644)), z5]);
    let odd = [
        sum([mul(v[1], fix(1.501_321_110)), z1, z4]),
        sum([mul(v[3], fix(3.072_711_026)), z2, z3]),
        sum([mul(v[5], fix(2.053_119_869)), z2, z4]),
        sum([mul(v[7], fix(0.298_631_336)), z1, z3]),
    ];
    std::array::from_fn(|i| match i {
        0..4 => down(even[i].wrapping_add(odd[i]), shift),
        _ => down(even[7 - i].wrapping_sub(odd[7 - i]), shift),
    })
}

#[inline(always)]
fn four(v: [i32; 8], shift: u32) -> [i32; 4] {
    let t0 = v[0] << (CONSTANT + 1);
    let t2 = sum([mul(v[2], fix(1.847_759_065)), mul(v[6], -fix(0.765_366_865))]);
    let even = [t0.wrapping_add(t2), t0.wrapping_sub(t2)];
    let low = sum([
        mul(v[7], -fix(0.211_164_243)),
        mul(v[5], fix(1.451_774_981)),
        mul(v[3], -fix(2.172_734_803)),
        mul(v[1], fix(1.061_594_337)),
    ]);
    let high = sum([
        mul(v[7], -fix(0.509_795_579)),
        mul(v[5], -fix(0.601_344_887)),
        mul(v[3], fix(0.899_976_223)),
        mul(v[1], fix(2.562_915_447)),
    ]);
    let [a, b] = [even[0].wrapping_add(high), even[1].wrapping_add(low)];
    let [c, d] = [even[1].wrapping_sub(low), even[0].wrapping_sub(high)];
    [a, b, c, d].map(|sum| down(sum, shift + 1))
}

#[inline(always)]
fn two(v: [i32; 8], shift: u32) -> [i32; 2] {
    let even = v[0] << (CONSTANT + 2);
    let odd = sum([
        mul(v[7], -fix(0.720_959_822)),
        mul(v[5], fix(0.850_430_095)),
        mul(v[3], -fix(1.272_758_580)),
        mul(v[1], fix(3.624_509_785)),
    ]);
    [even.wrapping_add(odd), even.wrapping_sub(odd)].map(|sum| down(sum, shift + 2))
}

/// Along the first index, for all of the second.
#[inline(always)]
fn pass<const N: usize>(from: &Block, to: &mut Block, shift: u32) {
    for lane in 0..8 {
        let v: [i32; 8] = std::array::from_fn(|i| from[i][lane]);
        match N {
            8 => eight(v, shift).into_iter().enumerate().for_each(|(i, value)| to[i][lane] = value),
            4 => four(v, shift).into_iter().enumerate().for_each(|(i, value)| to[i][lane] = value),
            _ => two(v, shift).into_iter().enumerate().for_each(|(i, value)| to[i][lane] = value),
        }
    }
}

#[inline(always)]
fn transpose<const N: usize>(from: &Block, to: &mut Block) {
    for i in 0..N {
        for j in 0..8 {
            to[j][i] = from[i][j];
        }
    }
}

#[inline(always)]
fn to_byte(value: i32) -> u8 {
    value.wrapping_add(128).clamp(0, 255) as u8
}

/// `N`×`N` pixels of a block of dequantised coefficients, into rows that are `stride` apart.
#[inline(always)]
pub(super) fn inverse<const N: usize>(block: &Block, out: &mut [u8], stride: usize) {
    if N == 1 {
        out[0] = to_byte(down(block[0][0], 3));
        return;
    }
    let (mut a, mut b) = ([[0; 8]; 8], [[0; 8]; 8]);
    pass::<N>(block, &mut a, CONSTANT - KEPT);
    transpose::<N>(&a, &mut b);
    pass::<N>(&b, &mut a, CONSTANT + KEPT + 3);
    transpose::<N>(&a, &mut b);
    for (row, pixels) in b.iter().take(N).enumerate() {
        out[row * stride..][..N].copy_from_slice(&pixels.map(to_byte)[..N]);
    }
}
