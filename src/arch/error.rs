//! Why a list of layers is not a network. Every error names the layer, and the shapes where shapes are the reason.

use super::Shape;
use crate::error::{Class, Explain};

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ArchError {
    #[error("the model has no layers")]
    Empty,
    #[error("two layers are called \"{name}\"")]
    DuplicateName { name: String },
    #[error("\"{name}\" cannot be a layer's name")]
    BadName { name: String },
    #[error("nothing reads the output of layer \"{layer}\"")]
    Dangling { layer: String },
    #[error("layer \"{layer}\" ({kind}): {problem}")]
    Layer { layer: String, kind: &'static str, problem: Problem },
}

/// What is wrong with one layer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    #[error("there is no layer \"{0}\" before it to read from")]
    UnknownInput(String),
    #[error("takes {expected}, but has {found} inputs")]
    InputCount { expected: &'static str, found: usize },
    #[error("needs a feature map (height, width, channels), but its input is {0}")]
    NeedsMap(Shape),
    #[error("needs a vector, but its input is {0}")]
    NeedsVector(Shape),
    #[error("a window of {height}x{width} does not fit into its input {input}")]
    WindowTooLarge { height: usize, width: usize, input: Shape },
    #[error("its inputs differ in shape: {first} and {other}")]
    InputsDiffer { first: Shape, other: Shape },
    #[error("{groups} groups divide neither evenly into {channels} input channels nor into {filters} filters")]
    Groups { groups: usize, channels: usize, filters: usize },
    #[error("is for {expected} channels, but its input has {found}")]
    Channels { expected: usize, found: usize },
    #[error("{what} must be at least 1")]
    Zero { what: &'static str },
    #[error("strides and dilation cannot both be greater than 1")]
    StridedDilation,
    #[error("{what} is {value}, but must lie in {range}")]
    Range { what: &'static str, value: f64, range: &'static str },
}

impl Explain for ArchError {
    fn class(&self) -> Class {
        Class::User
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Empty => "add a `layers` list to [model]",
            Self::DuplicateName { .. } => "leave one `name` out to have a unique one made",
            Self::BadName { .. } => "use a word without spaces other than \"input\", which stands for the image",
            Self::Dangling { .. } => "let a later layer name it in `inputs`, or remove it",
            Self::Layer { problem, .. } => match problem {
                Problem::UnknownInput(_) => "`inputs` names earlier layers, or \"input\" for the image",
                Problem::NeedsVector(_) => "put a flatten or global_average_pooling2d layer before it",
                Problem::NeedsMap(_) => "move it before the flatten or global pooling layer",
                Problem::WindowTooLarge { .. } => {
                    "use fewer pooling layers, padding = \"same\", or a larger `input` in [model]"
                }
                Problem::InputsDiffer { .. } => "match the shapes with strides, padding or a 1x1 convolution",
                _ => return None,
            },
        };
        Some(hint.to_owned())
    }
}
