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
    pub scheme: Scheme,
    /// What the terminal could show with another scheme.
    pub(crate) native: Depth,
}

/// Which colours text and lines have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Dark,
    Light,
    /// Okabe and Ito's colours, on a dark ground and on a light one.
    SafeDark,
    SafeLight,
    /// The terminal's own sixteen, which its user has chosen.
    Sixteen,
    /// Bold, dim and reverse only.
    Mono,
}

impl Scheme {
    pub const ALL: [Self; 6] = [Self::Dark, Self::Light, Self::SafeDark, Self::SafeLight, Self::Sixteen, Self::Mono];

    /// For the person who chose it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Dark => "for a dark terminal",
            Self::Light => "for a light terminal",
            Self::SafeDark => "for colour-blind eyes, on dark",
            Self::SafeLight => "for colour-blind eyes, on light",
            Self::Sixteen => "the terminal's own sixteen",
            Self::Mono => "none",
        }
    }
}

impl Appearance {
    /// From environment variables, `var` being [`std::env::var`] or a test's own.
    pub fn detect(var: impl Fn(&str) -> Option<String>) -> Self {
        let var = |name: &str| var(name).filter(|v| !v.is_empty());
        let term = var("TERM").unwrap_or_default();
        let (depth, light) = (depth(&var, &term), light(&var));
        let ascii = !speaks_unicode(&var) || matches!(term.as_str(), "dumb" | "linux" | "vt100" | "vt220");
        Self { glyphs: if ascii { Glyphs::Ascii } else { glyphs(&term) }, ..Self::new(depth, light) }.with_ascii(ascii)
    }

    /// Of a terminal that shows Unicode, in quadrants.
    pub const fn new(depth: Depth, light: bool) -> Self {
        let scheme = match (depth, light) {
            (Depth::Mono, _) => Scheme::Mono,
            (Depth::Sixteen, _) => Scheme::Sixteen,
            (_, true) => Scheme::Light,
            (_, false) => Scheme::Dark,
        };
        Self { glyphs: Glyphs::Quadrant, depth, ascii: false, light, scheme, native: depth }
    }

    /// Other colours. Without any there are none in pictures either; more than it has no terminal shows.
    #[must_use]
    pub fn with_scheme(self, scheme: Scheme) -> Self {
        let light = match scheme {
            Scheme::Dark | Scheme::SafeDark => false,
            Scheme::Light | Scheme::SafeLight => true,
            Scheme::Sixteen | Scheme::Mono => self.light,
        };
        match (self.native, scheme) {
            (Depth::Mono, _) => self,
            (_, Scheme::Mono) => Self { scheme, depth: Depth::Mono, ..self },
            (native, _) => Self { scheme, light, depth: native, ..self },
        }
    }

    /// The one after this, round and round.
    pub fn next_scheme(self) -> Scheme {
        let at = Scheme::ALL.iter().position(|scheme| *scheme == self.scheme).unwrap_or(0);
        Scheme::ALL[(at + 1) % Scheme::ALL.len()]
    }

    fn with_ascii(self, ascii: bool) -> Self {
        Self { ascii, ..self }
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
    } else if term.ends_with("-16color") || matches!(term, "linux" | "ansi" | "xterm-color" | "cygwin") {
        Depth::Sixteen
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
        assert_eq!(plain, Appearance::new(Depth::Indexed, false));
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
    fn schemes_go_round_and_never_beyond_what_the_terminal_has() {
        let mut look = Appearance::new(Depth::True, false);
        let mut seen = Vec::new();
        for _ in Scheme::ALL {
            look = look.with_scheme(look.next_scheme());
            seen.push((look.scheme, look.depth, look.light));
        }
        assert_eq!(look, Appearance::new(Depth::True, false));
        assert!(
            seen.contains(&(Scheme::Mono, Depth::Mono, true)) && seen.contains(&(Scheme::SafeLight, Depth::True, true))
        );
        let plain = Appearance::new(Depth::Mono, false);
        assert_eq!(plain.with_scheme(Scheme::Light), plain, "NO_COLOR means none");
        assert_eq!(Appearance::new(Depth::Sixteen, false).with_scheme(Scheme::Dark).depth, Depth::Sixteen);
        assert_eq!(detect(&[("TERM", "xterm-16color")]).scheme, Scheme::Sixteen);
    }

    #[test]
    fn a_light_ground_is_told_by_colorfgbg() {
        assert!(detect(&[("COLORFGBG", "0;15")]).light);
        assert!(!detect(&[("COLORFGBG", "15;default;0")]).light);
    }
}
