//! What the network's output means: which loss fits it, and which activation is left to the loss.

use crate::arch::{Activation, Arch, Op, Shape};

/// The classifier's last word, and the cross-entropy that goes with it. Losses are taken from logits: a sigmoid or softmax at the
/// end of the list is recognised and applied only where probabilities are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// One logit: the second class against the first.
    Binary,
    /// One logit a class.
    Categorical { classes: usize },
}

impl Head {
    /// `None` when the output is not a vector, or ends in an activation that no cross-entropy goes with.
    pub fn of(arch: &Arch) -> Option<Self> {
        let output = arch.output();
        match (output.output, output.op.activation()) {
            (Shape::Vector(1), Activation::Sigmoid | Activation::Linear) => Some(Self::Binary),
            (Shape::Vector(classes), Activation::Softmax | Activation::Linear) if classes > 1 => {
                Some(Self::Categorical { classes })
            }
            _ => None,
        }
    }

    pub fn classes(self) -> usize {
        match self {
            Self::Binary => 2,
            Self::Categorical { classes } => classes,
        }
    }

    /// Keras's name of the loss.
    pub fn loss(self) -> &'static str {
        match self {
            Self::Binary => "binary_crossentropy",
            Self::Categorical { .. } => "categorical_crossentropy",
        }
    }
}

/// Whether the last layer's own activation is the loss's business: its logits are what stands before it.
pub fn ends_in_probabilities(arch: &Arch) -> bool {
    let op: &Op = &arch.output().op;
    matches!(op.activation(), Activation::Sigmoid | Activation::Softmax)
}
