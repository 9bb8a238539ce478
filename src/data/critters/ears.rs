//! Ears, a tell: most cats' stand up to a point; most dogs' hang, fold over, or are round.

use tiny_skia::Transform;

use super::Species;
use super::animal::{Coat, Pose};
use super::canvas::{BLACK, Canvas, Ink, Part::Tell, Rgb, path, polygon, smooth};
use super::dice::Dice;

/// The pair of one animal. Some are seen behind the head, some in front of it, some both.
pub(super) enum Ears {
    /// A triangle with the tip at `(tip_x, -tip_y)`, its outer edge ending at `base_y`.
    Pointed {
        tip: (f32, f32),
        outer: f32,
        bulge: f32,
        tufts: bool,
    },
    /// A flap that hangs from the side of the crown for `length`.
    Hanging {
        length: f32,
        wide: f32,
        swing: f32,
    },
    /// Stands up and folds over; the tip points at the eye.
    Folded {
        rise: f32,
        tip: (f32, f32),
    },
    Round {
        radius: f32,
        at: (f32, f32),
    },
}

impl Ears {
    /// A few dogs prick their ears and a few cats fold theirs, so that ears alone do not settle it.
    pub(super) fn roll(dice: &mut Dice, species: Species) -> Self {
        let kind = dice.between(0.0, 1.0);
        match species {
            Species::Cat if kind < 0.96 => Self::pointed(dice),
            Species::Cat => Self::folded(dice),
            Species::Dog if kind < 0.58 => Self::Hanging {
                length: dice.between(0.75, 1.35),
                wide: dice.between(0.3, 0.46),
                swing: dice.between(-0.05, 0.3),
            },
            Species::Dog if kind < 0.77 => Self::folded(dice),
            Species::Dog if kind < 0.94 => Self::Round {
                radius: dice.between(0.3, 0.42),
                at: (dice.between(0.62, 0.76), dice.between(-0.82, -0.68)),
            },
            Species::Dog => Self::pointed(dice),
        }
    }

    fn pointed(dice: &mut Dice) -> Self {
        Self::Pointed {
            tip: (dice.between(0.6, 0.98), dice.between(1.22, 1.58)),
            outer: dice.between(-0.42, -0.18),
            bulge: dice.between(0.0, 0.1),
            tufts: dice.chance(0.3),
        }
    }

    fn folded(dice: &mut Dice) -> Self {
        Self::Folded { rise: dice.between(1.02, 1.22), tip: (dice.between(0.85, 1.12), dice.between(-0.62, -0.35)) }
    }

    /// What the head hides in part; drawn before it.
    pub(super) fn draw_behind(&self, canvas: &mut Canvas, pose: &Pose, coat: &Coat) {
        for side in [-1.0, 1.0] {
            let at = place(pose, side, -0.1);
            match *self {
                Self::Pointed { tip, outer, bulge, tufts } => pointed(canvas, at, coat, tip, outer, bulge, tufts),
                Self::Round { radius, at: middle } => round(canvas, at, coat, radius, middle),
                Self::Folded { rise, .. } => {
                    let back = smooth(&[
                        (0.2, -0.7),
                        (0.42, -rise),
                        (0.72, -rise * 1.02),
                        (0.98, -0.75),
                        (0.9, -0.3),
                        (0.5, -0.4),
                    ]);
                    canvas.fill(Tell, &back, Ink::Flat(coat.ear), at);
                }
                Self::Hanging { .. } => {}
            }
        }
    }

    /// What hangs over the head; drawn after it.
    pub(super) fn draw_before(&self, canvas: &mut Canvas, pose: &Pose, coat: &Coat) {
        for side in [-1.0, 1.0] {
            let at = place(pose, side, 0.1);
            match *self {
                Self::Hanging { length, wide, swing } => hanging(canvas, at, coat, length, wide, swing),
                Self::Folded { rise, tip } => {
                    let flap = smooth(&[
                        (0.4, -rise * 0.98),
                        (0.72, -rise),
                        (1.0, -0.8),
                        tip,
                        (tip.0 - 0.12, tip.1 - 0.02),
                        (0.62, -0.72),
                    ]);
                    flap_ink(canvas, at, &flap, coat, -rise, tip.1);
                }
                Self::Pointed { .. } | Self::Round { .. } => {}
            }
        }
    }
}

/// The ear on the far side of a turned head looks narrower.
fn place(pose: &Pose, side: f32, z: f32) -> Transform {
    let far = 1.0 - 0.45 * side * pose.yaw.sin();
    let pivot = 0.6;
    pose.at(z).pre_scale(side, 1.0).pre_translate(pivot, 0.0).pre_scale(far, 1.0).pre_translate(-pivot, 0.0)
}

fn pointed(canvas: &mut Canvas, at: Transform, coat: &Coat, tip: (f32, f32), outer: f32, bulge: f32, tufts: bool) {
    let (x, y) = (tip.0, -tip.1);
    let shape = |inset: f32| {
        // The inner ear is the same triangle, drawn in towards its middle.
        let middle = (0.62, -0.72);
        let to = |px: f32, py: f32| (px + (middle.0 - px) * inset, py + (middle.1 - py) * inset * 0.8);
        let (inner_base, top, outer_base) = (to(0.14, -0.86), to(x, y), to(1.0, outer));
        let (left, right) = (
            to(f32::midpoint(0.14, x) - bulge, f32::midpoint(y, -0.86) - bulge),
            to(f32::midpoint(1.0, x) + bulge * 1.5, f32::midpoint(y, outer) - bulge),
        );
        path(|p| {
            p.move_to(inner_base.0, inner_base.1);
            p.quad_to(left.0, left.1, top.0, top.1);
            p.quad_to(right.0, right.1, outer_base.0, outer_base.1);
            p.close();
        })
    };
    let base = coat.ear;
    canvas.fill(
        Tell,
        &shape(0.0),
        Ink::Fade { from: (x, y), to: (0.5, -0.5), start: (base.darker(0.22), 1.0), end: (base, 1.0) },
        at,
    );
    canvas.fill(
        Tell,
        &shape(0.36),
        Ink::Fade { from: (x, y), to: (0.6, -0.5), start: (coat.skin, 1.0), end: (coat.skin.darker(0.35), 1.0) },
        at,
    );
    if tufts {
        let hairs = path(|p| {
            for step in 0..5 {
                let from = 0.34 + 0.07 * step as f32;
                p.move_to(from, -0.72);
                p.quad_to(from + 0.08, -0.85, from * 0.5 + x * 0.5, -0.98 - 0.04 * (step % 2) as f32);
            }
        });
        canvas.stroke(Tell, &hairs, 0.035, Ink::Flat(coat.pale), at);
    }
}

fn hanging(canvas: &mut Canvas, at: Transform, coat: &Coat, length: f32, wide: f32, swing: f32) {
    let end = -0.72 + length;
    let (inner, outer) = (0.72 + swing, 0.72 + swing + wide);
    let flap = smooth(&[
        (0.42, -0.86),
        (0.72, -0.93),
        (outer - 0.02, -0.68),
        (outer + 0.06, end - 0.4),
        (outer - 0.02, end - 0.08),
        (f32::midpoint(inner, outer) - 0.02, end),
        (inner, end - 0.15),
        (inner - 0.04, end - 0.5),
        (0.66, -0.5),
        (0.5, -0.62),
    ]);
    flap_ink(canvas, at, &flap, coat, -0.9, end);
}

fn flap_ink(canvas: &mut Canvas, at: Transform, flap: &tiny_skia::Path, coat: &Coat, top: f32, end: f32) {
    let base: Rgb = coat.ear;
    canvas.fill(
        Tell,
        flap,
        Ink::Fade { from: (0.6, top), to: (0.9, end), start: (base.lighter(0.06), 1.0), end: (base.darker(0.3), 1.0) },
        at,
    );
    canvas.stroke(Tell, flap, 0.04, Ink::Glaze(BLACK, 0.35), at);
}

fn round(canvas: &mut Canvas, at: Transform, coat: &Coat, radius: f32, middle: (f32, f32)) {
    let disc = |scale: f32| super::canvas::ellipse(middle, radius * scale, radius * scale * 1.02);
    canvas.fill(Tell, &disc(1.0), Ink::Flat(coat.ear), at);
    canvas.fill(Tell, &disc(0.62), Ink::Flat(coat.skin.darker(0.2)), at);
    let fold = polygon(&[
        (middle.0 - radius * 0.2, middle.1 + radius * 1.2),
        (middle.0 + radius * 0.4, middle.1),
        (middle.0 + radius * 0.9, middle.1 + radius),
    ]);
    canvas.fill(Tell, &fold, Ink::Glaze(coat.ear.darker(0.3), 0.5), at);
}
