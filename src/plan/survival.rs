//! How long a run may take and what it does when something goes wrong, with every figure settled.

use std::time::Duration;

use super::{LossSpike, OnNonFinite, PlanError};
use crate::config::Train;

/// `[train]`, as far as it is about surviving.
#[derive(Clone, Debug, PartialEq)]
pub struct Survival {
    pub keep_checkpoints: usize,
    /// Of one engine's life.
    pub max_time: Option<Duration>,
    /// From a signal that ends the run until it must be saved.
    pub grace: Duration,
    pub on_nonfinite: OnNonFinite,
    pub loss_spike: LossSpike,
}

pub(super) fn resolve(train: &Train) -> Result<Survival, PlanError> {
    let LossSpike { z, window, .. } = train.loss_spike;
    if !(z == 0.0 || z >= 1.0) {
        return Err(PlanError::Range { key: "train.loss_spike.z", value: z, range: "0 (never), or 1 or more" });
    }
    if !(10..=10_000).contains(&window) {
        let (key, value) = ("train.loss_spike.window", f64::from(window));
        return Err(PlanError::Range { key, value, range: "10 to 10000 steps" });
    }
    if train.keep_checkpoints == 0 {
        return Err(PlanError::Range { key: "train.keep_checkpoints", value: 0.0, range: "1 or more" });
    }
    Ok(Survival {
        keep_checkpoints: train.keep_checkpoints as usize,
        max_time: train.max_time.as_deref().map(|text| time("train.max_time", text)).transpose()?,
        grace: time("train.grace", &train.grace)?,
        on_nonfinite: train.on_nonfinite,
        loss_spike: train.loss_spike,
    })
}

/// `23h 50m`, `90s`.
fn time(key: &'static str, text: &str) -> Result<Duration, PlanError> {
    let wrong = || PlanError::Time { key, text: text.to_owned() };
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [("90s", 90), ("23h 50m", 85_800), ("1h30m", 5400), ("2 minutes", 120), ("0s", 0)] {
            assert_eq!(time("train.grace", text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        for text in ["", "soon", "-5s", "5", "1mo"] {
            let error = time("train.max_time", text).unwrap_err().to_string();
            assert_eq!(error, format!("train.max_time: \"{text}\" is no length of time"));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_key() {
        let told = |train: Train| resolve(&train).unwrap_err().to_string();
        assert!(told(Train { keep_checkpoints: 0, ..Train::default() }).starts_with("train.keep_checkpoints is 0"));
        let spike = LossSpike { z: 0.5, ..LossSpike::default() };
        assert!(told(Train { loss_spike: spike, ..Train::default() }).starts_with("train.loss_spike.z is 0.5"));
        let spike = LossSpike { window: 5, ..LossSpike::default() };
        assert!(told(Train { loss_spike: spike, ..Train::default() }).starts_with("train.loss_spike.window is 5"));
    }
}
