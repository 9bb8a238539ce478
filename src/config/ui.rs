//! What a user may write about the dashboard, in `ui.toml`: how it looks and which keys do what. Words only; which actions there are and
//! which keys exist, the dashboard knows.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, Occasion};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ui {
    pub theme: ThemeName,
    pub glyphs: GlyphName,
    pub pictures: Pictures,
    /// 0 to below 1.
    pub smoothing: f64,
    pub smoothing_form: SmoothingForm,
    /// When the terminal's bell rings.
    pub bell: Vec<Occasion>,
    /// Keys of an action, in place of its own; none: it has none.
    pub keys: BTreeMap<String, Spanned<Vec<String>>>,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            theme: ThemeName::Auto,
            glyphs: GlyphName::Auto,
            pictures: Pictures::Auto,
            smoothing: 0.8,
            smoothing_form: SmoothingForm::Debiased,
            bell: vec![Occasion::Finished, Occasion::Failed],
            keys: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// Dark or light as the terminal says, and none of it where it has no colours.
    Auto,
    Dark,
    Light,
    SafeDark,
    SafeLight,
    #[serde(rename = "16")]
    Sixteen,
    Mono,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GlyphName {
    Auto,
    Half,
    Quadrant,
    Sextant,
    Octant,
    Ascii,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pictures {
    /// In pixels where the terminal proves able.
    Auto,
    Glyphs,
    Kitty,
    Sixel,
    Iterm2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmoothingForm {
    Debiased,
    /// Listing 5.24 of the book.
    Chapter,
}

/// The words together with their places, so that whoever understands more of them can name the line at fault.
#[derive(Clone, Debug, Default)]
pub struct UiFile {
    pub ui: Ui,
    path: PathBuf,
    text: String,
}

impl UiFile {
    /// `path` is for errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let ui: Ui = toml::from_str(text).map_err(|source| ConfigError::toml(path, text, &source))?;
        let file = Self { ui, path: path.to_owned(), text: text.to_owned() };
        if !(0.0..1.0).contains(&file.ui.smoothing) {
            return Err(file.wrong(file.place("smoothing"), "smoothing is from 0 to below 1".into(), None));
        }
        Ok(file)
    }

    /// The line of a key that is known to be there.
    pub fn place(&self, key: &str) -> Range<usize> {
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let rest = line.trim_start().strip_prefix(key).map(str::trim_start);
            if rest.is_some_and(|rest| rest.starts_with('=')) {
                let begin = start + line.len() - line.trim_start().len();
                return begin..begin + key.len();
            }
            start += line.len();
        }
        0..0
    }

    /// An error about what stands at `place`.
    pub fn wrong(&self, place: Range<usize>, message: String, suggestion: Option<String>) -> ConfigError {
        ConfigError::at(&self.path, &self.text, Some(place), message, suggestion)
    }
}
