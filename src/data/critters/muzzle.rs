//! Muzzle and whiskers, the other tells: a cat's muzzle is short, with a small triangular nose and long whiskers; a dog's is long
//! and wide, with a big rounded nose, dots where whiskers were, and sometimes a tongue.

use tiny_skia::Path;

use super::Species;
use super::animal::{Coat, Pose};
use super::canvas::{BLACK, Canvas, Ink, Part::Tell, Rgb, WHITE, ellipse, path, smooth};
use super::dice::Dice;

const TONGUE: Rgb = Rgb(0.89, 0.45, 0.49);

pub(super) fn muzzle(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose, coat: &Coat, species: Species) {
    match species {
        Species::Cat => cat(canvas, dice, pose, coat),
        Species::Dog => dog(canvas, dice, pose, coat),
    }
}

fn cat(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose, coat: &Coat) {
    let at = pose.at(0.98);
    let (pad, low) = (dice.between(0.17, 0.23), dice.between(0.4, 0.48));
    let deep = pad * dice.between(0.75, 0.92);
    let fur = coat.muzzle;
    canvas.fill(Tell, &ellipse((0.0, low + deep * 1.05), pad * 0.8, deep * 0.62), Ink::Flat(fur.darker(0.14)), at);
    if dice.chance(0.06) {
        canvas.fill(Tell, &ellipse((0.0, low + deep * 0.95), 0.06, 0.09), Ink::Flat(TONGUE), at);
    }
    for side in [-1.0, 1.0] {
        let ink = Ink::Glow {
            centre: (side * pad * 0.75, low - deep * 0.3),
            radius: pad * 1.5,
            inner: (fur.lighter(0.1), 1.0),
            outer: (fur.darker(0.25), 1.0),
        };
        canvas.fill(Tell, &ellipse((side * pad * 0.82, low), pad, deep), ink, at);
    }
    let (half, top, tall) = (dice.between(0.085, 0.125), low - deep - 0.05, dice.between(0.09, 0.125));
    let line = coat.muzzle.darker(0.75);
    let mouth = path(|p| {
        p.move_to(0.0, top + tall * 0.8);
        p.line_to(0.0, low + deep * 0.35);
        for side in [-1.0, 1.0] {
            p.move_to(0.0, low + deep * 0.35);
            p.quad_to(side * pad * 0.45, low + deep * 1.15, side * pad * 1.15, low + deep * 0.62);
        }
    });
    canvas.stroke(Tell, &mouth, 0.03, Ink::Flat(line), at);
    let nose = smooth(&[
        (-half, top),
        (0.0, top - 0.02),
        (half, top),
        (half * 0.55, top + tall * 0.6),
        (0.0, top + tall),
        (-half * 0.55, top + tall * 0.6),
    ]);
    canvas.fill(Tell, &nose, Ink::Flat(coat.nose), at);
    canvas.fill(Tell, &ellipse((-half * 0.3, top + tall * 0.2), half * 0.3, tall * 0.13), Ink::Glaze(WHITE, 0.4), at);
    dots(canvas, pose, 0.98, coat, (pad * 0.75, low), pad * 0.4, dice.chance(0.5));
}

fn dog(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose, coat: &Coat) {
    // A snout is a row of rounds that come towards the viewer; each hides most of the one behind.
    let (wide, tall) = (dice.between(0.36, 0.5), dice.between(0.32, 0.42));
    let (low, reach) = (dice.between(0.36, 0.46), dice.between(1.15, 1.5));
    let fur = coat.muzzle;
    for t in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let z = 0.75 + (reach - 0.75) * t;
        let shrink = 1.0 - 0.16 * t;
        let ink = Ink::Glow {
            centre: (0.0, low - tall * 0.45),
            radius: wide * 1.35,
            inner: (fur.mix(coat.base, 0.35 * (1.0 - t)).lighter(0.07), 1.0),
            outer: (fur.mix(coat.base, 0.35 * (1.0 - t)).darker(0.32 - 0.07 * t), 1.0),
        };
        canvas.fill(Tell, &ellipse((0.0, low), wide * shrink, tall * shrink), ink, pose.at(z));
    }
    let at = pose.at(reach);
    let (half, high) = (dice.between(0.16, 0.235), dice.between(0.12, 0.165));
    let top = low - tall * 0.72;
    let lip = low + tall * dice.between(0.3, 0.45);
    if dice.chance(0.35) {
        tongue(canvas, dice, pose, reach, lip, tall);
    }
    let line = path(|p| {
        p.move_to(0.0, top + high);
        p.line_to(0.0, lip);
        for side in [-1.0, 1.0] {
            p.move_to(0.0, lip);
            p.cubic_to(
                side * wide * 0.3,
                lip + tall * 0.5,
                side * wide * 0.7,
                lip + tall * 0.35,
                side * wide * 0.78,
                lip - tall * 0.12,
            );
        }
    });
    canvas.stroke(Tell, &line, 0.04, Ink::Flat(fur.darker(0.8)), at);
    canvas.fill(Tell, &nose(half, high, top), Ink::Flat(coat.nose), at);
    canvas.fill(Tell, &ellipse((-half * 0.25, top + high * 0.12), half * 0.42, high * 0.2), Ink::Glaze(WHITE, 0.4), at);
    for side in [-1.0, 1.0] {
        canvas.fill(
            Tell,
            &ellipse((side * half * 0.48, top + high * 0.62), half * 0.17, high * 0.2),
            Ink::Glaze(BLACK, 0.6),
            at,
        );
    }
    dots(canvas, pose, reach, coat, (wide * 0.5, low + tall * 0.1), wide * 0.22, true);
}

/// Broad above, narrow below, rounded everywhere.
fn nose(half: f32, high: f32, top: f32) -> Path {
    smooth(&[
        (-half * 0.6, top - high * 0.12),
        (half * 0.6, top - high * 0.12),
        (half, top + high * 0.3),
        (half * 0.6, top + high * 0.85),
        (0.0, top + high * 1.08),
        (-half * 0.6, top + high * 0.85),
        (-half, top + high * 0.3),
    ])
}

fn tongue(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose, z: f32, lip: f32, tall: f32) {
    let at = pose.at(z);
    let (half, length) = (dice.between(0.11, 0.17), tall * dice.between(0.9, 1.5));
    let (top, lean) = (lip + tall * 0.12, dice.between(-0.06, 0.06));
    let shape = smooth(&[
        (-half * 0.9, top),
        (half * 0.9, top),
        (half + lean, top + length * 0.6),
        (lean, top + length),
        (lean - half, top + length * 0.6),
    ]);
    canvas.fill(
        Tell,
        &shape,
        Ink::Fade { from: (0.0, top), to: (0.0, top + length), start: (TONGUE.darker(0.35), 1.0), end: (TONGUE, 1.0) },
        at,
    );
    let crease = path(|p| {
        p.move_to(0.0, top + 0.02);
        p.quad_to(lean * 0.3, top + length * 0.4, lean * 0.7, top + length * 0.7);
    });
    canvas.stroke(Tell, &crease, 0.025, Ink::Glaze(TONGUE.darker(0.5), 0.7), at);
}

/// Where whiskers grow: three dots a side.
fn dots(canvas: &mut Canvas, pose: &Pose, z: f32, coat: &Coat, middle: (f32, f32), spread: f32, shown: bool) {
    if !shown {
        return;
    }
    let ink = Ink::Glaze(coat.muzzle.darker(0.7), 0.75);
    for side in [-1.0, 1.0] {
        for (dx, dy) in [(-0.6, -0.35), (0.5, -0.2), (0.05, 0.5)] {
            canvas.fill(
                Tell,
                &ellipse((side * (middle.0 + dx * spread), middle.1 + dy * spread), 0.018, 0.018),
                ink,
                pose.at(z),
            );
        }
    }
}

/// Drawn last, over everything of the face.
pub(super) fn whiskers(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose, coat: &Coat, species: Species) {
    let (count, length, width, z) = match species {
        Species::Cat => (dice.count(2, 4), dice.between(0.45, 1.0), dice.between(0.014, 0.028), 0.95),
        Species::Dog if dice.chance(0.4) => {
            (dice.count(2, 3), dice.between(0.15, 0.45), dice.between(0.012, 0.02), 1.2)
        }
        Species::Dog => return,
    };
    let droop = dice.between(-0.1, 0.35);
    for side in [-1.0, 1.0] {
        let lines = path(|p| {
            for number in 0..count {
                let fan = (number as f32 - (count - 1) as f32 / 2.0) * 0.17 + dice.about(0.0, 0.02);
                let (x, y) = (0.26, 0.44 + fan * 0.4);
                let reach = length * dice.between(0.85, 1.1);
                p.move_to(side * x, y);
                p.quad_to(
                    side * (x + reach * 0.55),
                    y + fan * 0.6 - 0.05,
                    side * (x + reach),
                    y + fan * 1.7 + droop * length * 0.5,
                );
            }
        });
        canvas.stroke(Tell, &lines, width, Ink::Glaze(coat.whisker, 0.95), pose.at(z));
    }
}
