//! How a file fits a network: whose names its tensors have, and which of them are which parameters. Everything that is missing, of
//! another shape or left over is told by name; no number is read.

use std::{collections::HashMap, ops::Range};

use super::{
    file::{Tensor, WeightsFile},
    finder::{Finder, Names},
    layout::Layout,
};
use crate::arch::{
    Arch,
    zoo::{Architecture, Naming, Wiring},
};

/// The part of a network that wants weights.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub arch: &'a Arch,
    /// Positions in [`Arch::layers`].
    pub layers: Range<usize>,
    /// What published network it is, if it is one; without that only Keras's names and Frostline's can be understood.
    pub architecture: Option<(Architecture, Wiring)>,
}

/// Whose names they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// `layer/parameter` in our layouts.
    Frostline,
    /// Of a library that took the network from elsewhere.
    Library(Naming),
    /// Keras's layers, by name or by rank.
    Keras,
}

/// How a file's tensors fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    pub convention: Convention,
    pub(super) matches: Vec<Match>,
    /// `layer/parameter` of parameters that the file lacks.
    pub missing: Vec<String>,
    pub misshapen: Vec<Misshapen>,
    /// Names of tensors that nothing wants.
    pub unexpected: Vec<String>,
    /// Names of tensors of the published network's classifier, which is left out here.
    pub unused: Vec<String>,
    /// The channels that the first convolution of the file takes and those of this network, where they differ.
    pub(super) channels: Option<(usize, usize)>,
}

/// One parameter and its tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Match {
    pub(super) layer: usize,
    pub(super) parameter: usize,
    /// Position in the file's list.
    pub(super) tensor: usize,
    pub(super) layout: Layout,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// `layer/parameter`.
    pub parameter: String,
    pub expected: Vec<usize>,
    pub tensor: String,
    /// In the file's layout.
    pub found: Vec<usize>,
}

impl Convention {
    pub fn name(self) -> &'static str {
        match self {
            Self::Frostline => "frostline",
            Self::Library(naming) => naming.name(),
            Self::Keras => "keras",
        }
    }

    /// Which of the zoo's tables it is; Frostline's own names say nothing of where the weights come from.
    pub fn naming(self) -> Option<Naming> {
        match self {
            Self::Frostline => None,
            Self::Library(naming) => Some(naming),
            Self::Keras => Some(Naming::Keras),
        }
    }
}

impl Fit {
    /// The best of all conventions: that with the most parameters found, and then that with the fewest of another shape.
    pub fn of(file: &WeightsFile, wanted: &Wanted<'_>) -> Self {
        Self::among(file.tensors(), wanted)
    }

    /// Of one of Keras's files, where it is known what the file calls each layer: by position in [`Arch::layers`].
    pub(super) fn told(tensors: &[Tensor], wanted: &Wanted<'_>, layers: HashMap<usize, &str>) -> Self {
        Finder::Keras { layers }.fit(&Names::of(tensors), wanted)
    }

    pub(super) fn among(tensors: &[Tensor], wanted: &Wanted<'_>) -> Self {
        let names = Names::of(tensors);
        let mut best: Option<Self> = None;
        let libraries = Naming::ALL.into_iter().filter(|naming| *naming != Naming::Keras).map(Convention::Library);
        for convention in [Convention::Frostline, Convention::Keras].into_iter().chain(libraries) {
            let Some(find) = Finder::new(convention, &names, wanted) else { continue };
            let fit = find.fit(&names, wanted);
            if best.as_ref().is_none_or(|best| fit.score() > best.score()) {
                best = Some(fit);
            }
        }
        best.expect("Frostline's own names are always tried")
    }

    fn score(&self) -> (usize, isize) {
        // What has the right name and the wrong shape is nearer than what has neither.
        (self.matches.len() * 2 + self.misshapen.len(), -(self.unexpected.len() as isize))
    }

    /// Whether every wanted parameter is there in its shape.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.misshapen.is_empty()
    }

    /// Parameters that were found.
    pub fn found(&self) -> usize {
        self.matches.len()
    }

    /// What keeps the file from being loaded, in a few words.
    pub fn complaint(&self) -> String {
        const SHOWN: usize = 3;
        if self.matches.is_empty() && self.misshapen.is_empty() {
            return "none of its tensors has a name that belongs to it".into();
        }
        let mut parts = Vec::new();
        if let Some((theirs, ours)) = self.channels {
            parts.push(format!("its first layer takes {theirs} channels, and the images here have {ours}"));
        }
        let some = |what: &str, names: &[String]| {
            let more = names.len().saturating_sub(SHOWN);
            let shown = names[..names.len() - more].join(", ");
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            (!names.is_empty()).then(|| format!("{what} {shown}{rest}"))
        };
        parts.extend(some("it lacks", &self.missing));
        if self.channels.is_none() || self.misshapen.len() > 1 {
            let shapes: Vec<String> = self.misshapen.iter().map(ToString::to_string).collect();
            parts.extend(some("of another shape:", &shapes));
        }
        parts.join("; ")
    }
}

impl std::fmt::Display for Misshapen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { parameter, expected, tensor, found } = self;
        write!(f, "{parameter} is {expected:?} here, and {tensor} is {found:?}")
    }
}

#[cfg(test)]
mod tests;
