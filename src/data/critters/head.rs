//! Body, head, markings and eyes: what the species share. Nothing here may know the species; the signatures see to it.

use std::f32::consts::TAU;

use tiny_skia::{Path, PathBuilder};

use super::animal::{Coat, Pattern, Pose};
use super::canvas::{At, BLACK, Canvas, Ink, Part::Neutral, Rgb, WHITE, ellipse, path, ring, smooth};
use super::dice::Dice;

/// Shoulders, chest, now and then a collar.
pub(super) fn body(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose, coat: &Coat) {
    let at = pose.ball();
    let lean = dice.about(0.0, 0.15);
    let (wide, deep) = (dice.between(0.85, 1.15), dice.between(1.2, 1.6));
    let trunk = smooth(&[
        (lean - 0.5, 0.35),
        (lean + 0.5, 0.35),
        (lean * 1.5 + wide * 0.85, 1.1),
        (lean * 2.0 + wide, 1.0 + deep),
        (lean * 2.0 + wide * 0.6, 2.6 + deep),
        (lean * 2.0 - wide * 0.6, 2.6 + deep),
        (lean * 2.0 - wide, 1.0 + deep),
        (lean * 1.5 - wide * 0.85, 1.1),
    ]);
    let (light, dark) = (coat.base.darker(0.04), coat.base.darker(0.42));
    canvas.fill(
        Neutral,
        &trunk,
        Ink::Fade { from: (0.0, 1.0), to: (0.0, 3.0), start: (light, 1.0), end: (dark, 1.0) },
        at,
    );
    let has_bib = dice.chance(0.5);
    let bib = ellipse((lean * 1.5, 1.45), dice.between(0.28, 0.5), dice.between(0.45, 0.8));
    let collar_colour = Rgb::hsl(dice.between(0.0, 1.0), dice.between(0.4, 0.9), dice.between(0.25, 0.6));
    let has_collar = dice.chance(0.3);
    canvas.within(&trunk, at, |canvas| {
        if has_bib {
            canvas.fill(Neutral, &bib, Ink::Flat(coat.pale.darker(0.08)), at);
        }
        hairs(
            canvas,
            dice,
            &HairStyle { count: 40, centre: (lean, 1.5), spread: (1.0, 0.8), length: 0.2, from: (0.0, 0.0) },
            coat.base,
            at,
        );
        if has_collar {
            let band = path(|p| {
                p.move_to(lean - 1.1, 0.78);
                p.quad_to(lean, 1.4, lean + 1.1, 0.78);
            });
            canvas.stroke(Neutral, &band, 0.15, Ink::Flat(collar_colour), at);
            canvas.fill(Neutral, &ellipse((lean, 1.2), 0.11, 0.11), Ink::Flat(Rgb(0.86, 0.74, 0.35)), at);
        }
        // The head's shadow.
        let shade = Ink::Glow { centre: (0.0, 0.55), radius: 1.15, inner: (BLACK, 0.5), outer: (BLACK, 0.0) };
        canvas.fill(Neutral, &ellipse((0.0, 0.55), 1.2, 1.2), shade, at);
    });
}

/// The head's outline: an egg with cheeks, and sometimes tufts on them.
pub(super) fn outline(dice: &mut Dice) -> Path {
    let (wide, tall) = (dice.between(0.92, 1.08), dice.between(0.84, 0.98));
    let (cheek, jaw) = (dice.between(0.0, 0.12), dice.between(0.1, 0.34));
    let tuft = if dice.chance(0.5) { dice.between(0.03, 0.09) } else { 0.0 };
    let mut spike = 0.0;
    smooth(&ring(48, |angle| {
        let (sin, cos) = angle.sin_cos();
        // 0.4 radians below the horizontal, on either side.
        let on_cheek = (-((sin.atan2(cos.abs()) - 0.4) / 0.35).powi(2)).exp();
        spike = if spike == 0.0 { tuft } else { 0.0 };
        let reach = 1.0 + on_cheek * (cheek + spike);
        let narrow = 1.0 - jaw * (sin - 0.25).max(0.0);
        (wide * cos * reach * narrow, tall * sin * (1.0 + 0.3 * on_cheek * (cheek + spike)))
    }))
}

/// The head with its markings. Eyes come later, over the muzzle.
pub(super) fn head(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose, coat: &Coat, outline: &Path) {
    let at = pose.ball();
    canvas.fill(Neutral, outline, Ink::Flat(coat.base), at);
    canvas.within(outline, at, |canvas| {
        markings(canvas, dice, pose, coat);
        let style = HairStyle { count: 70, centre: (0.0, -0.1), spread: (1.0, 0.95), length: 0.15, from: (0.0, 0.25) };
        hairs(canvas, dice, &style, coat.base, at);
        let (x, y) = (dice.between(-0.5, 0.5), dice.between(-0.7, -0.3));
        canvas.fill(
            Neutral,
            outline,
            Ink::Glow { centre: (x, y), radius: 1.1, inner: (WHITE, 0.2), outer: (WHITE, 0.0) },
            at,
        );
        canvas.fill(
            Neutral,
            outline,
            Ink::Glow { centre: (x * 0.6, y * 0.6), radius: 1.75, inner: (BLACK, 0.0), outer: (BLACK, 0.5) },
            at,
        );
    });
    canvas.stroke(Neutral, outline, 0.035, Ink::Glaze(coat.base.darker(0.7), 0.35), at);
}

fn markings(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose, coat: &Coat) {
    let at = pose.at(0.75);
    let ink = Ink::Flat(coat.second);
    match coat.pattern {
        Pattern::Plain => {}
        Pattern::Patches => {
            for _ in 0..dice.count(1, 3) {
                let middle = (dice.side() * dice.between(0.25, 0.7), dice.between(-0.8, 0.35));
                canvas.fill(Neutral, &blob(dice, middle, 0.25, 0.6), ink, at);
            }
        }
        Pattern::Stripes => stripes(canvas, dice, coat, pose),
        Pattern::Spots => {
            for _ in 0..dice.count(8, 20) {
                let middle = (dice.between(-0.95, 0.95), dice.between(-0.9, 0.7));
                canvas.fill(Neutral, &blob(dice, middle, 0.05, 0.12), ink, at);
            }
        }
        Pattern::Shadow => {
            let inner = (coat.second, 0.95);
            let shade =
                Ink::Glow { centre: (0.0, 0.25), radius: dice.between(0.7, 1.0), inner, outer: (coat.second, 0.0) };
            canvas.fill(Neutral, &ellipse((0.0, 0.2), 1.1, 1.1), shade, at);
        }
    }
    if dice.chance(0.35) {
        let (brow, mid) = (dice.between(0.04, 0.2), dice.between(0.1, 0.3));
        let blaze = smooth(&[
            (0.0, -1.0),
            (brow, -0.8),
            (mid * 0.7, -0.2),
            (mid + 0.15, 0.4),
            (0.0, 0.9),
            (-mid - 0.15, 0.4),
            (-mid * 0.7, -0.2),
            (-brow, -0.8),
        ]);
        canvas.fill(Neutral, &blaze, Ink::Flat(coat.pale), at);
    }
}

/// A tabby's: lines on the forehead, bars on the cheeks.
fn stripes(canvas: &mut Canvas, dice: &mut Dice, coat: &Coat, pose: &Pose) {
    let at = pose.at(0.75);
    let width = dice.between(0.05, 0.1);
    let lines = path(|p| {
        let count = dice.count(3, 5);
        for number in 0..count {
            let x = (number as f32 - (count - 1) as f32 / 2.0) * dice.between(0.17, 0.22);
            p.move_to(x * 1.3, -0.95);
            p.quad_to(x * 1.2, -0.7, x * 0.7, dice.between(-0.5, -0.38));
        }
        for side in [-1.0, 1.0] {
            for number in 0..dice.count(2, 4) {
                let y = number as f32 * 0.2 - 0.15 + dice.between(-0.04, 0.04);
                p.move_to(side * 1.1, y - 0.08);
                p.quad_to(side * 0.85, y + 0.05, side * dice.between(0.55, 0.72), y + 0.1);
            }
        }
    });
    canvas.stroke(Neutral, &lines, width, Ink::Glaze(coat.second, 0.9), at);
}

/// An uneven round patch.
pub(super) fn blob(dice: &mut Dice, middle: At, least: f32, most: f32) -> Path {
    let (across, down) = (dice.between(least, most), dice.between(least, most));
    smooth(&ring(9, |angle| {
        let reach = dice.between(0.75, 1.2);
        (middle.0 + across * reach * angle.cos(), middle.1 + down * reach * angle.sin())
    }))
}

struct HairStyle {
    count: u32,
    centre: At,
    spread: At,
    length: f32,
    /// Hairs point away from here.
    from: At,
}

/// Short strokes, half of them lighter and half darker than the fur; one path each, since a stroke costs more than its length.
fn hairs(canvas: &mut Canvas, dice: &mut Dice, style: &HairStyle, fur: Rgb, at: tiny_skia::Transform) {
    for tone in [fur.lighter(0.35), fur.darker(0.4)] {
        let lines = path(|p: &mut PathBuilder| {
            for _ in 0..style.count / 2 {
                let (angle, reach) = (dice.between(0.0, TAU), dice.between(0.0, 1.0).sqrt());
                let x = style.centre.0 + style.spread.0 * reach * angle.cos();
                let y = style.centre.1 + style.spread.1 * reach * angle.sin();
                let (dx, dy) = (x - style.from.0 + dice.about(0.0, 0.1), y - style.from.1 + dice.about(0.0, 0.1));
                let scale = style.length * dice.between(0.6, 1.2) / dx.hypot(dy).max(0.1);
                p.move_to(x, y);
                p.line_to(x + dx * scale, y + dy * scale);
            }
        });
        canvas.stroke(Neutral, &lines, 0.022, Ink::Glaze(tone, 0.3), at);
    }
}

const IRISES: [Rgb; 7] = [
    Rgb(0.72, 0.55, 0.16),
    Rgb(0.78, 0.66, 0.25),
    Rgb(0.45, 0.58, 0.25),
    Rgb(0.38, 0.57, 0.66),
    Rgb(0.42, 0.26, 0.13),
    Rgb(0.30, 0.18, 0.10),
    Rgb(0.55, 0.35, 0.15),
];

/// Two eyes that look the same way; sometimes narrowed, rarely one closed.
pub(super) fn eyes(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose, coat: &Coat) {
    let iris = dice.pick(&IRISES);
    let (apart, height) = (dice.between(0.36, 0.46), dice.between(-0.2, -0.08));
    let size = dice.between(0.14, 0.2);
    let open = size * dice.between(0.62, 1.0);
    let slant = dice.between(-0.05, 0.25);
    let pupil = dice.between(0.38, 0.85);
    let gaze = (dice.between(-0.25, 0.25) * size, dice.between(-0.15, 0.15) * size);
    let wink = dice.chance(0.06).then(|| dice.side());
    let brows = dice.chance(0.25);
    for side in [-1.0, 1.0] {
        let at = pose.at(0.8).pre_translate(side * apart, height).pre_scale(side, 1.0);
        if brows {
            canvas.fill(
                Neutral,
                &ellipse((0.02, -size * 1.7), 0.09, 0.06),
                Ink::Flat(coat.pale.mix(coat.second, 0.3)),
                at,
            );
        }
        let lid = coat.base.darker(0.75);
        if wink == Some(side) {
            let line = path(|p| {
                p.move_to(-size, 0.0);
                p.quad_to(0.0, size * 0.8, size, -size * slant);
            });
            canvas.stroke(Neutral, &line, 0.05, Ink::Flat(lid), at);
            continue;
        }
        let almond = |scale: f32| almond(size * scale, open * scale, slant);
        canvas.fill(Neutral, &almond(1.22), Ink::Flat(lid), at);
        let rim = iris.darker(0.5);
        canvas.fill(
            Neutral,
            &almond(1.0),
            Ink::Glow { centre: (0.0, 0.03), radius: size, inner: (iris.lighter(0.12), 1.0), outer: (rim, 1.0) },
            at,
        );
        let tall = open * 0.86;
        let look = (gaze.0 * side, gaze.1);
        canvas.fill(Neutral, &ellipse(look, tall * pupil, tall), Ink::Flat(Rgb(0.04, 0.03, 0.04)), at);
        // The lamp stands on one side for both eyes, so its reflections are not mirrored.
        let glint = (look.0 - side * size * 0.3, look.1 - open * 0.36);
        canvas.fill(Neutral, &ellipse(glint, size * 0.2, size * 0.2), Ink::Flat(WHITE), at);
        canvas.fill(
            Neutral,
            &ellipse((look.0 + side * size * 0.28, look.1 + open * 0.4), size * 0.1, size * 0.1),
            Ink::Glaze(WHITE, 0.6),
            at,
        );
    }
}

/// An eye's opening, its outer corner to the right.
fn almond(size: f32, open: f32, slant: f32) -> Path {
    let lift = slant * size;
    path(|p| {
        p.move_to(-size, lift * 0.5);
        p.cubic_to(-size * 0.6, -open * 1.25, size * 0.5, -open * 1.3 - lift, size, -lift);
        p.cubic_to(size * 0.6, open * 1.15, -size * 0.5, open * 1.25, -size, lift * 0.5);
        p.close();
    })
}
