//! What is behind the animal and what gets in front of it. Knows nothing of the animal but where its head is.

use std::f32::consts::TAU;

use tiny_skia::{Path, Transform};

use super::animal::{Pose, fur};
use super::canvas::{At, BLACK, Canvas, Ink, Part::Neutral, Rgb, ellipse, path, polygon, smooth};
use super::dice::Dice;
use super::head::blob;

/// Pictures are drawn on a square of side 1, stretched to the canvas.
fn frame(canvas: &Canvas) -> Transform {
    Transform::from_scale(canvas.width(), canvas.height())
}

pub(super) fn background(canvas: &mut Canvas, dice: &mut Dice) {
    let at = frame(canvas);
    let (near, far) = (backdrop(dice), backdrop(dice));
    let everywhere = polygon(&[(-0.1, -0.1), (1.1, -0.1), (1.1, 1.1), (-0.1, 1.1)]);
    let turn = dice.between(0.0, TAU);
    let end = |sign: f32| (0.5 + sign * 0.6 * turn.cos(), 0.5 + sign * 0.6 * turn.sin());
    canvas.fill(
        Neutral,
        &everywhere,
        Ink::Fade { from: end(-1.0), to: end(1.0), start: (near, 1.0), end: (far, 1.0) },
        at,
    );
    match dice.count(0, 5) {
        0 => hills(canvas, dice, at),
        1 => wallpaper(canvas, dice, at, near),
        2 => lights(canvas, dice, at),
        3 => foliage(canvas, dice, at),
        4 => tiles(canvas, dice, at, far),
        _ => {}
    }
    for _ in 0..dice.count(1, 7) {
        clutter(canvas, dice, at);
    }
}

/// Muted more often than loud, and sometimes a fur's colour, so that an animal may match its surroundings.
fn backdrop(dice: &mut Dice) -> Rgb {
    if dice.chance(0.3) {
        return fur(dice);
    }
    let saturation = dice.between(0.0, 1.0).powi(2) * 0.8 + 0.08;
    Rgb::hsl(dice.between(0.0, 1.0), saturation, dice.between(0.18, 0.85))
}

fn hills(canvas: &mut Canvas, dice: &mut Dice, at: Transform) {
    let ground = Rgb::hsl(dice.between(0.08, 0.4), dice.between(0.15, 0.5), dice.between(0.25, 0.55));
    for layer in 0..dice.count(1, 3) {
        let line = 0.45 + 0.17 * layer as f32 + dice.between(-0.08, 0.08);
        let (a, b) = (dice.between(-0.12, 0.12), dice.between(-0.12, 0.12));
        let hill = path(|p| {
            p.move_to(-0.1, line);
            p.cubic_to(0.3, line + a, 0.7, line + b, 1.1, line + a * 0.5);
            p.line_to(1.1, 1.1);
            p.line_to(-0.1, 1.1);
            p.close();
        });
        let colour = ground.darker(0.12 * layer as f32);
        canvas.fill(
            Neutral,
            &hill,
            Ink::Fade { from: (0.0, line), to: (0.0, 1.0), start: (colour, 1.0), end: (colour.darker(0.3), 1.0) },
            at,
        );
    }
}

fn wallpaper(canvas: &mut Canvas, dice: &mut Dice, at: Transform, wall: Rgb) {
    let count = dice.count(5, 12);
    let ink = Ink::Glaze(wall.mix(backdrop(dice), 0.5), dice.between(0.4, 0.9));
    let slope = dice.between(-0.5, 0.5);
    let lines = path(|p| {
        for number in 0..=count * 2 {
            let x = number as f32 / count as f32 - 0.5;
            p.move_to(x, -0.1);
            p.line_to(x + slope, 1.1);
        }
    });
    canvas.stroke(Neutral, &lines, dice.between(0.2, 0.6) / count as f32, ink, at);
}

fn lights(canvas: &mut Canvas, dice: &mut Dice, at: Transform) {
    for _ in 0..dice.count(6, 16) {
        let radius = dice.between(0.04, 0.16);
        let ink = Ink::Glaze(backdrop(dice).lighter(0.25), dice.between(0.2, 0.6));
        canvas.fill(Neutral, &ellipse((dice.between(0.0, 1.0), dice.between(0.0, 1.0)), radius, radius), ink, at);
    }
}

fn foliage(canvas: &mut Canvas, dice: &mut Dice, at: Transform) {
    let hue = dice.between(0.13, 0.42);
    for _ in 0..dice.count(20, 40) {
        let middle = (dice.between(-0.05, 1.05), dice.between(-0.05, 1.05));
        let colour = Rgb::hsl(hue + dice.about(0.0, 0.03), dice.between(0.2, 0.55), dice.between(0.16, 0.5));
        let size = dice.between(0.08, 0.2);
        canvas.fill(Neutral, &leaf(middle, size, size * 0.35, dice.between(0.0, TAU)), Ink::Flat(colour), at);
    }
}

fn tiles(canvas: &mut Canvas, dice: &mut Dice, at: Transform, base: Rgb) {
    let rows = dice.count(4, 9);
    let side = 1.0 / rows as f32;
    let (every_other, joint) = (dice.chance(0.5), base.darker(0.4));
    let tone = base.mix(backdrop(dice), 0.35);
    let shapes = path(|p| {
        for row in 0..rows {
            for column in 0..=rows {
                let shift = if row % 2 == 0 { 0.0 } else { 0.5 };
                let (x, y) = ((column as f32 - shift) * side, row as f32 * side);
                if !every_other || (row + column) % 2 == 0 {
                    let gap = side * 0.06;
                    if let Some(rect) = tiny_skia::Rect::from_ltrb(x + gap, y + gap, x + side - gap, y + side - gap) {
                        p.push_rect(rect);
                    }
                }
            }
        }
    });
    if !every_other {
        canvas.fill(Neutral, &polygon(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]), Ink::Flat(joint), at);
    }
    canvas.fill(Neutral, &shapes, Ink::Flat(tone), at);
}

/// One thing lying about: some look like ears, noses or whiskers, in the colours of furs.
fn clutter(canvas: &mut Canvas, dice: &mut Dice, at: Transform) {
    let middle = (dice.between(0.0, 1.0), dice.between(0.0, 1.0));
    let (size, turn) = (dice.between(0.05, 0.2), dice.between(0.0, TAU));
    let colour = backdrop(dice);
    let spot = at.pre_translate(middle.0, middle.1).pre_concat(Transform::from_rotate(turn.to_degrees()));
    let ink = Ink::Fade {
        from: (-size, 0.0),
        to: (size, 0.0),
        start: (colour.lighter(0.08), 1.0),
        end: (colour.darker(0.25), 1.0),
    };
    match dice.count(0, 7) {
        0 => canvas.fill(Neutral, &ellipse((0.0, 0.0), size, size), ink, spot),
        1 => canvas.fill(Neutral, &ellipse((0.0, 0.0), size, size * 0.45), ink, spot),
        2 => canvas.fill(Neutral, &polygon(&[(-size, size), (0.0, -size), (size, size)]), ink, spot),
        3 => canvas.fill(Neutral, &polygon(&[(-size, -size), (size, -size), (size, size), (-size, size)]), ink, spot),
        4 => canvas.fill(Neutral, &blob(dice, (0.0, 0.0), size * 0.6, size), ink, spot),
        5 => canvas.fill(Neutral, &star(size), ink, spot),
        6 => canvas.stroke(Neutral, &ellipse((0.0, 0.0), size, size), size * 0.3, Ink::Flat(colour), spot),
        _ => {
            let wires = path(|p| {
                for number in 0..dice.count(2, 5) {
                    let y = (number as f32 - 2.0) * size * 0.3;
                    p.move_to(-size * 1.5, y);
                    p.quad_to(0.0, y + size * dice.between(-0.4, 0.4), size * 1.5, y * 1.6);
                }
            });
            canvas.stroke(Neutral, &wires, dice.between(0.004, 0.012), Ink::Flat(colour), spot);
        }
    }
}

fn star(size: f32) -> Path {
    let corners = super::canvas::ring(10, |angle| (size * angle.cos(), size * angle.sin()));
    let points: Vec<At> =
        corners.iter().enumerate().map(|(i, &(x, y))| if i % 2 == 0 { (x, y) } else { (x * 0.45, y * 0.45) }).collect();
    polygon(&points)
}

fn leaf(middle: At, long: f32, wide: f32, turn: f32) -> Path {
    let (sin, cos) = turn.sin_cos();
    let to = |x: f32, y: f32| (middle.0 + x * cos - y * sin, middle.1 + x * sin + y * cos);
    let (tip, end, left, right) = (to(long, 0.0), to(-long, 0.0), to(0.0, wide * 1.6), to(0.0, -wide * 1.6));
    path(|p| {
        p.move_to(tip.0, tip.1);
        p.quad_to(left.0, left.1, end.0, end.1);
        p.quad_to(right.0, right.1, tip.0, tip.1);
        p.close();
    })
}

/// In two pictures of five something is in the way, and hides up to about a third of the head.
pub(super) fn foreground(canvas: &mut Canvas, dice: &mut Dice, pose: &Pose) {
    if !dice.chance(0.4) {
        return;
    }
    let at = frame(canvas);
    let head = pose.ball();
    match dice.count(0, 4) {
        0 => grass(canvas, dice, at),
        1 => {
            let turn = dice.between(0.0, TAU);
            let (reach, radius) = (dice.between(0.85, 1.25), dice.between(0.3, 0.55));
            let middle = (reach * turn.cos(), reach * turn.sin());
            ball(canvas, dice, head, middle, radius);
        }
        2 => {
            let x = dice.side() * dice.between(0.2, 1.1);
            let (wide, lean) = (dice.between(0.06, 0.16), dice.between(-0.4, 0.4));
            let post = polygon(&[
                (x - wide - lean, -4.0),
                (x + wide - lean, -4.0),
                (x + wide + lean, 4.0),
                (x - wide + lean, 4.0),
            ]);
            let colour = backdrop(dice);
            canvas.fill(
                Neutral,
                &post,
                Ink::Fade {
                    from: (x - wide, 0.0),
                    to: (x + wide, 0.0),
                    start: (colour.lighter(0.1), 1.0),
                    end: (colour.darker(0.4), 1.0),
                },
                head,
            );
        }
        3 => {
            let (turn, hue) = (dice.between(0.0, TAU), dice.between(0.1, 0.42));
            for number in 0..dice.count(3, 6) {
                let reach = 0.7 + 0.22 * number as f32;
                let direction = turn + dice.about(0.0, 0.25);
                let middle = (reach * direction.cos(), reach * direction.sin());
                let colour = Rgb::hsl(hue, dice.between(0.25, 0.6), dice.between(0.2, 0.5));
                let shape =
                    leaf(middle, dice.between(0.25, 0.42), dice.between(0.1, 0.17), turn + dice.about(0.0, 0.7));
                canvas.fill(Neutral, &shape, Ink::Flat(colour), head);
                canvas.stroke(Neutral, &shape, 0.02, Ink::Glaze(BLACK, 0.25), head);
            }
        }
        _ => {
            // A corner of cloth or of a box.
            let turn = dice.between(0.0, TAU);
            let reach = dice.between(0.72, 1.0);
            let (sin, cos) = turn.sin_cos();
            let to = |x: f32, y: f32| (x * cos - y * sin, x * sin + y * cos);
            let edge = dice.between(-0.3, 0.3);
            let cloth = smooth(&[to(reach, -1.6), to(reach + edge, 0.0), to(reach, 1.6), to(4.0, 1.6), to(4.0, -1.6)]);
            let colour = backdrop(dice);
            canvas.fill(
                Neutral,
                &cloth,
                Ink::Fade {
                    from: to(reach, 0.0),
                    to: to(2.5, 0.0),
                    start: (colour.darker(0.3), 1.0),
                    end: (colour, 1.0),
                },
                head,
            );
        }
    }
}

fn grass(canvas: &mut Canvas, dice: &mut Dice, at: Transform) {
    let hue = dice.between(0.12, 0.38);
    for _ in 0..dice.count(10, 24) {
        let (x, wide) = (dice.between(-0.05, 1.05), dice.between(0.008, 0.02));
        let (top, lean) = (dice.between(0.45, 0.85), dice.about(0.0, 0.08));
        let blade = path(|p| {
            p.move_to(x - wide, 1.1);
            p.quad_to(x - wide * 0.5, f32::midpoint(top, 1.1), x + lean, top);
            p.quad_to(x + wide * 1.5, f32::midpoint(top, 1.1), x + wide, 1.1);
            p.close();
        });
        let colour = Rgb::hsl(hue + dice.about(0.0, 0.02), dice.between(0.3, 0.6), dice.between(0.2, 0.5));
        canvas.fill(Neutral, &blade, Ink::Flat(colour), at);
    }
}

fn ball(canvas: &mut Canvas, dice: &mut Dice, at: Transform, middle: At, radius: f32) {
    let colour = Rgb::hsl(dice.between(0.0, 1.0), dice.between(0.3, 0.85), dice.between(0.3, 0.6));
    let lit = (middle.0 - radius * 0.35, middle.1 - radius * 0.4);
    let ink = Ink::Glow {
        centre: lit,
        radius: radius * 1.5,
        inner: (colour.lighter(0.35), 1.0),
        outer: (colour.darker(0.45), 1.0),
    };
    canvas.fill(Neutral, &ellipse(middle, radius, radius), ink, at);
}
