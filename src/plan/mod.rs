//! What a run will do: a configuration together with its network, resolved and checked, every derived number settled.

mod head;
mod optimizer;

pub use head::{Head, ends_in_probabilities};
pub use optimizer::Optimizer;
