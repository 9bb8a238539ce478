//! The same variations, further or less far: every range scaled about what changes nothing.

use super::{Augment, Erasing, Jitter, Mixing, ResizedCrop, Shift, Steps};

impl Augment {
    /// Each range `factor` times as wide, as far as it makes sense; with 0 no picture changes. What has no width is there or not: a flip
    /// stays as it is for every factor above 0. Erasing becomes as many times as frequent.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        if factor <= 0.0 {
            return Self { fill: self.fill, variants: self.variants, ..Self::default() };
        }
        let about_one = |[low, high]: [f64; 2], least: f64| {
            [(1.0 - (1.0 - low) * factor).max(least), (1.0 + (high - 1.0) * factor).max(least)]
        };
        let factors = |range: [f64; 2]| about_one(range, 0.0);
        Self {
            rotation: (self.rotation * factor).min(360.0),
            width_shift: self.width_shift.scaled(factor),
            height_shift: self.height_shift.scaled(factor),
            // At a right angle nothing is left of the picture.
            shear: (self.shear * factor).min(89.0),
            zoom: about_one(self.zoom, 0.01),
            brightness: self.brightness.map(factors),
            channel_shift: (self.channel_shift * factor).min(255.0),
            crop: self.crop.map(|ResizedCrop { scale, ratio }| ResizedCrop {
                scale: scale.map(|share| (1.0 - (1.0 - share) * factor).max(0.01)),
                // A ratio and its inverse are as far from a square.
                ratio: ratio.map(|ratio| ratio.powf(factor)),
            }),
            jitter: self.jitter.map(|jitter| Jitter {
                brightness: jitter.brightness.map(factors),
                contrast: jitter.contrast.map(factors),
                saturation: jitter.saturation.map(factors),
                hue: jitter.hue.map(|range| range.map(|turn| (turn * factor).clamp(-0.5, 0.5))),
            }),
            erasing: self
                .erasing
                .map(|erasing| Erasing { probability: (erasing.probability * factor).min(1.0), ..erasing }),
            mixing: Mixing { mixup: self.mixing.mixup * factor, cutmix: self.mixing.cutmix * factor },
            ..self.clone()
        }
    }
}

impl Shift {
    fn scaled(&self, factor: f64) -> Self {
        let steps = match &self.steps {
            Steps::UpTo(most) => Steps::UpTo(most * factor),
            Steps::OneOf(steps) => Steps::OneOf(steps.iter().map(|step| step * factor).collect()),
        };
        Self { steps, relative: self.relative }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_widen_about_what_changes_nothing() {
        let augment = Augment {
            rotation: 40.0,
            width_shift: Shift::fraction(0.2),
            zoom: [0.75, 1.5],
            horizontal_flip: true,
            brightness: Some([0.5, 1.25]),
            erasing: Some(Erasing { probability: 0.75, scale: [0.1, 0.2], ratio: [0.5, 2.0], value: [0; 3] }),
            crop: Some(ResizedCrop { scale: [0.5, 1.0], ratio: [0.5, 2.0] }),
            ..Augment::default()
        };
        let twice = augment.scaled(2.0);
        assert_eq!((twice.rotation, &twice.width_shift), (80.0, &Shift::fraction(0.4)));
        assert_eq!((twice.zoom, twice.brightness), ([0.5, 2.0], Some([0.0, 1.5])));
        assert_eq!(twice.erasing.map(|erasing| erasing.probability), Some(1.0));
        assert_eq!(twice.crop, Some(ResizedCrop { scale: [0.01, 1.0], ratio: [0.25, 4.0] }));
        assert!(twice.horizontal_flip && augment.scaled(0.5).horizontal_flip);
        assert_eq!(augment.scaled(0.5).zoom, [0.875, 1.25]);
        assert!(augment.scaled(0.0).is_none());
    }
}
