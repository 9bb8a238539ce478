//! Against figures of Pillow, the library behind Keras's `load_img`. The script that made them is in `tests/reference`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::*;

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
