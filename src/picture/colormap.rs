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
            Self::Viridis => VIRIDIS[(value * 255.0).round() as usize],
            Self::Inferno => smooth(colorous::INFERNO, value),
            Self::Magma => smooth(colorous::MAGMA, value),
            Self::Plasma => smooth(colorous::PLASMA, value),
            Self::Turbo => smooth(colorous::TURBO, value),
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

/// The library runs a smooth curve through matplotlib's steps, so that a colour may be some levels off its table's.
fn smooth(gradient: Gradient, value: f32) -> [u8; 3] {
    gradient.eval_continuous(f64::from(value)).as_array()
}

/// matplotlib's viridis (`_cm_listed.py`, CC0), 256 steps from dark violet to yellow. Even in brightness and safe for colour-blind eyes.
static VIRIDIS: [[u8; 3]; 256] = {
    let hex = VIRIDIS_HEX.as_bytes();
    let mut table = [[0; 3]; 256];
    let mut i = 0;
    while i < 768 {
        table[i / 3][i % 3] = digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]);
        i += 1;
    }
    table
};

const fn digit(c: u8) -> u8 {
    if c <= b'9' { c - b'0' } else { c - b'a' + 10 }
}

const VIRIDIS_HEX: &str = "\
     44015444025645045745055946075a46085c460a5d460b5e470d60470e6147106347116447136548146748166848176948186a481a6c481b6d481c6e\
     481d6f481f70482071482173482374482475482576482677482878482979472a7a472c7a472d7b472e7c472f7d46307e46327e46337f463480453581\
     453781453882443983443a83443b84433d84433e85423f854240864241864142874144874045884046883f47883f48893e49893e4a893e4c8a3d4d8a\
     3d4e8a3c4f8a3c508b3b518b3b528b3a538b3a548c39558c39568c38588c38598c375a8c375b8d365c8d365d8d355e8d355f8d34608d34618d33628d\
     33638d32648e32658e31668e31678e31688e30698e306a8e2f6b8e2f6c8e2e6d8e2e6e8e2e6f8e2d708e2d718e2c718e2c728e2c738e2b748e2b758e\
     2a768e2a778e2a788e29798e297a8e297b8e287c8e287d8e277e8e277f8e27808e26818e26828e26828e25838e25848e25858e24868e24878e23888e\
     23898e238a8d228b8d228c8d228d8d218e8d218f8d21908d21918c20928c20928c20938c1f948c1f958b1f968b1f978b1f988b1f998a1f9a8a1e9b8a\
     1e9c891e9d891f9e891f9f881fa0881fa1881fa1871fa28720a38620a48621a58521a68522a78522a88423a98324aa8325ab8225ac8226ad8127ad81\
     28ae8029af7f2ab07f2cb17e2db27d2eb37c2fb47c31b57b32b67a34b67935b77937b87838b9773aba763bbb753dbc743fbc7340bd7242be7144bf70\
     46c06f48c16e4ac16d4cc26c4ec36b50c46a52c56954c56856c66758c7655ac8645cc8635ec96260ca6063cb5f65cb5e67cc5c69cd5b6ccd5a6ece58\
     70cf5773d05675d05477d1537ad1517cd2507fd34e81d34d84d44b86d54989d5488bd6468ed64590d74393d74195d84098d83e9bd93c9dd93ba0da39\
     a2da37a5db36a8db34aadc32addc30b0dd2fb2dd2db5de2bb8de29bade28bddf26c0df25c2df23c5e021c8e020cae11fcde11dd0e11cd2e21bd5e21a\
     d8e219dae319dde318dfe318e2e418e5e419e7e419eae51aece51befe51cf1e51df4e61ef6e620f8e621fbe723fde725";

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
