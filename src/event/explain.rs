//! What the engine answers to `frostline explain`, one JSON object a line. Numbers by the thousand lie in a file beside, which the
//! answer names: tensors as a checkpoint keeps them.

use serde::{Deserialize, Serialize};

use super::real;
use crate::command::Method;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Work that takes a while.
    Progress {
        done: u64,
        total: u64,
    },
    /// An image that could not be read, in its place.
    Unreadable {
        image: String,
        error: String,
    },
    Heat(Heat),
    Activations(Activations),
    Filters(Filters),
    Scored(Scored),
}

impl Answer {
    /// The one beside it.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Progress { .. } | Self::Unreadable { .. } | Self::Scored(_) => None,
            Self::Heat(heat) => Some(&heat.file),
            Self::Activations(seen) => Some(&seen.file),
            Self::Filters(filters) => Some(&filters.file),
        }
    }
}

/// What in an image speaks for a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heat {
    pub image: String,
    pub method: Method,
    /// For methods that look at one.
    pub layer: Option<String>,
    pub class: Named,
    /// As the image's folder is called, if that is a class.
    pub truth: Option<String>,
    /// The likeliest classes, ten at most.
    pub top: Vec<Named>,
    /// Nothing speaks for the class.
    pub empty: bool,
    /// Holds [`HEAT`], `[h, w]` in 0–1.
    pub file: String,
}

/// A class and what the network gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named {
    pub index: u32,
    pub class: String,
    #[serde(with = "real::single")]
    pub probability: f32,
}

/// Channels of layers for one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activations {
    pub image: String,
    pub layers: Vec<Layer>,
    pub top: Vec<Named>,
    /// Holds `[c, h, w]` by the layers' names.
    pub file: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    pub name: String,
    /// Keras's class name.
    pub kind: String,
    /// `[c, h, w]`.
    pub shape: [usize; 3],
    /// The least and the largest value that the activation can give, where there is one.
    pub bounds: [Option<f32>; 2],
}

/// Pictures that filters like, while they form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filters {
    pub layer: String,
    pub filters: Vec<u32>,
    /// Steps.
    pub done: u64,
    pub total: u64,
    /// What each filter puts out for its picture, on average over the map.
    #[serde(with = "real::list")]
    pub means: Vec<f32>,
    /// Holds [`PICTURES`], `[n, h, w, c]`, bytes.
    pub file: String,
}

/// How well a method finds what is known to tell the classes apart; means over images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    pub method: Method,
    /// With the run's weights, or as they were before training.
    pub trained: bool,
    pub layer: String,
    pub images: u64,
    /// Share of them that the network names right.
    #[serde(with = "real")]
    pub accuracy: f64,
    /// Share of the pixels that tell the classes apart: what a map without any knowledge reaches in the two below.
    #[serde(with = "real")]
    pub chance: f64,
    /// Share of the images whose hottest pixel tells the classes apart.
    #[serde(with = "real")]
    pub pointing: f64,
    /// Share of the heat on such pixels.
    #[serde(with = "real")]
    pub energy: f64,
    /// Mean probability of the class while the hottest pixels are taken away; lower is better.
    #[serde(with = "real")]
    pub deletion: f64,
    /// And while they are put onto a blurred image; higher is better.
    #[serde(with = "real")]
    pub insertion: f64,
    /// Images for which nothing spoke for the class; they count as misses, and not in `energy`.
    pub empty: u64,
    /// How much the map resembles the one of the untrained network: Spearman's rank correlation. A method that shows edges whatever
    /// the weights are stays near 1.
    pub likeness: Option<f64>,
}

pub const HEAT: &str = "heat";
pub const PICTURES: &str = "pictures";

/// The book's for pictures of filters (listings 5.38 and 5.39): steps of the ascent, pixels of a side, and how many filters stand in a
/// grid.
pub const ASCENT_STEPS: u32 = 40;
pub const FILTER_SIDE: u32 = 64;
pub const MOST_FILTERS: u32 = 64;
