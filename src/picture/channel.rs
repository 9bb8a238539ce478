//! One channel of a feature map: how the book makes it visible, and whether there is anything to see.

/// What a channel of an activation is worth looking at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Alive,
    /// The same value everywhere: of a `ReLU`, nothing got through.
    Dead,
    /// Nearly everywhere at an end of what its activation can give.
    Saturated,
    /// Holds infinities or NaN.
    Broken,
}

/// Share of the places that must stand at an end, and how near to it, as a share of the range.
const NEARLY: f64 = 0.95;
const NEAR: f32 = 0.01;

impl Channel {
    /// `bounds` are the ends of the activation, where it has them. With one end alone, as of a `ReLU`, standing there is no
    /// saturation.
    pub fn of(values: &[f32], bounds: [Option<f32>; 2]) -> Self {
        if values.iter().any(|value| !value.is_finite()) {
            return Self::Broken;
        }
        if spread(values).is_none() {
            return Self::Dead;
        }
        let [Some(low), Some(high)] = bounds else { return Self::Alive };
        let near = (high - low) * NEAR;
        // The lower end of a clipped ReLU is its resting place; both ends of a sigmoid are saturation.
        let at_end = |value: &&f32| **value >= high - near || (**value <= low + near && (low, high) != (0.0, 6.0));
        let share = values.iter().filter(at_end).count() as f64 / values.len() as f64;
        if share >= NEARLY { Self::Saturated } else { Self::Alive }
    }

    /// Minus the mean, over the standard deviation, times 64, plus 128, cut to 0–255 and cut off, not rounded, as `NumPy`'s
    /// `astype("uint8")` does (ch. 5.4.1). Zeros where there is nothing to see.
    pub fn levels(values: &[f32]) -> Vec<u8> {
        let Some((mean, deviation)) = spread(values) else { return vec![0; values.len()] };
        // A cast cuts off and stays within a byte.
        values.iter().map(|value| ((value - mean) / deviation * 64.0 + 128.0) as u8).collect()
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
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Figures {
        channels: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        values: Vec<f32>,
        levels: Vec<u8>,
    }

    /// `tests/reference/explain_chapter.py`.
    #[test]
    fn levels_are_those_of_the_books_numpy() {
        let figures: Figures = serde_json::from_str(include_str!("../../tests/fixtures/explain/chapter.json")).unwrap();
        assert!(figures.channels.len() >= 4);
        for Case { values, levels } in figures.channels {
            let ours = Channel::levels(&values);
            // NumPy computes in float32, whose last bit decides where a value falls on a whole number.
            let off = ours.iter().zip(&levels).filter(|(a, b)| a != b).count();
            assert!(
                ours.iter().zip(&levels).all(|(a, b)| a.abs_diff(*b) <= 1) && off * 200 <= levels.len(),
                "{off} differ"
            );
        }
    }

    #[test]
    fn channels_without_a_message_are_told_apart() {
        let relu = [Some(0.0), None];
        assert_eq!(Channel::of(&[0.0; 9], relu), Channel::Dead);
        assert_eq!(Channel::of(&[0.0, 0.0, 0.5], relu), Channel::Alive);
        assert_eq!(Channel::of(&[0.0, f32::NAN], relu), Channel::Broken);
        let mut sigmoid = vec![0.999; 99];
        sigmoid.push(0.3);
        assert_eq!(Channel::of(&sigmoid, [Some(0.0), Some(1.0)]), Channel::Saturated);
        let mut clipped = vec![0.0; 99];
        clipped.push(3.0);
        assert_eq!(Channel::of(&clipped, [Some(0.0), Some(6.0)]), Channel::Alive);
        clipped[..99].fill(6.0);
        assert_eq!(Channel::of(&clipped, [Some(0.0), Some(6.0)]), Channel::Saturated);
    }
}
