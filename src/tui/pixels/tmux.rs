//! The tmux around this program: what it lets through, who looks at this pane, and how a sequence is handed through it. It is asked, and
//! never told: none of its options is changed.

use std::{
    env,
    process::{Command, Stdio},
};

use super::protocol::{Brand, TMUX_SIXEL};

/// The pane in which this process runs.
#[derive(Clone, Debug)]
pub struct Pane(String);

/// What tmux says of the pane at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Somebody looks at the pane. What is handed through for one that nobody sees is lost.
    pub visible: bool,
    /// Changes when another terminal attaches.
    pub viewer: String,
    /// What the terminal is called that looks at it: its `TERM`.
    pub terminal: String,
    pub passthrough: bool,
    /// Whether this tmux and the terminal behind it draw sixels.
    pub sixel: bool,
    /// What tmux knows of that terminal: `256,RGB,title`.
    pub features: String,
    /// `3.5a`.
    pub version: String,
}

const FIELDS: &str = "#{window_active}|#{session_attached}|#{window_zoomed_flag}|#{pane_active}|\
    #{session_last_attached} #{client_tty}|#{client_termname}|#{client_termfeatures}|#{allow-passthrough}|\
    #{sixel_support}|#{version}";

impl Sight {
    /// `RGB`: 24-bit colours reach the terminal.
    pub fn has(&self, feature: &str) -> bool {
        has(&self.features, feature)
    }
}

fn has(features: &str, wanted: &str) -> bool {
    features.split(',').any(|feature| feature == wanted)
}

impl Pane {
    /// `None` outside tmux, and in its popups, which are no panes.
    pub fn own() -> Option<Self> {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        set("TMUX")?;
        set("TMUX_PANE").map(Self)
    }

    /// Asks the server. `None` where it does not answer as tmux does, as from another machine.
    pub fn look(&self) -> Option<Sight> {
        let asked = Command::new("tmux")
            .args(["display-message", "-p", "-t", &self.0, FIELDS])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        parse(&String::from_utf8_lossy(&asked.stdout))
    }
}

fn parse(line: &str) -> Option<Sight> {
    let fields: Vec<&str> = line.trim_end_matches(['\r', '\n']).split('|').collect();
    let [window, attached, zoomed, pane, viewer, terminal, features, passthrough, sixel, version] = fields.as_slice()
    else {
        return None;
    };
    let attached: u32 = attached.parse().ok()?;
    let recent = Brand::parse(&format!("tmux {version}")).version.as_slice() >= TMUX_SIXEL;
    Some(Sight {
        visible: *window == "1" && attached > 0 && (*zoomed != "1" || *pane == "1"),
        viewer: (*viewer).to_owned(),
        terminal: (*terminal).to_owned(),
        // A flag in tmux 3.3, a choice later.
        passthrough: matches!(*passthrough, "1" | "on" | "2" | "all"),
        sixel: *sixel == "1" && recent && has(features, "sixel"),
        features: (*features).to_owned(),
        version: (*version).to_owned(),
    })
}

/// Hands one sequence through tmux to the terminal: each in a wrapping of its own, its escapes doubled.
pub fn wrap(sequence: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_tmux_says_is_understood() {
        let seen = parse("1|1|0|1|1764214370 /dev/pts/3|xterm-kitty|256,RGB,title|on||3.5a\n").unwrap();
        assert!(seen.visible && seen.passthrough && seen.has("RGB") && !seen.sixel);
        assert_eq!((seen.version.as_str(), seen.terminal.as_str()), ("3.5a", "xterm-kitty"));
        assert!(parse("1|1|0|1|1 /dev/pts/3|xterm|RGB,sixel|0|1|3.8").unwrap().sixel);
        assert!(!parse("1|1|0|1|1 /dev/pts/3|xterm|RGB,sixel|0|1|3.5").unwrap().sixel, "its sixels drift");
        assert!(!parse("1|1|0|1|1 /dev/pts/3|xterm|RGB|0|1|3.8").unwrap().sixel, "the terminal has none");
    }

    #[test]
    fn a_pane_is_hidden_by_another_window_a_detach_and_a_zoom() {
        let visible = |state: &str| parse(&format!("{state}|x|xterm||1||3.3a")).unwrap().visible;
        assert!(visible("1|1|0|0") && visible("1|2|1|1"));
        assert!(!visible("0|1|0|1") && !visible("1|0|0|1") && !visible("1|1|1|0"));
    }

    #[test]
    fn all_spellings_of_passthrough_are_known() {
        let passthrough = |word: &str| parse(&format!("1|1|0|1|x|xterm||{word}||3.3a")).unwrap().passthrough;
        assert!(["1", "on", "all", "2"].into_iter().all(passthrough));
        assert!(!["0", "off", ""].into_iter().any(passthrough));
    }

    #[test]
    fn another_program_of_that_name_is_not_believed() {
        for line in ["", "no server running on /tmp/tmux-0/default", "1|1"] {
            assert_eq!(parse(line), None);
        }
    }

    #[test]
    fn escapes_are_doubled_inside_a_wrapping() {
        assert_eq!(wrap("\x1b_Ga=d\x1b\\"), "\x1bPtmux;\x1b\x1b_Ga=d\x1b\x1b\\\x1b\\");
    }
}
