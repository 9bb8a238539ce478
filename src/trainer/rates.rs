//! The learning rate: what the phase's schedule gives, what plateaus make of it, and what people hold or scale, for all layers or for
//! some.

use super::{LayerRate, Record, Stepper, Trainer};
use crate::{error::Result, event::Event};

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
        if layers.is_empty() {
            self.progress.tuning.rate = Some(rate);
        }
        for layer in &layers {
            self.progress.tuning.layer_rates.insert(layer.clone(), LayerRate::Held(rate));
        }
        self.say_rate(rate, layers, format!("held by {by}"))
    }

    pub(super) fn scale_rate(&mut self, factor: f64, layers: &[String], by: &str) -> Result<()> {
        let layers = self.named(layers);
        let tuning = &mut self.progress.tuning;
        match &mut tuning.rate {
            _ if !layers.is_empty() => {}
            Some(held) => *held *= factor,
            None => *tuning.rate_scale.get_or_insert(1.0) *= factor,
        }
        for layer in &layers {
            tuning.layer_rates.entry(layer.clone()).or_insert(LayerRate::Scaled(1.0)).scale(factor);
        }
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
