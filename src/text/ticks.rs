//! Round numbers along an axis, on the screen and on paper.

/// Round numbers (1, 2 or 5 times a power of ten) inside `low..=high`, at most `most` of them, with the decimals that tell them apart.
pub fn linear(low: f64, high: f64, most: usize) -> (Vec<f64>, usize) {
    let span = high - low;
    if most == 0 || !(span > 0.0 && span.is_finite()) {
        return (Vec::new(), 0);
    }
    let magnitude = 10f64.powf((span / most as f64).log10().floor());
    let fits = |step: f64| (high / step).floor() - (low / step).ceil() + 1.0 <= most as f64;
    let step = [1.0, 2.0, 5.0, 10.0, 20.0].into_iter().map(|m| m * magnitude).find(|s| fits(*s)).unwrap_or(span);
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    ((first..=last).map(|i| i as f64 * step).collect(), decimals)
}

/// Round values between ten to the power of `low` and of `high`, at most `most` of them: 1, 2 and 5 in each decade, or fewer, as there is room.
/// With the decimals that tell them apart.
pub fn logarithmic(low: f64, high: f64, most: usize) -> (Vec<f64>, usize) {
    let decades = |parts: &[f64]| -> Vec<f64> {
        let (first, last) = (low.floor() as i32, high.ceil() as i32);
        let all = (first..=last).flat_map(|power| parts.iter().map(move |part| part * 10f64.powi(power)));
        all.filter(|value| (low..=high).contains(&value.log10())).collect()
    };
    let fits = |values: &Vec<f64>| (1..=most).contains(&values.len());
    let chosen = [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]].into_iter().map(decades).find(fits);
    match chosen {
        Some(values) => {
            let least = values.first().copied().unwrap_or(1.0);
            (values, (-(least.log10() + 1e-9).floor()).max(0.0) as usize)
        }
        // Between two decades the values themselves are round.
        None => linear(10f64.powf(low), 10f64.powf(high), most),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round() {
        let written = |low, high, most| {
            let (ticks, decimals) = linear(low, high, most);
            ticks.iter().map(|t| format!("{t:.decimals$}")).collect::<Vec<_>>()
        };
        assert_eq!(written(0.0, 0.71, 4), ["0.0", "0.2", "0.4", "0.6"]);
        assert_eq!(written(0.48, 1.0, 3), ["0.6", "0.8", "1.0"]);
        assert_eq!(linear(0.971, 0.979, 3).1, 3, "near numbers need decimals");
        assert_eq!(linear(1.0, 1.0, 3).0, Vec::<f64>::new());
    }

    #[test]
    fn decades_are_told_by_their_round_numbers() {
        assert_eq!(logarithmic(-3.0, 1.0, 5).0, [0.001, 0.01, 0.1, 1.0, 10.0]);
        assert_eq!(logarithmic(-1.0, 0.0, 4).0, [0.1, 0.2, 0.5, 1.0]);
    }

    proptest! {
        #[test]
        fn ticks_stay_inside_and_few(low in -1e6..1e6f64, span in 1e-6..1e6f64, most in 1usize..12) {
            let (ticks, _) = linear(low, low + span, most);
            prop_assert!(ticks.len() <= most + 1);
            prop_assert!(ticks.iter().all(|t| *t >= low - span * 1e-6 && *t <= low + span * (1.0 + 1e-6)));
        }
    }
}
