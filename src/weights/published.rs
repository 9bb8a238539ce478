//! A published network as a file's weights want it: the wiring and the pixels of the library that trained it. And which network a
//! file belongs to, where nobody says.

use std::path::Path;

use super::{Fit, Pretrained, Provenance, Wanted, WeightsError, WeightsFile};
use crate::arch::{
    Arch, Preprocessing,
    zoo::{Architecture, Naming, Wiring, expected_preprocessing},
};

/// A network of the zoo with all its weights.
#[derive(Debug)]
pub struct Published {
    /// Its first layer prepares the pixels.
    pub arch: Arch,
    pub wiring: Wiring,
    pub weights: Pretrained,
    pub preprocessing: Preprocessing,
}

/// What a file turned out to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    pub architecture: Architecture,
    pub wiring: Wiring,
    /// Whether the classifier is in it.
    pub top: bool,
    /// Whose names the tensors have, or had.
    pub naming: Naming,
    pub preprocessing: Preprocessing,
}

impl Published {
    /// The network with its classifier, at its own input size.
    pub fn open(path: &Path, architecture: Architecture) -> Result<Self, WeightsError> {
        let file = WeightsFile::open(path)?;
        let identity = Identity::among(&file, &[architecture]);
        let wiring = identity.as_ref().map_or(Wiring::default(), |identity| identity.wiring);
        let preprocessing = identity.map_or(Preprocessing::Rescale, |identity| identity.preprocessing);
        let arch = architecture.network(wiring, true, architecture.default_input(), Some(&preprocessing))?;
        let weights = Pretrained::of(file, &Wanted::whole(&arch, Some((architecture, wiring))))?;
        Ok(Self { arch, wiring, weights, preprocessing })
    }
}

impl Identity {
    /// The network that all its weights belong to.
    pub fn of(file: &WeightsFile) -> Option<Self> {
        Self::among(file, &Architecture::ALL)
    }

    fn among(file: &WeightsFile, architectures: &[Architecture]) -> Option<Self> {
        if let Some(provenance) = Provenance::of(file) {
            let naming = Naming::ALL.into_iter().find(|naming| naming.name() == provenance.naming)?;
            let Provenance { architecture, wiring, top, preprocessing, .. } = provenance;
            let known = architectures.contains(&architecture);
            return known.then_some(Self { architecture, wiring, top, naming, preprocessing });
        }
        let mut best: Option<(usize, Self)> = None;
        for &architecture in architectures {
            for wiring in [Wiring::Keras, Wiring::Torch] {
                for top in [true, false] {
                    let Ok(arch) = architecture.network(wiring, top, architecture.default_input(), None) else {
                        continue;
                    };
                    let fit = Fit::of(file, &Wanted::whole(&arch, Some((architecture, wiring))));
                    let Some(naming) = fit.convention.naming() else { continue };
                    let found = fit.found();
                    let is_better = best.as_ref().is_none_or(|(most, _)| found > *most);
                    if !fit.is_whole() || found == 0 || !is_better || naming.wiring(architecture) != wiring {
                        continue;
                    }
                    let preprocessing = expected_preprocessing(architecture, naming, wiring);
                    best = Some((found, Self { architecture, wiring, top, naming, preprocessing }));
                }
            }
        }
        best.map(|(_, identity)| identity)
    }
}
