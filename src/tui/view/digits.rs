//! The numbers of a column in one style, so that their points stand below each other: as many decimals as the smallest of them needs, or, where
//! they are of many sizes, a mantissa and an exponent each.

use crate::tui::figures;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// So many decimals.
    Fixed(usize),
    Exponent,
}

impl Digits {
    /// For all of `values`, in at most so many cells.
    pub fn of(values: impl IntoIterator<Item = f64>, cells: usize) -> Self {
        let mut signs = 0;
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for value in values.into_iter().filter(|value| value.is_finite() && *value != 0.0) {
            (least, most) = (least.min(value.abs()), most.max(value.abs()));
            signs |= usize::from(value < 0.0);
        }
        if most == 0.0 {
            return Self::Fixed(1);
        }
        // Two digits of the smallest; one if there is no room for more.
        let wanted = (1.0 - least.log10().floor()).max(0.0) as usize;
        let whole = (most.log10().floor().max(0.0) as usize) + 1;
        let room = cells.saturating_sub(signs + whole + 1);
        match wanted {
            // Half a number would be another one.
            _ if signs + whole > cells => Self::Exponent,
            0 => Self::Fixed(0),
            _ if wanted <= room => Self::Fixed(wanted),
            _ if wanted == room + 1 && room > 0 => Self::Fixed(room),
            _ => Self::Exponent,
        }
    }

    /// Three digits of the greatest; what is much smaller is as good as nothing beside it.
    pub fn of_greatest(values: impl IntoIterator<Item = f64>) -> Self {
        let most =
            values.into_iter().filter(|value| value.is_finite()).fold(0.0_f64, |most, value| most.max(value.abs()));
        Self::Fixed(if most > 0.0 { (2.0 - most.log10().floor()).clamp(0.0, 4.0) as usize } else { 1 })
    }

    /// Right-aligned, they stand below each other. What is no number is named.
    pub fn write(self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => figures::figure(value),
            Self::Fixed(decimals) => format!("{value:.decimals$}"),
            Self::Exponent if value == 0.0 => "0    ".into(),
            // Exponents of one digit; those of two, and signs, are rarer than points that do not align.
            Self::Exponent => {
                let text = format!("{value:.1e}");
                match text.split_once('e') {
                    Some((mantissa, exponent)) => format!("{mantissa}e{exponent:<2}"),
                    None => text,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(values: &[f64], cells: usize) -> Vec<String> {
        let digits = Digits::of(values.iter().copied(), cells);
        values.iter().map(|value| digits.write(*value)).collect()
    }

    #[test]
    fn a_column_has_one_style() {
        assert_eq!(written(&[12.34, 0.567, 3.0], 8), ["12.34", "0.57", "3.00"]);
        assert_eq!(written(&[0.0412, 0.5, 0.0], 8), ["0.041", "0.500", "0.000"]);
        assert_eq!(written(&[1500.0, 20.0], 8), ["1500", "20"]);
        assert_eq!(written(&[1_049_000_000.0, -2.0], 8), ["1.0e9 ", "-2.0e0 "]);
        assert_eq!(written(&[150.0, 0.000_02], 8), ["1.5e2 ", "2.0e-5"]);
        assert_eq!(written(&[0.000_000_2, 0.03, 0.0], 8), ["2.0e-7", "3.0e-2", "0    "]);
        assert_eq!(written(&[0.0, 0.0], 8), ["0.0", "0.0"]);
        assert_eq!(written(&[f64::NAN, 1.0], 8), ["NaN", "1.0"]);
        let times = Digits::of_greatest([3.154, 0.0005]);
        assert_eq!([3.154, 0.0005].map(|time| times.write(time)), ["3.15", "0.00"]);
        assert_eq!(Digits::of_greatest([152.0, 7.0]).write(7.0), "7");
    }
}
