//! What a layer learns or keeps: names as in Keras, layouts as in PyTorch, and where the values start.

use super::{Op, Shape};

#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Keras's: `kernel`, `bias`, `depthwise_kernel`, `pointwise_kernel`, `gamma`, `beta`, `moving_mean`, `moving_variance`.
    pub name: &'static str,
    /// PyTorch's layout: convolutions `[out, in / groups, kh, kw]`, dense `[out, in]`.
    pub shape: Vec<usize>,
    pub initializer: Initializer,
    /// False for moving statistics, which no gradient reaches.
    pub learned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initializer {
    /// Uniform in ±√(6 / (`fan_in` + `fan_out`)); Glorot and Bengio 2010, equation 16. Keras's default for kernels.
    GlorotUniform {
        fan_in: usize,
        fan_out: usize,
    },
    Zeros,
    Ones,
}

impl Parameter {
    pub fn count(&self) -> u64 {
        self.shape.iter().map(|&side| side as u64).product()
    }
}

pub(super) fn of(op: &Op, input: Shape) -> Vec<Parameter> {
    let channels = input.channels();
    match *op {
        Op::Conv2d { filters, window, groups, bias, .. } => {
            let [height, width] = window.size;
            let field = height * width;
            let inputs = channels / groups;
            with_bias(
                kernel("kernel", &[filters, inputs, height, width], field * inputs, field * filters),
                bias,
                filters,
            )
        }
        Op::DepthwiseConv2d { window, multiplier, bias, .. } => {
            with_bias(depthwise("kernel", window.size, channels, multiplier), bias, channels * multiplier)
        }
        Op::SeparableConv2d { filters, window, multiplier, bias, .. } => {
            let spread = channels * multiplier;
            let mut parameters = depthwise("depthwise_kernel", window.size, channels, multiplier);
            parameters.extend(kernel("pointwise_kernel", &[filters, spread, 1, 1], spread, filters));
            with_bias(parameters, bias, filters)
        }
        Op::Dense { units, bias, .. } => with_bias(kernel("kernel", &[units, channels], channels, units), bias, units),
        Op::BatchNorm { center, scale, .. } => {
            let one = |name, initializer, learned| Parameter { name, shape: vec![channels], initializer, learned };
            let mut parameters = Vec::new();
            if scale {
                parameters.push(one("gamma", Initializer::Ones, true));
            }
            if center {
                parameters.push(one("beta", Initializer::Zeros, true));
            }
            parameters.push(one("moving_mean", Initializer::Zeros, false));
            parameters.push(one("moving_variance", Initializer::Ones, false));
            parameters
        }
        _ => Vec::new(),
    }
}

/// Two a multiply-add, for convolutions and dense layers.
pub(super) fn flops(op: &Op, parameters: &[Parameter], output: Shape) -> u64 {
    if !op.has_kernel() {
        return 0;
    }
    // Every weight of a kernel is used once a position of the output map.
    let positions = (output.elements() / output.channels()) as u64;
    let weights: u64 = parameters.iter().filter(|parameter| parameter.name != "bias").map(Parameter::count).sum();
    2 * positions * weights
}

fn kernel(name: &'static str, shape: &[usize], fan_in: usize, fan_out: usize) -> Vec<Parameter> {
    let initializer = Initializer::GlorotUniform { fan_in, fan_out };
    vec![Parameter { name, shape: shape.to_vec(), initializer, learned: true }]
}

/// Keras stores it as (h, w, in, multiplier) and takes the fans from that.
fn depthwise(name: &'static str, [height, width]: [usize; 2], channels: usize, multiplier: usize) -> Vec<Parameter> {
    let field = height * width;
    kernel(name, &[channels * multiplier, 1, height, width], field * channels, field * multiplier)
}

fn with_bias(mut parameters: Vec<Parameter>, bias: bool, length: usize) -> Vec<Parameter> {
    if bias {
        parameters.push(Parameter {
            name: "bias",
            shape: vec![length],
            initializer: Initializer::Zeros,
            learned: true,
        });
    }
    parameters
}
