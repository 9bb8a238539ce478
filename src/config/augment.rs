//! `[data.augment]`: how training images are varied, in the words of Keras's `ImageDataGenerator` and of torchvision.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Largest turn to either side, in degrees.
    pub rotation_range: f64,
    pub width_shift_range: ShiftRange,
    pub height_shift_range: ShiftRange,
    /// Largest shear angle to either side, in degrees.
    pub shear_range: f64,
    pub zoom_range: ZoomRange,
    pub horizontal_flip: bool,
    pub vertical_flip: bool,
    pub fill_mode: FillMode,
    /// The grey level of `fill_mode = "constant"`.
    pub cval: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brightness_range: Option<[f64; 2]>,
    /// In grey levels.
    pub channel_shift_range: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random_resized_crop: Option<ResizedCrop>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color_jitter: Option<ColorJitter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random_erasing: Option<Erasing>,
    /// α of mixup and of `CutMix`; 0: never.
    pub mixup: f64,
    pub cutmix: f64,
    /// So many variants of each image are drawn, kept, and shown in turn; 0: a new one in each epoch.
    pub cache: u32,
}

/// Keras tells its three forms apart by type, and so does TOML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or a list of numbers to choose from")]
pub enum ShiftRange {
    /// One of the whole numbers of pixels below.
    Whole(u32),
    /// Up to so far: below 1 a fraction of the side, otherwise pixels.
    UpTo(f64),
    /// One of these, to either side: fractions if all are below 1, otherwise pixels.
    OneOf(Vec<f64>),
}

impl Default for ShiftRange {
    fn default() -> Self {
        Self::UpTo(0.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or [lower, upper]")]
pub enum ZoomRange {
    /// From 1 less this to 1 and this.
    Around(f64),
    Between([f64; 2]),
}

impl Default for ZoomRange {
    fn default() -> Self {
        Self::Around(0.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillMode {
    #[default]
    Nearest,
    Constant,
    Reflect,
    Wrap,
}

/// torchvision's `RandomResizedCrop`, with its defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResizedCrop {
    /// Shares of the area.
    pub scale: [f64; 2],
    /// Width over height.
    pub ratio: [f64; 2],
}

impl Default for ResizedCrop {
    fn default() -> Self {
        Self { scale: [0.08, 1.0], ratio: [3.0 / 4.0, 4.0 / 3.0] }
    }
}

/// torchvision's `ColorJitter`.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColorJitter {
    pub brightness: JitterRange,
    pub contrast: JitterRange,
    pub saturation: JitterRange,
    pub hue: JitterRange,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or [lower, upper]")]
pub enum JitterRange {
    /// To either side of no change, which is 1, for hue 0.
    Around(f64),
    Between([f64; 2]),
}

impl Default for JitterRange {
    fn default() -> Self {
        Self::Around(0.0)
    }
}

/// torchvision's `RandomErasing`, with its defaults; `value` is in grey levels here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Erasing {
    pub probability: f64,
    pub scale: [f64; 2],
    /// Height over width.
    pub ratio: [f64; 2],
    pub value: Colour,
}

impl Default for Erasing {
    fn default() -> Self {
        Self { probability: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3], value: Colour::Grey(0) }
    }
}

/// Levels from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a grey level from 0 to 255, or [red, green, blue]")]
pub enum Colour {
    Grey(u8),
    Rgb([u8; 3]),
}
