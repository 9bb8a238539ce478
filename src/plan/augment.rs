//! From `[data.augment]` to what the data room does: forms that mean the same become one, and figures that make no sense are refused.

use super::PlanError;
use crate::{
    config::{self, Colour, FillMode, JitterRange, ShiftRange, ZoomRange},
    data::{Augment, Erasing, Fill, Jitter, Mixing, ResizedCrop, Shift, Steps},
};

/// No picture has a longer side.
const FARTHEST: f64 = 16384.0;

pub(super) fn resolve(augment: &config::Augment) -> Result<Augment, PlanError> {
    if augment.cache > 0 && (augment.mixup > 0.0 || augment.cutmix > 0.0) {
        return Err(PlanError::CachedMixture { key: if augment.mixup > 0.0 { "mixup" } else { "cutmix" } });
    }
    let cval = level("data.augment.cval", augment.cval)?;
    Ok(Augment {
        rotation: reach(
            "data.augment.rotation_range",
            augment.rotation_range,
            360.0,
            "an angle from 0 to 360 degrees",
        )?,
        width_shift: shift("data.augment.width_shift_range", &augment.width_shift_range)?,
        height_shift: shift("data.augment.height_shift_range", &augment.height_shift_range)?,
        // At a right angle nothing is left of the picture.
        shear: reach("data.augment.shear_range", augment.shear_range, 89.0, "an angle from 0 to 89 degrees")?,
        zoom: zoom(augment.zoom_range)?,
        horizontal_flip: augment.horizontal_flip,
        vertical_flip: augment.vertical_flip,
        fill: match augment.fill_mode {
            FillMode::Nearest => Fill::Nearest,
            FillMode::Constant => Fill::Constant(cval),
            FillMode::Reflect => Fill::Reflect,
            FillMode::Wrap => Fill::Wrap,
        },
        brightness: match augment.brightness_range {
            Some(range) => Some(between("data.augment.brightness_range", range, [0.0, FACTOR], FACTORS)?),
            None => None,
        },
        channel_shift: reach("data.augment.channel_shift_range", augment.channel_shift_range, 255.0, "from 0 to 255")?,
        crop: augment.random_resized_crop.map(crop).transpose()?,
        jitter: augment.color_jitter.map(jitter).transpose()?,
        erasing: augment.random_erasing.map(erasing).transpose()?,
        mixing: Mixing {
            mixup: reach("data.augment.mixup", augment.mixup, ALPHA, ALPHAS)?,
            cutmix: reach("data.augment.cutmix", augment.cutmix, ALPHA, ALPHAS)?,
        },
        variants: augment.cache,
    })
}

const FACTOR: f64 = 100.0;
const FACTORS: &str = "a factor from 0 to 100, the lower one first";
const ALPHA: f64 = 1000.0;
const ALPHAS: &str = "from 0 to 1000";
const SHARES: &str = "a share of the area, above 0 and up to 1, the lower one first";
const RATIOS: &str = "above 0 and up to 100, the lower one first";

fn check(key: &'static str, value: f64, fits: bool, range: &'static str) -> Result<(), PlanError> {
    if fits { Ok(()) } else { Err(PlanError::Range { key, value, range }) }
}

/// From 0 to `most`.
fn reach(key: &'static str, value: f64, most: f64, range: &'static str) -> Result<f64, PlanError> {
    check(key, value, (0.0..=most).contains(&value), range)?;
    Ok(value)
}

fn level(key: &'static str, value: f64) -> Result<u8, PlanError> {
    reach(key, value, 255.0, "a grey level from 0 to 255").map(|level| level.round() as u8)
}

/// Both within bounds, and in order.
fn between(
    key: &'static str,
    [low, high]: [f64; 2],
    [least, most]: [f64; 2],
    range: &'static str,
) -> Result<[f64; 2], PlanError> {
    check(key, low, (least..=most).contains(&low), range)?;
    check(key, high, (low..=most).contains(&high), range)?;
    Ok([low, high])
}

fn shift(key: &'static str, range: &ShiftRange) -> Result<Shift, PlanError> {
    let fits = |value: f64| reach(key, value, FARTHEST, "a fraction of the side below 1, or up to 16384 pixels");
    Ok(match range {
        // `numpy.random.choice(n)` is a number below n.
        ShiftRange::Whole(0) => Shift::none(),
        &ShiftRange::Whole(below) => {
            fits(below.into())?;
            Shift { steps: Steps::OneOf((0..below).map(f64::from).collect()), relative: false }
        }
        &ShiftRange::UpTo(most) => Shift { steps: Steps::UpTo(fits(most)?), relative: most < 1.0 },
        ShiftRange::OneOf(steps) if steps.is_empty() => Shift::none(),
        ShiftRange::OneOf(steps) => {
            for step in steps {
                fits(step.abs())?;
            }
            Shift { steps: Steps::OneOf(steps.clone()), relative: steps.iter().all(|&step| step < 1.0) }
        }
    })
}

fn zoom(range: ZoomRange) -> Result<[f64; 2], PlanError> {
    match range {
        ZoomRange::Around(reach) => {
            let fits = (0.0..1.0).contains(&reach);
            check("data.augment.zoom_range", reach, fits, "from 0 to below 1, or [lower, upper]")?;
            Ok([1.0 - reach, 1.0 + reach])
        }
        ZoomRange::Between(both) => {
            between("data.augment.zoom_range", both, [0.01, FACTOR], "from 0.01 to 100, the lower one first")
        }
    }
}

fn crop(crop: config::ResizedCrop) -> Result<ResizedCrop, PlanError> {
    Ok(ResizedCrop {
        scale: between("data.augment.random_resized_crop.scale", crop.scale, [f64::MIN_POSITIVE, 1.0], SHARES)?,
        ratio: between("data.augment.random_resized_crop.ratio", crop.ratio, [f64::MIN_POSITIVE, 100.0], RATIOS)?,
    })
}

fn jitter(jitter: config::ColorJitter) -> Result<Jitter, PlanError> {
    let factor = |key, range| match range {
        JitterRange::Around(0.0) => Ok(None),
        JitterRange::Around(reached) => {
            let reached = reach(key, reached, FACTOR - 1.0, "from 0 to 99, or [lower, upper]")?;
            Ok(Some([(1.0 - reached).max(0.0), 1.0 + reached]))
        }
        JitterRange::Between(both) => between(key, both, [0.0, FACTOR], FACTORS).map(Some),
    };
    let hue = match jitter.hue {
        JitterRange::Around(0.0) => None,
        JitterRange::Around(turn) => {
            let turn = reach("data.augment.color_jitter.hue", turn, 0.5, "from 0 to 0.5 turns, or [lower, upper]")?;
            Some([-turn, turn])
        }
        JitterRange::Between(both) => Some(between(
            "data.augment.color_jitter.hue",
            both,
            [-0.5, 0.5],
            "from -0.5 to 0.5 turns, the lower one first",
        )?),
    };
    Ok(Jitter {
        brightness: factor("data.augment.color_jitter.brightness", jitter.brightness)?,
        contrast: factor("data.augment.color_jitter.contrast", jitter.contrast)?,
        saturation: factor("data.augment.color_jitter.saturation", jitter.saturation)?,
        hue,
    })
}

fn erasing(erasing: config::Erasing) -> Result<Erasing, PlanError> {
    Ok(Erasing {
        probability: reach("data.augment.random_erasing.probability", erasing.probability, 1.0, "from 0 to 1")?,
        scale: between("data.augment.random_erasing.scale", erasing.scale, [f64::MIN_POSITIVE, 1.0], SHARES)?,
        ratio: between("data.augment.random_erasing.ratio", erasing.ratio, [f64::MIN_POSITIVE, 100.0], RATIOS)?,
        value: match erasing.value {
            Colour::Grey(level) => [level; 3],
            Colour::Rgb(levels) => levels,
        },
    })
}
