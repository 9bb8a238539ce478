//! The fused updates against the formulas of `plan::Optimizer`, written out in f64 for one element, and against layouts.

use tch::{Kind, Tensor};

use super::*;
use crate::optimizer::Optimizer;
use crate::weights::Weights;

/// One weight's way under a rule, as the formulas say.
struct Exact {
    w: f64,
    first: f64,
    second: f64,
    step: i32,
}

impl Exact {
    fn update(&mut self, rule: plan::Optimizer, rate: f64, g: f64) {
        self.step += 1;
        match rule {
            plan::Optimizer::Sgd { momentum, nesterov } => {
                self.first = momentum * self.first - rate * g;
                self.w += if nesterov { momentum * self.first - rate * g } else { self.first };
            }
            plan::Optimizer::Rmsprop { rho, momentum, epsilon } => {
                self.second = rho * self.second + (1.0 - rho) * g * g;
                self.first = momentum * self.first + rate * g / (self.second + epsilon).sqrt();
                self.w -= self.first;
            }
            plan::Optimizer::Adam { beta_1, beta_2, epsilon } => self.adam(rate, g, beta_1, beta_2, epsilon),
            plan::Optimizer::Adamw { beta_1, beta_2, epsilon, weight_decay } => {
                self.w -= rate * weight_decay * self.w;
                self.adam(rate, g, beta_1, beta_2, epsilon);
            }
        }
    }

    fn adam(&mut self, rate: f64, g: f64, beta_1: f64, beta_2: f64, epsilon: f64) {
        self.first = beta_1 * self.first + (1.0 - beta_1) * g;
        self.second = beta_2 * self.second + (1.0 - beta_2) * g * g;
        let rate = rate * (1.0 - beta_2.powi(self.step)).sqrt() / (1.0 - beta_1.powi(self.step));
        self.w -= rate * self.first / (self.second.sqrt() + epsilon);
    }
}

/// A convolution with a kernel of 27 · 4 elements, channels-last in memory.
fn weights() -> Weights {
    let layers = [conv(4, Activation::Relu), layer(Op::Flatten), dense(1, Activation::Sigmoid)];
    let arch = Arch::new("one", Shape::Map { height: 4, width: 4, channels: 3 }, &layers).unwrap();
    Weights::new(&arch, 3, Device::Cpu).unwrap()
}

/// Row-major, whatever the layout in memory.
fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.detach().contiguous().reshape([-1])).unwrap()
}

#[test]
fn every_rule_moves_every_element_as_its_formula_says() {
    // A large ε too: it shows where in the formula it stands.
    let large = [
        plan::Optimizer::Rmsprop { rho: 0.9, momentum: 0.0, epsilon: 0.01 },
        plan::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 0.1 },
    ];
    for rule in RULES.into_iter().chain(large) {
        let weights = weights();
        let mut optimizer = Optimizer::new(rule, &weights);
        let kernel = &weights.all()[0].tensor;
        let start = |w: f32| Exact { w: w.into(), first: 0.0, second: 0.0, step: 0 };
        let mut exact: Vec<Exact> = values(kernel).into_iter().map(start).collect();
        for step in 0..10_u32 {
            // Laid out otherwise than the kernel, which a fused update must not take as it lies.
            let given = formula::floats(&format!("gradient {step}"), kernel.numel(), 0.1);
            let gradient = Tensor::from_slice(&given).reshape(kernel.size());
            assert_ne!(gradient.stride(), kernel.stride());
            let rate = 0.01 / f64::from(step + 1);
            optimizer.step(&weights, &[(0, gradient)], rate).unwrap();
            exact.iter_mut().zip(&given).for_each(|(exact, &g)| exact.update(rule, rate, g.into()));
        }
        for (index, (ours, exact)) in values(kernel).iter().zip(&exact).enumerate() {
            // Ten roundings of a number below 0.5, at 3e-8 each at most.
            let off = (f64::from(*ours) - exact.w).abs();
            assert!(off < 3e-7, "{}: element {index} is {ours}, should be {}", rule.name(), exact.w);
        }
        assert_eq!(optimizer.states()[0].steps, 10);
        assert_eq!(optimizer.states()[0].slots.len(), optimizer.slot_names().len());
    }
}

#[test]
fn a_gradient_of_another_shape_is_an_error() {
    for rule in RULES {
        let weights = weights();
        let mut optimizer = Optimizer::new(rule, &weights);
        let gradient = Tensor::ones([7], (Kind::Float, Device::Cpu));
        assert!(optimizer.step(&weights, &[(0, gradient)], 0.1).is_err(), "{}", rule.name());
    }
}

#[test]
fn weights_that_have_done_different_numbers_of_steps_are_corrected_each_for_its_own() {
    let rule = RULES[4];
    let weights = weights();
    let mut optimizer = Optimizer::new(rule, &weights);
    let bias = &weights.all()[1].tensor;
    let ones = |tensor: &Tensor| tensor.detach().ones_like();
    for _ in 0..3 {
        optimizer.step(&weights, &[(0, ones(&weights.all()[0].tensor))], 0.1).unwrap();
    }
    optimizer.step(&weights, &[(0, ones(&weights.all()[0].tensor)), (1, ones(bias))], 0.1).unwrap();
    // Adam's first step is the rate, whatever the gradient.
    assert!(values(bias).iter().all(|&bias| (bias + 0.1).abs() < 1e-6), "{:?}", values(bias));
}
