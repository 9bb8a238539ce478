//! Pictures of what the network sees: the newest of each kind, and those that are kept of epochs. Which of them answers a wish is
//! decided here, so that the screen and what is asked of the run agree.

use super::RunState;
use crate::{
    command::{Method, Scene, Watch},
    event::{Explained, Painted, Picture, PictureKind},
};

/// What of a wish an explanation holds.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub explained: &'a Explained,
    pub sample: Option<&'a Picture>,
    pub activations: Option<&'a Picture>,
    /// At the wanted layer.
    pub heat: Option<&'a Picture>,
}

/// Heat at one layer after the other, of the wanted class, and how it was found.
pub fn sweep<'a>(explained: &'a Explained, watch: &Watch) -> Vec<&'a Picture> {
    explained.heats(watch.method).filter(|picture| of_class(explained, picture, watch)).collect()
}

impl RunState {
    pub(super) fn explain(&mut self, explained: &Explained) {
        self.explained.retain(|old| old.sample != explained.sample || way(old) != way(explained));
        self.explained.push(explained.clone());
        if self.explained.len() > Self::EXPLAINED {
            self.explained.remove(0);
        }
        if !explained.kept {
            return;
        }
        // An epoch that an engine did once more after it was killed.
        self.kept.retain(|old| (old.epoch, old.sample) != (explained.epoch, explained.sample));
        self.kept.push(explained.clone());
        if self.kept.len() > Self::KEPT {
            let last = explained.epoch;
            self.kept.retain(|old| old.epoch.is_multiple_of(2) || old.epoch == last);
        }
    }

    pub(super) fn paint(&mut self, painted: &Painted) {
        self.painted.retain(|old| old.layer != painted.layer);
        self.painted.push(painted.clone());
        if self.painted.len() > Self::PAINTED {
            self.painted.remove(0);
        }
    }

    /// The newest explanation of the image that holds what is wanted; else the newest of the image.
    pub fn seen_now(&self, watch: &Watch) -> Option<Seen<'_>> {
        let of_image = || self.explained.iter().rev().filter(|e| e.sample == watch.sample);
        let full = of_image().find(|e| answers(e, watch));
        full.or_else(|| of_image().next()).map(|e| Seen::of(e, watch))
    }

    /// What is kept of an epoch.
    pub fn seen_then(&self, watch: &Watch, epoch: u32) -> Option<Seen<'_>> {
        let kept = self.kept.iter().rev().find(|e| e.sample == watch.sample && e.epoch == epoch)?;
        Some(Seen::of(kept, watch))
    }

    /// Epochs of which something of the image is kept, in their order.
    pub fn kept_epochs(&self, sample: u32) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.kept.iter().filter(move |e| e.sample == sample).map(|e| e.epoch)
    }

    pub fn is_pinned(&self, sample: u32) -> bool {
        self.pinned.iter().any(|pin| pin.sample == sample)
    }
}

impl<'a> Seen<'a> {
    fn of(explained: &'a Explained, watch: &Watch) -> Self {
        let find = |fits: &dyn Fn(&PictureKind) -> bool| explained.pictures.iter().find(|p| fits(&p.kind));
        let wanted = watch.layer.as_deref();
        let own = |layer: &str| wanted.is_none_or(|wanted| wanted == layer);
        Self {
            explained,
            sample: find(&|kind| matches!(kind, PictureKind::Sample)),
            activations: find(&|kind| matches!(kind, PictureKind::Activations { layer, .. } if own(layer))),
            heat: explained.heats(watch.method).find(|p| fits(explained, p, watch)),
        }
    }
}

/// Whether a picture is the heat that is wanted: of the class, and at the layer, by default that of the activations beside it.
fn fits(explained: &Explained, picture: &Picture, watch: &Watch) -> bool {
    let (PictureKind::Heat { layer, class, .. } | PictureKind::GradCam { layer, class, .. }) = &picture.kind else {
        return false;
    };
    let wanted = watch.layer.as_deref().or_else(|| shown_layer(explained));
    let own = !watch.method.looks_at_a_layer() || wanted == Some(layer);
    own && explained.class_of(watch.class).is_none_or(|wanted| wanted == *class)
}

fn answers(explained: &Explained, watch: &Watch) -> bool {
    if explained.refused.as_ref().is_some_and(|refused| refused.method == watch.method) {
        return true;
    }
    match watch.scene {
        Scene::Sweep => explained.heats(watch.method).any(|picture| of_class(explained, picture, watch)),
        Scene::Layer | Scene::Filters(_) => {
            shown_layer(explained).is_some() && explained.heats(watch.method).any(|p| fits(explained, p, watch))
        }
    }
}

/// Whether a sweep shows it.
fn of_class(explained: &Explained, picture: &Picture, watch: &Watch) -> bool {
    let (PictureKind::Heat { class, .. } | PictureKind::GradCam { class, .. }) = &picture.kind else { return false };
    explained.class_of(watch.class).is_none_or(|wanted| wanted == *class)
}

/// What tells two ways to look at one image apart: what its pictures are of.
fn way(explained: &Explained) -> Vec<(Option<Method>, &str, Option<u32>)> {
    let refused = explained.refused.iter().map(|refused| (Some(refused.method), refused.layer.as_str(), None));
    let pictures = explained.pictures.iter().filter_map(|picture| match &picture.kind {
        PictureKind::Sample => None,
        PictureKind::Activations { layer, .. } => Some((None, layer.as_str(), None)),
        PictureKind::Heat { method, layer, class, .. } => Some((Some(*method), layer.as_str(), Some(*class))),
        PictureKind::GradCam { layer, class, .. } => Some((Some(Method::GradCam), layer.as_str(), Some(*class))),
    });
    pictures.chain(refused).collect()
}

/// The layer whose activations an explanation shows; none if it is of several layers.
pub fn shown_layer(explained: &Explained) -> Option<&str> {
    explained.pictures.iter().find_map(|picture| match &picture.kind {
        PictureKind::Activations { layer, .. } => Some(layer.as_str()),
        _ => None,
    })
}
