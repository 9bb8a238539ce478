//! The user's wishes for the dashboard, from `ui.toml`, understood: what they say of looks, together with what the terminal can show.

use super::{
    appearance::{Appearance, Scheme},
    keymap::Keymap,
    pixels::{Able, Protocol},
};
use crate::{
    config::{ConfigError, GlyphName, Occasion, Pictures, SmoothingForm, ThemeName, UiFile},
    picture::Glyphs,
    state::Smoothing,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    scheme: Option<Scheme>,
    glyphs: Option<Glyphs>,
    pictures: Pictures,
    pub smoothing: Smoothing,
    pub bell: Vec<Occasion>,
    pub keymap: Keymap,
}

impl Default for Settings {
    fn default() -> Self {
        Self::with(&UiFile::default(), Keymap::default())
    }
}

impl Settings {
    pub fn new(file: &UiFile) -> Result<Self, ConfigError> {
        Ok(Self::with(file, Keymap::new(file)?))
    }

    fn with(file: &UiFile, keymap: Keymap) -> Self {
        let ui = &file.ui;
        Self {
            scheme: match ui.theme {
                ThemeName::Auto => None,
                ThemeName::Dark => Some(Scheme::Dark),
                ThemeName::Light => Some(Scheme::Light),
                ThemeName::SafeDark => Some(Scheme::SafeDark),
                ThemeName::SafeLight => Some(Scheme::SafeLight),
                ThemeName::Sixteen => Some(Scheme::Sixteen),
                ThemeName::Mono => Some(Scheme::Mono),
            },
            glyphs: match ui.glyphs {
                GlyphName::Auto => None,
                GlyphName::Half => Some(Glyphs::Half),
                GlyphName::Quadrant => Some(Glyphs::Quadrant),
                GlyphName::Sextant => Some(Glyphs::Sextant),
                GlyphName::Octant => Some(Glyphs::Octant),
                GlyphName::Ascii => Some(Glyphs::Ascii),
            },
            pictures: ui.pictures,
            smoothing: Smoothing { factor: ui.smoothing, plain: ui.smoothing_form == SmoothingForm::Chapter },
            bell: ui.bell.clone(),
            keymap,
        }
    }

    /// What the terminal can show, as far as it is wanted.
    pub fn appearance(&self, found: Appearance) -> Appearance {
        let found = self.glyphs.map_or(found, |glyphs| found.with_glyphs(glyphs));
        self.scheme.map_or(found, |scheme| found.with_scheme(scheme))
    }

    /// What a terminal that told what it is draws best, unless other glyphs are wanted.
    pub fn glyphs(&self, found: Appearance, best: Glyphs) -> Appearance {
        let free = self.glyphs.is_none() && !found.ascii;
        if free { found.with_glyphs(best) } else { found }
    }

    /// Whether the terminal needs to be asked for pixels at all.
    pub fn wants_pixels(&self) -> bool {
        self.pictures != Pictures::Glyphs
    }

    /// Pixels, if they come in a way that is wanted.
    pub fn pixels(&self, able: Option<Able>) -> Option<Able> {
        able.filter(|able| match self.pictures {
            Pictures::Auto => true,
            Pictures::Glyphs => false,
            Pictures::Kitty => matches!(able.protocol, Protocol::Kitty | Protocol::Placeholders),
            Pictures::Sixel => able.protocol == Protocol::Sixel,
            Pictures::Iterm2 => able.protocol == Protocol::Iterm2,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    #[test]
    fn the_shipped_file_says_what_holds_without_one_and_names_every_key() {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/ui.toml")).unwrap();
        let file = UiFile::parse(&text, Path::new("ui.toml")).unwrap();
        assert_eq!(Settings::new(&file).unwrap(), Settings::default());
        let error = UiFile::parse("alien = 1", Path::new("ui.toml")).unwrap_err().to_string();
        let expected = error.lines().next().unwrap().split('`').skip(3).step_by(2);
        for key in expected {
            assert!(text.contains(&format!("\n{key} = ")) || text.contains(&format!("\n[{key}]")), "{key}");
        }
    }

    #[test]
    fn wishes_go_before_what_was_found() {
        let file =
            UiFile::parse("theme = \"safe-light\"\nglyphs = \"ascii\"\npictures = \"sixel\"", Path::new("ui.toml"));
        let settings = Settings::new(&file.unwrap()).unwrap();
        let found = Appearance::detect(|name| (name == "TERM").then(|| "xterm-kitty".to_owned()));
        let shown = settings.appearance(found);
        assert!(shown.light && shown.ascii && shown.scheme == Scheme::SafeLight);
        let able = |protocol| Some(Able { protocol, cell: (8, 16), wrapped: false });
        assert_eq!(settings.pixels(able(Protocol::Kitty)), None);
        assert_eq!(settings.pixels(able(Protocol::Sixel)), able(Protocol::Sixel));
    }
}
