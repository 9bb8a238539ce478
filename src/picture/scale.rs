//! The three ways in which a picture changes its size: area average down, nearest up for pixel art, bilinear up for heat maps.

use image::RgbImage;

/// Area average of `image` to `width`×`height`, row by row: the right filter for shrinking, because every source pixel counts.
/// Where the target is larger than the source it repeats pixels, with soft seams where they do not divide evenly.
pub fn shrink(image: &RgbImage, width: usize, height: usize) -> Vec<[u8; 3]> {
    let (columns, rows) = (spans(image.width() as usize, width), spans(image.height() as usize, height));
    let stride = image.width() as usize * 3;
    let source = image.as_raw();
    // Separable: first every needed source row is averaged across, then the rows are averaged down.
    let across: Vec<[f32; 3]> = source
        .chunks_exact(stride.max(1))
        .flat_map(|row| {
            columns.iter().map(|span| {
                span.average(|x| [f32::from(row[x * 3]), f32::from(row[x * 3 + 1]), f32::from(row[x * 3 + 2])])
            })
        })
        .collect();
    rows.iter()
        .flat_map(|span| {
            let across = &across;
            (0..width).map(move |x| span.average(|y| across[y * width + x]).map(|v| v.round() as u8))
        })
        .collect()
}

/// `image` with every pixel as a square of `k`×`k`, with the largest whole `k` that keeps its longer side within `at_most`.
/// For 28×28 digits, whose pixels should stay pixels.
pub fn enlarge(image: &RgbImage, at_most: u32) -> RgbImage {
    let k = (at_most / image.width().max(image.height()).max(1)).max(1);
    RgbImage::from_fn(image.width() * k, image.height() * k, |x, y| *image.get_pixel(x / k, y / k))
}

/// Bilinear interpolation of `heat` `[h, w]` to `[height, width]`, pixel centres aligned and edges held, as `cv2.resize` does it.
///
/// # Panics
/// If `heat` does not hold `h·w` numbers.
pub fn upsample(heat: &[f32], [h, w]: [usize; 2], [height, width]: [usize; 2]) -> Vec<f32> {
    assert_eq!(heat.len(), h * w, "a heat map of shape [{h}, {w}] has another length");
    if heat.is_empty() {
        return vec![0.0; height * width];
    }
    let axis = |from: usize, to: usize| -> Vec<(usize, usize, f32)> {
        let last = (from - 1) as f32;
        let place = |i: usize| (((i as f32 + 0.5) * from as f32 / to as f32) - 0.5).clamp(0.0, last);
        (0..to).map(place).map(|at| (at as usize, (at as usize + 1).min(from - 1), at.fract())).collect()
    };
    let (ys, xs) = (axis(h, height), axis(w, width));
    let mut out = Vec::with_capacity(height * width);
    for (y0, y1, fy) in ys {
        for (x0, x1, fx) in &xs {
            let row = |y: usize| heat[y * w + x0] * (1.0 - fx) + heat[y * w + x1] * fx;
            out.push(row(y0) * (1.0 - fy) + row(y1) * fy);
        }
    }
    out
}

/// The source pixels under one target pixel, with the share that the first and the last of them have.
struct Span {
    first: usize,
    weights: Vec<f32>,
}

impl Span {
    fn average(&self, pixel: impl Fn(usize) -> [f32; 3]) -> [f32; 3] {
        let mut sum = [0.0; 3];
        for (offset, weight) in self.weights.iter().enumerate() {
            let value = pixel(self.first + offset);
            for c in 0..3 {
                sum[c] += weight * value[c];
            }
        }
        sum
    }
}

fn spans(source: usize, target: usize) -> Vec<Span> {
    let scale = source as f64 / target as f64;
    (0..target)
        .map(|i| {
            let (start, end) = (i as f64 * scale, (i + 1) as f64 * scale);
            let first = (start as usize).min(source.saturating_sub(1));
            let last = (end.ceil() as usize).clamp(first + 1, source.max(1));
            let cover = |x: usize| ((x + 1) as f64).min(end) - (x as f64).max(start);
            let weights: Vec<f64> = (first..last).map(|x| cover(x).max(0.0)).collect();
            let total: f64 = weights.iter().sum();
            Span { first, weights: weights.iter().map(|v| (v / total) as f32).collect() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shrinking_averages_areas() {
        // Columns 0 | 60 | 120 to two pixels: (0 + ½·60) / 1.5 = 20 and (½·60 + 120) / 1.5 = 100.
        let image = RgbImage::from_fn(3, 1, |x, _| Rgb([x as u8 * 60; 3]));
        assert_eq!(shrink(&image, 2, 1), vec![[20; 3], [100; 3]]);
    }

    #[test]
    fn upsampling_aligns_pixel_centres() {
        // cv2.resize(np.float32([[0, 1]]), (4, 1)) = [0, 0.25, 0.75, 1]
        assert_eq!(upsample(&[0.0, 1.0], [1, 2], [1, 4]), vec![0.0, 0.25, 0.75, 1.0]);
        assert_eq!(upsample(&[0.0, 1.0], [2, 1], [4, 1]), vec![0.0, 0.25, 0.75, 1.0]);
        assert_eq!(upsample(&[], [0, 0], [1, 2]), vec![0.0, 0.0]);
    }

    #[test]
    fn a_digit_grows_by_whole_pixels() {
        let digit = RgbImage::from_fn(28, 28, |x, y| Rgb([x as u8, y as u8, 0]));
        let big = enlarge(&digit, 150);
        assert_eq!(big.dimensions(), (140, 140));
        assert_eq!(big.get_pixel(139, 4).0, [27, 0, 0]);
        assert_eq!(enlarge(&digit, 10).dimensions(), (28, 28), "never smaller than it is");
    }

    proptest! {
        #[test]
        fn shrinking_to_the_same_size_changes_nothing(w in 1u32..9, h in 1u32..9, seed in any::<u8>()) {
            let image = RgbImage::from_fn(w, h, |x, y| Rgb([(x * 31 + y * 7) as u8 ^ seed, seed, y as u8]));
            let pixels: Vec<[u8; 3]> = image.pixels().map(|p| p.0).collect();
            prop_assert_eq!(shrink(&image, w as usize, h as usize), pixels);
        }

        #[test]
        fn shrinking_invents_no_colour(w in 1u32..20, h in 1u32..20, tw in 1usize..20, th in 1usize..20, value in any::<u8>()) {
            let image = RgbImage::from_pixel(w, h, Rgb([value; 3]));
            prop_assert!(shrink(&image, tw, th).iter().all(|p| *p == [value; 3]));
        }
    }
}
