//! The freeze mask, as people change it. Which layers a change names; what it means for batches under way; and the warning that goes with
//! a base that is thawed too early.

use super::{Record, Stepper, Trainer};
use crate::{
    arch::{Layer, Parameter},
    command::means,
    error::Result,
    event::{Event, Level, Trainable},
    plan::BaseWeights,
};

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// Names of the layers that have parameters, in order.
    pub(super) fn weighty(&self) -> impl Iterator<Item = &str> {
        let layers = self.plan.arch.layers().iter();
        layers.filter(|layer| !layer.parameters.is_empty()).map(|layer| layer.name.as_str())
    }

    /// Those of them that `patterns` mean.
    pub(super) fn named(&self, patterns: &[String]) -> Vec<String> {
        let named = |name: &&str| patterns.iter().any(|pattern| means(pattern, name));
        self.weighty().filter(named).map(str::to_owned).collect()
    }

    /// The layers with parameters up to and including `layer`; none for `None`.
    pub(super) fn below(&self, layer: Option<&str>) -> Vec<String> {
        let line = layer.and_then(|layer| self.plan.arch.position(layer));
        let layers = self.plan.arch.layers().iter().enumerate();
        layers
            .filter(|(index, layer)| !layer.parameters.is_empty() && line.is_some_and(|line| *index <= line))
            .map(|(_, layer)| layer.name.clone())
            .collect()
    }

    pub(super) fn freeze(&mut self, patterns: &[String]) -> Result<()> {
        let frozen = [&self.progress.frozen[..], &self.named(patterns)].concat();
        self.freeze_exactly(&frozen)
    }

    pub(super) fn unfreeze(&mut self, patterns: &[String]) -> Result<()> {
        let thawed = self.named(patterns);
        let mut frozen = self.progress.frozen.clone();
        frozen.retain(|name| !thawed.contains(name));
        self.freeze_exactly(&frozen)
    }

    pub(super) fn freeze_exactly(&mut self, frozen: &[String]) -> Result<()> {
        // In the network's order and without repetitions.
        let frozen: Vec<String> =
            self.weighty().filter(|name| frozen.iter().any(|each| each == name)).map(str::to_owned).collect();
        self.stepper.set_frozen(&frozen)?;
        let before = std::mem::replace(&mut self.progress.frozen, frozen);
        self.keeping.refrozen = true;
        self.say_trainable()?;
        self.warn_of_raw_head(&before)
    }

    pub(super) fn say_trainable(&mut self) -> Result<()> {
        let frozen = self.progress.frozen.clone();
        let learned = |layer: &Layer| -> u64 {
            layer.parameters.iter().filter(|parameter| parameter.learned).map(Parameter::count).sum()
        };
        let layers = self.plan.arch.layers();
        let trainable_parameters = layers.iter().filter(|layer| !frozen.contains(&layer.name)).map(learned).sum();
        let total_parameters = self.plan.arch.parameter_count();
        let step = self.progress.step;
        self.record.say(Event::Trainable(Trainable { step, frozen, trainable_parameters, total_parameters }))
    }

    /// Above a thawed base a head of random weights sends back large errors, which spoil what the base has learned (Chollet, Deep Learning
    /// with Python, section 5.3.2). It counts as trained once it has seen all training images.
    pub(super) fn warn_of_raw_head(&mut self, frozen_before: &[String]) -> Result<()> {
        let Some(base) = &self.plan.base else { return Ok(()) };
        let is_random = base.weights != BaseWeights::None && self.plan.weights.is_none();
        let frozen = &self.progress.frozen;
        let layers = self.plan.arch.layers();
        let thawed: Vec<&str> = layers[base.layers.clone()]
            .iter()
            .map(|layer| layer.name.as_str())
            .filter(|&name| frozen_before.iter().any(|each| each == name) && !frozen.iter().any(|each| each == name))
            .collect();
        if !is_random || thawed.is_empty() || self.progress.epoch > 1 {
            return Ok(());
        }
        let Some(head) = layers[base.layers.end..].iter().find(|layer| !layer.parameters.is_empty()) else {
            return Ok(());
        };
        let message = format!(
            "{} thawed under a head that is still random: {} has not seen all training images once, and its errors can wreck what \
             the base has learned; train the head alone for an epoch first",
            match thawed[..] {
                [only] => format!("{only} is"),
                [first, .., last] => format!("{first} to {last} are"),
                [] => String::new(),
            },
            head.name
        );
        self.record.say(Event::Log { level: Level::Warning, message })
    }
}
