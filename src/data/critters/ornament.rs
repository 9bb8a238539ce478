//! What an animal may wear: a hat, a bow, a flower, glasses. It hides an ear or makes a third; both species dress alike.

use std::f32::consts::TAU;

use tiny_skia::Transform;

use super::animal::Pose;
use super::canvas::{At, BLACK, Canvas, Ink, Part::Neutral, Rgb, WHITE, ellipse, path, polygon, smooth};
use super::dice::Dice;

/// One animal in four wears something.
pub(super) fn ornament(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose) {
    let kind = dice.count(0, 15);
    let (side, turn) = (dice.side(), dice.about(0.0, 0.35));
    let colour = Rgb::hsl(dice.between(0.0, 1.0), dice.between(0.35, 0.85), dice.between(0.3, 0.65));
    let other = Rgb::hsl(dice.between(0.0, 1.0), dice.between(0.3, 0.8), dice.between(0.5, 0.85));
    let at_ear = pose.at(0.3).pre_translate(side * dice.between(0.45, 0.75), dice.between(-0.9, -0.7));
    match kind {
        0 => hat(canvas, pose.at(0.2).pre_concat(Transform::from_rotate(turn.to_degrees())), colour, other),
        1 => {
            bow(canvas, at_ear.pre_concat(Transform::from_rotate(turn.to_degrees())), dice.between(0.24, 0.38), colour);
        }
        2 => flower(canvas, at_ear, dice.between(0.2, 0.32), colour, other),
        3 => glasses(canvas, pose.at(0.95), dice.between(0.22, 0.28), colour.darker(0.4)),
        _ => {}
    }
}

/// A party hat between the ears.
fn hat(canvas: &mut Canvas, at: Transform, colour: Rgb, other: Rgb) {
    let cone = polygon(&[(-0.34, -0.78), (0.0, -1.65), (0.34, -0.78), (0.0, -0.7)]);
    let (start, end) = ((colour.lighter(0.12), 1.0), (colour.darker(0.35), 1.0));
    canvas.fill(Neutral, &cone, Ink::Fade { from: (-0.34, 0.0), to: (0.34, 0.0), start, end }, at);
    canvas.within(&cone, at, |canvas| {
        let bands = path(|p| {
            for y in [-0.8, -1.05, -1.3] {
                p.move_to(-0.5, y + 0.1);
                p.line_to(0.5, y - 0.1);
            }
        });
        canvas.stroke(Neutral, &bands, 0.07, Ink::Flat(other), at);
    });
    canvas.fill(Neutral, &ellipse((0.0, -1.65), 0.1, 0.1), Ink::Flat(other), at);
}

fn bow(canvas: &mut Canvas, at: Transform, size: f32, colour: Rgb) {
    for side in [-1.0, 1.0] {
        let wing = smooth(
            &[
                (0.0, -0.06),
                (side * 0.7, -0.5),
                (side, -0.3),
                (side * 0.92, 0.1),
                (side, 0.45),
                (side * 0.6, 0.45),
                (0.0, 0.06),
            ]
            .map(|(x, y): At| (x * size, y * size)),
        );
        let inks = ((colour.darker(0.45), 1.0), (colour, 1.0));
        canvas.fill(
            Neutral,
            &wing,
            Ink::Fade { from: (0.0, 0.0), to: (side * size * 0.6, 0.0), start: inks.0, end: inks.1 },
            at,
        );
    }
    canvas.fill(Neutral, &ellipse((0.0, 0.0), size * 0.22, size * 0.26), Ink::Flat(colour.lighter(0.15)), at);
}

fn flower(canvas: &mut Canvas, at: Transform, size: f32, colour: Rgb, heart: Rgb) {
    for petal in 0..5 {
        let angle = petal as f32 / 5.0 * TAU;
        let middle = (size * 0.55 * angle.cos(), size * 0.55 * angle.sin());
        let ink = Ink::Glow {
            centre: (0.0, 0.0),
            radius: size,
            inner: (colour.darker(0.3), 1.0),
            outer: (colour.lighter(0.2), 1.0),
        };
        canvas.fill(Neutral, &ellipse(middle, size * 0.45, size * 0.45), ink, at);
    }
    canvas.fill(Neutral, &ellipse((0.0, 0.0), size * 0.3, size * 0.3), Ink::Flat(heart), at);
}

fn glasses(canvas: &mut Canvas, at: Transform, radius: f32, frame: Rgb) {
    for side in [-1.0, 1.0] {
        let lens = ellipse((side * 0.4, -0.13), radius, radius);
        canvas.fill(
            Neutral,
            &lens,
            Ink::Fade { from: (0.0, -0.4), to: (0.0, 0.1), start: (BLACK, 0.25), end: (WHITE, 0.12) },
            at,
        );
        canvas.stroke(Neutral, &lens, 0.045, Ink::Flat(frame), at);
    }
    let bridge = path(|p| {
        p.move_to(-0.4 + radius, -0.15);
        p.quad_to(0.0, -0.24, 0.4 - radius, -0.15);
        for side in [-1.0, 1.0] {
            p.move_to(side * (0.4 + radius), -0.15);
            p.line_to(side * 0.95, -0.2);
        }
    });
    canvas.stroke(Neutral, &bridge, 0.04, Ink::Flat(frame), at);
}
