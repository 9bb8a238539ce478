//! `[train.optimizer]`: how weights are updated, in Keras 3's words and with its defaults and formulas.

use serde::{Deserialize, Serialize};

/// The update rule; the learning rate is `[train] learning_rate` and its schedule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// v ← μv − ηg; w ← w + v, or with Nesterov w ← w + μv − ηg.
    Sgd {
        #[serde(default)]
        momentum: f64,
        #[serde(default)]
        nesterov: bool,
    },
    /// v ← ρv + (1 − ρ)g²; w ← w − ηg / √(v + ε). The ε stands under the root, as in Keras 3.
    Rmsprop {
        #[serde(default = "rho")]
        rho: f64,
        #[serde(default)]
        momentum: f64,
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    /// arXiv:1412.6980 in the form at the end of its section 2: η√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε).
    Adam {
        #[serde(default = "beta_1")]
        beta_1: f64,
        #[serde(default = "beta_2")]
        beta_2: f64,
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    /// Adam with w ← w − ηλw before the update (arXiv:1711.05101); kernels and biases alike, as in Keras.
    Adamw {
        #[serde(default = "beta_1")]
        beta_1: f64,
        #[serde(default = "beta_2")]
        beta_2: f64,
        #[serde(default = "epsilon")]
        epsilon: f64,
        #[serde(default = "weight_decay")]
        weight_decay: f64,
    },
}

fn rho() -> f64 {
    0.9
}

fn epsilon() -> f64 {
    1e-7
}

fn beta_1() -> f64 {
    0.9
}

fn beta_2() -> f64 {
    0.999
}

fn weight_decay() -> f64 {
    0.004
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Rmsprop { rho: rho(), momentum: 0.0, epsilon: epsilon() }
    }
}

impl Optimizer {
    /// Whether what one has gathered of a weight is of use to the other: the same rule, with the same slots.
    pub fn shares_slots_with(&self, other: &Self) -> bool {
        let gathers = |rule: &Self| match *rule {
            Self::Sgd { momentum, .. } | Self::Rmsprop { momentum, .. } => momentum != 0.0,
            Self::Adam { .. } | Self::Adamw { .. } => true,
        };
        self.name() == other.name() && gathers(self) == gathers(other)
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::Rmsprop { .. } => "rmsprop",
            Self::Adam { .. } => "adam",
            Self::Adamw { .. } => "adamw",
        }
    }

    /// Keras's default rate for the rule.
    pub fn default_rate(&self) -> f64 {
        match self {
            Self::Sgd { .. } => 0.01,
            Self::Rmsprop { .. } | Self::Adam { .. } | Self::Adamw { .. } => 0.001,
        }
    }
}
