//! What every animal has, whatever its species: where it looks, how its head is shaped, and its coat.

use tiny_skia::Transform;

use super::canvas::Rgb;
use super::dice::Dice;

/// Lengths of a face are in head radii, the origin is the middle of the head, y points down. A depth `z` (towards the viewer)
/// makes a part move when the head turns.
#[derive(Clone, Copy)]
pub(super) struct Pose {
    /// Middle of the head and its radius, in pixels.
    centre: (f32, f32),
    radius: f32,
    /// Radians: turned to the viewer's right, down, and tilted clockwise.
    pub(super) yaw: f32,
    pitch: f32,
    roll: f32,
    /// The lens: a little wider or taller.
    squash: f32,
}

impl Pose {
    pub(super) fn roll(dice: &mut Dice, height: f32, width: f32) -> Self {
        let side = height.min(width);
        Self {
            centre: (width * 0.5 + side * dice.about(0.0, 0.08), height * 0.5 + side * dice.about(0.05, 0.06)),
            radius: side * dice.between(0.19, 0.34),
            yaw: dice.about(0.0, 0.27),
            pitch: dice.about(0.0, 0.13),
            roll: dice.about(0.0, 0.22),
            squash: dice.about(1.0, 0.04),
        }
    }

    /// Face coordinates at a depth to pixels.
    pub(super) fn at(&self, z: f32) -> Transform {
        self.placed(self.yaw.cos(), self.pitch.cos(), z * self.yaw.sin(), z * self.pitch.sin())
    }

    /// For what looks the same from all sides: the head itself.
    pub(super) fn ball(&self) -> Transform {
        self.placed(1.0, 1.0, 0.0, 0.0)
    }

    fn placed(&self, across: f32, down: f32, right: f32, lower: f32) -> Transform {
        let (sin, cos) = self.roll.sin_cos();
        let (wide, tall) = (self.radius * self.squash, self.radius / self.squash);
        Transform::from_row(across * wide, 0.0, 0.0, down * tall, right * wide, lower * tall)
            .post_concat(Transform::from_row(cos, sin, -sin, cos, self.centre.0, self.centre.1))
    }
}

/// Fur and skin. The same palettes for both species.
#[derive(Clone, Copy)]
pub(super) struct Coat {
    pub(super) base: Rgb,
    /// Of the markings.
    pub(super) second: Rgb,
    /// Of muzzle, chest and blaze, where they are light.
    pub(super) pale: Rgb,
    pub(super) ear: Rgb,
    pub(super) muzzle: Rgb,
    pub(super) nose: Rgb,
    pub(super) skin: Rgb,
    pub(super) whisker: Rgb,
    pub(super) pattern: Pattern,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    Plain,
    Patches,
    Stripes,
    Spots,
    Shadow,
}

const FURS: [Rgb; 14] = [
    Rgb(0.13, 0.12, 0.13),
    Rgb(0.25, 0.25, 0.28),
    Rgb(0.48, 0.49, 0.51),
    Rgb(0.40, 0.45, 0.52),
    Rgb(0.70, 0.70, 0.71),
    Rgb(0.93, 0.91, 0.88),
    Rgb(0.90, 0.81, 0.66),
    Rgb(0.85, 0.53, 0.24),
    Rgb(0.72, 0.41, 0.20),
    Rgb(0.55, 0.36, 0.22),
    Rgb(0.40, 0.27, 0.19),
    Rgb(0.28, 0.19, 0.15),
    Rgb(0.77, 0.63, 0.45),
    Rgb(0.60, 0.52, 0.43),
];

const NOSES: [Rgb; 5] =
    [Rgb(0.10, 0.09, 0.10), Rgb(0.16, 0.13, 0.14), Rgb(0.34, 0.19, 0.16), Rgb(0.62, 0.36, 0.34), Rgb(0.86, 0.56, 0.54)];

const PATTERNS: [Pattern; 8] = [
    Pattern::Plain,
    Pattern::Plain,
    Pattern::Patches,
    Pattern::Patches,
    Pattern::Stripes,
    Pattern::Stripes,
    Pattern::Spots,
    Pattern::Shadow,
];

/// One of the furs, never quite the same.
pub(super) fn fur(dice: &mut Dice) -> Rgb {
    let Rgb(red, green, blue) = dice.pick(&FURS);
    let light = dice.about(0.0, 0.03);
    Rgb(red + light + dice.about(0.0, 0.015), green + light, blue + light + dice.about(0.0, 0.015))
}

impl Coat {
    pub(super) fn roll(dice: &mut Dice) -> Self {
        let base = fur(dice);
        let mut second = fur(dice);
        if (second.lightness() - base.lightness()).abs() < 0.13 {
            second = if base.lightness() > 0.45 { base.darker(0.45) } else { base.lighter(0.35) };
        }
        let pale = base.mix(Rgb(0.96, 0.94, 0.9), dice.between(0.45, 0.95));
        let skin = Rgb(0.87, 0.62, 0.58).mix(base, dice.between(0.1, 0.6));
        let muzzle = match dice.count(0, 3) {
            0 => base.lighter(0.06),
            1 => second.mix(base, 0.4),
            _ => pale,
        };
        let ear = if dice.chance(0.4) { second } else { base.darker(dice.between(0.0, 0.25)) };
        let whisker =
            if muzzle.lightness() > 0.6 && dice.chance(0.4) { Rgb(0.2, 0.18, 0.17) } else { Rgb(0.97, 0.96, 0.93) };
        Self { base, second, pale, ear, muzzle, nose: dice.pick(&NOSES), skin, whisker, pattern: dice.pick(&PATTERNS) }
    }
}
