//! Pictures that are in a data set more than once: grouped, so that three copies are one finding and not three.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::{Listed, Looks, Portrait};

/// One picture and all places where it lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repeat {
    /// In the order of the data set.
    pub places: Vec<Place>,
    /// All are the same byte by byte; otherwise some only look the same.
    pub identical: bool,
    /// Bytes, one group a number: places with the same number are identical.
    #[serde(skip)]
    kinds: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    pub file: String,
    pub split: String,
    pub class: String,
}

impl Repeat {
    pub fn is_leak(&self) -> bool {
        self.places.iter().any(|place| place.split != self.places[0].split)
    }

    pub fn is_contradiction(&self) -> bool {
        let mut classes = HashMap::new();
        self.places.iter().any(|place| *classes.entry(&place.split).or_insert(&place.class) != &place.class)
    }

    /// Files that could be removed, since the same bytes lie in the same class of the same split.
    pub fn duplicates(&self) -> usize {
        let different: BTreeSet<_> =
            self.places.iter().zip(&self.kinds).map(|(place, kind)| (&place.split, &place.class, kind)).collect();
        self.places.len() - different.len()
    }
}

pub(super) fn among_portraits(good: &[(&Listed, &Portrait)], splits: &[String], classes: &[String]) -> Vec<Repeat> {
    let mut groups = Groups::new(good.len());
    let mut first = HashMap::new();
    let mut looks = Looks::default();
    // The file behind each look.
    let mut numbered = Vec::new();
    for (at, (_, portrait)) in good.iter().enumerate() {
        // Of identical files one is enough to find what is like them.
        if let Some(&earlier) = first.get(&portrait.digest) {
            groups.join(at, earlier);
            continue;
        }
        first.insert(portrait.digest, at);
        for earlier in looks.like(&portrait.look) {
            groups.join(at, numbered[earlier]);
        }
        looks.add(portrait.look.clone());
        numbered.push(at);
    }
    let place = |at: usize| Place {
        file: good[at].0.path.display().to_string(),
        split: splits[good[at].0.split].clone(),
        class: classes[good[at].0.class].clone(),
    };
    groups.repeats(place, |at| first[&good[at].1.digest])
}

/// Of `(name, split, class, digest)`.
pub(super) fn among_digests(
    found: &[(String, usize, usize, [u8; 32])],
    splits: &[String],
    classes: &[String],
) -> Vec<Repeat> {
    let mut groups = Groups::new(found.len());
    let mut first = HashMap::new();
    for (at, (.., digest)) in found.iter().enumerate() {
        groups.join(at, *first.entry(digest).or_insert(at));
    }
    let place = |at: usize| {
        let (name, split, class, _) = &found[at];
        Place { file: name.clone(), split: splits[*split].clone(), class: classes[*class].clone() }
    };
    groups.repeats(place, |at| first[&found[at].3])
}

/// Disjoint sets of numbers.
struct Groups {
    parents: Vec<usize>,
}

impl Groups {
    fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    /// The smaller number stays the root.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }

    /// Every set of more than one, in the order of their first members.
    fn repeats(mut self, place: impl Fn(usize) -> Place, kind: impl Fn(usize) -> usize) -> Vec<Repeat> {
        let mut sets = BTreeMap::<usize, Vec<usize>>::new();
        for at in 0..self.parents.len() {
            sets.entry(self.root(at)).or_default().push(at);
        }
        let several = sets.into_values().filter(|set| set.len() > 1);
        several
            .map(|set| {
                let kinds: Vec<usize> = set.iter().map(|&at| kind(at)).collect();
                let identical = kinds.iter().all(|kind| *kind == kinds[0]);
                Repeat { places: set.into_iter().map(&place).collect(), identical, kinds }
            })
            .collect()
    }
}
