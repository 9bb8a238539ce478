//! What the families are written with: layers appended one by one, each naming what it reads, and Keras's running numbers for
//! those that Keras leaves without a name.

use std::collections::HashMap;

use crate::arch::{Activation, LayerSpec, Op, Padding, Window};

/// A list of layers that grows. Names are handed from one call to the next; an empty one stands for the layer before, or the image.
#[derive(Default)]
pub(super) struct Graph {
    layers: Vec<LayerSpec>,
    numbers: HashMap<&'static str, usize>,
}

/// The settings of a network's batch normalisations.
#[derive(Clone, Copy)]
pub(super) struct Norm {
    pub momentum: f64,
    pub epsilon: f64,
    /// Whether there is a gamma.
    pub scale: bool,
}

impl Norm {
    /// Keras's defaults, which are TensorFlow's.
    pub const KERAS: Self = Self { momentum: 0.99, epsilon: 1e-3, scale: true };
    /// PyTorch's, whose momentum of 0.1 is the share of what is new.
    pub const TORCH: Self = Self { momentum: 0.9, epsilon: 1e-5, scale: true };
}

impl Graph {
    /// Returns the layer's name.
    pub fn push(&mut self, from: &str, name: impl Into<String>, op: Op) -> String {
        if from.is_empty() { self.join(&[], name, op) } else { self.join(&[from], name, op) }
    }

    pub fn join(&mut self, inputs: &[&str], name: impl Into<String>, op: Op) -> String {
        let name = name.into();
        let inputs = inputs.iter().map(|&input| input.to_owned()).collect();
        self.layers.push(LayerSpec { name: Some(name.clone()), op, inputs });
        name
    }

    /// The name that Keras gives the next layer of this kind in a new model.
    pub fn number(&mut self, op: &Op) -> String {
        let stem = op.stem();
        let count = self.numbers.entry(stem).or_insert(0);
        *count += 1;
        if *count == 1 { stem.to_owned() } else { format!("{stem}_{}", *count - 1) }
    }

    /// With such a name.
    pub fn push_numbered(&mut self, from: &str, op: Op) -> String {
        let name = self.number(&op);
        self.push(from, name, op)
    }

    pub fn norm(&mut self, from: &str, name: impl Into<String>, norm: Norm) -> String {
        self.push(from, name, norm_op(norm))
    }

    pub fn relu(&mut self, from: &str, name: impl Into<String>) -> String {
        self.push(from, name, Op::Activation(Activation::Relu))
    }

    /// The top that most networks share: the mean of each channel, then ImageNet's thousand classes.
    pub fn classify(&mut self, from: &str) {
        let mean = self.push(from, "avg_pool", Op::GlobalAveragePool2d);
        self.predict(&mean);
    }

    pub fn predict(&mut self, from: &str) {
        self.push(from, "predictions", dense(super::CLASSES, Activation::Softmax));
    }

    pub fn into_layers(self) -> Vec<LayerSpec> {
        self.layers
    }
}

pub(super) fn norm_op(Norm { momentum, epsilon, scale }: Norm) -> Op {
    Op::BatchNorm { momentum, epsilon, center: true, scale }
}

/// With equal strides on both axes.
pub(super) fn window(size: [usize; 2], stride: usize, padding: Padding) -> Window {
    Window { size, strides: [stride; 2], padding, dilation: [1, 1] }
}

pub(super) fn square(side: usize, stride: usize, padding: Padding) -> Window {
    window([side; 2], stride, padding)
}

/// Without activation.
pub(super) fn conv(filters: usize, window: Window, bias: bool) -> Op {
    Op::Conv2d { filters, window, groups: 1, bias, activation: Activation::Linear }
}

/// Without bias and activation.
pub(super) fn depthwise(window: Window) -> Op {
    Op::DepthwiseConv2d { window, multiplier: 1, bias: false, activation: Activation::Linear }
}

pub(super) fn dense(units: usize, activation: Activation) -> Op {
    Op::Dense { units, bias: true, activation }
}
