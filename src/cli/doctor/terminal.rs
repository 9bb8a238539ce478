//! The terminal: its name and size, colours, locale, what lies between, and how pictures can be shown, which is asked of the terminal itself.

use std::{
    env,
    fmt::Write as _,
    io::{self, IsTerminal as _, Write as _},
    sync::atomic::AtomicBool,
};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use image::{Rgb, RgbImage};
use ratatui::layout::Rect;

use super::{Finding, Part};
use crate::{
    picture::Depth,
    tui::{
        Appearance,
        pixels::{self, Able, Between, PATIENCE, Pane, Probe, Refusal, Sight},
    },
};

const PART: Part = Part("terminal");
/// Under the picture.
pub const TEST_PICTURE: &str = "    a test picture: blue to red, darker downwards, without gaps or letters.\n    If it looks otherwise, press g in the dashboard until pictures do";
const COLUMNS: u16 = 24;
const ROWS: u16 = 6;

pub struct Terminal {
    pub findings: Vec<Finding>,
    /// For the test picture.
    pub able: Option<Able>,
}

pub fn examine(appearance: Appearance) -> Terminal {
    let var = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut findings = Vec::new();
    let pane = Pane::own();
    let sight = pane.as_ref().and_then(Pane::look);
    let size = crossterm::terminal::size().unwrap_or((80, 24));
    let probe = if interactive && !(pane.is_some() && sight.is_none()) { asked(sight.as_ref(), size) } else { None };
    findings.push(name(&var("TERM").unwrap_or_default(), interactive, size, probe.as_ref()));
    findings.push(colours(appearance, sight.as_ref()));
    findings.push(locale(&var, appearance));
    findings.extend(between(&var, sight.as_ref()));
    if interactive {
        findings.push(pictures(appearance, probe.as_ref(), var("TMUX").is_some() && pane.is_none()));
    }
    let possible = !appearance.ascii && appearance.depth != Depth::Mono;
    Terminal { findings, able: probe.and_then(|probe| probe.able.ok()).filter(|_| possible) }
}

/// Raw mode for as long as the value lives.
struct Raw;

impl Raw {
    fn enter() -> Option<Self> {
        enable_raw_mode().ok().map(|()| Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = disable_raw_mode();
    }
}

fn asked(sight: Option<&Sight>, size: (u16, u16)) -> Option<Probe> {
    let _raw = Raw::enter()?;
    pixels::probe(sight, size, PATIENCE, &AtomicBool::new(false)).ok()
}

fn name(term: &str, interactive: bool, (columns, rows): (u16, u16), probe: Option<&Probe>) -> Finding {
    if !interactive {
        let found = "stdin or stdout is none, so it was not asked what it can show";
        return PART.ok("terminal", found);
    }
    let term = if term.is_empty() { "TERM is not set".to_owned() } else { format!("TERM={term}") };
    let known = probe.and_then(|probe| probe.answers.version.clone());
    let mut found = known.map_or(term.clone(), |version| format!("{version} ({term})"));
    let _ = write!(found, ", {columns}×{rows} cells");
    let cell = probe.and_then(|probe| match &probe.between {
        Between::Tmux { passthrough: false, own, .. } => own.cell_size((columns, rows)),
        _ => probe.answers.cell_size((columns, rows)),
    });
    if let Some((width, height)) = cell {
        let _ = write!(found, " of {width}×{height} pixels");
    }
    if columns < 80 || rows < 24 {
        return PART.hint("terminal", found, "below 80×24 the dashboard shows one pane at a time");
    }
    PART.ok("terminal", found)
}

fn colours(appearance: Appearance, sight: Option<&Sight>) -> Finding {
    match appearance.depth {
        Depth::True if sight.is_some_and(|sight| !sight.has("RGB")) => PART.hint(
            "colours",
            "24 bits, which tmux reduces for this terminal",
            "if the terminal has them: `set -as terminal-features ',*:RGB'` in ~/.tmux.conf, and attach again",
        ),
        Depth::True => PART.ok("colours", "24 bits"),
        Depth::Indexed => PART.hint(
            "colours",
            "256",
            "if the terminal has more, `export COLORTERM=truecolor` says so; heat maps gain by it",
        ),
        Depth::Sixteen => {
            PART.hint("colours", "16", "if the terminal has more, set TERM to what it is, for example xterm-256color")
        }
        Depth::Mono if env::var_os("NO_COLOR").is_some() => PART.ok("colours", "none, as NO_COLOR asks"),
        Depth::Mono => PART.hint("colours", "none", "set TERM to what your terminal is, for example xterm-256color"),
    }
}

fn locale(var: &impl Fn(&str) -> Option<String>, appearance: Appearance) -> Finding {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| Some(format!("{name}={}", var(name)?)));
    let found = named.unwrap_or_else(|| "none set, taken as UTF-8".into());
    if appearance.ascii {
        return PART.hint(
            "locale",
            format!("{found}: lines and pictures in ASCII"),
            "`export LC_ALL=C.UTF-8`, if the terminal shows UTF-8",
        );
    }
    PART.ok("locale", found)
}

fn between(var: &impl Fn(&str) -> Option<String>, sight: Option<&Sight>) -> Option<Finding> {
    const MULTIPLEXER: &str = "multiplexer";
    if let Some(sight) = sight {
        let on = if sight.passthrough { "on" } else { "off" };
        let sixel = if sight.sixel { ", places sixels" } else { "" };
        let found = format!("tmux {} on {}, passthrough {on}{sixel}", sight.version, sight.terminal);
        return Some(PART.ok(MULTIPLEXER, found));
    }
    if var("TMUX").is_some() {
        let found = "tmux, but this is none of its panes (a popup, or a shell that kept TMUX)";
        return Some(PART.hint(MULTIPLEXER, found, "open the dashboard in a pane for pictures in pixels"));
    }
    if var("STY").is_some() {
        return Some(PART.ok(MULTIPLEXER, "GNU screen: pictures in glyphs"));
    }
    var("ZELLIJ").map(|_| PART.ok(MULTIPLEXER, "zellij"))
}

fn pictures(appearance: Appearance, probe: Option<&Probe>, popup: bool) -> Finding {
    const PICTURES: &str = "pictures";
    let best = probe.and_then(Probe::glyphs).unwrap_or(appearance.glyphs);
    let glyphs = format!("in {} glyphs", best.name());
    if appearance.ascii || appearance.depth == Depth::Mono {
        return PART.ok(PICTURES, "in letters");
    }
    let Some(probe) = probe.filter(|_| !popup) else { return PART.ok(PICTURES, glyphs) };
    match probe.able {
        Ok(able) => PART.ok(PICTURES, format!("in pixels: {}", able.protocol.name())),
        Err(Refusal::NoPassthrough) => PART.hint(
            PICTURES,
            format!("{glyphs}: {}", Refusal::NoPassthrough),
            "in kitty (0.28 or newer) and Ghostty `tmux set -p allow-passthrough on` lets them into this pane; for all panes \
             `set -g allow-passthrough on` in ~/.tmux.conf",
        ),
        Err(Refusal::Silent) => PART.hint(
            PICTURES,
            format!("{glyphs}: {}", Refusal::Silent),
            "on a slow line try again; in the dashboard Ctrl-l asks once more",
        ),
        Err(refusal) => PART.ok(PICTURES, format!("{glyphs}: {refusal}")),
    }
}

/// Draws it on rows of its own. The cursor tells where these are.
pub fn show_test_picture(able: Able) {
    let _ = write!(io::stdout(), "{}", "\n".repeat(ROWS.into()));
    let _ = io::stdout().flush();
    let Some(raw) = Raw::enter() else { return };
    let place = pixels::ask("\x1b[6n\x1b[5n", PATIENCE, &AtomicBool::new(false));
    drop(raw);
    let Ok((answers, _)) = place else { return };
    let Some((_, row)) = answers.cursors.first() else { return };
    let area = Rect { x: 4, y: row.saturating_sub(ROWS + 1), width: COLUMNS, height: ROWS };
    let _ = write!(io::stdout(), "{}", pixels::still(&gradient(), area, able));
    let _ = io::stdout().flush();
}

fn gradient() -> RgbImage {
    RgbImage::from_fn(240, 120, |x, y| {
        let dark = 1.0 - f64::from(y) / 150.0;
        let red = f64::from(x) / 239.0;
        Rgb([red, 0.25, 1.0 - red].map(|value| (value * dark * 255.0).round() as u8))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::doctor::Mark, picture::Glyphs, tui::pixels::Answers};

    const COLOURS: Appearance = Appearance::new(Depth::True, false);

    fn probe(able: Result<Able, Refusal>) -> Probe {
        Probe { answers: Answers::default(), between: Between::Nothing, able, typed: Vec::new() }
    }

    #[test]
    fn what_tmux_keeps_back_comes_with_what_lets_it_through() {
        let found = pictures(COLOURS, Some(&probe(Err(Refusal::NoPassthrough))), false);
        assert_eq!(found.mark, Mark::Hint);
        assert!(found.advice.is_some_and(|advice| advice.contains("allow-passthrough on")));
        let able = Able { protocol: pixels::Protocol::Sixel, cell: (8, 16), wrapped: false };
        assert_eq!(pictures(COLOURS, Some(&probe(Ok(able))), false).found, "in pixels: sixel");
    }

    #[test]
    fn colours_that_tmux_takes_away_are_told() {
        assert_eq!(colours(COLOURS, Some(&Sight::default())).mark, Mark::Hint);
        assert_eq!(colours(COLOURS, Some(&Sight { features: "256,RGB".into(), ..Sight::default() })).mark, Mark::Ok);
        assert_eq!(colours(COLOURS, None).mark, Mark::Ok);
    }

    #[test]
    fn a_locale_of_letters_says_how_to_leave_it() {
        let var = |name: &str| (name == "LANG").then(|| "C".to_owned());
        let ascii = COLOURS.with_glyphs(Glyphs::Ascii);
        assert_eq!(locale(&var, ascii).found, "LANG=C: lines and pictures in ASCII");
    }

    #[test]
    fn the_popup_of_tmux_is_known_as_such() {
        let var = |name: &str| (name == "TMUX").then(|| "/tmp/tmux".to_owned());
        assert!(between(&var, None).is_some_and(|finding| finding.found.contains("popup")));
        assert_eq!(between(&|_: &str| None, None), None);
    }
}
