//! Every channel of a feature map in one picture, as the book shows intermediate activations.

use image::{Rgb, RgbImage};

use super::viridis;

/// Pixels between two channels.
const GAP: usize = 1;

/// The channels of one activation `[c, h, w]` (a flat slice in that order), row by row in a grid `columns` wide.
///
/// Each channel by itself is made visible as in the book (ch. 5.4.1): minus its mean, over its standard deviation, times 64,
/// plus 128, cut to 0–255, then coloured with viridis. A channel that is constant (dead) or not finite stays at the bottom of the map.
///
/// The picture is `columns·(w+1)−1` by `⌈c/columns⌉·(h+1)−1` pixels. An empty shape gives one dark pixel.
///
/// # Panics
/// If `values` does not hold `c·h·w` numbers.
pub fn grid(values: &[f32], shape: [usize; 3], columns: usize) -> RgbImage {
    let [channels, height, width] = shape;
    assert_eq!(values.len(), channels * height * width, "an activation of shape {shape:?} has another length");
    let dark = Rgb(viridis(0.0));
    if values.is_empty() {
        return RgbImage::from_pixel(1, 1, dark);
    }
    let columns = columns.clamp(1, channels);
    let rows = channels.div_ceil(columns);
    let (full_width, full_height) = (columns * (width + GAP) - GAP, rows * (height + GAP) - GAP);
    let mut picture = RgbImage::from_pixel(full_width as u32, full_height as u32, dark);
    for (index, channel) in values.chunks_exact(height * width).enumerate() {
        let (left, top) = ((index % columns) * (width + GAP), (index / columns) * (height + GAP));
        let Some((mean, deviation)) = spread(channel) else { continue };
        for (at, value) in channel.iter().enumerate() {
            let level = ((value - mean) / deviation * 64.0 + 128.0).clamp(0.0, 255.0);
            picture.put_pixel((left + at % width) as u32, (top + at / width) as u32, Rgb(viridis(level / 255.0)));
        }
    }
    picture
}

/// How many columns make the grid of `channels` pictures of `height`×`width` about `aspect` times as wide as high.
/// A number that leaves no hole in the last row is preferred when one is near.
pub fn columns_for(channels: usize, height: usize, width: usize, aspect: f32) -> usize {
    if channels == 0 || height == 0 || width == 0 {
        return 1;
    }
    let ideal = (channels as f32 * height as f32 / width as f32 * aspect).sqrt().max(1.0);
    // Rounded, so that of 4×8 and 8×4 the wide one wins and not a float error.
    let distance = |columns: usize| ((columns as f32 / ideal).ln().abs() * 1024.0).round();
    let even = (1..=channels)
        .rev()
        .filter(|n| channels.is_multiple_of(*n))
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
    match even {
        Some(columns) if distance(columns) < 512.0 => columns,
        _ => (ideal.round() as usize).clamp(1, channels),
    }
}

/// Mean and standard deviation over the whole channel (numpy's `std`, no Bessel correction); `None` if there is nothing to see.
fn spread(channel: &[f32]) -> Option<(f32, f32)> {
    let count = channel.len() as f64;
    let mean = channel.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let variance = channel.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / count;
    // Relative to the mean: a constant channel's rounding error is no structure.
    (variance.is_finite() && variance.sqrt() > 1e-6 * mean.abs() && variance > 0.0)
        .then_some((mean as f32, variance.sqrt() as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_normalised_as_in_the_book() {
        // Mean 2, deviation 2: (0−2)/2·64+128 = 64 and (4−2)/2·64+128 = 192.
        let picture = grid(&[0.0, 4.0, 4.0, 0.0], [1, 2, 2], 1);
        assert_eq!(picture.dimensions(), (2, 2));
        assert_eq!(picture.get_pixel(0, 0).0, viridis(64.0 / 255.0));
        assert_eq!(picture.get_pixel(1, 0).0, viridis(192.0 / 255.0));
    }

    #[test]
    fn channels_stand_in_rows_with_a_gap() {
        let values: Vec<f32> = (0..3 * 2 * 2).map(|v| v as f32).collect();
        let picture = grid(&values, [3, 2, 2], 2);
        assert_eq!(picture.dimensions(), (5, 5));
        assert_eq!(picture.get_pixel(2, 0).0, viridis(0.0), "the gap");
        assert_eq!(picture.get_pixel(0, 3), picture.get_pixel(0, 0), "the third channel starts the second row");
    }

    #[test]
    fn dead_and_broken_channels_are_dark() {
        for channel in [[0.0; 4], [3.7; 4], [f32::NAN; 4], [f32::INFINITY; 4]] {
            let picture = grid(&channel, [1, 2, 2], 1);
            assert!(picture.pixels().all(|p| p.0 == viridis(0.0)), "{channel:?}");
        }
    }

    #[test]
    fn columns_leave_no_hole_where_they_can() {
        assert_eq!(columns_for(32, 148, 148, 1.0), 8);
        assert_eq!(columns_for(64, 10, 10, 1.0), 8);
        assert_eq!(columns_for(32, 10, 10, 2.0), 8);
        assert_eq!(columns_for(13, 10, 10, 1.0), 4, "13 is prime: a hole is better than a strip");
        assert_eq!(columns_for(0, 1, 1, 1.0), 1);
    }
}
