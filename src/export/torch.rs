//! Safetensors for PyTorch: a published network's layers under torchvision's or timm's names, so that the file loads there with
//! `strict=True`, and all other layers as modules of their own names. Convolutions and dense layers are laid out alike in both, but for
//! the columns of a dense layer behind a flattened map, which follow (c, h, w) there.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    path::Path,
};

use safetensors::{Dtype, View};

use super::{ExportError, Subject, Written, whole};
use crate::{
    arch::{
        Arch, Op,
        zoo::{self, Architecture, Naming, Wiring},
    },
    weights::Layout,
};

/// A tensor as it is written.
struct Stored {
    shape: Vec<usize>,
    dtype: Dtype,
    bytes: Vec<u8>,
}

impl View for &Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        (&self.bytes).into()
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

pub(super) fn write(subject: &Subject<'_>, naming: Option<Naming>, path: &Path) -> Result<Written, ExportError> {
    let names = Names::of(subject, naming)?;
    let mut tensors: BTreeMap<String, Stored> = BTreeMap::new();
    let mut keep = |name: String, stored: Stored| match tensors.insert(name.clone(), stored) {
        None => Ok(()),
        Some(_) => Err(ExportError::Collision { name }),
    };
    let mut flattened = Vec::new();
    for values in subject.weights.values(subject.arch) {
        let values = values?;
        let layer = &subject.arch.layers()[values.layer];
        let parameter = &layer.parameters[values.parameter];
        let layout = Layout::torch(subject.arch, values.layer, parameter);
        if layout != Layout::Same && flattened.last() != Some(&layer.name) {
            flattened.push(layer.name.clone());
        }
        let module = names.module(values.layer, &layer.name);
        let name = zoo::parameter_name(Naming::Timm, module, parameter.name);
        let name = name.unwrap_or_else(|| format!("{module}.{}", parameter.name));
        let shape = names.shape(module, layout, &parameter.shape);
        let numbers = layout.restore(values.numbers, &parameter.shape);
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        keep(name, Stored { shape, dtype: Dtype::F32, bytes })?;
        if parameter.name == "moving_variance" {
            // PyTorch's own count of batches, which it needs only without a momentum.
            let count = Stored { shape: Vec::new(), dtype: Dtype::I64, bytes: 0_i64.to_le_bytes().to_vec() };
            keep(format!("{module}.num_batches_tracked"), count)?;
        }
    }
    let mut metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    metadata.extend(serde_json::to_string(subject.classes).ok().map(|classes| ("classes".to_owned(), classes)));
    metadata.insert("preprocessing".into(), preprocessing(subject.arch));
    let bytes = whole::write(path, |partial| {
        safetensors::serialize_to_file(tensors.iter(), Some(metadata), partial)
            .map_err(|error| ExportError::write(path, &error))
    })?;
    let mut notes = names.notes(subject);
    if !flattened.is_empty() {
        let layers = flattened.join(", ");
        notes.push(format!("columns of {layers}: in PyTorch's order of a flattened map, (channels, rows, columns)"));
    }
    Ok(Written { tensors: tensors.len(), bytes, notes })
}

/// What the network does to pixels in 0–1 first, as it is written in a configuration.
fn preprocessing(arch: &Arch) -> String {
    match &arch.layers()[0].op {
        Op::Preprocessing(preprocessing) => preprocessing.to_toml(),
        _ => crate::arch::Preprocessing::Rescale.to_toml(),
    }
}

/// What layers are called.
struct Names {
    /// Of the published network, if some library computes the same.
    library: Option<(Naming, HashMap<String, String>)>,
    base: std::ops::Range<usize>,
}

impl Names {
    fn of(subject: &Subject<'_>, wanted: Option<Naming>) -> Result<Self, ExportError> {
        let Some((architecture, wiring, base)) = subject.base.clone() else {
            let none = |library: Naming| ExportError::Naming {
                library: library.name(),
                network: "such network",
                reason: "its layers are the configuration's own".into(),
            };
            return wanted.map_or(Ok(Self { library: None, base: 0..0 }), |library| Err(none(library)));
        };
        let named = |naming: Naming| Some((naming, zoo::modules(architecture, naming)?));
        let library = match wanted {
            Some(naming) => {
                let fail = |reason: String| ExportError::Naming {
                    library: naming.name(),
                    network: architecture.name(),
                    reason,
                };
                let found = named(naming).ok_or_else(|| fail("it is not there at all".into()))?;
                if !computes_the_same(naming, architecture, wiring) {
                    return Err(fail(format!("this one is wired \"{}\"", wiring.name())));
                }
                Some(found)
            }
            None => [Naming::Timm, Naming::Torchvision]
                .into_iter()
                .filter(|&naming| computes_the_same(naming, architecture, wiring))
                .find_map(named),
        };
        Ok(Self { library, base })
    }

    /// The module that holds a layer's parameters.
    fn module<'a>(&'a self, position: usize, layer: &'a str) -> &'a str {
        match &self.library {
            Some((_, modules)) if self.base.contains(&position) => modules.get(layer).map_or(layer, String::as_str),
            _ => layer,
        }
    }

    /// As the library has it.
    fn shape(&self, module: &str, layout: Layout, ours: &[usize]) -> Vec<usize> {
        // timm's VGG has convolutions for its first two dense layers.
        let is_convolution = matches!(self.library, Some((Naming::Timm, _))) && module.starts_with("pre_logits.");
        match (ours, layout) {
            (&[out, _], Layout::ChannelsFirst { height, width, channels }) if is_convolution => {
                vec![out, channels, height, width]
            }
            (&[out, input], _) if is_convolution => vec![out, input, 1, 1],
            _ => ours.to_vec(),
        }
    }

    fn notes(&self, subject: &Subject<'_>) -> Vec<String> {
        let own = |range: &dyn Fn(usize) -> bool| {
            let layers = subject.arch.layers().iter().enumerate();
            let weighty = layers.filter(|(at, layer)| range(*at) && !layer.parameters.is_empty());
            weighty.map(|(_, layer)| layer.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        match (&self.library, &subject.base) {
            (Some((naming, _)), Some((architecture, wiring, base))) => {
                let model = model(*naming, *architecture, *wiring);
                let mut notes = vec![format!("{}: names of {}'s {model}", architecture.name(), naming.name())];
                let head = own(&|at| !base.contains(&at));
                if !head.is_empty() {
                    notes.push(format!("behind it, under their own names: {head}"));
                }
                notes
            }
            (None, Some((architecture, ..))) => vec![format!(
                "no library of PyTorch computes {} as Keras does, for which these weights are: all layers are under their own names",
                architecture.name()
            )],
            (_, None) => vec!["layers are under their own names".into()],
        }
    }
}

fn computes_the_same(naming: Naming, architecture: Architecture, wiring: Wiring) -> bool {
    // timm has EfficientNet-Lite0 in both wirings, under the same names.
    (naming == Naming::Timm && architecture == Architecture::EfficientnetLite0)
        || naming.wiring(architecture) == wiring
        || architecture.layers_for(Wiring::Keras, true) == architecture.layers_for(Wiring::Torch, true)
}

/// What the library calls the model.
fn model(naming: Naming, architecture: Architecture, wiring: Wiring) -> &'static str {
    match (naming, architecture, wiring) {
        (Naming::Timm, Architecture::Xception, _) => "legacy_xception",
        (Naming::Timm, Architecture::Mobilenet, _) => "mobilenetv1_100",
        (Naming::Timm, Architecture::EfficientnetLite0, Wiring::Keras) => "tf_efficientnet_lite0",
        _ => architecture.name(),
    }
}
