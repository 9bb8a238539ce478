//! Grey levels and colours: Keras's channel shift and brightness, and torchvision's colour jitter. Brightness, contrast, saturation and
//! hue are bit for bit those of Pillow, on which both libraries do them.

use crate::data::resize::luma;

/// One step of torchvision's `ColorJitter`, with its drawn factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::data) enum Tint {
    Brightness(f64),
    Contrast(f64),
    Saturation(f64),
    /// In turns of the colour circle.
    Hue(f64),
}

/// Keras's `apply_channel_shift`, which keeps to the picture's own extremes, then its `apply_brightness_shift`.
pub(super) fn shift_and_brighten(shift: f64, factor: f64, pixels: &mut [u8]) {
    let (low, high) = if shift == 0.0 { (0, u8::MAX) } else { extremes(pixels) };
    let shifted = |level: f64| ((level + shift).clamp(low.into(), high.into()) + 0.5) as u8;
    look_up(pixels, |level| blend(0, shifted(level.into()), factor as f32));
}

impl Tint {
    pub(super) fn apply(self, channels: u32, pixels: &mut [u8]) {
        match self {
            Self::Brightness(factor) => look_up(pixels, |level| blend(0, level, factor as f32)),
            Self::Contrast(factor) => {
                let mean = mean(channels, pixels);
                look_up(pixels, |level| blend(mean, level, factor as f32));
            }
            // A grey picture has no colour to change.
            Self::Saturation(factor) if channels == 3 => {
                for pixel in pixels.as_chunks_mut::<3>().0 {
                    let grey = luma(pixel[0], pixel[1], pixel[2]);
                    *pixel = pixel.map(|level| blend(grey, level, factor as f32));
                }
            }
            Self::Hue(turns) if channels == 3 => {
                let turn = (turns * 255.0) as i32 as u8;
                for pixel in pixels.as_chunks_mut::<3>().0 {
                    let [hue, saturation, value] = to_hsv(*pixel);
                    *pixel = to_rgb([hue.wrapping_add(turn), saturation, value]);
                }
            }
            Self::Saturation(_) | Self::Hue(_) => {}
        }
    }
}

fn look_up(pixels: &mut [u8], of: impl Fn(u8) -> u8) {
    let mut table = [0; 256];
    for level in 0..=u8::MAX {
        table[usize::from(level)] = of(level);
    }
    for pixel in pixels {
        *pixel = table[usize::from(*pixel)];
    }
}

fn extremes(pixels: &[u8]) -> (u8, u8) {
    pixels.iter().fold((u8::MAX, 0), |(low, high), &level| (low.min(level), high.max(level)))
}

/// Pillow's `Image.blend`: from `a` (factor 0) to `b` (factor 1) and beyond, cut off at whole levels.
fn blend(a: u8, b: u8, factor: f32) -> u8 {
    (f32::from(a) + factor * f32::from(i16::from(b) - i16::from(a))) as u8
}

/// Of the grey picture, rounded: what Pillow's `Contrast` blends with.
fn mean(channels: u32, pixels: &[u8]) -> u8 {
    let sum: u64 = match channels {
        3 => pixels.as_chunks::<3>().0.iter().map(|&[red, green, blue]| u64::from(luma(red, green, blue))).sum(),
        _ => pixels.iter().map(|&level| u64::from(level)).sum(),
    };
    let count = (pixels.len() / channels as usize).max(1);
    (sum as f64 / count as f64 + 0.5) as u8
}

/// Pillow's `rgb2hsv_row`, in its mixture of 32 and 64 bits.
fn to_hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most == least {
        return [0, 0, most];
    }
    let range = f32::from(most - least);
    let below = |level: u8| f32::from(most - level) / range;
    let (r, g, b) = (below(red), below(green), below(blue));
    let sixths = if red == most {
        b - g
    } else if green == most {
        (2.0 + f64::from(r) - f64::from(b)) as f32
    } else {
        (4.0 + f64::from(g) - f64::from(r)) as f32
    };
    let turns = f64::from(sixths) / 6.0 + 1.0;
    let hue = (if turns < 1.0 { turns } else { turns - 1.0 }) as f32;
    let saturation = range / f32::from(most);
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, most]
}

/// Pillow's `hsv2rgb`, likewise.
fn to_rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let sixths = f64::from(hue) * 6.0 / 255.0;
    let sector = sixths as u8;
    let along = (sixths - f64::from(sector)) as f32;
    let saturation = (f64::from(saturation) / 255.0) as f32;
    let level = |share: f64| (f64::from(value) * share + 0.5) as u8;
    let low = level(1.0 - f64::from(saturation));
    let falling = level(1.0 - f64::from(saturation * along));
    let rising = level(1.0 - f64::from(saturation) * (1.0 - f64::from(along)));
    match sector % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}
