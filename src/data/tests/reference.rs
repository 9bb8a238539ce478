//! Against figures of Pillow and scipy, the libraries behind Keras's `load_img` and `ImageDataGenerator`. The scripts that made
//! them are in `tests/reference`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::data::augment::Variation;

fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new("tests/fixtures/data").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[derive(Deserialize)]
struct Pillow {
    nearest: Vec<Nearest>,
    colours: Vec<u8>,
    luma: Vec<u8>,
    files: Vec<Shown>,
}

#[derive(Deserialize)]
struct Nearest {
    from: u32,
    to: u32,
    picked: Vec<usize>,
}

#[derive(Deserialize)]
struct Shown {
    #[serde(rename = "file")]
    name: String,
    height: u32,
    width: u32,
    rgb: Vec<u8>,
    #[serde(default)]
    grey: Vec<u8>,
}

impl Shown {
    fn load(&self, channels: u32) -> Vec<u8> {
        let size = Size { height: self.height, width: self.width, channels };
        decode_file(&Path::new("tests/fixtures/data/pillow").join(&self.name), size, Interpolation::Nearest)
            .unwrap()
            .bytes
    }
}

#[test]
fn nearest_picks_the_pixels_that_pillow_picks() {
    for Nearest { from, to, picked } in fixture::<Pillow>("pillow/pillow.json").nearest {
        // Two bytes carry an index, so two grey pictures do.
        let ramp = |byte: usize| Pixels {
            size: Size { height: 1, width: from, channels: 1 },
            bytes: (0..from as usize).map(|i| i.to_le_bytes()[byte]).collect(),
        };
        let taken =
            |byte| resize::to(ramp(byte), Size { height: 1, width: to, channels: 1 }, Interpolation::Nearest).bytes;
        let ours: Vec<usize> =
            taken(0).iter().zip(taken(1)).map(|(&low, high)| usize::from(low) + 256 * usize::from(high)).collect();
        assert_eq!(ours, picked, "{from} to {to}");
    }
}

#[test]
fn grey_is_pillows_luma() {
    let Pillow { colours, luma, .. } = fixture("pillow/pillow.json");
    let size = Size { height: 1, width: luma.len() as u32, channels: 3 };
    assert_eq!(
        resize::to(Pixels { size, bytes: colours }, Size { channels: 1, ..size }, Interpolation::Nearest).bytes,
        luma
    );
}

#[test]
fn files_of_every_kind_look_as_pillow_shows_them() {
    for file in fixture::<Pillow>("pillow/pillow.json").files {
        assert_eq!(file.load(3), file.rgb, "{} as RGB", file.name);
        assert_eq!(file.load(1), file.grey, "{} as grey", file.name);
    }
}

/// The standard leaves a decoder's rounding open (ISO 10918-1, annex A); two more units for the conversion from YCbCr.
#[test]
fn a_jpeg_looks_as_pillow_shows_it_up_to_rounding() {
    let file: Shown = fixture("pillow/jpeg.json");
    for (ours, pillow) in file.load(3).into_iter().zip(&file.rgb) {
        assert!(ours.abs_diff(*pillow) <= 3, "{ours} {pillow}");
    }
}

#[derive(Deserialize)]
struct Shifts {
    cases: Vec<Shift>,
}

#[derive(Deserialize)]
struct Shift {
    height: u32,
    width: u32,
    channels: u32,
    down: f64,
    right: f64,
    horizontal_flip: bool,
    vertical_flip: bool,
    image: Vec<u8>,
    expected: Vec<f64>,
}

/// We round to whole bytes, so half a unit is the tolerance, and a little for 32-bit arithmetic.
#[test]
fn shifts_and_flips_are_those_of_scipy() {
    for case in fixture::<Shifts>("scipy_shift.json").cases {
        let Shift { height, width, channels, down, right, horizontal_flip, vertical_flip, image, expected } = case;
        let mut ours = Vec::new();
        let size = Size { height, width, channels };
        Variation { down, right, horizontal_flip, vertical_flip }.apply(&image, size, &mut ours);
        assert_eq!(ours.len(), expected.len());
        for (ours, scipy) in ours.into_iter().zip(expected) {
            assert!((f64::from(ours) - scipy).abs() <= 0.501, "{ours} {scipy} at {down} {right}");
        }
    }
}

#[test]
fn drawn_shifts_fill_the_range_that_is_allowed() {
    let size = Size { height: 100, width: 200, channels: 3 };
    let augment = Augment { width_shift: 0.1, height_shift: 0.2, horizontal_flip: true, vertical_flip: false };
    let mut rng = random::stream(0, random::Purpose::Augment, 0, 0);
    let drawn: Vec<_> = (0..2000).map(|_| augment.draw(size, &mut rng)).collect();
    let most = |pick: fn(&Variation) -> f64| drawn.iter().map(pick).fold(0.0, f64::max);
    assert!((19.5..=20.0).contains(&most(|v| v.right)) && (19.5..=20.0).contains(&most(|v| -v.right)));
    assert!((19.5..=20.0).contains(&most(|v| v.down)) && (19.5..=20.0).contains(&most(|v| -v.down)));
    let flips = drawn.iter().filter(|v| v.horizontal_flip).count();
    assert!((900..1100).contains(&flips) && drawn.iter().all(|v| !v.vertical_flip));
}
