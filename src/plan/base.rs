//! What stands before the model's own layers: preprocessing, and a network of the zoo with the weights it is to have.
//! Reading those weights is not this room's business; whether their pixels were like ours is.

use std::ops::Range;

use super::{PlanError, layers};
use crate::{
    arch::{
        LayerSpec, Op, Preprocessing,
        zoo::{Architecture, Naming, Wiring, expected_preprocessing},
    },
    config::{self, BaseWeights, Model, Pooling},
};

/// The part of the network that comes from the zoo.
#[derive(Clone, Debug, PartialEq)]
pub struct Base {
    pub architecture: Architecture,
    pub wiring: Wiring,
    pub weights: BaseWeights,
    pub include_top: bool,
    /// Positions in [`Arch::layers`](crate::arch::Arch::layers), without preprocessing and pooling.
    pub layers: Range<usize>,
}

/// The model's layers in order. Settles the wiring where the configuration leaves it open.
pub(super) fn assemble(model: &mut Model) -> Result<(Vec<LayerSpec>, Option<Base>), PlanError> {
    let unnamed = |op: Op| LayerSpec { name: None, op, inputs: Vec::new() };
    let mut specs = Vec::new();
    match &model.preprocessing {
        // What every network reads is that already.
        None | Some(Preprocessing::Rescale) => {}
        Some(preprocessing) => specs.push(unnamed(Op::Preprocessing(preprocessing.clone()))),
    }
    let mut base = None;
    if let Some(wanted) = &mut model.base {
        let wiring = *wanted.wiring.get_or_insert(usual_wiring(wanted.architecture, &wanted.weights));
        check(wanted, model.input)?;
        let first = specs.len();
        specs.extend(wanted.architecture.layers_for(wiring, wanted.include_top));
        base = Some(Base {
            architecture: wanted.architecture,
            wiring,
            weights: wanted.weights.clone(),
            include_top: wanted.include_top,
            layers: first..specs.len(),
        });
        match wanted.pooling {
            Pooling::None => {}
            Pooling::Avg => specs.push(unnamed(Op::GlobalAveragePool2d)),
            Pooling::Max => specs.push(unnamed(Op::GlobalMaxPool2d)),
        }
    }
    specs.extend(layers::lower(&model.layers)?);
    Ok((specs, base))
}

fn check(base: &config::Base, [height, width, _]: [usize; 3]) -> Result<(), PlanError> {
    let architecture = base.architecture.name();
    let minimum = base.architecture.minimum_side();
    if height.min(width) < minimum {
        return Err(PlanError::InputTooSmall { architecture, minimum, height, width });
    }
    if base.include_top && base.pooling != Pooling::None {
        return Err(PlanError::PoolingBehindTop { architecture });
    }
    Ok(())
}

/// Of what the weights most likely are: a file of Keras's, by its ending, or one of PyTorch's libraries.
fn usual_wiring(architecture: Architecture, weights: &BaseWeights) -> Wiring {
    source(weights).map_or(Wiring::Keras, |naming| naming.wiring(architecture))
}

/// Whose weights they are, as far as that can be told without reading them.
fn source(weights: &BaseWeights) -> Option<Naming> {
    match weights {
        BaseWeights::None => None,
        BaseWeights::Imagenet => Some(Naming::IMAGENET),
        BaseWeights::File(path) => match path.extension().and_then(|ending| ending.to_str()) {
            Some("h5" | "hdf5" | "keras") => Some(Naming::Keras),
            _ => Some(Naming::Timm),
        },
    }
}

impl Base {
    /// A sentence for a person, if weights from this source were trained on other pixels than they would get.
    pub fn mismatch(&self, naming: Naming, preprocessing: &Preprocessing) -> Option<String> {
        let expected = expected_preprocessing(self.architecture, naming, self.wiring);
        (!expected.resembles(preprocessing)).then(|| {
            format!(
                "the weights of {} were trained on other pixels: {} expects preprocessing = {}, and here it is {}; \
                 set model.preprocessing = {}",
                self.architecture.name(),
                naming.name(),
                expected.to_toml(),
                preprocessing.to_toml(),
                expected.to_toml(),
            )
        })
    }

    /// The same for weights of which only the place is known. A file's names tell more once it is read.
    pub(super) fn likely_mismatch(&self, preprocessing: &Preprocessing) -> Option<String> {
        self.mismatch(source(&self.weights)?, preprocessing)
    }
}
