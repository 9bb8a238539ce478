//! Odd images: whatever a folder of photographs may hold is named, explained, or refused by its name, and the others go on.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use frostline::picture::{Motion, animated};
use image::{GrayImage, ImageBuffer, Rgb, RgbImage, Rgba, RgbaImage, imageops};
use serde_json::Value;

use crate::acting::{Said, frostline};

const CONFIG: &str = r#"
[data]
source = "critters"
train = 32
validation = 8
test = 8
[model]
input = [24, 24, 3]
layers = [
  { type = "conv2d", filters = 6, kernel_size = 3, activation = "relu" },
  { type = "flatten" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
[train]
epochs = 1
batch_size = 16
[engine]
device = "cpu"
threads = 1
"#;

const CONTROL: &str = "red \u{1b}[31m\u{9b}\u{202e}.png";
const WIDE: &str = "猫と犬.png";
const NO_TEXT: &[u8] = b"no text \xff.png";

/// What can be read, in the order of their names.
const SOUND: [&str; 14] = [
    "animated.gif",
    "cmyk.jpg",
    "deep.png",
    "first.png",
    "grey.jpg",
    "grey.png",
    "long.png",
    "no text \u{fffd}.png",
    "one.png",
    CONTROL,
    "rgba.png",
    "turned.jpg",
    "upright.png",
    WIDE,
];

/// What cannot, and a word of the reason.
const REFUSED: [(&str, &str); 5] = [
    ("empty.png", "empty"),
    ("text.png", "not a png"),
    ("torn.jpg", "cut off"),
    ("vast.bmp", "16000x16000 pixels are more than"),
    ("wide.bmp", "30000x30000 pixels are more than 16384 a side"),
];

/// A folder with a run and a folder of odd images, for all tests.
fn prepared() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(folder.path().join("mine.toml"), CONFIG).unwrap();
        let told = frostline(folder.path(), &["train", "mine.toml", "--headless"]);
        assert_eq!(told.code, Some(0), "{}", told.err);
        fill(&folder.path().join("odd"));
        folder
    });
    folder.path()
}

fn fill(odd: &Path) {
    fs::create_dir_all(odd).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data/jpeg");
    let scene = RgbImage::from_fn(30, 20, |x, y| Rgb([x as u8 * 8, y as u8 * 12, 90]));
    GrayImage::from_fn(30, 20, |x, _| image::Luma([x as u8 * 8])).save(odd.join("grey.png")).unwrap();
    RgbaImage::from_pixel(30, 20, Rgba([200, 10, 10, 0])).save(odd.join("rgba.png")).unwrap();
    ImageBuffer::<Rgb<u16>, _>::from_pixel(9, 9, Rgb([60_000_u16, 0, 0])).save(odd.join("deep.png")).unwrap();
    RgbImage::from_pixel(1, 1, Rgb([9, 200, 9])).save(odd.join("one.png")).unwrap();
    RgbImage::from_pixel(6000, 3, Rgb([90; 3])).save(odd.join("long.png")).unwrap();
    for name in [CONTROL, WIDE] {
        scene.save(odd.join(name)).unwrap();
    }
    fs::copy(odd.join(WIDE), odd.join(OsStr::from_bytes(NO_TEXT))).unwrap();
    for (from, to) in [("cmyk.jpg", "cmyk.jpg"), ("grey.jpg", "grey.jpg"), ("turned_6.jpg", "turned.jpg")] {
        fs::copy(fixtures.join(from), odd.join(to)).unwrap();
    }
    // As it is stored, without its remark, turned a quarter clockwise: that is what the remark asks for.
    let stored = image::open(odd.join("turned.jpg")).unwrap().to_rgb8();
    imageops::rotate90(&stored).save(odd.join("upright.png")).unwrap();
    let frames = [RgbImage::from_pixel(8, 8, Rgb([255, 0, 0])), RgbImage::from_pixel(8, 8, Rgb([0, 0, 255]))];
    fs::write(odd.join("animated.gif"), animated(&frames, Motion::Gif).unwrap()).unwrap();
    frames[0].save(odd.join("first.png")).unwrap();
    let whole = fs::read(fixtures.join("444.jpg")).unwrap();
    fs::write(odd.join("torn.jpg"), &whole[..whole.len() / 2]).unwrap();
    fs::write(odd.join("text.png"), "no picture").unwrap();
    fs::write(odd.join("empty.png"), "").unwrap();
    fs::write(odd.join("wide.bmp"), bitmap(30_000)).unwrap();
    fs::write(odd.join("vast.bmp"), bitmap(16_000)).unwrap();
}

/// The header of a bitmap of so many pixels a side, and nothing behind it.
fn bitmap(side: u32) -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    for word in [u32::MAX, 0, 54, 40, side, side, 24 << 16 | 1, 0, 0, 2835, 2835, 0, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes
}

fn records(told: &Said) -> Vec<Value> {
    told.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn file(record: &Value) -> String {
    let name = record["image"].as_str().unwrap();
    name.rsplit('/').next().unwrap().to_owned()
}

/// Nothing that a terminal would obey.
fn is_clean(told: &Said) {
    let odd = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
    assert!(!told.out.contains(odd) && !told.err.contains(odd), "{:?} {:?}", told.out, told.err);
}

fn refused(told: &Said) {
    assert_eq!(told.code, Some(2), "some could not be read: {}", told.err);
    for (name, reason) in REFUSED {
        assert!(told.err.lines().any(|line| line.contains(name) && line.contains(reason)), "{name}: {}", told.err);
    }
    is_clean(told);
}

#[test]
fn odd_images_are_named_or_refused_by_name() {
    let told = frostline(prepared(), &["predict", "last", "odd"]);
    refused(&told);
    assert_eq!(told.out.lines().filter(|line| line.starts_with("odd/")).count(), SOUND.len(), "{}", told.out);
    assert!(told.out.contains(WIDE) && told.out.contains(r"red \x1b[31m\x9b\u{202e}.png"), "{}", told.out);
    let told = frostline(prepared(), &["predict", "last", "odd", "--json"]);
    is_clean(&told);
    let records = records(&told);
    let (sound, unread): (Vec<&Value>, Vec<&Value>) = records.iter().partition(|record| record["error"].is_null());
    assert_eq!(sound.iter().map(|record| file(record)).collect::<Vec<_>>(), SOUND);
    assert_eq!(unread.iter().map(|record| file(record)).collect::<Vec<_>>(), REFUSED.map(|(name, _)| name));
    let dog = |name: &str| {
        let record = sound.iter().find(|record| file(record) == name).unwrap();
        let top = record["top"].as_array().unwrap();
        top.iter().find(|named| named["class"] == "dog").unwrap()["probability"].as_f64().unwrap()
    };
    for (name, same) in [("animated.gif", "first.png"), ("turned.jpg", "upright.png"), (CONTROL, WIDE)] {
        assert!((dog(name) - dog(same)).abs() < 0.01, "{name}: {} and {}", dog(name), dog(same));
    }
    // A picture that is given by its name counts whatever it is called.
    fs::copy(prepared().join("odd/grey.png"), prepared().join("unnamed")).unwrap();
    let told = frostline(prepared(), &["predict", "last", "unnamed"]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{}", told.out);
}

#[test]
fn odd_images_get_their_heat_or_are_refused_by_name() {
    let told =
        frostline(prepared(), &["explain", "cam", "--image", "odd", "--class", "cat", "-o", "maps", "--no-image"]);
    refused(&told);
    let told = frostline(prepared(), &["explain", "cam", "--image", "odd", "--class", "cat", "-o", "maps", "--json"]);
    is_clean(&told);
    let records = records(&told);
    assert_eq!(records.iter().map(file).collect::<Vec<_>>(), SOUND);
    let pictures: Vec<PathBuf> =
        records.iter().map(|record| prepared().join(record["picture"].as_str().unwrap())).collect();
    let sides = |name: &str| {
        let at = SOUND.iter().position(|own| *own == name).unwrap();
        image::open(&pictures[at]).unwrap().to_rgb8().dimensions()
    };
    // 24x16 as it is stored, turned upright, and ten times as large.
    assert_eq!(sides("turned.jpg"), (160, 240));
    assert_eq!(sides("long.png"), (6000, 3));
    assert_eq!(sides("one.png"), (224, 224));
    let index = fs::read_to_string(prepared().join("maps/index.html")).unwrap();
    assert_eq!(index.matches("<figure>").count(), SOUND.len());
}

#[test]
fn odd_images_show_their_activations_or_are_refused_by_name() {
    let told = frostline(prepared(), &["explain", "activations", "--image", "odd", "-o", "grids", "--no-image"]);
    refused(&told);
    let told = frostline(prepared(), &["explain", "activations", "--image", "odd", "-o", "grids", "--json"]);
    is_clean(&told);
    let records = records(&told);
    assert_eq!(records.iter().map(file).collect::<Vec<_>>(), SOUND);
    assert!(records.iter().all(|record| record["channels"].as_array().unwrap().len() == 6));
}
