//! What the terminal can show, guessed from the environment. Nothing is asked of the terminal itself: an answer that comes late would arrive as keys.

use crate::picture::{Depth, Glyphs};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// Of pictures.
    pub glyphs: Glyphs,
    pub depth: Depth,
    /// Lines, marks and bars in ASCII too.
    pub ascii: bool,
    /// Dark text on a light ground.
    pub light: bool,
}

impl Appearance {
    /// From environment variables, `var` being [`std::env::var`] or a test's own.
    pub fn detect(var: impl Fn(&str) -> Option<String>) -> Self {
        let var = |name: &str| var(name).filter(|v| !v.is_empty());
        let term = var("TERM").unwrap_or_default();
        let ascii = !speaks_unicode(&var) || matches!(term.as_str(), "dumb" | "linux" | "vt100" | "vt220");
        Self {
            glyphs: if ascii { Glyphs::Ascii } else { glyphs(&term) },
            depth: depth(&var, &term),
            ascii,
            light: light(&var),
        }
    }

    /// The user's own choice of glyphs; `ascii` holds for the whole screen.
    #[must_use]
    pub fn with_glyphs(self, glyphs: Glyphs) -> Self {
        Self { glyphs, ascii: self.ascii || glyphs == Glyphs::Ascii, ..self }
    }
}

/// A locale that names another character set says so. None at all, as in most containers, says nothing, and nearly every terminal is UTF-8.
fn speaks_unicode(var: &impl Fn(&str) -> Option<String>) -> bool {
    match var("LC_ALL").or_else(|| var("LC_CTYPE")).or_else(|| var("LANG")) {
        None => true,
        Some(locale) => {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
    }
}

/// Sextants only where the terminal draws them itself. Its name survives SSH but not a multiplexer, which is as it should be: quadrants are safe there.
fn glyphs(term: &str) -> Glyphs {
    match term {
        "xterm-kitty" | "foot" | "foot-extra" | "xterm-ghostty" | "wezterm" => Glyphs::Sextant,
        _ => Glyphs::Quadrant,
    }
}

fn depth(var: &impl Fn(&str) -> Option<String>, term: &str) -> Depth {
    const TRUE_COLOUR: [&str; 7] =
        ["xterm-kitty", "foot", "foot-extra", "alacritty", "wezterm", "xterm-ghostty", "contour"];
    let colorterm = var("COLORTERM").unwrap_or_default();
    if var("NO_COLOR").is_some() || term == "dumb" || term.starts_with("vt1") || term.starts_with("vt2") {
        Depth::Mono
    } else if matches!(colorterm.as_str(), "truecolor" | "24bit")
        || term.ends_with("-direct")
        || TRUE_COLOUR.contains(&term)
    {
        Depth::True
    } else {
        Depth::Indexed
    }
}

/// `COLORFGBG` is `foreground;background` in numbers of the 16-colour palette; rxvt, Konsole and others set it.
fn light(var: &impl Fn(&str) -> Option<String>) -> bool {
    let background = var("COLORFGBG").and_then(|v| v.rsplit(';').next()?.parse::<u8>().ok());
    matches!(background, Some(7 | 9..=15))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(environment: &[(&str, &str)]) -> Appearance {
        Appearance::detect(|name| environment.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn a_plain_xterm_gets_quadrants_in_256_colours() {
        let plain = detect(&[("TERM", "xterm-256color"), ("LANG", "en_US.UTF-8")]);
        assert_eq!(plain, Appearance { glyphs: Glyphs::Quadrant, depth: Depth::Indexed, ascii: false, light: false });
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]).depth, Depth::True);
    }

    #[test]
    fn kitty_gets_sextants_but_not_inside_tmux() {
        let kitty = detect(&[("TERM", "xterm-kitty")]);
        assert_eq!((kitty.glyphs, kitty.depth), (Glyphs::Sextant, Depth::True));
        assert_eq!(detect(&[("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1")]).glyphs, Glyphs::Quadrant);
    }

    #[test]
    fn no_color_means_none_but_only_when_it_says_something() {
        assert_eq!(detect(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")]).depth, Depth::Mono);
        assert_eq!(detect(&[("TERM", "xterm-kitty"), ("NO_COLOR", "")]).depth, Depth::True);
    }

    #[test]
    fn a_c_locale_is_ascii_and_the_first_variable_wins() {
        assert!(detect(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]).ascii);
        assert!(!detect(&[("LC_ALL", "C.UTF-8"), ("LANG", "C")]).ascii);
        assert_eq!(detect(&[("LC_ALL", "POSIX")]).glyphs, Glyphs::Ascii);
    }

    #[test]
    fn a_light_ground_is_told_by_colorfgbg() {
        assert!(detect(&[("COLORFGBG", "0;15")]).light);
        assert!(!detect(&[("COLORFGBG", "15;default;0")]).light);
    }
}
