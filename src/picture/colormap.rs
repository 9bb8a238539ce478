//! Colour maps: the book's jet and viridis, and others that are even in brightness.

use colorous::Gradient;

/// From a value in 0–1 to a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Colormap {
    Jet,
    Viridis,
    Inferno,
    Magma,
    Plasma,
    Turbo,
    Gray,
}

impl Colormap {
    pub const ALL: [Self; 7] =
        [Self::Jet, Self::Viridis, Self::Inferno, Self::Magma, Self::Plasma, Self::Turbo, Self::Gray];

    /// matplotlib's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jet => "jet",
            Self::Viridis => "viridis",
            Self::Inferno => "inferno",
            Self::Magma => "magma",
            Self::Plasma => "plasma",
            Self::Turbo => "turbo",
            Self::Gray => "gray",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|map| map.name() == name)
    }

    /// Values outside of 0–1 take the ends. NaN is the bottom of the map: a dead channel or an empty heat map is dark, never a random
    /// colour.
    pub fn color(self, value: f32) -> [u8; 3] {
        let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
        match self {
            Self::Jet => jet(value),
            Self::Viridis => step(colorous::VIRIDIS, value),
            Self::Inferno => step(colorous::INFERNO, value),
            Self::Magma => step(colorous::MAGMA, value),
            Self::Plasma => step(colorous::PLASMA, value),
            Self::Turbo => colorous::TURBO.eval_continuous(f64::from(value)).as_array(),
            Self::Gray => [(value * 255.0).round() as u8; 3],
        }
    }
}

/// MATLAB's jet, which `OpenCV`'s `COLORMAP_JET` follows to one part in 255: dark blue at 0, green in the middle, dark red at 1.
fn jet(value: f32) -> [u8; 3] {
    let v = value * 4.0;
    let ramp = |centre: f32| ((1.5 - (v - centre).abs()).clamp(0.0, 1.0) * 255.0).round() as u8;
    [ramp(3.0), ramp(2.0), ramp(1.0)]
}

/// The nearest of matplotlib's 256 steps (`_cm_listed.py`), of which the library has all.
fn step(gradient: Gradient, value: f32) -> [u8; 3] {
    let index = (value * 255.0).round();
    gradient.eval_rational(index as usize, 256).as_array()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cv2.applyColorMap(i, cv2.COLORMAP_JET)` of `OpenCV` 4, as RGB.
    #[test]
    fn jet_is_that_of_opencv() {
        let reference: [(u8, [u8; 3]); 9] = [
            (0, [0, 0, 128]),
            (1, [0, 0, 132]),
            (32, [0, 0, 255]),
            (64, [0, 128, 255]),
            (96, [2, 255, 254]),
            (128, [130, 255, 126]),
            (192, [255, 124, 0]),
            (224, [252, 0, 0]),
            (255, [128, 0, 0]),
        ];
        for (i, want) in reference {
            let got = Colormap::Jet.color(f32::from(i) / 255.0);
            let off = (0..3).map(|c| got[c].abs_diff(want[c])).max();
            assert!(off <= Some(2), "jet({i}) is {got:?}, OpenCV says {want:?}");
        }
    }

    /// `matplotlib.colormaps["viridis"](v)` of matplotlib 3.11.
    #[test]
    fn viridis_is_that_of_matplotlib() {
        let at = |value: f32| Colormap::Viridis.color(value);
        assert_eq!(at(0.0), [68, 1, 84]);
        assert_eq!(at(1.0), [253, 231, 37]);
        assert_eq!(at(127.0 / 255.0), [33, 144, 141]);
        assert_eq!(at(64.0 / 255.0), [59, 82, 139]);
    }

    #[test]
    fn values_outside_the_unit_interval_take_the_ends() {
        for map in Colormap::ALL {
            assert_eq!(map.color(f32::NAN), map.color(0.0));
            assert_eq!(map.color(7.0), map.color(1.0));
            assert_eq!(map.color(-7.0), map.color(0.0));
            assert_eq!(Colormap::from_name(map.name()), Some(map));
        }
    }

    /// Brightness never falls in the maps that are called even (CIE L*, to one part in a hundred).
    #[test]
    fn perceptual_maps_grow_brighter_throughout() {
        let lightness = |[r, g, b]: [u8; 3]| {
            let linear = |v: u8| (f64::from(v) / 255.0).powf(2.2);
            0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
        };
        for map in [Colormap::Viridis, Colormap::Inferno, Colormap::Magma, Colormap::Plasma, Colormap::Gray] {
            let steps: Vec<f64> = (0..=64).map(|at| lightness(map.color(at as f32 / 64.0))).collect();
            assert!(steps.windows(2).all(|pair| pair[1] > pair[0] - 0.01), "{}: {steps:?}", map.name());
        }
    }
}
