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
        if model.weights.is_some() && wanted.weights != BaseWeights::None {
            return Err(PlanError::WeightsTwice);
        }
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
        // Frostline's own files have that ending too, whoever trained the weights in them, and say so.
        let is_open = matches!(&self.weights, BaseWeights::File(path) if path.extension().is_some_and(|ending| ending == "safetensors"));
        // Another wiring than the source's own was asked for by somebody who knows whose weights they are.
        let naming = source(&self.weights).filter(|_| !is_open)?;
        if naming.wiring(self.architecture) == self.wiring { self.mismatch(naming, preprocessing) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use crate::{arch::Op, plan::Plan};

    use super::*;

    /// Listing 5.20 of the book: VGG16's base under a classifier of 256.
    const CHAPTER: &str = r#"
[data]
source = "critters"
[model]
input = [150, 150, 3]
[model.base]
architecture = "vgg16"
[[model.layers]]
type = "flatten"
[[model.layers]]
type = "dense"
units = 256
activation = "relu"
[[model.layers]]
type = "dense"
units = 1
activation = "sigmoid"
"#;

    const ALONE: &str = "[data]\nsource = \"critters\"\n[model]\ninput = [224, 224, 3]\n[model.base]\n";

    fn plan(text: &str) -> Plan {
        Plan::parse(text, "small", &[]).unwrap()
    }

    fn told(text: &str) -> String {
        Plan::parse(text, "small", &[]).unwrap_err().to_string()
    }

    #[test]
    fn the_chapters_network_has_the_books_parameters() {
        let plan = plan(CHAPTER);
        let base = plan.base.unwrap();
        let layers = plan.arch.layers();
        assert_eq!(plan.arch.parameter_count(), 16_812_353);
        let below: u64 = layers[base.layers.clone()].iter().map(crate::arch::Layer::parameter_count).sum();
        assert_eq!(below, 14_714_688);
        assert_eq!(layers[base.layers.end].name, "flatten");
        assert_eq!(layers[base.layers.end - 1].output.to_string(), "(None, 4, 4, 512)");
    }

    #[test]
    fn preprocessing_is_the_first_layer_and_no_part_of_the_base() {
        let with = |mode: &str| plan(&CHAPTER.replace("150, 3]", &format!("150, 3]\npreprocessing = {mode}")));
        let caffe = with("\"caffe\"");
        assert_eq!(caffe.arch.layers()[0].op, Op::Preprocessing(Preprocessing::Caffe));
        assert_eq!(caffe.base.unwrap().layers, 1..19);
        assert_eq!(with("\"rescale\"").arch, plan(CHAPTER).arch, "what a network reads anyway");
        let custom = with("{ custom = { mean = [1.0], std = [2.0] } }");
        let expected = Preprocessing::Custom { scale: 1.0, mean: vec![1.0], std: vec![2.0], bgr: false };
        assert_eq!(custom.arch.layers()[0].op, Op::Preprocessing(expected));
    }

    #[test]
    fn a_base_with_its_top_needs_no_layers() {
        let text = format!("{ALONE}architecture = \"mobilenet\"\ninclude_top = true\n");
        let plan = plan(&text);
        assert_eq!(plan.head.classes(), 1000);
        assert_eq!(plan.base.unwrap().layers.end, plan.arch.layers().len());
    }

    #[test]
    fn pooling_stands_behind_the_base() {
        let head = "pooling = \"max\"\n[[model.layers]]\ntype = \"dense\"\nunits = 3\nactivation = \"softmax\"\n";
        let plan = plan(&format!("{ALONE}architecture = \"resnet50\"\n{head}"));
        let after = plan.base.unwrap().layers.end;
        assert_eq!(plan.arch.layers()[after].name, "global_max_pooling2d");
    }

    #[test]
    fn the_wiring_is_that_of_the_weights_and_survives_in_text() {
        let wiring = |weights: &str| {
            let text = format!("{ALONE}architecture = \"resnet50\"\ninclude_top = true\nweights = \"{weights}\"\n");
            let first = plan(&text);
            assert_eq!(plan(&first.to_toml()), first);
            first.base.unwrap().wiring
        };
        assert_eq!(wiring("none"), Wiring::Keras);
        assert_eq!(wiring("imagenet"), Wiring::Torch);
        assert_eq!(wiring("weights/resnet50.h5"), Wiring::Keras);
        assert_eq!(wiring("weights/resnet50.pth"), Wiring::Torch);
    }

    #[test]
    fn other_pixels_than_the_weights_were_trained_on_are_a_warning() {
        let warnings = |base: &str, preprocessing: &str| {
            let text = CHAPTER.replace("150, 3]", &format!("150, 3]\npreprocessing = {preprocessing}"));
            plan(&text.replace("architecture = \"vgg16\"", base)).warnings()
        };
        assert_eq!(warnings("architecture = \"vgg16\"", "\"rescale\""), [""; 0], "random weights");
        assert_eq!(warnings("architecture = \"vgg16\"\nweights = \"imagenet\"", "\"torch\""), [""; 0]);
        assert_eq!(warnings("architecture = \"vgg16\"\nweights = \"a.h5\"", "\"caffe\""), [""; 0]);
        assert_eq!(warnings("architecture = \"efficientnet_lite0\"\nweights = \"imagenet\"", "\"tf\""), [""; 0]);
        assert_eq!(
            warnings("architecture = \"vgg16\"\nweights = \"imagenet\"", "\"caffe\""),
            [
                "the weights of vgg16 were trained on other pixels: timm expects preprocessing = \"torch\", and here it is \
                 \"caffe\"; set model.preprocessing = \"torch\""
            ]
        );
    }

    #[test]
    fn mistakes_name_the_network_and_what_it_needs() {
        let small = CHAPTER.replace("150, 150", "31, 150");
        assert!(told(&small).contains("vgg16 needs images of at least 32x32, not 31x150"), "{}", told(&small));
        let pooled = format!("{ALONE}architecture = \"vgg19\"\ninclude_top = true\npooling = \"avg\"\n");
        assert!(told(&pooled).contains("nothing is left to pool behind the top of vgg19"));
        let grey = CHAPTER.replace("150, 3]", "150, 1]\npreprocessing = \"caffe\"");
        assert!(told(&grey).contains("\"preprocessing\" (Preprocessing): is for 3 channels, but its input has 1"));
        let nothing = "[data]\nsource = \"critters\"\n[model]\ninput = [32, 32, 3]\n";
        assert!(told(nothing).contains("the model has no layers"));
        let unknown = CHAPTER.replace("vgg16", "vgg61");
        assert!(told(&unknown).contains("unknown variant `vgg61`"), "{}", told(&unknown));
    }
}
