//! What light and camera do to a finished drawing: falling light, exposure, colour cast, blur and grain. The same for both species.

use tiny_skia::Pixmap;

use super::dice::Dice;

/// RGB bytes of the photograph.
pub(super) fn photograph(drawing: &Pixmap, dice: &mut Dice) -> Vec<u8> {
    let (height, width) = (drawing.height() as usize, drawing.width() as usize);
    let mut light: Vec<f32> =
        drawing.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).map(f32::from).collect();
    expose(&mut light, width, dice);
    // One pixel of a 150-pixel picture; half the pictures are in focus.
    let sigma = if dice.chance(0.5) { dice.between(0.3, 1.4) * height.min(width) as f32 / 150.0 } else { 0.0 };
    if sigma > 0.25 {
        blur(&mut light, height, width, sigma);
    }
    let grain = dice.between(1.0, 9.0);
    let mut bytes = Vec::with_capacity(light.len() + 1);
    for pair in light.chunks(2) {
        for (value, grains) in pair.iter().zip(dice.grains()) {
            bytes.push((value + grain * grains + 0.5) as u8);
        }
    }
    bytes
}

/// Light falls off across the picture; then gamma, and a gain for each colour.
fn expose(light: &mut [f32], width: usize, dice: &mut Dice) {
    let height = light.len() / 3 / width;
    let (turn, fall) = (dice.between(0.0, std::f32::consts::TAU), dice.between(0.0, 0.35));
    let (across, down) = (turn.cos() * fall / width as f32 * 2.0, turn.sin() * fall / height as f32 * 2.0);
    let gamma = dice.between(-0.35, 0.35).exp();
    let gain = [dice.about(1.0, 0.06), 1.0, dice.about(1.0, 0.06)].map(|cast| cast * dice.about(1.0, 0.05));
    let curve: Vec<f32> = (0..=255_u8).map(|value| 255.0 * (f32::from(value) / 255.0).powf(gamma)).collect();
    for (y, row) in light.chunks_exact_mut(width * 3).enumerate() {
        let start = 1.0 - fall + down * (y as f32 - height as f32 / 2.0);
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let lit = start + fall * 0.6 + across * (x as f32 - width as f32 / 2.0);
            for (value, gain) in pixel.iter_mut().zip(gain) {
                *value = curve[*value as usize] * lit * gain;
            }
        }
    }
}

/// Gauss, rows then columns, edges repeated.
fn blur(light: &mut [f32], height: usize, width: usize, sigma: f32) {
    let reach = (sigma * 2.5).ceil() as isize;
    let weights: Vec<f32> = (-reach..=reach).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let weights: Vec<f32> = weights.into_iter().map(|weight| weight / total).collect();
    let mut out = vec![0.0; light.len()];
    let stride = width * 3;
    for (row, blurred) in light.chunks_exact(stride).zip(out.chunks_exact_mut(stride)) {
        for (x, pixel) in blurred.chunks_exact_mut(3).enumerate() {
            for (offset, weight) in (-reach..=reach).zip(&weights) {
                let from = (x as isize + offset).clamp(0, width as isize - 1) as usize * 3;
                for channel in 0..3 {
                    pixel[channel] += weight * row[from + channel];
                }
            }
        }
    }
    light.fill(0.0);
    for (y, row) in light.chunks_exact_mut(stride).enumerate() {
        for (offset, weight) in (-reach..=reach).zip(&weights) {
            let from = (y as isize + offset).clamp(0, height as isize - 1) as usize * stride;
            for (value, blurred) in row.iter_mut().zip(&out[from..from + stride]) {
                *value += weight * blurred;
            }
        }
    }
}
