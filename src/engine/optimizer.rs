//! Applies a plan's update rule to named weights. Its state is plain named tensors, so a checkpoint holds it and a later run goes on
//! bit by bit. A weight that is left out of a step keeps its state untouched, and nothing moves it: no momentum, no decay.

use std::collections::BTreeMap;

use tch::Tensor;

use super::error::Result;
use super::shim::{self, Adam, Updated};
use super::weights::Weights;
use frostline::plan;
use frostline::trainer::LayerRate;

pub struct Optimizer {
    rule: plan::Optimizer,
    /// What the rate is multiplied by, one a weight, in the order of [`Weights::all`].
    factors: Vec<f64>,
    /// What people have made of it, likewise.
    own: Vec<Option<LayerRate>>,
    /// What people want taken off the weights, whatever the rule says.
    decay: Option<f64>,
    /// One a weight, in the order of [`Weights::all`]; moving statistics stay [`State::default`].
    states: Vec<State>,
}

/// What is remembered of one weight.
#[derive(Default)]
pub struct State {
    /// Updates done; frozen steps do not count.
    pub steps: i64,
    /// As [`Optimizer::slot_names`] lists them; empty before the first update. Shaped and laid out like the weight.
    pub slots: Vec<Tensor>,
}

/// A weight's position in [`Weights::all`] and its gradient.
pub type Gradient = (usize, Tensor);

impl Optimizer {
    pub fn new(rule: plan::Optimizer, weights: &Weights) -> Self {
        let states: Vec<State> = weights.all().iter().map(|_| State::default()).collect();
        Self { rule, factors: vec![1.0; states.len()], own: vec![None; states.len()], decay: None, states }
    }

    /// From here on weights follow `rule`, each layer's at its own part of the rate. What was gathered under a rule of the same kind
    /// is kept, as it is when a layer is frozen and thawed by hand; Keras's `compile` and a new optimiser of `PyTorch` forget it, and
    /// then the first steps of `RMSprop` and Adam are as large as the rate allows, whatever the gradients are.
    pub fn begin(&mut self, rule: plan::Optimizer, layer_factors: &[f64], weights: &Weights) {
        if !self.rule.shares_slots_with(&rule) {
            self.states.iter_mut().for_each(|state| *state = State::default());
        }
        self.rule = rule;
        self.factors =
            weights.all().iter().map(|weight| layer_factors.get(weight.layer).copied().unwrap_or(1.0)).collect();
        self.own.fill(None);
        self.decay = None;
    }

    /// Takes what people have changed of it: `own` gives a layer's rate, `decay` counts under every rule, as Keras's `weight_decay` does.
    pub fn tune(&mut self, weights: &Weights, own: impl Fn(usize) -> Option<LayerRate>, decay: Option<f64>) {
        self.own = weights.all().iter().map(|weight| own(weight.layer)).collect();
        self.decay = decay;
    }

    /// The rate of a weight where the phase has `rate`; its position is that in [`Weights::all`].
    pub fn rate_of(&self, weight: usize, rate: f64) -> f64 {
        let rate = rate * self.factors[weight];
        self.own[weight].map_or(rate, |own| own.of(rate))
    }

    /// `velocity` is SGD's v; `variance` a moving mean of g²; `momentum` a moving mean of g, or in `RMSprop` of the increments.
    pub fn slot_names(&self) -> &'static [&'static str] {
        match self.rule {
            plan::Optimizer::Sgd { momentum: 0.0, .. } => &[],
            plan::Optimizer::Sgd { .. } => &["velocity"],
            plan::Optimizer::Rmsprop { momentum: 0.0, .. } => &["variance"],
            plan::Optimizer::Rmsprop { .. } => &["variance", "momentum"],
            plan::Optimizer::Adam { .. } | plan::Optimizer::Adamw { .. } => &["momentum", "variance"],
        }
    }

    pub fn states(&self) -> &[State] {
        &self.states
    }

    pub fn states_mut(&mut self) -> &mut [State] {
        &mut self.states
    }

    /// One update of the weights that have a gradient here. `rate` is before the factors.
    pub fn step(&mut self, weights: &Weights, gradients: &[Gradient], rate: f64) -> Result<()> {
        let slot_count = self.slot_names().len();
        let _no_grad = tch::no_grad_guard();
        // The bias correction of Adam depends on the count, and a thawed layer has done fewer steps than the others.
        let mut alike: BTreeMap<(i64, u64), Vec<&Gradient>> = BTreeMap::new();
        for gradient in gradients {
            let state = &mut self.states[gradient.0];
            while state.slots.len() < slot_count {
                state.slots.push(weights.all()[gradient.0].tensor.f_zeros_like()?);
            }
            state.steps += 1;
            let steps = state.steps;
            alike.entry((steps, self.rate_of(gradient.0, rate).to_bits())).or_default().push(gradient);
        }
        for ((steps, rate), group) in alike {
            let updated: Vec<Updated<'_>> = group
                .into_iter()
                .map(|(index, gradient)| Updated {
                    weight: &weights.all()[*index].tensor,
                    gradient,
                    slots: &self.states[*index].slots,
                })
                .collect();
            self.apply(&updated, steps, f64::from_bits(rate))?;
        }
        Ok(())
    }

    fn apply(&self, updated: &[Updated<'_>], step: i64, rate: f64) -> Result<()> {
        // Keras adds ε to √v, libtorch to √(v / (1 − β₂ᵗ)): dividing ε by √(1 − β₂ᵗ) makes the two equal.
        let moved_epsilon = |epsilon: f64, beta_2: f64| epsilon / (1.0 - beta_2.powf(step as f64)).sqrt();
        let decay = self.decay.unwrap_or(match self.rule {
            plan::Optimizer::Adamw { weight_decay, .. } => weight_decay,
            _ => 0.0,
        });
        if decay > 0.0 && matches!(self.rule, plan::Optimizer::Sgd { .. } | plan::Optimizer::Rmsprop { .. }) {
            for each in updated {
                let _ = each.weight.shallow_clone().f_mul_scalar_(1.0 - rate * decay)?;
            }
        }
        match self.rule {
            plan::Optimizer::Sgd { momentum, nesterov } => shim::sgd(updated, rate, momentum, nesterov),
            plan::Optimizer::Rmsprop { rho, momentum, epsilon } => shim::rmsprop(updated, rate, rho, momentum, epsilon),
            plan::Optimizer::Adam { beta_1, beta_2, epsilon }
            | plan::Optimizer::Adamw { beta_1, beta_2, epsilon, .. } => {
                let epsilon = moved_epsilon(epsilon, beta_2);
                let decoupled = decay > 0.0 || matches!(self.rule, plan::Optimizer::Adamw { .. });
                shim::adam(updated, Adam { decoupled, step, rate, beta_1, beta_2, decay, epsilon })
            }
        }
    }
}
