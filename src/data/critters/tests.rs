//! What the drawings promise: the species differ in their tells alone, the mask says where, and nothing trivial tells them apart.
#![allow(clippy::unwrap_used)]

use tiny_skia::Transform;

use super::canvas::{BLACK, Ink, Part, Rgb, ellipse};
use super::*;

fn drawing(index: u32, species: Species, side: u32) -> Canvas {
    compose(Canvas::new(side, side, true), 1, index, species)
}

fn rgb(canvas: &Canvas) -> Vec<[u8; 3]> {
    canvas.colours.data().chunks_exact(4).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

#[test]
fn a_cat_and_a_dog_of_one_index_differ_only_where_a_mask_says_so() {
    for index in 0..30 {
        let [cat, dog] = Species::ALL.map(|species| drawing(index, species, 96));
        let masks = cat.mask().into_iter().zip(dog.mask());
        let mut differing = 0;
        for ((cat, dog), (in_cat, in_dog)) in rgb(&cat).into_iter().zip(rgb(&dog)).zip(masks) {
            if in_cat == 0 && in_dog == 0 {
                // One unit: blending rounds differently after a part that left no trace in the mask.
                assert!(cat.iter().zip(dog).all(|(a, b)| a.abs_diff(b) <= 1), "picture {index}: {cat:?} {dog:?}");
            } else if cat != dog {
                differing += 1;
            }
        }
        assert!(differing > 100, "picture {index}: the species hardly differ ({differing} pixels)");
    }
}

#[test]
fn the_mask_covers_a_visible_part_and_never_most_of_the_picture() {
    let mut hidden = 0;
    for index in 0..100 {
        for species in Species::ALL {
            let Critter { mask, .. } = draw(1, index, species, 64, 64);
            assert_eq!(mask.len(), 64 * 64);
            let share = mask.iter().map(|&told| f64::from(told) / 255.0).sum::<f64>() / 4096.0;
            assert!(share < 0.35, "{species:?} {index}: {share}");
            hidden += usize::from(share < 0.004);
        }
    }
    assert!(hidden <= 2, "{hidden} of 200 show next to nothing of their tells");
}

#[test]
fn what_is_in_front_hides_a_tell_and_a_glaze_does_not() {
    let mut canvas = Canvas::new(9, 9, true);
    let (spot, at) = (ellipse((4.5, 4.5), 3.0, 3.0), Transform::identity());
    canvas.fill(Part::Tell, &spot, Ink::Glaze(BLACK, 0.5), at);
    assert_eq!(canvas.mask()[4 * 9 + 4], 255);
    canvas.fill(Part::Neutral, &spot, Ink::Glaze(BLACK, 0.5), at);
    assert_eq!(canvas.mask()[4 * 9 + 4], 255);
    canvas.fill(Part::Neutral, &spot, Ink::Flat(Rgb(0.5, 0.5, 0.5)), at);
    assert_eq!(canvas.mask()[4 * 9 + 4], 0);
}

#[test]
fn a_drawing_is_the_same_again_and_another_for_each_seed_and_index() {
    let one = draw(1, 5, Species::Cat, 48, 64);
    assert_eq!(one, draw(1, 5, Species::Cat, 48, 64));
    assert_eq!(one.pixels.size, Size { height: 48, width: 64, channels: 3 });
    assert_ne!(one, draw(2, 5, Species::Cat, 48, 64));
    assert_ne!(one, draw(1, 6, Species::Cat, 48, 64));
}

#[test]
fn a_drawing_shows_the_same_at_every_size() {
    for index in 0..10 {
        let (small, large) = (drawing(index, Species::Dog, 64), drawing(index, Species::Dog, 256));
        let (small, large) = (rgb(&small), rgb(&large));
        let mean = |x: usize, y: usize, channel: usize| {
            let sum: u32 = (0..16).map(|at| u32::from(large[(y * 4 + at / 4) * 256 + x * 4 + at % 4][channel])).sum();
            f64::from(sum) / 16.0
        };
        let off: f64 =
            (0..4096).map(|at| (mean(at % 64, at / 64, 1) - f64::from(small[at][1])).abs()).sum::<f64>() / 4096.0;
        assert!(off < 4.0, "picture {index}: {off} of 255 on average");
    }
}

#[test]
fn sides_of_one_pixel_are_drawn_too() {
    for (height, width) in [(1, 1), (1, 40), (40, 1), (3, 200)] {
        let critter = draw(1, 0, Species::Cat, height, width);
        assert_eq!(critter.pixels.bytes.len(), (height * width * 3) as usize);
        assert_eq!(critter.mask.len(), (height * width) as usize);
    }
}

/// The best threshold on any one of these figures must be little better than guessing.
#[test]
fn no_mean_of_the_whole_picture_tells_the_species() {
    const COUNT: u32 = 300;
    let figures = |index: u32, species: Species| -> [f64; 5] {
        let bytes = draw(1, index, species, 32, 32).pixels.bytes;
        let mean =
            |channel: usize| bytes.iter().skip(channel).step_by(3).map(|&value| f64::from(value)).sum::<f64>() / 1024.0;
        let dark = bytes.iter().filter(|&&value| value < 40).count() as f64;
        let bright = bytes.iter().filter(|&&value| value > 215).count() as f64;
        [mean(0), mean(1), mean(2), dark, bright]
    };
    // Different indices: twins would hide a difference in what they share.
    let all: Vec<_> =
        (0..2 * COUNT).map(|index| (figures(index, Species::ALL[index as usize % 2]), index % 2 == 0)).collect();
    for figure in 0..5 {
        let mut sorted: Vec<_> = all.iter().map(|(figures, is_cat)| (figures[figure], *is_cat)).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut cats_below = 0_i64;
        let best = (1_i64..).zip(&sorted).map(|(below, (_, is_cat))| {
            cats_below += i64::from(*is_cat);
            (2 * cats_below - below).abs()
        });
        // Cats minus dogs below the threshold, of 300 each: right in half of the cases plus this over 600.
        let right = 0.5 + best.max().unwrap() as f64 / f64::from(2 * COUNT);
        assert!(right < 0.6, "figure {figure} alone is right in {right:.2} of the cases");
    }
}
