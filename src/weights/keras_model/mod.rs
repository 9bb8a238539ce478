//! A whole model as Keras saved it, `.keras` or `.h5`: its description becomes the `[model]` of a configuration, and its weights those of
//! the network that is made of it. Which layer has which weights follows from the description alone, not from likeness of names.
//! No program in the file is run: what a description cannot say (`Lambda`, subclassed models) is refused by name.

mod graph;
mod layer;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use serde_json::Value;

use self::graph::{Draft, Place, Walk};
pub(super) use self::layer::KNOWN;
use super::{Fit, Format, Pretrained, Wanted, WeightsError, WeightsFile};
use crate::{
    arch::{Activation, Arch, Preprocessing, Shape},
    config::{Layer, LayerKind, Model, Scale},
};

#[derive(Debug)]
pub struct KerasModel {
    file: WeightsFile,
    /// With all layers written out, each with a name.
    pub model: Model,
    /// Layers with weights that were frozen when the model was saved, unless all were.
    pub frozen: Vec<String>,
    /// What a person should know that the network does not show: a sentence each.
    pub notes: Vec<String>,
    kept: Vec<Kept>,
}

/// What is still needed of a layer when its shapes and weights are known.
#[derive(Debug)]
struct Kept {
    name: String,
    axis: i64,
    place: Place,
}

/// Why a model is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{0}")]
    Model(String),
    #[error("layer \"{layer}\" ({class}): {reason}")]
    Layer { layer: String, class: String, reason: String },
}

impl KerasModel {
    /// `side` is that of the images for a model that takes any.
    pub fn open(path: &Path, side: Option<usize>) -> Result<Self, WeightsError> {
        let file = WeightsFile::open(path)?;
        let description = file.attributes().get("model_config").map(|text| serde_json::from_str::<Value>(text));
        let problem = |problem| WeightsError::Model { path: path.to_owned(), problem };
        let Some(description) = description else { return Err(WeightsError::NoModel { path: path.to_owned() }) };
        let description =
            description.map_err(|error| problem(Problem::Model(format!("its description is no JSON: {error}"))))?;
        let input = input(&description, side).map_err(problem)?;
        let Walk { layers, left_out, .. } = Walk::of(&description).map_err(problem)?;
        let mut notes = Vec::new();
        if !left_out.is_empty() {
            notes.push(format!("left out, since they do nothing when a network predicts: {}", left_out.join(", ")));
        }
        if layers.iter().any(|draft| draft.penalties) {
            notes.push("regularizers and constraints of layers are left out: they count in training only".into());
        }
        // A model that rescales its pixels by itself was made for bytes.
        let bytes = Preprocessing::Custom { scale: 1.0, mean: vec![0.0], std: vec![1.0], bgr: false };
        let preprocessing = layers.first().filter(|draft| takes_bytes(&draft.layer)).map(|_| bytes);
        let is_frozen = |draft: &&Draft| !draft.trainable && has_weights(draft.layer.kind);
        let mut frozen: Vec<String> =
            layers.iter().filter(is_frozen).filter_map(|draft| draft.layer.name.clone()).collect();
        if layers.iter().filter(|draft| has_weights(draft.layer.kind)).count() == frozen.len() {
            // A model that was frozen as a whole was saved to be used; who trains it on wants all of it.
            frozen.clear();
        }
        let keep = |Draft { layer, axis, place, .. }: &Draft| Kept {
            name: layer.name.clone().unwrap_or_default(),
            axis: *axis,
            place: place.clone(),
        };
        let kept = layers.iter().map(keep).collect();
        let model = Model { input, preprocessing, weights: None, base: None, layers: wired(layers) };
        Ok(Self { file, model, frozen, notes, kept })
    }

    /// The numbers for the network that was made of [`Self::model`], all of which must be there.
    pub fn weights(self, arch: &Arch) -> Result<Pretrained, WeightsError> {
        let path = self.file.path();
        let problem = |problem| WeightsError::Model { path: path.to_owned(), problem };
        let names: BTreeSet<&str> =
            self.file.tensors().iter().filter_map(|tensor| Some(tensor.keras.as_ref()?.layer.as_str())).collect();
        let mut layers: HashMap<usize, &str> = HashMap::new();
        for Kept { name, axis, place } in &self.kept {
            let Some(position) = arch.position(name) else { continue };
            let layer = &arch.layers()[position];
            let last = if matches!(layer.output, Shape::Map { .. }) { 3 } else { 1 };
            if ![-1, last].contains(axis) {
                let reason = format!("it works along axis {axis}, and here it is the last one");
                let class = layer.op.kind().to_owned();
                return Err(problem(Problem::Layer { layer: name.clone(), class, reason }));
            }
            if !layer.parameters.is_empty() {
                layers.extend(owner(place, self.file.format(), &names).map(|owner| (position, owner)));
            }
        }
        let wanted = Wanted::whole(arch, None);
        let fit = Fit::told(self.file.tensors(), &wanted, layers);
        Pretrained::fitting(self.file, fit, &wanted)
    }
}

/// What the file calls the layer's weights; `None` if that cannot be told.
fn owner<'a>(place: &Place, format: Format, names: &BTreeSet<&'a str>) -> Option<&'a str> {
    let found = |name: &str| names.get(name).copied();
    if format != Format::KerasH5 {
        return found(&place.counted);
    }
    let [outermost, .., name] = &place.path[..] else { return found(place.path.first()?) };
    let inside = |owner: &&&str| owner.strip_prefix(outermost.as_str()).is_some_and(|rest| rest.starts_with('/'));
    let ends = |owner: &str, with: &str| owner.strip_suffix(with).is_some_and(|rest| rest.ends_with('/'));
    let called: Vec<&str> = names.iter().filter(inside).copied().filter(|owner| ends(owner, name)).collect();
    match called[..] {
        [] => found(outermost),
        [one] => Some(one),
        _ => {
            // Models in the model have layers of the same name.
            let whole = place.path[1..].join("/");
            let mut fitting = called.iter().copied().filter(|owner| ends(owner, &whole));
            fitting.next().filter(|_| fitting.next().is_none())
        }
    }
}

/// Gives each layer the names of what it reads, where that is not the layer before.
fn wired(drafts: Vec<Draft>) -> Vec<Layer> {
    let names: Vec<String> = drafts.iter().map(|draft| draft.layer.name.clone().unwrap_or_default()).collect();
    // Who reads "input" reads the image as it is, but the model's layers are to read it as it was prepared.
    let several = drafts.iter().enumerate().any(|(at, draft)| {
        let images = draft.reads.iter().filter(|read| read.is_none()).count();
        images > usize::from(at == 0) || (images == 1 && draft.reads.len() > 1)
    });
    let mut pixels = "pixels".to_owned();
    while names.contains(&pixels) {
        pixels.push('_');
    }
    let mut layers = Vec::new();
    if several {
        let mut first = Layer::new(LayerKind::Activation);
        (first.name, first.activation) = (Some(pixels.clone()), Some(Activation::Linear));
        layers.push(first);
    }
    for (at, Draft { mut layer, reads, .. }) in drafts.into_iter().enumerate() {
        if reads[..] != [at.checked_sub(1)] {
            layer.inputs =
                reads.iter().map(|read| read.map_or_else(|| pixels.clone(), |read| names[read].clone())).collect();
        }
        layers.push(layer);
    }
    layers
}

/// Height, width and channels of the model's images.
fn input(model: &Value, side: Option<usize>) -> Result<[usize; 3], Problem> {
    let shape = model.get("config").and_then(batch_shape);
    let Some([_, sides @ .., channels]) = shape.as_deref() else {
        return Err(Problem::Model("it does not say what shape its input has".into()));
    };
    let (&[height, width], &Some(channels)) = (sides, channels) else {
        return Err(Problem::Model("its input is no image of height, width and channels".into()));
    };
    let settled = |own: Option<usize>| match (own, side) {
        (Some(own), Some(side)) if own != side => {
            Err(Problem::Model(format!("its images are {own} pixels high or wide")))
        }
        (Some(own), _) => Ok(own),
        (None, Some(side)) => Ok(side),
        (None, None) => Err(Problem::Model("it takes images of any size; give one with --input PIXELS".into())),
    };
    Ok([settled(height)?, settled(width)?, channels])
}

/// The shape that a model's input layer has, or its first layer, or that of the model that is its first layer.
fn batch_shape(config: &Value) -> Option<Vec<Option<usize>>> {
    let read = |shape: &Value| -> Option<Vec<Option<usize>>> {
        let sides = shape.as_array()?;
        Some(sides.iter().map(|side| usize::try_from(side.as_u64()?).ok()).collect())
    };
    let list = config.get("layers").unwrap_or(config).as_array()?;
    let is_input = |entry: &&Value| entry.get("class_name").is_some_and(|class| class == "InputLayer");
    let first = list.iter().find(is_input).or(list.first())?.get("config")?;
    let stated = ["batch_shape", "batch_input_shape"].iter().find_map(|key| first.get(key));
    stated.and_then(read).or_else(|| batch_shape(first)).or_else(|| read(config.get("build_input_shape")?))
}

fn takes_bytes(layer: &Layer) -> bool {
    layer.kind == LayerKind::Rescaling
        && matches!(layer.scale, Some(Scale::Factor(scale)) if scale > 0.0 && scale <= 1.0 / 32.0)
}

fn has_weights(kind: LayerKind) -> bool {
    use LayerKind::{BatchNormalization, Conv2d, Dense, DepthwiseConv2d, SeparableConv2d};
    matches!(kind, Conv2d | DepthwiseConv2d | SeparableConv2d | Dense | BatchNormalization)
}
