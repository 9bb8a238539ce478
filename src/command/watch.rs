//! What a viewer has on its screen and therefore wants computed: which image, how it is looked at, for which class. A wish, not a
//! command: it changes nothing of the run, and what it costs is the trainer's to refuse.

use serde::{Deserialize, Serialize};

use super::Method;

/// Held as a lease: gone with the viewer's connection.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Position in the validation split of the image.
    pub sample: u32,
    /// The layer whose activations are shown and at which a class is explained; `None` is the last one with a feature map.
    pub layer: Option<String>,
    #[serde(default)]
    pub method: Method,
    #[serde(default)]
    pub class: Whose,
    #[serde(default)]
    pub scene: Scene,
}

/// The class that is explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The likeliest one.
    #[default]
    Predicted,
    /// The image's label.
    True,
    /// By its number.
    Class(u32),
}

/// What is seen at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scene {
    /// The image, what in it speaks for the class at one layer, and that layer's activations.
    #[default]
    Layer,
    /// What speaks for the class at the end of every block.
    Sweep,
    /// What the layer's first filters, so many, would like to see. Neither image nor class matter.
    Filters(u32),
    /// The image, and what in it speaks for the class that it is given and for its own.
    Verdict,
    /// How the layers fare, and the histograms of the one. Neither image nor class matter.
    Probe,
    /// How busy the machine is. Nothing else matters.
    Machine,
    /// Figures and curves, which are told anyway: somebody looks on, whom a run may wait for.
    Figures,
}

impl Scene {
    /// Whether the image matters.
    pub fn is_of_an_image(self) -> bool {
        matches!(self, Self::Layer | Self::Sweep | Self::Verdict)
    }
}

impl Whose {
    /// In words that a person reads, where the class's name is not known.
    pub fn word(self) -> &'static str {
        match self {
            Self::Predicted => "predicted",
            Self::True => "true",
            Self::Class(_) => "chosen",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_older_viewers_wish_is_understood() {
        let watch: Watch = serde_json::from_str(r#"{"sample":3,"layer":"conv2d"}"#).unwrap();
        assert_eq!(watch, Watch { sample: 3, layer: Some("conv2d".into()), ..Watch::default() });
        let all = Watch { method: Method::ScoreCam, class: Whose::Class(7), scene: Scene::Filters(16), ..watch };
        assert_eq!(serde_json::from_str::<Watch>(&serde_json::to_string(&all).unwrap()).unwrap(), all);
    }
}
