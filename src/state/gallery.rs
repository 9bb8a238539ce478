//! Pictures of what the network sees: the newest of each kind, and those that are kept of epochs. Which of them answers a wish is
//! decided here, so that the screen and what is asked of the run agree.

use super::RunState;
use crate::{
    command::{Method, Scene, Watch, Whose},
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

/// What speaks for the class that an image was given and for its own.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    pub explained: &'a Explained,
    pub sample: Option<&'a Picture>,
    pub predicted: &'a Picture,
    /// `None` where the two are the same.
    pub truth: Option<&'a Picture>,
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

    /// What of a wish an explanation from elsewhere holds, if it answers it.
    pub fn seen_in<'a>(explained: &'a Explained, watch: &Watch) -> Option<Seen<'a>> {
        (explained.sample == watch.sample && answers(explained, watch)).then(|| Seen::of(explained, watch))
    }

    /// The newest explanation of the image that has heat for both its classes.
    pub fn verdict(&self, watch: &Watch) -> Option<Verdict<'_>> {
        self.explained.iter().rev().filter(|e| e.sample == watch.sample).find_map(|e| verdict(e, watch))
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

fn verdict<'a>(explained: &'a Explained, watch: &Watch) -> Option<Verdict<'a>> {
    // Unlike beside activations, there is no other picture from which the layer would follow.
    let of = |whose: Whose| {
        let wanted = explained.class_of(whose)?;
        explained.heats(watch.method).find(|picture| match &picture.kind {
            PictureKind::Heat { layer, class, .. } | PictureKind::GradCam { layer, class, .. } => {
                *class == wanted && watch.layer.as_ref().is_none_or(|wanted| wanted == layer)
            }
            _ => false,
        })
    };
    let predicted = of(Whose::Predicted)?;
    let is_right = explained.class_of(Whose::True) == explained.class_of(Whose::Predicted);
    let truth = if is_right { None } else { Some(of(Whose::True)?) };
    let sample = explained.pictures.iter().find(|picture| matches!(picture.kind, PictureKind::Sample));
    Some(Verdict { explained, sample, predicted, truth })
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
        // What was made for one layer holds no other.
        Scene::Sweep => {
            let heats = sweep(explained, watch).len();
            heats > 1 || (heats == 1 && shown_layer(explained).is_none())
        }
        Scene::Verdict => verdict(explained, watch).is_some(),
        Scene::Layer | Scene::Filters(_) | Scene::Probe | Scene::Machine | Scene::Figures => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Stamped};

    fn heat(method: Method, layer: &str, class: u32) -> Picture {
        let kind = PictureKind::Heat { method, layer: layer.into(), class, empty: false };
        Picture { kind, blob: format!("{layer} {class}"), width: 1, height: 1 }
    }

    fn grid(layer: &str) -> Picture {
        let kind = PictureKind::Activations { layer: layer.into(), channels: 8 };
        Picture { kind, blob: layer.into(), width: 1, height: 1 }
    }

    /// Of image 0, a dog, which is taken for a cat.
    fn explained(epoch: u32, pictures: Vec<Picture>) -> Explained {
        Explained {
            step: u64::from(epoch) * 10,
            epoch,
            sample: 0,
            name: "dog.jpg".into(),
            label: 1,
            probabilities: vec![0.9, 0.1],
            pictures,
            kept: true,
            refused: None,
        }
    }

    fn fold(all: Vec<Explained>) -> RunState {
        let mut state = RunState::default();
        for (seq, explained) in (0..).zip(all) {
            state.apply(&Stamped { seq, at_ms: 0, event: Event::Explained(explained) });
        }
        state
    }

    fn whole(epoch: u32) -> Explained {
        let method = Method::GradCam;
        explained(epoch, vec![grid("top"), heat(method, "top", 0), heat(method, "top", 1), heat(method, "low", 0)])
    }

    #[test]
    fn the_heat_is_of_the_class_and_at_the_layer_that_are_wanted() {
        let state = fold(vec![whole(1)]);
        let shown = |watch: &Watch| state.seen_now(watch).and_then(|seen| seen.heat).map(|heat| heat.blob.clone());
        let plain = Watch::default();
        assert_eq!(shown(&plain).as_deref(), Some("top 0"), "the predicted class, beside the activations");
        assert_eq!(shown(&Watch { class: Whose::True, ..plain.clone() }).as_deref(), Some("top 1"));
        assert_eq!(shown(&Watch { layer: Some("low".into()), ..plain.clone() }).as_deref(), Some("low 0"));
        assert_eq!(shown(&Watch { method: Method::LayerCam, ..plain.clone() }), None);
        assert!(state.seen_now(&Watch { sample: 1, ..plain.clone() }).is_none());
        let low = Watch { layer: Some("low".into()), ..plain };
        assert!(state.seen_now(&low).is_some_and(|seen| seen.activations.is_none()));
    }

    #[test]
    fn newer_pictures_of_something_else_do_not_push_out_what_is_wanted() {
        let other = Explained { kept: false, ..explained(3, vec![grid("low"), heat(Method::LayerCam, "low", 0)]) };
        let state = fold(vec![whole(2), other]);
        assert_eq!(state.seen_now(&Watch::default()).map(|seen| seen.explained.epoch), Some(2));
        let sweep = Watch { scene: Scene::Sweep, ..Watch::default() };
        assert_eq!(state.seen_now(&sweep).map(|seen| super::sweep(seen.explained, &sweep).len()), Some(2));
    }

    #[test]
    fn epochs_are_found_again_and_their_number_is_bounded() {
        let state = fold((1..=5000).map(whole).collect());
        assert!(state.kept.len() <= RunState::KEPT && state.explained.len() == 1);
        assert_eq!(state.kept_epochs(0).next_back(), Some(5000));
        assert_eq!(state.seen_then(&Watch::default(), 4000).map(|seen| seen.explained.epoch), Some(4000));
        assert!(state.seen_then(&Watch::default(), 3999).is_none(), "every second one made room");
        assert_eq!(state.kept_epochs(1).count(), 0);
    }

    #[test]
    fn an_epoch_that_was_done_once_more_is_there_once() {
        let state = fold(vec![whole(1), whole(2), whole(2)]);
        assert_eq!(state.kept_epochs(0).collect::<Vec<_>>(), [1, 2]);
    }
}
