//! Against figures of Keras, scipy, Pillow and torchvision (`tests/reference/keras_augment.py`), and vectors against plain arithmetic.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde::Deserialize;

use super::affine::Affine;
use super::mix::Blend;
use super::region::Region;
use super::tone::{self, Tint};
use super::variation::Variation;
use super::*;

#[derive(Deserialize)]
struct Figures {
    warps: Vec<Warped>,
    tones: Vec<Toned>,
    crops: Vec<Cropped>,
    mixes: Vec<Mixed>,
    betas: Vec<Beta>,
}

#[derive(Deserialize)]
struct Warped {
    size: [u32; 3],
    mode: String,
    #[serde(default)]
    flip: String,
    #[serde(default)]
    theta: f64,
    #[serde(default)]
    tx: f64,
    #[serde(default)]
    ty: f64,
    #[serde(default)]
    shear: f64,
    #[serde(default = "one")]
    zx: f64,
    #[serde(default = "one")]
    zy: f64,
    expected: Vec<f64>,
}

fn one() -> f64 {
    1.0
}

#[derive(Deserialize)]
struct Toned {
    name: String,
    figure: f64,
    channels: u32,
    expected: Vec<u8>,
}

#[derive(Deserialize)]
struct Cropped {
    region: [u32; 4],
    expected: Vec<f64>,
}

#[derive(Deserialize)]
struct Mixed {
    share: f64,
    centre: Option<[u32; 2]>,
    #[serde(rename = "box")]
    edges: Option<[u32; 4]>,
    adjusted: Option<f64>,
    expected: Vec<f64>,
}

#[derive(Deserialize)]
struct Beta {
    alpha: f64,
    below: Vec<f64>,
}

fn figures() -> Figures {
    serde_json::from_str(&std::fs::read_to_string("tests/fixtures/data/augment.json").unwrap()).unwrap()
}

fn size(height: u32, width: u32, channels: u32) -> Size {
    Size { height, width, channels }
}

/// The script's formula.
fn picture(size: Size) -> Vec<u8> {
    let pixel = |y: u32, x: u32, c: u32| ((7 * y * y + 13 * x * y + 29 * x + 83 * c) % 256) as u8;
    let row = |y| (0..size.width).flat_map(move |x| (0..size.channels).map(move |c| pixel(y, x, c)));
    (0..size.height).flat_map(row).collect()
}

fn applied(variation: &Variation, pixels: &[u8], size: Size, mut workspace: Workspace) -> Vec<u8> {
    let mut out = vec![0; size.bytes()];
    variation.apply(pixels, size, &mut workspace, &mut out);
    out
}

/// Half a level is lost by rounding to whole ones, 1/32 by rounding places and weights, 1/200 in the fixture.
fn check_warp(ours: &[u8], hundredths: &[f64], what: &str) {
    assert_eq!(ours.len(), hundredths.len());
    for (at, (&ours, &theirs)) in ours.iter().zip(hundredths).enumerate() {
        assert!(
            (f64::from(ours) - theirs / 100.0).abs() <= 0.5 + 1.0 / 32.0 + 0.005,
            "{what}: {ours} {theirs} at {at}"
        );
    }
}

#[test]
fn a_warp_is_kerass_affine_transform_in_every_fill_mode() {
    for warped in figures().warps {
        let Warped { size: [height, width, channels], theta, tx, ty, shear, zx, zy, .. } = warped;
        let size = size(height, width, channels);
        let variation = Variation {
            affine: Affine { theta, down: ty, right: tx, shear, zoom_x: zx, zoom_y: zy },
            horizontal_flip: warped.flip.contains('h'),
            vertical_flip: warped.flip.contains('v'),
            fill: match warped.mode.as_str() {
                "nearest" => Fill::Nearest,
                "constant" => Fill::Constant(77),
                "reflect" => Fill::Reflect,
                _ => Fill::Wrap,
            },
            ..Variation::default()
        };
        let what = format!("{variation:?}, {size:?}");
        for workspace in [Workspace::default(), Workspace::plain()] {
            check_warp(&applied(&variation, &picture(size), size, workspace), &warped.expected, &what);
        }
    }
}

#[test]
fn brightness_and_colours_are_those_of_pillow() {
    for Toned { name, figure, channels, expected } in figures().tones {
        let mut pixels = picture(size(9, 11, channels));
        for level in &mut pixels {
            *level = *level / 2 + 40;
        }
        match name.as_str() {
            "keras_brightness" => tone::shift_and_brighten(0.0, figure, &mut pixels),
            "channel_shift" => tone::shift_and_brighten(figure, 1.0, &mut pixels),
            "brightness" => Tint::Brightness(figure).apply(channels, &mut pixels),
            "contrast" => Tint::Contrast(figure).apply(channels, &mut pixels),
            "saturation" => Tint::Saturation(figure).apply(channels, &mut pixels),
            _ => Tint::Hue(figure).apply(channels, &mut pixels),
        }
        assert_eq!(pixels, expected, "{name} by {figure} of {channels} channels");
    }
}

#[test]
fn a_resized_crop_is_torchvisions() {
    let size = size(13, 17, 3);
    for Cropped { region: [top, left, height, width], expected } in figures().crops {
        let crop = Some(Region { top, left, height, width });
        let ours = applied(&Variation { crop, ..Variation::default() }, &picture(size), size, Workspace::default());
        check_warp(&ours, &expected, &format!("{crop:?}"));
    }
}

#[test]
fn mixing_is_torchvisions() {
    let size = size(6, 7, 3);
    for Mixed { share, centre, edges, adjusted, expected } in figures().mixes {
        let mut images: Vec<u8> =
            (0..3_u8).flat_map(|i| picture(size).into_iter().map(move |level| level ^ (41 * i))).collect();
        let blend = match (centre, edges) {
            (Some(centre), Some([left, top, right, bottom])) => {
                let region = Region::to_mix(size, share, centre);
                assert_eq!(region, Region { top, left, height: bottom - top, width: right - left });
                Blend::CutMix { region }
            }
            _ => Blend::Mixup { share },
        };
        assert!((blend.share(size) - adjusted.unwrap_or(share)).abs() < 1e-12);
        blend.apply(size, &mut images);
        check_warp(&images, &expected, &format!("{blend:?}"));
    }
}

#[test]
fn shares_are_distributed_as_beta() {
    for Beta { alpha, below } in figures().betas {
        let mut rng = random::stream(0, Purpose::Mix, 0, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| random::beta(&mut rng, alpha)).collect();
        for (tenth, expected) in (1..10).zip(below) {
            let found = draws.iter().filter(|&&draw| draw < f64::from(tenth) / 10.0).count() as f64 / 20_000.0;
            // Four standard deviations of a share of 20,000 are at most 0.014.
            assert!((found - expected).abs() < 0.015, "{found} {expected} below 0.{tenth} for {alpha}");
        }
    }
}

#[test]
fn a_mixed_batch_names_the_heavier_label_and_the_weight_of_both() {
    let size = size(4, 6, 3);
    let mut seen = [0; 2];
    for batch in 0..200 {
        // Every pixel of picture i is 100 i.
        let mut images: Vec<u8> = (0..3_u8).flat_map(|i| vec![100 * i; size.bytes()]).collect();
        let mut labels = vec![0, 1, 2];
        let mix = Mixing { mixup: 0.4, cutmix: 1.0 }.apply([1, 0, batch], size, &mut images, &mut labels).unwrap();
        assert!((0.5..=1.0).contains(&mix.weight));
        let means =
            images.chunks_exact(size.bytes()).map(|image| image.iter().map(|&level| f64::from(level)).sum::<f64>());
        for ((mean, heavy), light) in means.zip(&labels).zip(&mix.labels) {
            let expected = 100.0 * (mix.weight * *heavy as f64 + (1.0 - mix.weight) * *light as f64);
            assert!((mean / size.bytes() as f64 - expected).abs() <= 0.5, "{mean} {expected}");
        }
        seen[usize::from(images.iter().all(|level| level % 100 == 0))] += 1;
    }
    assert!(seen.iter().all(|&count| count > 60), "both kinds of mixing: {seen:?}");
}

#[test]
fn a_batch_of_one_is_not_mixed() {
    let size = size(1, 1, 1);
    let (mut images, mut labels) = (vec![7], vec![1]);
    assert_eq!(Mixing { mixup: 1.0, cutmix: 1.0 }.apply([0; 3], size, &mut images, &mut labels), None);
    assert_eq!((images, labels), (vec![7], vec![1]));
}

/// Everything is allowed.
fn all() -> Augment {
    Augment {
        rotation: 40.0,
        width_shift: Shift::fraction(0.1),
        height_shift: Shift { steps: Steps::OneOf(vec![1.0, 5.0]), relative: false },
        shear: 20.0,
        zoom: [0.7, 1.4],
        horizontal_flip: true,
        vertical_flip: true,
        fill: Fill::Reflect,
        brightness: Some([0.5, 1.5]),
        channel_shift: 20.0,
        crop: Some(ResizedCrop { scale: [0.3, 0.9], ratio: [0.75, 4.0 / 3.0] }),
        jitter: Some(Jitter {
            brightness: Some([0.6, 1.4]),
            contrast: Some([0.6, 1.4]),
            saturation: Some([0.6, 1.4]),
            hue: Some([-0.1, 0.1]),
        }),
        erasing: Some(Erasing { probability: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3], value: [1, 2, 3] }),
        mixing: Mixing::default(),
        variants: 0,
    }
}

#[test]
fn drawn_figures_fill_the_ranges_that_are_allowed() {
    let size = size(100, 200, 3);
    let drawn: Vec<Variation> =
        (0..4000).map(|i| all().draw(size, &mut random::stream(0, Purpose::Augment, 0, i))).collect();
    let fills = |low: f64, high: f64, pick: &dyn Fn(&Variation) -> f64| {
        let found = drawn.iter().map(pick).fold([f64::MAX, f64::MIN], |[l, h], value| [l.min(value), h.max(value)]);
        let room = 0.01 * (high - low);
        assert!(found[0] >= low && found[1] <= high && found[0] < low + room && found[1] > high - room, "{found:?}");
    };
    fills(-40.0, 40.0, &|v| v.affine.theta);
    fills(-20.0, 20.0, &|v| v.affine.right);
    fills(-20.0, 20.0, &|v| v.affine.shear);
    fills(0.7, 1.4, &|v| v.affine.zoom_x);
    fills(0.7, 1.4, &|v| v.affine.zoom_y);
    fills(0.5, 1.5, &|v| v.brightness.unwrap());
    fills(-20.0, 20.0, &|v| v.channel_shift.unwrap());
    for step in [-5.0, -1.0, 1.0, 5.0] {
        let count = drawn.iter().filter(|v| v.affine.down == step).count();
        assert!((850..1150).contains(&count), "{count} of {step}");
    }
    let half = |pick: &dyn Fn(&Variation) -> bool| {
        let count = drawn.iter().filter(|v| pick(v)).count();
        assert!((1850..2150).contains(&count), "{count}");
    };
    half(&|v| v.horizontal_flip);
    half(&|v| v.vertical_flip);
    half(&|v| v.erased.is_some());
    let share = |region: Region| f64::from(region.height * region.width) / 20_000.0;
    assert!(drawn.iter().all(|v| (0.29..0.91).contains(&share(v.crop.unwrap()))));
    assert!(drawn.iter().filter_map(|v| v.erased).all(|(region, _)| (0.018..0.34).contains(&share(region))));
    for place in 0..4 {
        let count = drawn.iter().filter(|v| matches!(v.tints[place], Tint::Hue(_))).count();
        assert!((850..1150).contains(&count), "hue is number {place} of the tints {count} times");
    }
}

#[test]
fn what_is_allowed_besides_changes_no_draw() {
    let size = size(40, 30, 3);
    let draw = |augment: &Augment| {
        let mut rng = random::stream(5, Purpose::Augment, 2, 9);
        (augment.draw(size, &mut rng), random::unit(&mut rng))
    };
    let (whole, next) = draw(&all());
    let (rotated, same) = draw(&Augment { rotation: 40.0, ..Augment::default() });
    assert_eq!((rotated.affine.theta, same), (whole.affine.theta, next));
    assert_eq!(draw(&Augment::default()).1, next);
    let (erased, _) = draw(&Augment { erasing: all().erasing, ..Augment::default() });
    assert_eq!(erased.erased, whole.erased);
}

#[test]
fn what_allows_nothing_shows_the_picture_as_it_is() {
    let size = size(5, 7, 3);
    let pixels = Pixels { size, bytes: picture(size) };
    assert!(Augment { fill: Fill::Wrap, ..Augment::default() }.is_none());
    assert_eq!(Augment::default().preview(&pixels, 1, 2, 3), pixels);
    assert_ne!(all().preview(&pixels, 1, 2, 3), pixels);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn vectors_give_the_bytes_of_plain_arithmetic(
        height in 1_u32..40,
        width in 1_u32..60,
        grey in proptest::bool::weighted(0.1),
        fill in prop_oneof![Just(Fill::Nearest), Just(Fill::Constant(9)), Just(Fill::Reflect), Just(Fill::Wrap)],
        sample in any::<u64>(),
        farther in 0.1_f64..30.0,
    ) {
        let size = size(height, width, if grey { 1 } else { 3 });
        let mut variation = all().draw(size, &mut random::stream(0, Purpose::Augment, 1, sample));
        variation.fill = fill;
        variation.affine.right *= farther;
        variation.affine.zoom_x *= farther;
        let pixels = picture(size);
        let ours = applied(&variation, &pixels, size, Workspace::default());
        prop_assert_eq!(ours, applied(&variation, &pixels, size, Workspace::plain()));
    }
}
