//! What `frostline-engine eval` says, one JSON object a line: what a run says while it evaluates, and beside it what the network made of
//! each image. Part of no journal: there would be a line an image.

use serde::{Deserialize, Serialize};

use super::{Level, SkippedFile, SplitName, Tested, real};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Answer {
    Evaluating {
        done: u64,
        total: u64,
    },
    Skipped {
        split: SplitName,
        total: u64,
        files: Vec<SkippedFile>,
    },
    Log {
        level: Level,
        message: String,
    },
    Judged(Judged),
    Tested(Tested),
    Looked(Looked),
    /// Whatever else a run says.
    #[serde(other)]
    Other,
}

/// One image, in the order of the split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Position in the split.
    pub sample: u32,
    pub name: String,
    pub truth: u32,
    pub predicted: u32,
    /// Cross-entropy in nats.
    #[serde(with = "real")]
    pub loss: f64,
    /// One a class.
    #[serde(with = "real::list")]
    pub probabilities: Vec<f32>,
}

/// What in an image spoke for the class that it was given, and for its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// Position in the split.
    pub sample: u32,
    /// Where Grad-CAM looked; none in a network without a feature map.
    pub layer: Option<String>,
    /// Of the predicted class, then of the true one where it is another.
    pub maps: Vec<Map>,
    /// Holds [`PICTURE`], `[1, h, w, c]`, bytes: the image as the network got it; and each map's tensor.
    pub file: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Map {
    pub class: u32,
    /// Nothing speaks for the class.
    pub empty: bool,
    /// The tensor's name in the file, `[h, w]` in 0–1.
    pub heat: String,
}

pub const PICTURE: &str = "picture";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_run_says_besides_is_passed_over_and_no_number_survives() {
        let other: Answer = serde_json::from_str(r#"{"event":"state_changed","state":"evaluating","step":4}"#).unwrap();
        assert_eq!(other, Answer::Other);
        let progress = r#"{"event":"evaluating","split":"test","done":4,"total":9}"#;
        assert_eq!(serde_json::from_str::<Answer>(progress).unwrap(), Answer::Evaluating { done: 4, total: 9 });
        let broken = Judged {
            sample: 3,
            name: "a.png".into(),
            truth: 0,
            predicted: 1,
            loss: f64::NAN,
            probabilities: vec![f32::NAN, 0.25],
        };
        let line = serde_json::to_string(&Answer::Judged(broken)).unwrap();
        let Answer::Judged(back) = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
        assert!(back.loss.is_nan() && back.probabilities[0].is_nan() && back.probabilities[1] == 0.25);
    }
}
