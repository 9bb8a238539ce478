//! Decoding against Pillow and libjpeg-turbo (the figures are made by `tests/reference/jpeg.py`), against the library that decodes what
//! we leave to it, and against files that nobody should have written.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

const ALL: [Interpolation; 6] = [
    Interpolation::Nearest,
    Interpolation::Box,
    Interpolation::Bilinear,
    Interpolation::Hamming,
    Interpolation::Bicubic,
    Interpolation::Lanczos,
];

#[derive(Deserialize)]
struct Figures {
    files: Vec<Jpeg>,
    resized: Vec<Resized>,
    upright: Vec<Upright>,
}

#[derive(Deserialize)]
struct Jpeg {
    file: String,
    planes: Vec<Scaled>,
    resized: Vec<Resized>,
}

#[derive(Deserialize)]
struct Scaled {
    width: usize,
    height: usize,
    crc: Vec<u32>,
}

#[derive(Deserialize)]
struct Resized {
    filter: Interpolation,
    width: u32,
    height: u32,
    rgb: String,
}

#[derive(Deserialize)]
struct Upright {
    file: String,
    orientation: u8,
    /// Width and height.
    shown: [u32; 2],
    nearest: String,
    bilinear: String,
}

fn path(name: &str) -> PathBuf {
    Path::new("tests/fixtures/data/jpeg").join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn figures() -> Figures {
    serde_json::from_slice(&read("jpeg.json")).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Mean and largest difference.
fn difference(ours: &[u8], theirs: &[u8]) -> (f64, u8) {
    assert_eq!(ours.len(), theirs.len());
    let differences = || ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b));
    (differences().map(f64::from).sum::<f64>() / ours.len() as f64, differences().max().unwrap_or(0))
}

fn crc(bytes: impl Iterator<Item = u8>) -> u32 {
    let mut crc = flate2::Crc::new();
    bytes.for_each(|byte| crc.update(&[byte]));
    crc.sum()
}

#[test]
fn planes_at_every_reduction_are_libjpegs_bit_for_bit() {
    for Jpeg { file, planes, .. } in figures().files {
        let bytes = read(&file);
        assert_eq!(jpeg::Reader::new(&bytes).is_some(), !planes.is_empty(), "{file}: whether it is one of ours");
        for Scaled { width, height, crc: theirs } in planes {
            let ours = jpeg::Reader::new(&bytes).unwrap().planes(height, width).unwrap();
            for (number, (plane, theirs)) in ours.iter().zip(theirs).enumerate() {
                let rows = plane.bytes.chunks(plane.stride).take(height);
                let ours = crc(rows.flat_map(|row| &row[..width]).copied());
                assert_eq!(ours, theirs, "{file}, {width}x{height}, plane {number}");
            }
        }
    }
}

#[test]
fn pixels_resized_by_any_filter_are_pillows() {
    let source = decode_whole(&path("scene.png")).unwrap();
    let mut far_off = Vec::new();
    for Resized { filter, width, height, rgb } in figures().resized {
        let ours = resize::to(source.clone(), Size { height, width, channels: 3 }, filter).bytes;
        let (mean, largest) = difference(&ours, &unhex(&rgb));
        // The box has hard edges: a pixel on the edge between two windows may fall to the other one than in Pillow.
        let is_right = if filter == Interpolation::Box { mean < 0.5 } else { largest <= 1 };
        if !is_right {
            far_off.push(format!("{filter:?} to {width}x{height}: {mean:.2} off in the mean, {largest} at most"));
        }
    }
    assert!(far_off.is_empty(), "{far_off:#?}");
}

/// Pillow decodes the whole picture, we one of a half or a quarter where that is enough. Measured on noisy waves, of which a tenth of
/// the picture's pixels a side is left: less than a hundredth of the range.
#[test]
fn a_reduced_jpeg_looks_as_pillow_shows_the_whole_one() {
    let mut far_off = Vec::new();
    for Jpeg { file, resized, .. } in figures().files {
        for Resized { filter, width, height, rgb } in resized {
            let size = Size { height, width, channels: 3 };
            let ours = decode_file(&path(&file), size, filter).unwrap().bytes;
            let (mean, largest) = difference(&ours, &unhex(&rgb));
            let (most, far) = match filter {
                Interpolation::Box => (4.0, 25),
                Interpolation::Bilinear => (2.0, 10),
                _ => (1.2, 8),
            };
            if mean > most || largest > far {
                far_off.push(format!("{file} {filter:?}: {mean:.2} off in the mean, {largest} at most"));
            }
        }
    }
    assert!(far_off.is_empty(), "{far_off:#?}");
}

#[test]
fn the_grey_of_a_colour_jpeg_is_that_of_its_colours() {
    for file in ["420.jpg", "444.jpg", "grey.jpg", "progressive.jpg", "turned_6.jpg"] {
        for interpolation in ALL {
            let size = Size { height: 13, width: 17, channels: 3 };
            let colour = decode_file(&path(file), size, interpolation).unwrap();
            let through_colour = resize::to(colour, Size { channels: 1, ..size }, Interpolation::Nearest).bytes;
            let grey = decode_file(&path(file), Size { channels: 1, ..size }, interpolation).unwrap().bytes;
            let (mean, largest) = difference(&grey, &through_colour);
            assert!(mean <= 1.0 && largest <= 12, "{file} {interpolation:?}: {mean:.2}, {largest}");
        }
    }
}

#[test]
fn all_eight_orientations_are_shown_upright() {
    let size = Size { height: 5, width: 6, channels: 3 };
    for Upright { file, orientation, shown: [width, height], nearest, bilinear } in figures().upright {
        let probe = probe(&path(&file)).unwrap();
        assert_eq!((probe.orientation, probe.shown()), (orientation, [height, width]), "{file}");
        let whole = decode_whole(&path(&file)).unwrap();
        assert_eq!(whole.size, Size { height, width, channels: 3 }, "{file}");
        for (interpolation, theirs) in [(Interpolation::Nearest, nearest), (Interpolation::Bilinear, bilinear)] {
            let ours = decode_file(&path(&file), size, interpolation).unwrap().bytes;
            let (mean, largest) = difference(&ours, &unhex(&theirs));
            let (most, far) = match (interpolation, file.ends_with("png")) {
                (Interpolation::Nearest, true) => (0.0, 0),
                (_, true) => (0.2, 1),
                (Interpolation::Nearest, false) => (1.0, 4),
                (_, false) => (1.5, 6),
            };
            assert!(mean <= most && largest <= far, "{file} {interpolation:?}: {mean:.2}, {largest}");
        }
    }
}

/// By hand: a 16-bit sample v is v/65535, thus v/257 of 255 levels.
#[test]
fn sixteen_bits_are_rounded_to_eight() {
    let samples: Vec<u16> = vec![0, 1, 128, 129, 257, 32_767, 32_896, 40_000, 65_406, 65_407, 65_534, 65_535];
    let levels = [0, 0, 0, 1, 1, 127, 128, 156, 254, 255, 255, 255];
    for (channels, width) in [(1, 12), (3, 4)] {
        let picture: DynamicImage = match channels {
            1 => image::ImageBuffer::<image::Luma<u16>, _>::from_raw(width, 1, samples.clone()).unwrap().into(),
            _ => image::ImageBuffer::<image::Rgb<u16>, _>::from_raw(width, 1, samples.clone()).unwrap().into(),
        };
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        let size = Size { height: 1, width, channels };
        for interpolation in ALL {
            assert_eq!(decode(bytes.get_ref(), size, interpolation).unwrap().bytes, levels);
        }
    }
}

#[test]
fn facts_are_told_without_decoding() {
    let fact = |folder: &str, name: &str| {
        let Probe { format, width, height, colour, bits, orientation, is_whole } =
            probe(&Path::new("tests/fixtures/data").join(folder).join(name)).unwrap();
        assert!(is_whole, "{name}");
        (format, width, height, colour, bits, orientation)
    };
    assert_eq!(fact("jpeg", "420.jpg"), ("jpg", 85, 59, Colour::Rgb, 8, 1));
    assert_eq!(fact("jpeg", "progressive.jpg"), ("jpg", 85, 59, Colour::Rgb, 8, 1));
    assert_eq!(fact("jpeg", "grey.jpg"), ("jpg", 85, 59, Colour::Grey, 8, 1));
    assert_eq!(fact("jpeg", "cmyk.jpg"), ("jpg", 85, 59, Colour::Cmyk, 8, 1));
    assert_eq!(fact("jpeg", "turned_5.jpg"), ("jpg", 24, 16, Colour::Rgb, 8, 5));
    assert_eq!(fact("pillow", "rgb.png"), ("png", 11, 9, Colour::Rgb, 8, 1));
    assert_eq!(fact("pillow", "rgba.png"), ("png", 11, 9, Colour::Rgba, 8, 1));
    assert_eq!(fact("pillow", "grey_alpha.png"), ("png", 11, 9, Colour::GreyAlpha, 8, 1));
    assert_eq!(fact("pillow", "palette.png"), ("png", 11, 9, Colour::Palette, 4, 1));
    assert_eq!(fact("pillow", "one_bit.png"), ("png", 11, 9, Colour::Grey, 1, 1));
    assert_eq!(fact("pillow", "palette.gif"), ("gif", 11, 9, Colour::Palette, 4, 1));
    assert_eq!(fact("pillow", "rgb.bmp"), ("bmp", 11, 9, Colour::Rgb, 8, 1));
    assert_eq!(fact("pillow", "lossless.webp"), ("webp", 11, 9, Colour::Rgb, 8, 1));
}

#[test]
fn a_file_without_its_end_is_not_whole() {
    for (folder, name) in [
        ("jpeg", "420.jpg"),
        ("jpeg", "progressive.jpg"),
        ("pillow", "rgb.png"),
        ("pillow", "palette.gif"),
        ("pillow", "rgb.bmp"),
        ("pillow", "lossless.webp"),
    ] {
        let bytes = std::fs::read(Path::new("tests/fixtures/data").join(folder).join(name)).unwrap();
        let short = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(short.path(), &bytes[..bytes.len() - 9]).unwrap();
        assert!(!probe(short.path()).unwrap().is_whole, "{name}");
    }
}

/// Files of a few hundred bytes that say they are 900 million pixels, and more where the format allows.
#[test]
fn bombs_are_refused_by_their_headers() {
    let side = 30_000_u32;
    let png = {
        let mut bytes = Cursor::new(Vec::new());
        image::GrayImage::new(1, 1).write_to(&mut bytes, ImageFormat::Png).unwrap();
        let mut bytes = bytes.into_inner();
        bytes[16..20].copy_from_slice(&side.to_be_bytes());
        bytes[20..24].copy_from_slice(&side.to_be_bytes());
        let sum = crc(bytes[12..29].iter().copied());
        bytes[29..33].copy_from_slice(&sum.to_be_bytes());
        bytes
    };
    let jpeg = |name: &str, side: u16| {
        let mut bytes = read(name);
        let frame = (2..bytes.len() - 1).find(|&at| bytes[at] == 0xff && matches!(bytes[at + 1], 0xc0 | 0xc2)).unwrap();
        bytes[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
        bytes[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
        bytes
    };
    let small = |format| {
        let mut bytes = Cursor::new(Vec::new());
        image::RgbImage::new(1, 1).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let mut gif = small(ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0x30, 0x75, 0x30, 0x75]);
    let mut bmp = small(ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&side.to_le_bytes());
    bmp[22..26].copy_from_slice(&side.to_le_bytes());
    for (bomb, reason) in [
        (png, "30000x30000 pixels are more than 16384 a side"),
        (jpeg("420.jpg", 30_000), "30000x30000 pixels are more than 16384 a side"),
        (jpeg("progressive.jpg", 30_000), "30000x30000 pixels are more than 16384 a side"),
        (jpeg("420.jpg", 16_000), "16000x16000 pixels are more than 89 million"),
        (jpeg("progressive.jpg", 10_000), "10000x10000 pixels are more than 89 million"),
        (gif, "30000x30000 pixels are more than 16384 a side"),
        (bmp, "30000x30000 pixels are more than 16384 a side"),
    ] {
        let begun = Instant::now();
        for interpolation in ALL {
            assert_eq!(decode(&bomb, Size { height: 8, width: 8, channels: 3 }, interpolation).unwrap_err(), reason);
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{reason}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bomb).unwrap();
        assert_eq!(check_header(file.path()).unwrap_err(), reason);
        assert!(probe(file.path()).unwrap_err().to_string().contains("pixels are more than"));
    }
}

#[test]
fn a_jpeg_cut_off_anywhere_is_refused_whatever_the_interpolation() {
    let size = Size { height: 9, width: 9, channels: 3 };
    for file in ["420.jpg", "444.jpg", "restart.jpg", "grey.jpg", "turned_8.jpg"] {
        let bytes = read(file);
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length], size, Interpolation::Bilinear).is_err(), "{file}: {length}");
        }
        // The pictures end is put behind what is left of it.
        for length in (0..bytes.len()).step_by(7) {
            let _ = decode(&[&bytes[..length], &[0xff, 0xd9]].concat(), size, Interpolation::Bilinear);
        }
    }
}

proptest! {
    #[test]
    fn a_damaged_jpeg_is_refused_or_shown_but_never_panics(
        name in prop::sample::select(&["420.jpg", "422.jpg", "restart.jpg", "grey.jpg", "cmyk.jpg", "ycck.jpg", "rgb.jpg", "turned_7.jpg"][..]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9),
        in_header in any::<bool>(),
    ) {
        let mut bytes = read(name);
        for (at, value) in damage {
            let at = at.index(if in_header { 640.min(bytes.len()) } else { bytes.len() });
            bytes[at] = value;
        }
        for interpolation in [Interpolation::Nearest, Interpolation::Bilinear, Interpolation::Lanczos] {
            let _ = decode(&bytes, Size { height: 20, width: 30, channels: 3 }, interpolation);
        }
    }

    /// The library's transform rounds in its own way.
    #[test]
    fn whole_planes_are_those_of_the_library(
        width in 1..70_u32,
        height in 1..70_u32,
        quality in 20..=100_u8,
        seed in any::<u64>(),
    ) {
        let noise = |i: u64| (seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(i.wrapping_mul(2_862_933_555_777_941_757)) >> 58) as u8;
        let picture = image::GrayImage::from_fn(width, height, |x, y| {
            image::Luma([noise(u64::from(x * 71 + y)).wrapping_add((x * 3 + y) as u8)])
        });
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&picture).unwrap();
        let planes = jpeg::Reader::new(&bytes).unwrap().planes(height as usize, width as usize).unwrap();
        let rows = planes[0].bytes.chunks(planes[0].stride).take(height as usize);
        let ours: Vec<u8> = rows.flat_map(|row| &row[..width as usize]).copied().collect();
        let library = full(&bytes, ImageFormat::Jpeg).unwrap().bytes;
        let (mean, largest) = difference(&ours, &library);
        prop_assert!(largest <= 3 && mean < 0.5, "{mean} {largest}");
    }
}
