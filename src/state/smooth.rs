//! Exponential smoothing, in the chapter's plain form and debiased.

/// The factors that a person can choose, none first.
pub const FACTORS: [f64; 9] = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99];

/// How curves are smoothed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    pub factor: f64,
    /// The chapter's own form, in which the first point weighs as much as all that the factor leaves of it.
    pub plain: bool,
}

impl Default for Smoothing {
    fn default() -> Self {
        Self { factor: 0.8, plain: false }
    }
}

impl Smoothing {
    pub fn apply(self, points: impl IntoIterator<Item = f64>) -> Vec<f64> {
        if self.plain { smooth(points, self.factor) } else { debiased(points, self.factor) }
    }

    pub fn is_off(self) -> bool {
        self.factor == 0.0
    }
}

/// `smooth_curve` of the book (listing 5.24): the first point stands, each later one is `s·factor + p·(1 − factor)`.
/// A point that is not a number stays one and does not spoil those after it.
pub fn smooth(points: impl IntoIterator<Item = f64>, factor: f64) -> Vec<f64> {
    let mut before: Option<f64> = None;
    points
        .into_iter()
        .map(|point| {
            if !point.is_finite() {
                return f64::NAN;
            }
            let smoothed = before.map_or(point, |s| s * factor + point * (1.0 - factor));
            before = Some(smoothed);
            smoothed
        })
        .collect()
}

/// The same without the weight that the first point has in it: `s·factor + p·(1 − factor)` from 0 on, divided by the weights' sum
/// `1 − factorⁿ`, as TensorBoard and Adam do it. A point that is not a number stays one and does not count.
pub fn debiased(points: impl IntoIterator<Item = f64>, factor: f64) -> Vec<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    points
        .into_iter()
        .map(|point| {
            if !point.is_finite() {
                return f64::NAN;
            }
            sum = sum * factor + point * (1.0 - factor);
            weight = weight * factor + (1.0 - factor);
            sum / weight
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: &[f64], want: &[f64]) -> bool {
        got.len() == want.len() && got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-12)
    }

    #[test]
    fn the_books_curve_by_hand() {
        // 1; 1·0.8 + 2·0.2 = 1.2; 1.2·0.8 + 3·0.2 = 1.56; 1.56·0.8 + 0·0.2 = 1.248
        let smoothed = smooth([1.0, 2.0, 3.0, 0.0], 0.8);
        assert!(near(&smoothed, &[1.0, 1.2, 1.56, 1.248]), "{smoothed:?}");
    }

    #[test]
    fn debiased_by_hand() {
        // Weights 1; 0.8, 1 over 1.8; 0.64, 0.8, 1 over 2.44: the newest counts most, and no point counts for those before the first.
        let smoothed = debiased([1.0, 2.0, 3.0], 0.8);
        assert!(near(&smoothed, &[1.0, (0.8 + 2.0) / 1.8, (0.64 + 1.6 + 3.0) / 2.44]), "{smoothed:?}");
        assert!(near(&debiased([0.3, 0.1], 0.0), &[0.3, 0.1]));
        let gap = debiased([1.0, f64::NAN, 2.0], 0.8);
        assert!(gap[1].is_nan() && (gap[2] - 2.8 / 1.8).abs() < 1e-12);
    }

    #[test]
    fn factor_zero_is_the_curve_itself() {
        assert!(near(&smooth([0.3, 0.1, 0.2], 0.0), &[0.3, 0.1, 0.2]));
        assert!(smooth([], 0.8).is_empty());
    }

    #[test]
    fn a_broken_point_breaks_only_itself() {
        let smoothed = smooth([1.0, f64::NAN, 2.0], 0.8);
        assert!(smoothed[1].is_nan());
        assert!((smoothed[2] - 1.2).abs() < 1e-12);
    }

    #[test]
    fn both_forms_of_smoothing() {
        // Book: 1, 1·0.5 + 3·0.5 = 2. Debiased: 0.5·1 / 0.5 = 1, (0.25·1 + 0.5·3) / 0.75 = 7/3.
        assert_eq!(Smoothing { factor: 0.5, plain: true }.apply([1.0, 3.0]), [1.0, 2.0]);
        let got = Smoothing { factor: 0.5, plain: false }.apply([1.0, 3.0]);
        assert!((got[1] - 7.0 / 3.0).abs() < 1e-12, "{got:?}");
    }
}
