//! The page of mistakes: which list is browsed, and the image that is chosen in it. What has to be computed for it is a wish.

use super::{lens, model::Model, page::Page, update::Effect, viewing};
use crate::{
    command::{Scene, Watch, Whose},
    event::{ConfusedPair, Mistake, Mistakes},
    state::Verdict,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum List {
    /// The highest losses.
    #[default]
    Worst,
    /// Wrong with the most confidence.
    Confident,
    /// The most confused pairs.
    Pairs,
}

impl List {
    pub const ALL: [Self; 3] = [Self::Worst, Self::Confident, Self::Pairs];

    pub fn title(self) -> &'static str {
        match self {
            Self::Worst => "worst",
            Self::Confident => "confidently wrong",
            Self::Pairs => "confused pairs",
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Judging {
    pub list: List,
    pub chosen: usize,
}

/// An entry of a list: the image, and the pair that it stands for.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub case: &'a Mistake,
    pub pair: Option<ConfusedPair>,
}

fn entries(found: &Mistakes, list: List) -> Vec<Entry<'_>> {
    let case = |at: u32| found.cases.get(at as usize);
    let plain = |places: &[u32]| {
        places.iter().filter_map(|at| Some(Entry { case: case(*at)?, pair: None })).collect::<Vec<_>>()
    };
    match list {
        List::Worst => plain(&found.worst),
        List::Confident => plain(&found.confident),
        List::Pairs => {
            found.pairs.iter().filter_map(|pair| Some(Entry { case: case(pair.example)?, pair: Some(*pair) })).collect()
        }
    }
}

impl Model {
    /// The list that is browsed.
    pub fn mistakes(&self) -> Vec<Entry<'_>> {
        self.run.mistakes.as_ref().map_or_else(Vec::new, |found| entries(found, self.view.judging.list))
    }

    pub fn chosen_mistake(&self) -> Option<Entry<'_>> {
        let entries = self.mistakes();
        let last = entries.len().checked_sub(1)?;
        Some(entries[self.view.judging.chosen.min(last)])
    }

    /// Heat for the class that the chosen image was given and for its own.
    pub fn verdict_wish(&self) -> Option<Watch> {
        let sample = self.chosen_mistake()?.case.sample;
        let (layer, method) = (self.view.layer.clone(), self.view.lens.method);
        Some(Watch { sample, layer, method, class: Whose::Predicted, scene: Scene::Verdict })
    }

    pub fn verdict(&self) -> Option<Verdict<'_>> {
        self.run.verdict(&self.verdict_wish()?)
    }

    /// Blobs of the pictures on the page.
    pub fn verdict_blobs(&self) -> Vec<String> {
        let thumbnail = self.chosen_mistake().and_then(|entry| entry.case.picture.as_ref());
        let verdict = self.verdict();
        let heats = verdict
            .iter()
            .flat_map(|verdict| [verdict.sample, Some(verdict.predicted), verdict.truth].into_iter().flatten());
        thumbnail.into_iter().chain(heats).map(|picture| picture.blob.clone()).collect()
    }
}

pub fn step(model: &mut Model, by: isize) {
    let last = model.mistakes().len().saturating_sub(1);
    let now = model.view.judging.chosen.min(last) as isize;
    model.view.judging.chosen = now.saturating_add(by).clamp(0, last as isize) as usize;
}

pub fn step_list(model: &mut Model, by: isize) -> Vec<Effect> {
    let at = List::ALL.iter().position(|list| *list == model.view.judging.list).unwrap_or(0) as isize;
    let next = (at + by).rem_euclid(List::ALL.len() as isize) as usize;
    model.view.judging = Judging { list: List::ALL[next], chosen: 0 };
    Vec::new()
}

/// The lens on the chosen image.
pub fn look(model: &mut Model) -> Vec<Effect> {
    if let Some(sample) = model.chosen_mistake().map(|entry| entry.case.sample) {
        lens::look_at(model, sample);
        return viewing::go_to(model, Page::Lens);
    }
    Vec::new()
}
