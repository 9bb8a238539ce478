//! Every channel of a feature map in one picture, as the book shows intermediate activations.

use image::{Rgb, RgbImage};

use super::{Channel, Colormap};

/// Pixels between two channels.
const GAP: usize = 1;

/// The channels of one activation `[c, h, w]` (a flat slice in that order), row by row in a grid `columns` wide.
///
/// Each channel by itself is made visible as in the book ([`Channel::levels`]), then coloured; the book's map is viridis. A channel that
/// is constant (dead) or not finite stays at the bottom of the map.
///
/// The picture is `columns·(w+1)−1` by `⌈c/columns⌉·(h+1)−1` pixels. An empty shape gives one dark pixel.
///
/// # Panics
/// If `values` does not hold `c·h·w` numbers.
pub fn grid(values: &[f32], shape: [usize; 3], columns: usize, map: Colormap) -> RgbImage {
    let [channels, height, width] = shape;
    assert_eq!(values.len(), channels * height * width, "an activation of shape {shape:?} has another length");
    let dark = Rgb(map.color(0.0));
    if values.is_empty() {
        return RgbImage::from_pixel(1, 1, dark);
    }
    let columns = columns.clamp(1, channels);
    let rows = channels.div_ceil(columns);
    let (full_width, full_height) = (columns * (width + GAP) - GAP, rows * (height + GAP) - GAP);
    let mut picture = RgbImage::from_pixel(full_width as u32, full_height as u32, dark);
    for (index, channel) in values.chunks_exact(height * width).enumerate() {
        let (left, top) = ((index % columns) * (width + GAP), (index / columns) * (height + GAP));
        for (at, level) in Channel::levels(channel).into_iter().enumerate() {
            let color = Rgb(map.color(f32::from(level) / 255.0));
            picture.put_pixel((left + at % width) as u32, (top + at / width) as u32, color);
        }
    }
    picture
}

/// How many columns show `channels` pictures of `height`×`width` largest in a box `aspect` times as wide as high.
/// Of equals the number that leaves fewer holes in the last row, then the wider one.
pub fn columns_for(channels: usize, height: usize, width: usize, aspect: f32) -> usize {
    let size = |columns: usize| {
        let rows = channels.div_ceil(columns);
        let scale = (f64::from(aspect) / (columns * width) as f64).min(1.0 / (rows * height) as f64);
        (scale, columns * rows)
    };
    let larger = |a: &usize, b: &usize| {
        let ((scale_a, cells_a), (scale_b, cells_b)) = (size(*a), size(*b));
        scale_a.total_cmp(&scale_b).then(cells_b.cmp(&cells_a)).then(a.cmp(b))
    };
    if height == 0 || width == 0 { 1 } else { (1..=channels).max_by(larger).unwrap_or(1) }
}

/// Draws over one channel of a [`grid`] of `shape` that there is nothing to see in it: a grey cross over a dead one, a red frame around
/// a saturated one, a red cross over one that is not finite.
pub fn mark(
    picture: &mut RgbImage,
    [channels, height, width]: [usize; 3],
    columns: usize,
    index: usize,
    channel: Channel,
) {
    const GREY: Rgb<u8> = Rgb([128; 3]);
    const RED: Rgb<u8> = Rgb([224, 64, 48]);
    let columns = columns.clamp(1, channels.max(1));
    let (left, top) = ((index % columns) * (width + GAP), (index / columns) * (height + GAP));
    let mut put = |x: usize, y: usize, color: Rgb<u8>| {
        if let Some(pixel) = picture.get_pixel_mut_checked((left + x) as u32, (top + y) as u32) {
            *pixel = color;
        }
    };
    let color = match channel {
        Channel::Alive => return,
        Channel::Dead => GREY,
        Channel::Saturated => {
            for x in 0..width {
                put(x, 0, RED);
                put(x, height - 1, RED);
            }
            for y in 0..height {
                put(0, y, RED);
                put(width - 1, y, RED);
            }
            return;
        }
        Channel::Broken => RED,
    };
    let longest = height.max(width);
    for step in 0..longest {
        let (x, y) = (step * width / longest, step * height / longest);
        put(x, y, color);
        put(width - 1 - x, y, color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_normalised_as_in_the_book() {
        // Mean 2, deviation 2: (0−2)/2·64+128 = 64 and (4−2)/2·64+128 = 192.
        let picture = grid(&[0.0, 4.0, 4.0, 0.0], [1, 2, 2], 1, Colormap::Viridis);
        assert_eq!(picture.dimensions(), (2, 2));
        let viridis = |value: f32| Colormap::Viridis.color(value);
        assert_eq!(picture.get_pixel(0, 0).0, viridis(64.0 / 255.0));
        assert_eq!(picture.get_pixel(1, 0).0, viridis(192.0 / 255.0));
    }

    #[test]
    fn channels_stand_in_rows_with_a_gap() {
        let values: Vec<f32> = (0..3 * 2 * 2).map(|v| v as f32).collect();
        let picture = grid(&values, [3, 2, 2], 2, Colormap::Viridis);
        assert_eq!(picture.dimensions(), (5, 5));
        assert_eq!(picture.get_pixel(2, 0).0, Colormap::Viridis.color(0.0), "the gap");
        assert_eq!(picture.get_pixel(0, 3), picture.get_pixel(0, 0), "the third channel starts the second row");
    }

    #[test]
    fn dead_and_broken_channels_are_dark() {
        for channel in [[0.0; 4], [3.7; 4], [f32::NAN; 4], [f32::INFINITY; 4]] {
            let picture = grid(&channel, [1, 2, 2], 1, Colormap::Viridis);
            assert!(picture.pixels().all(|p| p.0 == Colormap::Viridis.color(0.0)), "{channel:?}");
        }
    }

    #[test]
    fn marks_stay_within_their_channel() {
        let (values, shape) = (vec![0.0; 3 * 5 * 5], [3, 5, 5]);
        let plain = grid(&values, shape, 2, Colormap::Viridis);
        for channel in [Channel::Dead, Channel::Saturated, Channel::Broken] {
            let mut marked = plain.clone();
            mark(&mut marked, shape, 2, 2, channel);
            assert!(marked.enumerate_pixels().all(|(x, y, p)| (x < 5 && y >= 6) || p == plain.get_pixel(x, y)));
            assert_ne!(marked.get_pixel(0, 6), plain.get_pixel(0, 6));
        }
        let mut same = plain.clone();
        mark(&mut same, shape, 2, 0, Channel::Alive);
        assert_eq!(same, plain);
    }

    #[test]
    fn channels_are_as_large_as_their_box_allows() {
        assert_eq!(columns_for(32, 148, 148, 1.0), 6, "6×6 with four holes: 8×4 would be smaller");
        assert_eq!(columns_for(64, 10, 10, 1.0), 8);
        assert_eq!(columns_for(32, 10, 10, 2.0), 8);
        assert_eq!(columns_for(12, 10, 10, 1.0), 4, "4×3, not 3×4");
        assert_eq!((columns_for(0, 1, 1, 1.0), columns_for(3, 0, 1, 1.0)), (1, 1));
    }
}
