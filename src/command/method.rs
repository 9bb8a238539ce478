//! The ways to explain a class, with their names, what they look at, and where they were published. How each is computed is the
//! engine's business.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    #[default]
    GradCam,
    #[serde(rename = "grad-cam++")]
    GradCamPlusPlus,
    LayerCam,
    HiresCam,
    XgradCam,
    EigenCam,
    ScoreCam,
    AblationCam,
    GuidedGradCam,
    Saliency,
    SmoothGrad,
    IntegratedGradients,
    Occlusion,
}

impl Method {
    pub const ALL: [Self; 13] = [
        Self::GradCam,
        Self::GradCamPlusPlus,
        Self::LayerCam,
        Self::HiresCam,
        Self::XgradCam,
        Self::EigenCam,
        Self::ScoreCam,
        Self::AblationCam,
        Self::GuidedGradCam,
        Self::Saliency,
        Self::SmoothGrad,
        Self::IntegratedGradients,
        Self::Occlusion,
    ];

    /// As it is typed and kept.
    pub fn name(self) -> &'static str {
        match self {
            Self::GradCam => "grad-cam",
            Self::GradCamPlusPlus => "grad-cam++",
            Self::LayerCam => "layer-cam",
            Self::HiresCam => "hires-cam",
            Self::XgradCam => "xgrad-cam",
            Self::EigenCam => "eigen-cam",
            Self::ScoreCam => "score-cam",
            Self::AblationCam => "ablation-cam",
            Self::GuidedGradCam => "guided-grad-cam",
            Self::Saliency => "saliency",
            Self::SmoothGrad => "smooth-grad",
            Self::IntegratedGradients => "integrated-gradients",
            Self::Occlusion => "occlusion",
        }
    }

    /// As its paper spells it.
    pub fn title(self) -> &'static str {
        match self {
            Self::GradCam => "Grad-CAM",
            Self::GradCamPlusPlus => "Grad-CAM++",
            Self::LayerCam => "LayerCAM",
            Self::HiresCam => "HiResCAM",
            Self::XgradCam => "XGrad-CAM",
            Self::EigenCam => "Eigen-CAM",
            Self::ScoreCam => "Score-CAM",
            Self::AblationCam => "Ablation-CAM",
            Self::GuidedGradCam => "guided Grad-CAM",
            Self::Saliency => "saliency",
            Self::SmoothGrad => "SmoothGrad",
            Self::IntegratedGradients => "integrated gradients",
            Self::Occlusion => "occlusion",
        }
    }

    pub fn paper(self) -> &'static str {
        match self {
            Self::GradCam | Self::GuidedGradCam => "arXiv:1610.02391",
            Self::GradCamPlusPlus => "arXiv:1710.11063",
            Self::LayerCam => "doi:10.1109/TIP.2021.3089943",
            Self::HiresCam => "arXiv:2011.08891",
            Self::XgradCam => "arXiv:2008.02312",
            Self::EigenCam => "arXiv:2008.00299",
            Self::ScoreCam => "arXiv:1910.01279",
            Self::AblationCam => "doi:10.1109/WACV45572.2020.9093360",
            Self::Saliency => "arXiv:1312.6034",
            Self::SmoothGrad => "arXiv:1706.03825",
            Self::IntegratedGradients => "arXiv:1703.01365",
            Self::Occlusion => "arXiv:1311.2901",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Whether it asks the network so many times that its cost is nothing to be paid again and again.
    pub fn is_costly(self) -> bool {
        matches!(
            self,
            Self::ScoreCam | Self::AblationCam | Self::SmoothGrad | Self::IntegratedGradients | Self::Occlusion
        )
    }

    /// The one after it, or before it for -1, in the order of [`ALL`](Self::ALL), round and round.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|method| *method == self).unwrap_or(0) as isize;
        Self::ALL[(at + by).rem_euclid(Self::ALL.len() as isize) as usize]
    }

    /// Whether it explains at a layer; the others explain pixels directly.
    pub fn looks_at_a_layer(self) -> bool {
        !matches!(self, Self::Saliency | Self::SmoothGrad | Self::IntegratedGradients | Self::Occlusion)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.name()), Some(method));
            assert_eq!(serde_json::to_value(method).unwrap(), method.name());
        }
        assert_eq!(Method::parse("cam"), None);
    }
}
