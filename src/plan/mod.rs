//! What a run will do: a configuration together with its network, resolved and checked, every derived number settled.

mod head;

pub use crate::config::Optimizer;
pub use head::{Head, ends_in_probabilities};
