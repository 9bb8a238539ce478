//! The learning rate: what the phase's schedule gives, what plateaus make of it, and what people hold or scale, for all layers or for
//! some.

use super::{Record, Stepper, Trainer};
use crate::{
    command::{Command, HIGHEST_RATE, LEAST_RATE},
    error::Result,
    event::Event,
};

impl<S: Stepper, R: Record> Trainer<'_, S, R> {
    /// The learning rate of the next step, before what single layers have of their own.
    pub(super) fn rate(&self) -> f64 {
        self.progress.tuning.rate.unwrap_or_else(|| self.scheduled_rate())
    }

    /// What it would be if nobody held it.
    pub(super) fn scheduled_rate(&self) -> f64 {
        let scale = self.progress.tuning.rate_scale.unwrap_or(1.0);
        self.phase().schedule.rate(self.epochs_done()) * self.progress.rate_factor * scale
    }

    pub(super) fn hold_rate(&mut self, rate: f64, layers: &[String], by: &str) -> Result<()> {
        let layers = self.named(layers);
        self.progress.tuning.hold_rate(rate, &layers);
        self.say_rate(rate, layers, format!("held by {by}"))
    }

    pub(super) fn scale_rate(&mut self, factor: f64, layers: &[String], by: &str) -> Result<()> {
        let layers = self.named(layers);
        self.progress.tuning.scale_rate(factor, &layers);
        let rate = self.rate_of(layers.first());
        self.say_rate(rate, layers, format!("scaled by {by}"))
    }

    /// Without layers: all of them.
    pub(super) fn return_to_schedule(&mut self, layers: &[String], by: &str) -> Result<()> {
        let layers = self.named(layers);
        let tuning = &mut self.progress.tuning;
        if layers.is_empty() {
            (tuning.rate, tuning.rate_scale) = (None, None);
            tuning.layer_rates.clear();
        }
        tuning.layer_rates.retain(|layer, _| !layers.contains(layer));
        let rate = self.rate_of(layers.first());
        self.say_rate(rate, layers, format!("back to the schedule by {by}"))
    }

    /// Why what somebody wants of the rate cannot be: layers of their own part of it, or scaled again and again, may have gone far.
    pub(super) fn refused_rate(&self, command: &Command) -> Option<String> {
        let mut tuning = self.progress.tuning.clone();
        match command {
            Command::LearningRate { rate, layers } => tuning.hold_rate(*rate, &self.named(layers)),
            Command::ScaleRate { factor, layers } => tuning.scale_rate(*factor, &self.named(layers)),
            _ => return None,
        }
        let scheduled = self.phase().learning_rate * self.progress.rate_factor * tuning.rate_scale.unwrap_or(1.0);
        let peak = tuning.rate.unwrap_or(scheduled);
        let layers = self.plan.arch.layers().iter().zip(&self.phase().rate_factors);
        layers.filter(|(layer, _)| !layer.parameters.is_empty()).find_map(|(layer, factor)| {
            let own = tuning.layer_rates.get(&layer.name);
            let rate = own.map_or(peak * factor, |own| own.of(peak * factor));
            (!(LEAST_RATE..=HIGHEST_RATE).contains(&rate)).then(|| {
                // Without the last digits, which are those of binary fractions.
                let rate = rate as f32;
                format!(
                    "the learning rate of {} would be {rate:e}; it must be from {LEAST_RATE:e} to {HIGHEST_RATE}",
                    layer.name
                )
            })
        })
    }

    fn rate_of(&self, layer: Option<&String>) -> f64 {
        let Some(layer) = layer else { return self.rate() };
        let position = self.plan.arch.position(layer);
        let of_phase = position.map_or(1.0, |position| self.phase().rate_factors[position]);
        let rate = self.rate();
        self.progress.tuning.layer_rates.get(layer).map_or(rate * of_phase, |tuned| tuned.of(rate * of_phase))
    }

    fn say_rate(&mut self, rate: f64, layers: Vec<String>, mut why: String) -> Result<()> {
        self.stepper.tune(&self.progress.tuning)?;
        if layers.is_empty()
            && self.progress.tuning.rate.is_none()
            && self.phase().schedule.warms_up(self.epochs_done())
        {
            why.push_str(", warming up");
        }
        self.record.say(Event::LearningRate { step: self.progress.step, rate, why, layers })
    }
}
