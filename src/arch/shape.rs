//! What shape comes out of a layer, and when that cannot be.

use std::fmt;

use super::{Op, Padding, Problem, Window};

/// The shape of one image's tensor on its way through the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Map { height: usize, width: usize, channels: usize },
    Vector(usize),
}

impl Shape {
    pub fn channels(self) -> usize {
        match self {
            Self::Map { channels, .. } | Self::Vector(channels) => channels,
        }
    }

    pub fn elements(self) -> usize {
        match self {
            Self::Map { height, width, channels } => height * width * channels,
            Self::Vector(length) => length,
        }
    }

    fn map(self) -> Result<[usize; 3], Problem> {
        match self {
            Self::Map { height, width, channels } => Ok([height, width, channels]),
            Self::Vector(_) => Err(Problem::NeedsMap(self)),
        }
    }
}

/// As Keras prints it, with the batch first.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map { height, width, channels } => write!(f, "(None, {height}, {width}, {channels})"),
            Self::Vector(length) => write!(f, "(None, {length})"),
        }
    }
}

/// Zeros to put before and after an axis of `length` for [`Padding::Same`].
pub fn same_padding(length: usize, extent: usize, stride: usize) -> (usize, usize) {
    let outputs = length.div_ceil(stride);
    let total = ((outputs - 1) * stride + extent).saturating_sub(length);
    (total / 2, total - total / 2)
}

pub(super) fn infer(op: &Op, inputs: &[Shape]) -> Result<Shape, Problem> {
    check_settings(op)?;
    match op {
        Op::Add => {
            several(inputs)?;
            match inputs.iter().find(|&&shape| shape != inputs[0]) {
                Some(&other) => Err(Problem::InputsDiffer { first: inputs[0], other }),
                None => Ok(inputs[0]),
            }
        }
        Op::Concatenate => concatenate(inputs),
        _ if inputs.len() == 1 => infer_one(op, inputs[0]),
        _ => Err(Problem::InputCount { expected: "one input", found: inputs.len() }),
    }
}

fn infer_one(op: &Op, input: Shape) -> Result<Shape, Problem> {
    match *op {
        Op::Conv2d { filters, window, groups, .. } => {
            let channels = input.map()?[2];
            if groups == 0 || !channels.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
                return Err(Problem::Groups { groups, channels, filters });
            }
            slide(window, input, filters)
        }
        Op::DepthwiseConv2d { window, multiplier, .. } => slide(window, input, input.map()?[2] * multiplier),
        Op::SeparableConv2d { filters, window, .. } => slide(window, input, filters),
        Op::MaxPool2d { window } | Op::AveragePool2d { window } => slide(window, input, input.channels()),
        Op::Dense { units, .. } => match input {
            Shape::Vector(_) => Ok(Shape::Vector(units)),
            Shape::Map { .. } => Err(Problem::NeedsVector(input)),
        },
        Op::GlobalMaxPool2d | Op::GlobalAveragePool2d => Ok(Shape::Vector(input.map()?[2])),
        Op::Flatten => Ok(Shape::Vector(input.elements())),
        Op::ZeroPadding2d { top, bottom, left, right } => {
            let [height, width, channels] = input.map()?;
            Ok(Shape::Map { height: height + top + bottom, width: width + left + right, channels })
        }
        Op::BatchNorm { .. } | Op::Dropout { .. } | Op::Activation(_) | Op::Rescaling { .. } => Ok(input),
        Op::Preprocessing(ref preprocessing) => preprocessing.affine(input.map()?[2]).map(|_| input),
        Op::Add | Op::Concatenate => unreachable!("merged layers are inferred from all their inputs"),
    }
}

/// The output of a kernel or pool that slides over `input` and leaves `channels` channels.
fn slide(window: Window, input: Shape, channels: usize) -> Result<Shape, Problem> {
    let [height, width, _] = input.map()?;
    let extent = window.extent();
    let along = |length: usize, axis: usize| match window.padding {
        Padding::Same => Some(length.div_ceil(window.strides[axis])),
        Padding::Valid | Padding::Symmetric(_) => {
            let around = if let Padding::Symmetric(margin) = window.padding { 2 * margin[axis] } else { 0 };
            (length + around).checked_sub(extent[axis]).map(|room| room / window.strides[axis] + 1)
        }
    };
    match (along(height, 0), along(width, 1)) {
        (Some(height), Some(width)) => Ok(Shape::Map { height, width, channels }),
        _ => Err(Problem::WindowTooLarge { height: extent[0], width: extent[1], input }),
    }
}

fn concatenate(inputs: &[Shape]) -> Result<Shape, Problem> {
    several(inputs)?;
    let sides = |shape: Shape| match shape {
        Shape::Map { height, width, .. } => Some((height, width)),
        Shape::Vector(_) => None,
    };
    if let Some(&other) = inputs.iter().find(|&&shape| sides(shape) != sides(inputs[0])) {
        return Err(Problem::InputsDiffer { first: inputs[0], other });
    }
    let channels = inputs.iter().map(|shape| shape.channels()).sum();
    Ok(match sides(inputs[0]) {
        Some((height, width)) => Shape::Map { height, width, channels },
        None => Shape::Vector(channels),
    })
}

fn several(inputs: &[Shape]) -> Result<(), Problem> {
    if inputs.len() < 2 {
        return Err(Problem::InputCount { expected: "two or more inputs", found: inputs.len() });
    }
    Ok(())
}

fn check_settings(op: &Op) -> Result<(), Problem> {
    let counts: &[(&'static str, usize)] = match op {
        Op::Conv2d { filters, groups, .. } => &[("filters", *filters), ("groups", *groups)],
        Op::DepthwiseConv2d { multiplier, .. } => &[("depth_multiplier", *multiplier)],
        Op::SeparableConv2d { filters, multiplier, .. } => &[("filters", *filters), ("depth_multiplier", *multiplier)],
        Op::Dense { units, .. } => &[("units", *units)],
        _ => &[],
    };
    if let Some(&(what, _)) = counts.iter().find(|(_, count)| *count == 0) {
        return Err(Problem::Zero { what });
    }
    match op {
        Op::Conv2d { window, .. }
        | Op::DepthwiseConv2d { window, .. }
        | Op::SeparableConv2d { window, .. }
        | Op::MaxPool2d { window }
        | Op::AveragePool2d { window } => check_window(*window),
        Op::Dropout { rate } if !(0.0..1.0).contains(rate) => {
            Err(Problem::Range { what: "rate", value: *rate, range: "[0, 1)" })
        }
        Op::BatchNorm { momentum, .. } if !(0.0..=1.0).contains(momentum) => {
            Err(Problem::Range { what: "momentum", value: *momentum, range: "[0, 1]" })
        }
        Op::BatchNorm { epsilon, .. } if !(f64::from(f32::MIN_POSITIVE)..=1.0).contains(epsilon) => {
            Err(Problem::Range { what: "epsilon", value: *epsilon, range: "(0, 1]" })
        }
        _ => Ok(()),
    }
}

fn check_window(window: Window) -> Result<(), Problem> {
    let sides = [("the window", window.size), ("strides", window.strides), ("dilation_rate", window.dilation)];
    if let Some(&(what, _)) = sides.iter().find(|(_, side)| side.contains(&0)) {
        return Err(Problem::Zero { what });
    }
    if window.strides != [1, 1] && window.dilation != [1, 1] {
        return Err(Problem::StridedDilation);
    }
    Ok(())
}
