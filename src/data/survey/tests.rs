//! Surveys of small data sets that the test draws.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use image::{DynamicImage, GrayImage, RgbImage, imageops};

use super::super::random::{self, Purpose};
use super::*;

/// A picture of a few soft blobs, another one for each number.
fn drawn(number: u64, width: u32, height: u32) -> RgbImage {
    let mut rng = random::stream(number, Purpose::Critter, 7, 7);
    let mut draw = |most: f64| random::between(&mut rng, 0.0, most);
    let blobs: Vec<[f64; 6]> =
        (0..6).map(|_| [draw(1.0), draw(1.0), 0.05 + draw(0.3), draw(255.0), draw(255.0), draw(255.0)]).collect();
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
        let mut colour = [90.0; 3];
        for [left, top, radius, tones @ ..] in blobs.iter().copied() {
            let weight = (-((x - left).powi(2) + (y - top).powi(2)) / (radius * radius)).exp();
            for (value, tone) in colour.iter_mut().zip(tones) {
                *value += (tone - *value) * weight;
            }
        }
        image::Rgb(colour.map(|value| value as u8))
    })
}

fn save(picture: impl Into<DynamicImage>, root: &Path, name: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.into().save(path).unwrap();
}

fn surveyed(root: &Path) -> Survey {
    let inventory = Inventory::of(root).unwrap();
    let files: Vec<_> = inventory.files.iter().map(|file| file.path.clone()).collect();
    Survey::of_folder(&inventory, &portray(&files, &|| ()))
}

#[test]
fn a_picture_is_known_again_in_another_size_compression_and_tone_but_not_from_another_picture() {
    let look = |picture: &RgbImage| {
        let folder = tempfile::tempdir().unwrap();
        save(picture.clone(), folder.path(), "a.jpg");
        Portrait::of(&folder.path().join("a.jpg")).unwrap().look
    };
    for number in 0..20 {
        let picture = drawn(number, 320, 240);
        let original = look(&picture);
        let smaller = imageops::resize(&picture, 150, 113, imageops::FilterType::CatmullRom);
        let brighter = imageops::brighten(&picture, 8);
        for variant in [smaller, brighter] {
            assert!(original.is_like(&look(&variant)), "picture {number}: {}", original.distance(&look(&variant)));
        }
        for other in 0..20 {
            assert!(other == number || !original.is_like(&look(&drawn(other, 320, 240))), "{number} and {other}");
        }
    }
}

#[test]
fn a_clean_data_set_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    for (number, split) in ["train", "validation"].iter().enumerate() {
        for class in 0..2 {
            for at in 0..3 {
                let own = (number * 100 + class * 10 + at) as u64;
                save(drawn(own, 60 + at as u32, 40), folder.path(), &format!("{split}/{class}/{at}.png"));
            }
        }
    }
    let survey = surveyed(folder.path());
    assert_eq!((survey.images, survey.counts.clone()), (12, vec![vec![3, 3], vec![3, 3]]));
    assert_eq!(
        survey.sizes,
        Some(Sizes { width: [60, 61, 62], height: [40; 3], most_common: (60, 40, 4), different: 3 })
    );
    assert_eq!((survey.findings(), survey.imbalance()), (vec![], Some(1.0)));
    assert_eq!(survey.colours, [("RGB".to_owned(), 12)]);
}

#[test]
fn every_kind_of_finding_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let picture = |number| drawn(number, 80, 60);
    save(picture(1), root, "train/cats/1.png");
    save(picture(1), root, "train/cats/again.png");
    save(picture(2), root, "train/cats/2.png");
    save(picture(2), root, "train/dogs/2.jpg");
    save(picture(3), root, "train/dogs/3.png");
    save(imageops::resize(&picture(3), 160, 120, imageops::FilterType::Triangle), root, "test/dogs/3.jpg");
    save(GrayImage::from_fn(30, 30, |x, y| image::Luma([(x * y) as u8])), root, "test/dogs/grey.png");
    let whole = std::fs::read(root.join("train/cats/1.png")).unwrap();
    std::fs::write(root.join("train/dogs/cut.png"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(root.join("train/dogs/words.jpg"), "no picture").unwrap();
    std::fs::create_dir_all(root.join("test/cats")).unwrap();

    let survey = surveyed(root);
    assert_eq!(survey.counts, [[3, 2], [0, 2]]);
    assert_eq!(
        survey.findings(),
        [
            Finding::Unreadable { files: 2, truncated: 1 },
            Finding::Missing { split: "test".into(), class: "cats".into() },
            Finding::Leaks { pictures: 1 },
            Finding::Contradictions { pictures: 1 },
            Finding::Duplicates { files: 1 },
        ]
    );
    let identical: Vec<bool> = survey.repeats.iter().map(|repeat| repeat.identical).collect();
    assert_eq!(identical, [true, false, false]);
    assert_eq!(survey.colours, [("RGB".to_owned(), 6), ("grey".to_owned(), 1)]);
}
