//! The way from a parameter to its tensor under one convention of names, and back from a tensor to whether it is missed.

use std::collections::{HashMap, HashSet};

use super::{
    file::Tensor,
    fit::{Convention, Fit, Match, Misshapen, Wanted},
    keras_names,
    layout::Layout,
};
use crate::arch::{
    Arch, Shape,
    zoo::{self, Naming},
};

/// Ways to look a file's tensors up.
pub(super) struct Names<'a> {
    tensors: &'a [Tensor],
    /// Without what stands before all of them, such as `module.`.
    by_name: HashMap<&'a str, usize>,
    /// By Keras's layer and position.
    by_layer: HashMap<(&'a str, usize), usize>,
    /// Keras's layers in the file's order.
    layers: Vec<&'a str>,
    /// Whether Keras counted the layers of each class, whatever their names are.
    counts_classes: bool,
    /// The length of what a wrapper put before all names.
    prefix: usize,
}

impl<'a> Names<'a> {
    pub(super) fn of(tensors: &'a [Tensor]) -> Self {
        let prefix = prefix(tensors);
        let name = |tensor: &'a Tensor| &tensor.name[prefix..];
        let by_name = tensors.iter().enumerate().map(|(index, tensor)| (name(tensor), index)).collect();
        let mut by_layer = HashMap::new();
        let mut layers: Vec<&str> = Vec::new();
        for (index, tensor) in tensors.iter().enumerate() {
            if let Some(keras) = &tensor.keras {
                if layers.last() != Some(&keras.layer.as_str()) {
                    layers.push(&keras.layer);
                }
                by_layer.insert((keras.layer.as_str(), keras.position), index);
            }
        }
        let counts_classes = tensors.iter().all(|tensor| tensor.keras.is_some() && tensor.name.contains("vars/"));
        Self { tensors, by_name, by_layer, layers, counts_classes, prefix }
    }
}

/// The length of what a wrapper put before all names.
fn prefix(tensors: &[Tensor]) -> usize {
    const WRAPPERS: [&str; 4] = ["module.", "model.", "_orig_mod.", "network."];
    let mut length = 0;
    while let Some(wrapper) = WRAPPERS.iter().find(|wrapper| {
        !tensors.is_empty() && tensors.iter().all(|tensor| tensor.name[length..].starts_with(**wrapper))
    }) {
        length += wrapper.len();
    }
    length
}

/// Finds the tensor of a parameter under one convention.
pub(super) enum Finder<'a> {
    Named {
        convention: Convention,
        modules: Option<(Naming, HashMap<String, String>)>,
    },
    /// The file's name of each wanted layer.
    Keras {
        layers: HashMap<usize, &'a str>,
    },
}

impl<'a> Finder<'a> {
    /// `None` where the convention cannot be this file's.
    pub(super) fn new(convention: Convention, names: &Names<'a>, wanted: &Wanted<'_>) -> Option<Self> {
        match convention {
            Convention::Frostline => Some(Self::Named { convention, modules: None }),
            Convention::Library(naming) => {
                let modules = zoo::modules(wanted.architecture?.0, naming)?;
                Some(Self::Named { convention, modules: Some((naming, modules)) })
            }
            Convention::Keras if names.layers.is_empty() => None,
            Convention::Keras => Some(Self::Keras { layers: keras_layers(names, wanted) }),
        }
    }

    fn find(&self, names: &Names<'_>, arch: &Arch, layer: usize, parameter: usize) -> Option<(usize, Layout)> {
        let of = &arch.layers()[layer];
        let wanted = &of.parameters[parameter];
        match self {
            Self::Named { modules: None, .. } => {
                let name = format!("{}/{}", of.name, wanted.name);
                Some((*names.by_name.get(name.as_str())?, Layout::Same))
            }
            Self::Named { modules: Some((naming, modules)), .. } => {
                let name = zoo::parameter_name(*naming, modules.get(&of.name)?, wanted.name)?;
                Some((*names.by_name.get(name.as_str())?, Layout::torch(arch, layer, wanted)))
            }
            Self::Keras { layers } => {
                let tensor = names.by_layer.get(&(*layers.get(&layer)?, parameter))?;
                Some((*tensor, Layout::keras(&of.op, wanted)))
            }
        }
    }

    pub(super) fn fit(&self, names: &Names<'_>, wanted: &Wanted<'_>) -> Fit {
        let arch = wanted.arch;
        let (mut matches, mut missing, mut misshapen) = (Vec::new(), Vec::new(), Vec::new());
        let mut used = HashSet::new();
        for layer in wanted.layers.clone() {
            for (parameter, ours) in arch.layers()[layer].parameters.iter().enumerate() {
                let name = format!("{}/{}", arch.layers()[layer].name, ours.name);
                let Some((tensor, layout)) = self.find(names, arch, layer, parameter) else {
                    missing.push(name);
                    continue;
                };
                used.insert(tensor);
                let theirs = &names.tensors[tensor];
                if layout.fits(&theirs.shape, &ours.shape) {
                    matches.push(Match { layer, parameter, tensor, layout });
                } else {
                    misshapen.push(Misshapen {
                        parameter: name,
                        expected: ours.shape.clone(),
                        tensor: theirs.name.clone(),
                        found: theirs.shape.clone(),
                    });
                }
            }
        }
        let (mut unexpected, mut unused) = (Vec::new(), Vec::new());
        let top = top(wanted);
        for (_, tensor) in names.tensors.iter().enumerate().filter(|(index, _)| !used.contains(index)) {
            match self.left_over(tensor, names, &top) {
                LeftOver::Ignored => {}
                LeftOver::OfTheTop => unused.push(tensor.name.clone()),
                LeftOver::Unexpected => unexpected.push(tensor.name.clone()),
            }
        }
        let channels = channels(wanted, &misshapen, self);
        Fit { convention: self.convention(), matches, missing, misshapen, unexpected, unused, channels }
    }

    fn convention(&self) -> Convention {
        match self {
            Self::Named { convention, .. } => *convention,
            Self::Keras { .. } => Convention::Keras,
        }
    }

    /// `top` has the layers of the published network's classifier.
    fn left_over(&self, tensor: &Tensor, names: &Names<'_>, top: &[String]) -> LeftOver {
        let of_the_top = |is_its: &dyn Fn(&str) -> bool| top.iter().any(|layer| is_its(layer));
        let is_of_the_top = match self {
            Self::Named { modules: None, .. } => {
                // What a run's optimiser keeps, and the layers that stand on its base.
                if tensor.name.starts_with("optimizer/") {
                    return LeftOver::Ignored;
                }
                of_the_top(&|layer| tensor.name.split('/').next() == Some(layer))
            }
            Self::Named { modules: Some((naming, modules)), .. } => {
                let name = &tensor.name[names.prefix..];
                if zoo::is_surplus(*naming, name) {
                    return LeftOver::Ignored;
                }
                let module = name.rsplit_once('.').map_or(name, |(module, _)| module);
                of_the_top(&|layer| modules.get(layer).is_some_and(|theirs| theirs == module))
            }
            Self::Keras { .. } => {
                let layer = last(tensor.keras.as_ref().map_or("", |keras| keras.layer.as_str()));
                // Counted by class, the classifier of a convnet is its last dense layer.
                of_the_top(&|top| top == layer)
                    || (!top.is_empty() && names.counts_classes && keras_names::stem(layer).0 == "dense")
            }
        };
        if is_of_the_top { LeftOver::OfTheTop } else { LeftOver::Unexpected }
    }
}

enum LeftOver {
    Ignored,
    OfTheTop,
    Unexpected,
}

/// The layers that only the published network with its classifier has.
fn top(wanted: &Wanted<'_>) -> Vec<String> {
    let Some((architecture, wiring)) = wanted.architecture else { return Vec::new() };
    let layers = |top| architecture.layers_for(wiring, top).into_iter().filter_map(|layer| layer.name);
    let without: HashSet<String> = layers(false).collect();
    layers(true).filter(|layer| !without.contains(layer)).collect()
}

/// The file's layer for each wanted one: that of the same name, and for names that Keras made up that of the same rank.
fn keras_layers<'a>(names: &Names<'a>, wanted: &Wanted<'_>) -> HashMap<usize, &'a str> {
    let layers = wanted.arch.layers();
    let ranked = |file: Vec<&'a str>| {
        let mut by_class: HashMap<&'static str, Vec<(usize, &'a str)>> = HashMap::new();
        for name in file {
            if let Some((class, number)) = keras_names::class(last(name)) {
                by_class.entry(class).or_default().push((number, name));
            }
        }
        for of_class in by_class.values_mut() {
            of_class.sort_unstable();
            of_class.dedup();
        }
        by_class
    };
    let by_class = ranked(names.layers.clone());
    let mut found = HashMap::new();
    if names.counts_classes {
        let mut ranks: HashMap<&'static str, usize> = HashMap::new();
        for index in keras_names::order(wanted.arch).into_iter().filter(|index| wanted.layers.contains(index)) {
            let architecture = wanted.architecture.map(|(architecture, _)| architecture);
            let Some(class) = keras_names::class_of(&layers[index], architecture) else { continue };
            let rank = ranks.entry(class).or_insert(0);
            if let Some((_, name)) = by_class.get(class).and_then(|names| names.get(*rank)) {
                found.insert(index, *name);
            }
            *rank += 1;
        }
        return found;
    }
    let mut unnamed: HashMap<&'static str, Vec<(usize, usize)>> = HashMap::new();
    for index in wanted.layers.clone() {
        let name = layers[index].name.as_str();
        if let Some((class, number)) = keras_names::class(name) {
            unnamed.entry(class).or_default().push((number, index));
        } else {
            let theirs = names.layers.iter().find(|theirs| last(theirs) == name);
            found.extend(theirs.map(|theirs| (index, *theirs)));
        }
    }
    for (class, mut of_class) in unnamed {
        of_class.sort_unstable();
        let theirs = by_class.get(class).map_or(&[][..], Vec::as_slice);
        found.extend(of_class.iter().zip(theirs).map(|(&(_, index), &(_, name))| (index, name)));
    }
    found
}

/// A layer's own name, without that of the model around it.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The input channels of the file's first convolution and ours, where they are what is wrong.
fn channels(wanted: &Wanted<'_>, misshapen: &[Misshapen], finder: &Finder<'_>) -> Option<(usize, usize)> {
    let first = wanted.arch.layers()[wanted.layers.clone()].iter().find(|layer| layer.op.has_kernel())?;
    let wrong = misshapen.iter().find(|wrong| wrong.parameter == format!("{}/kernel", first.name))?;
    let (&[_, ours, ..], found) = (&wrong.expected[..], &wrong.found[..]) else { return None };
    let theirs = *found.get(if matches!(finder, Finder::Keras { .. }) { 2 } else { 1 })?;
    (matches!(wanted.arch.input(), Shape::Map { .. }) && theirs != ours).then_some((theirs, ours))
}
