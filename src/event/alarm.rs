//! A step that went wrong: which images it was made of, where in the network it began, and what was done about it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{NonFinite, real};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Steps done before it.
    pub step: u64,
    pub epoch: u32,
    #[serde(flatten)]
    pub found: Found,
    /// Mean over the batch.
    #[serde(with = "real")]
    pub loss: f64,
    /// Of the step, before what single layers have of their own; `None` in journals of before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Where it began, and what else has it, in the order in which it spread.
    pub layers: Vec<String>,
    /// Images in the batch.
    pub count: u32,
    /// The first of them, as the network saw them.
    pub images: Vec<Suspect>,
    #[serde(flatten)]
    pub then: Then,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Found {
    NonFinite {
        what: NonFinite,
    },
    /// The loss stands `z` robust standard deviations above the median of the steps before it.
    Spike {
        z: f64,
        median: f64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "then", rename_all = "snake_case")]
pub enum Then {
    Warned,
    /// Nothing was updated, and the next batch follows.
    Skipped,
    Paused,
    /// To the checkpoint of this step, and on from there at half the rate.
    RolledBack {
        to: u64,
        /// The epoch of that place, and the steps done in it; 0 in journals of before this was told.
        #[serde(default)]
        epoch: u32,
        #[serde(default)]
        step_in_epoch: u32,
    },
    /// Saved, and ended as failed.
    Stopped,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// Position in the training split.
    pub sample: u32,
    /// The file's, or whatever the source calls it.
    pub name: String,
    /// Its class; `None` in journals of before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<u32>,
    /// Empty where the picture could not be read again.
    pub blob: String,
}

/// With so many decimals, while there are not too many digits before them.
fn brief(number: f64, decimals: usize) -> String {
    if number.abs() < 1e6 { format!("{number:.decimals$}") } else { format!("{number:.1e}") }
}

impl Alarm {
    /// What went wrong.
    pub fn what(&self) -> String {
        match &self.found {
            Found::NonFinite { what: NonFinite::Loss } => "the loss is not finite".to_owned(),
            Found::NonFinite { what: NonFinite::Gradient } => "the gradient is not finite".to_owned(),
            Found::NonFinite { what: NonFinite::Weights } => "weights are not finite".to_owned(),
            Found::Spike { z, median } => {
                let (loss, z, median) = (brief(self.loss, 4), brief(*z, 0), brief(*median, 4));
                format!("the loss leaps to {loss}, {z} deviations above its median {median}")
            }
        }
    }

    /// In a sentence.
    pub fn told(&self) -> String {
        let mut text = self.what();
        let _ = write!(text, " in step {} (epoch {})", self.step + 1, self.epoch);
        if let Some(first) = self.layers.first() {
            let _ = write!(text, ", first in {first}");
        }
        if let Some(image) = self.images.first() {
            let _ = match self.count {
                1 => write!(text, "; its image is {}", image.name),
                count => write!(text, "; its {count} images begin with {}", image.name),
            };
        }
        match self.then {
            Then::Warned => {}
            Then::Skipped => text += "; the batch is skipped",
            Then::Paused => text += "; paused, and `resume` goes on with the next batch",
            Then::RolledBack { to, .. } => {
                let _ = write!(text, "; back to the checkpoint of step {to}, at half the rate");
            }
            Then::Stopped => text += "; the run is saved and ends",
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_is_told_in_few_digits() {
        let leap = |loss, z| Alarm {
            step: 9,
            epoch: 1,
            found: Found::Spike { z, median: 0.7046 },
            loss,
            learning_rate: None,
            layers: Vec::new(),
            count: 2,
            images: Vec::new(),
            then: Then::Warned,
        };
        let told = leap(9.25, 35.2).told();
        assert_eq!(told, "the loss leaps to 9.2500, 35 deviations above its median 0.7046 in step 10 (epoch 1)");
        let told = leap(1.321_9e15, 2.381_8e16).what();
        assert_eq!(told, "the loss leaps to 1.3e15, 2.4e16 deviations above its median 0.7046");
    }

    #[test]
    fn an_alarm_of_an_older_journal_is_read() {
        let line = r#"{"step":1,"epoch":1,"found":"non_finite","what":"loss","loss":null,"layers":[],"count":1,
            "images":[{"sample":3,"name":"a","blob":"ab"}],"then":"paused"}"#;
        let alarm = serde_json::from_str::<Alarm>(line);
        assert!(alarm.is_ok_and(|alarm| alarm.learning_rate.is_none() && alarm.images[0].label.is_none()));
    }
}
