//! Why a command cannot be carried out now, in words for the person who gave it. Decides, and changes nothing.

use super::{Record, Stepper, Trainer};
use crate::{
    arch::Op,
    command::{Command, HeldOut, means},
    data::Split,
    error::Error,
    plan::{check_freezable, check_left_to_train},
};

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    pub(super) fn refusal(&self, command: &Command) -> Option<String> {
        if let Some(problem) = command.senseless() {
            return Some(problem);
        }
        let touches = command.intervenes()
            || matches!(
                command,
                Command::Pin { .. }
                    | Command::Unpin { .. }
                    | Command::Checkpoint
                    | Command::Undo
                    | Command::Step { .. }
                    | Command::Epoch
                    | Command::Evaluate { .. }
            );
        if touches && self.testing {
            return Some("training is over and saved; the best weights are being tested".into());
        }
        match command {
            Command::Pause if self.paused => Some("the run is paused already".into()),
            Command::Resume if !self.paused && self.hold.is_none() => Some("the run is not paused".into()),
            Command::Freeze { layers } => self.refused_layers(layers).or_else(|| {
                let wanted = self.named(layers);
                let frozen = &self.progress.frozen;
                if wanted.iter().all(|name| frozen.contains(name)) {
                    Some(format!("{} frozen already", are(&wanted)))
                } else {
                    self.refused_mask(&[&frozen[..], &wanted].concat())
                }
            }),
            Command::Unfreeze { layers } => self.refused_layers(layers).or_else(|| {
                let wanted = self.named(layers);
                let thawed = wanted.iter().all(|name| !self.progress.frozen.contains(name));
                thawed.then(|| format!("{} not frozen", are(&wanted)))
            }),
            Command::FrostLine { layer: Some(layer) } => match self.plan.arch.position(layer) {
                None => Some(format!("there is no layer \"{layer}\"")),
                Some(_) => self.refused_mask(&self.below(Some(layer))),
            },
            Command::LearningRate { layers, .. } => self.refused_layers(layers).or_else(|| self.refused_rate(command)),
            Command::Schedule { layers } => self.refused_layers(layers),
            Command::ScaleRate { layers, .. } => self.refused_layers(layers).or_else(|| {
                let ended = self.rate() == 0.0 && !self.phase().schedule.warms_up(self.epochs_done());
                let ended = ended.then(|| {
                    "the schedule has come to its end, where the rate is 0; learning-rate holds it elsewhere".into()
                });
                ended.or_else(|| self.refused_rate(command))
            }),
            Command::Augmentation { .. } => {
                let none = !self.phase().augment || self.plan.data.augment.is_none();
                none.then(|| {
                    "the training images of this phase are not varied; data.augment says how they could be".into()
                })
            }
            Command::BatchSize { images } => {
                let all = self.loader.images();
                (*images as usize > all).then(|| format!("there are only {all} training images"))
            }
            Command::Dropout { layers, .. } => self.refused_dropout(layers),
            Command::EndPhase | Command::SkipPhase if self.progress.phase_ended.is_some() => {
                Some("the phase is ending already".into())
            }
            Command::SkipPhase if self.progress.phase + 1 == self.phases.len() => {
                Some("there is no phase after this one; `phase end` ends it".into())
            }
            Command::InsertPhase { phase } => self.plan.phase(phase).err().map(|error| in_words(&error)),
            Command::Undo if self.progress.undo.is_empty() => Some("nothing was done that could be undone".into()),
            Command::Evaluate { split } => self.refused_evaluation(*split),
            Command::Pin { sample } => self.refused_pin(*sample),
            Command::Unpin { sample } => {
                (!self.pinned().contains(sample)).then(|| format!("image {sample} is not pinned"))
            }
            Command::Pause
            | Command::Resume
            | Command::Step { .. }
            | Command::Epoch
            | Command::FrostLine { layer: None }
            | Command::MicroBatch { .. }
            | Command::WeightDecay { .. }
            | Command::EndPhase
            | Command::SkipPhase
            | Command::Note { .. }
            | Command::Undo
            | Command::Checkpoint
            | Command::Stop
            | Command::Abort => None,
        }
    }

    /// A whole name must be that of a layer with parameters, a beginning must be one's.
    fn refused_layers(&self, layers: &[String]) -> Option<String> {
        layers.iter().find_map(|layer| {
            if layer.ends_with('*') {
                let none = !self.weighty().any(|name| means(layer, name));
                none.then(|| format!("no layer with parameters is called {layer}"))
            } else {
                check_freezable(&self.plan.arch, layer).err().map(|error| in_words(&error.into()))
            }
        })
    }

    fn refused_mask(&self, frozen: &[String]) -> Option<String> {
        check_left_to_train(&self.plan.arch, frozen).err().map(|error| error.to_string())
    }

    fn refused_dropout(&self, layers: &[String]) -> Option<String> {
        let drops = |layer: &&crate::arch::Layer| matches!(layer.op, Op::Dropout { .. });
        let all: Vec<&str> = self.plan.arch.layers().iter().filter(drops).map(|layer| layer.name.as_str()).collect();
        if all.is_empty() {
            return Some("the network has no dropout layer".into());
        }
        let stray = layers.iter().find(|layer| !all.iter().any(|name| means(layer, name)))?;
        Some(format!("there is no dropout layer {stray}; there is {}", all.join(", ")))
    }

    fn refused_evaluation(&self, split: HeldOut) -> Option<String> {
        let images = match split {
            HeldOut::Validation => self.data.validation.as_ref(),
            HeldOut::Test => self.data.test.as_ref(),
        };
        if images.is_none_or(Split::is_empty) {
            return Some(format!("the data has no {} split", split.word()));
        }
        self.is_validating().then(|| "the epoch is being validated; ask again behind it".into())
    }
}

/// A refusal travels without a hint of its own.
fn in_words(error: &Error) -> String {
    error.hint().map_or_else(|| error.message(), |hint| format!("{}; {hint}", error.message()))
}

fn are(layers: &[String]) -> String {
    format!("{} {}", layers.join(", "), if layers.len() == 1 { "is" } else { "are" })
}
