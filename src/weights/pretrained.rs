//! A file that fits a network: its numbers in our layouts, one parameter at a time, and what a person should be told of it. A file
//! that lacks a wanted parameter, or has it in another shape, is refused as a whole.

use std::path::Path;

use super::{
    Fit, Provenance, Shelf, Wanted, WeightsError, WeightsFile,
    fit::{Convention, Match},
};
use crate::{
    arch::{
        Arch, Preprocessing,
        zoo::{Naming, Wiring, expected_preprocessing},
    },
    plan::{Base, BaseWeights, Plan},
};

#[derive(Debug)]
pub struct Pretrained {
    file: WeightsFile,
    fit: Fit,
    provenance: Option<Provenance>,
}

/// The numbers of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Position in [`Arch::layers`].
    pub layer: usize,
    /// Position in [`Layer::parameters`](crate::arch::Layer::parameters).
    pub parameter: usize,
    /// Row-major, in our layout.
    pub numbers: Vec<f32>,
}

impl Pretrained {
    pub fn open(path: &Path, wanted: &Wanted<'_>) -> Result<Self, WeightsError> {
        Self::of(WeightsFile::open(path)?, wanted)
    }

    pub fn of(file: WeightsFile, wanted: &Wanted<'_>) -> Result<Self, WeightsError> {
        let fit = Fit::of(&file, wanted);
        Self::fitting(file, fit, wanted)
    }

    pub(super) fn fitting(file: WeightsFile, fit: Fit, wanted: &Wanted<'_>) -> Result<Self, WeightsError> {
        let loaded = Self { provenance: Provenance::of(&file), file, fit };
        if loaded.fit.is_whole() && loaded.fit.found() > 0 {
            return Ok(loaded);
        }
        let wiring =
            loaded.wiring(wanted).filter(|wiring| wanted.architecture.is_some_and(|(_, ours)| ours != *wiring));
        Err(WeightsError::Misfit {
            path: loaded.file.path().to_owned(),
            network: wanted.architecture.map_or(wanted.arch.name(), |(architecture, _)| architecture.name()).to_owned(),
            fit: Box::new(loaded.fit),
            wiring,
        })
    }

    /// The weights with which a plan's network begins, and the part of it that they are for; `None` where all are to be random.
    pub fn of_plan<'a>(plan: &'a Plan, shelf: &Shelf) -> Result<Option<(Self, Wanted<'a>)>, WeightsError> {
        let arch = &plan.arch;
        let (path, wanted) = match (&plan.weights, &plan.base) {
            (Some(path), _) => (path.clone(), Wanted::whole(arch, None)),
            (None, Some(base)) => match &base.weights {
                BaseWeights::None => return Ok(None),
                BaseWeights::Imagenet => (shelf.find(base.architecture)?, Wanted::base(arch, base)),
                BaseWeights::File(path) => (path.clone(), Wanted::base(arch, base)),
            },
            (None, None) => return Ok(None),
        };
        Ok(Some((Self::open(&path, &wanted)?, wanted)))
    }

    pub fn file(&self) -> &WeightsFile {
        &self.file
    }

    pub fn fit(&self) -> &Fit {
        &self.fit
    }

    /// One parameter after the other; reading one may fail.
    pub fn values<'a>(&'a self, arch: &'a Arch) -> impl Iterator<Item = Result<Values, WeightsError>> + 'a {
        self.fit.matches.iter().map(move |&Match { layer, parameter, tensor, layout }| {
            let numbers = self.file.read(tensor)?;
            let numbers = layout.convert(numbers, &arch.layers()[layer].parameters[parameter].shape);
            Ok(Values { layer, parameter, numbers })
        })
    }

    /// Whose names the weights had when they were published.
    fn naming(&self) -> Option<Naming> {
        match (&self.provenance, self.fit.convention) {
            (Some(provenance), Convention::Frostline) => {
                Naming::ALL.into_iter().find(|naming| naming.name() == provenance.naming)
            }
            (_, convention) => convention.naming(),
        }
    }

    /// How the network is wired in which the weights were trained.
    pub fn wiring(&self, wanted: &Wanted<'_>) -> Option<Wiring> {
        if let (Some(provenance), Convention::Frostline) = (&self.provenance, self.fit.convention) {
            return Some(provenance.wiring);
        }
        Some(self.naming()?.wiring(wanted.architecture?.0))
    }

    /// What the pixels were like on which they were trained.
    pub fn preprocessing(&self, wanted: &Wanted<'_>) -> Option<Preprocessing> {
        if let (Some(provenance), Convention::Frostline) = (&self.provenance, self.fit.convention) {
            return Some(provenance.preprocessing.clone());
        }
        let (architecture, _) = wanted.architecture?;
        Some(expected_preprocessing(architecture, self.naming()?, self.wiring(wanted)?))
    }

    /// What was loaded, and which layers are left as they were.
    pub fn report(&self, wanted: &Wanted<'_>) -> String {
        let whose = match (&self.provenance, self.fit.convention) {
            (Some(provenance), Convention::Frostline) => provenance.naming.as_str(),
            (_, convention) => convention.name(),
        };
        let name = wanted.architecture.map_or(wanted.arch.name(), |(architecture, _)| architecture.name());
        let mut text = format!("{name}: {} tensors from {} ({whose})", self.fit.found(), self.file.path().display());
        let is_new = |&(index, layer): &(usize, &crate::arch::Layer)| {
            !layer.parameters.is_empty() && !wanted.layers.contains(&index)
        };
        let layers = wanted.arch.layers().iter().enumerate();
        let new: Vec<&str> = layers.filter(is_new).map(|(_, layer)| layer.name.as_str()).collect();
        if !new.is_empty() {
            text.push_str("; new and random: ");
            text.push_str(&new.join(", "));
        }
        if !self.fit.unused.is_empty() {
            text.push_str("; not used: ");
            text.push_str(&self.fit.unused.join(", "));
        }
        text
    }

    /// What is likely a mistake: a sentence each.
    pub fn warnings(&self, wanted: &Wanted<'_>) -> Vec<String> {
        let mut warnings = Vec::new();
        let (Some((architecture, ours)), Some(theirs)) = (wanted.architecture, self.wiring(wanted)) else {
            return self.unexpected().into_iter().collect();
        };
        if ours != theirs && architecture.layers_for(ours, true) != architecture.layers_for(theirs, true) {
            warnings.push(format!(
                "the weights of {} were trained in the wiring \"{}\", and here it is \"{}\", which gives other results; \
                 set model.base.wiring = \"{}\"",
                architecture.name(),
                theirs.name(),
                ours.name(),
                theirs.name(),
            ));
        }
        warnings.extend(self.unexpected());
        warnings
    }

    /// A sentence for a person, if the weights were trained on other pixels than these.
    pub fn mismatch(&self, wanted: &Wanted<'_>, ours: &Preprocessing) -> Option<String> {
        let theirs = self.preprocessing(wanted).filter(|theirs| !theirs.resembles(ours))?;
        Some(format!(
            "the weights of {} were trained on other pixels: set model.preprocessing = {}, which is {} now",
            self.file.path().display(),
            theirs.to_toml(),
            ours.to_toml()
        ))
    }

    fn unexpected(&self) -> Option<String> {
        let names = &self.fit.unexpected;
        (!names.is_empty()).then(|| {
            let path = self.file.path().display();
            format!("{path} has tensors that nothing here is loaded from: {}", names.join(", "))
        })
    }
}

impl<'a> Wanted<'a> {
    /// The part of a plan's network that comes from the zoo.
    pub fn base(arch: &'a Arch, base: &Base) -> Self {
        Self { arch, layers: base.layers.clone(), architecture: Some((base.architecture, base.wiring)) }
    }

    /// All of a network.
    pub fn whole(arch: &'a Arch, architecture: Option<(crate::arch::zoo::Architecture, Wiring)>) -> Self {
        Self { arch, layers: 0..arch.layers().len(), architecture }
    }
}
