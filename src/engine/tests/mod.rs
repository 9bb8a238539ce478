//! The engine's tests: against Keras's figures (`tests/reference` makes them), against plain tensor operations, and against itself.
#![allow(clippy::unwrap_used)]

mod ascent;
mod device;
mod dropout;
mod explain;
mod explain_maps;
mod features;
mod formula;
mod freezing;
mod keras_layers;
mod keras_training;
mod kernels;
mod loss;
mod memory;
mod optimizer;
mod parts;
mod phases;
mod pool_first;
mod precision;
mod pretrained;
mod probe;
mod shards;
mod steps;
mod weights;
mod zoo;

use tch::{Device, Kind};

use crate::input::{self, Preprocess};
use crate::network::{self, Network};
use crate::stepper::{self, Target, TorchStepper};
use frostline::arch::{Activation, Arch, LayerSpec, Op, Padding, Shape, Window};
use frostline::data::{Batch, Size};
use frostline::plan;

pub(super) const CPU: Target = Target { device: Device::Cpu, compute: Kind::Float };

pub(super) const RULES: [plan::Optimizer; 6] = [
    plan::Optimizer::Sgd { momentum: 0.0, nesterov: false },
    plan::Optimizer::Sgd { momentum: 0.9, nesterov: true },
    plan::Optimizer::Rmsprop { rho: 0.9, momentum: 0.0, epsilon: 1e-7 },
    plan::Optimizer::Rmsprop { rho: 0.9, momentum: 0.5, epsilon: 1e-7 },
    plan::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 },
    plan::Optimizer::Adamw { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.004 },
];

pub(super) fn window(size: usize) -> Window {
    Window { size: [size; 2], strides: [1, 1], padding: Padding::Valid, dilation: [1, 1] }
}

pub(super) fn layer(op: Op) -> LayerSpec {
    LayerSpec { name: None, op, inputs: Vec::new() }
}

pub(super) fn conv(filters: usize, activation: Activation) -> LayerSpec {
    layer(Op::Conv2d { filters, window: window(3), groups: 1, bias: true, activation })
}

pub(super) fn pool() -> LayerSpec {
    layer(Op::MaxPool2d { window: Window { strides: [2, 2], ..window(2) } })
}

pub(super) fn dense(units: usize, activation: Activation) -> LayerSpec {
    layer(Op::Dense { units, bias: true, activation })
}

pub(super) fn norm() -> LayerSpec {
    layer(Op::BatchNorm { momentum: 0.99, epsilon: 1e-3, center: true, scale: true })
}

/// Small, with everything that training can get wrong: pooling, normalisation, dropout.
pub(super) fn small(classes: usize) -> Arch {
    let last = if classes == 2 { dense(1, Activation::Sigmoid) } else { dense(classes, Activation::Softmax) };
    let layers = [
        conv(4, Activation::Relu),
        pool(),
        conv(6, Activation::Linear),
        norm(),
        layer(Op::Activation(Activation::Relu)),
        layer(Op::Flatten),
        dense(8, Activation::Relu),
        layer(Op::Dropout { rate: 0.3 }),
        last,
    ];
    Arch::new("small", Shape::Map { height: 12, width: 12, channels: 3 }, &layers).unwrap()
}

/// Bytes that look random and are the same everywhere (a linear congruential generator, Knuth's constants).
pub(super) fn batch(index: usize, count: usize, size: Size, classes: i64) -> Batch {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ (index as u64 + 1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    Batch {
        index,
        size,
        count,
        images: (0..count * size.bytes()).map(|_| next()).collect(),
        labels: (0..count).map(|_| i64::from(next()) % classes).collect(),
        samples: (0..count as u32).collect(),
        mixed: None,
        features: None,
        skipped: Vec::new(),
    }
}

pub(super) fn size(side: u32, channels: u32) -> Size {
    Size { height: side, width: side, channels }
}

pub(super) fn stepper(arch: &Arch, rule: plan::Optimizer) -> TorchStepper {
    // Tests run side by side; OpenMP's threads would only wait for each other.
    crate::device::set_threads(1).unwrap();
    TorchStepper::new(arch, rule, 7, CPU, Preprocess::default()).unwrap()
}
