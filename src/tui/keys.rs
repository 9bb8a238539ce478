//! Keys as people write them, and the list of all keys for the documentation.

use std::fmt::Write;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::actions::{ACTIONS, Group};

/// One key press that an action listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    control: bool,
}

impl Chord {
    pub const fn key(c: char) -> Self {
        Self { code: KeyCode::Char(c), control: false }
    }

    pub const fn control(c: char) -> Self {
        Self { code: KeyCode::Char(c), control: true }
    }

    pub const fn code(code: KeyCode) -> Self {
        Self { code, control: false }
    }

    /// What was pressed, if it is a key that can be bound. With Alt it never is: that is how the beginning of a late answer of the
    /// terminal looks. Shift is in the character already.
    pub fn pressed(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release || event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER) {
            return None;
        }
        Some(Self { code: event.code, control: event.modifiers.contains(KeyModifiers::CONTROL) })
    }

    /// Keys with names of their own, as they are written and read.
    pub const NAMES: [(&'static str, KeyCode); 16] = [
        ("Space", KeyCode::Char(' ')),
        ("Enter", KeyCode::Enter),
        ("Esc", KeyCode::Esc),
        ("Tab", KeyCode::Tab),
        ("Shift-Tab", KeyCode::BackTab),
        ("Backspace", KeyCode::Backspace),
        ("Insert", KeyCode::Insert),
        ("Del", KeyCode::Delete),
        ("Up", KeyCode::Up),
        ("Down", KeyCode::Down),
        ("Left", KeyCode::Left),
        ("Right", KeyCode::Right),
        ("Home", KeyCode::Home),
        ("End", KeyCode::End),
        ("PgUp", KeyCode::PageUp),
        ("PgDn", KeyCode::PageDown),
    ];

    /// As [`Display`](std::fmt::Display) writes it: `p`, `F`, `Space`, `Ctrl-d`, `F5`.
    pub fn parse(text: &str) -> Option<Self> {
        let (control, name) = match text.strip_prefix("Ctrl-") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut letters = name.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(letter), None) if !letter.is_control() && letter != ' ' => KeyCode::Char(letter),
            _ => match name.strip_prefix('F').and_then(|number| number.parse().ok()) {
                Some(number @ 1..=24) => KeyCode::F(number),
                _ => Self::NAMES.iter().find(|(known, _)| *known == name)?.1,
            },
        };
        Some(Self { code, control })
    }

    /// The character that was typed, for prompts.
    pub fn typed(self) -> Option<char> {
        match self {
            Self { code: KeyCode::Char(c), control: false } => Some(c),
            _ => None,
        }
    }
}

impl std::fmt::Display for Chord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.control {
            f.write_str("Ctrl-")?;
        }
        match (Self::NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => f.write_char(c),
            (None, other) => write!(f, "{other}"),
        }
    }
}

/// The keys of one action: `p, Space`.
pub fn names(keys: &[Chord]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// `docs/keys.md`: every action of the table, in its groups.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Keys\n\nMade from the table of actions in `src/tui/actions.rs`; a test keeps it current. In the dashboard, `?` shows the same list.\n\
         `[keys]` in `ui.toml` binds other keys to a name ([dashboard.md](dashboard.md)).\n",
    );
    for group in Group::ALL {
        let _ = write!(out, "\n## {}\n\n| Key | Name | What it does |\n|---|---|---|\n", group.title());
        for action in ACTIONS.iter().filter(|a| a.group == group) {
            let keys: Vec<String> = action.keys.iter().map(|k| format!("`{k}`")).collect();
            let _ = writeln!(out, "| {} | `{}` | {} |", keys.join(" "), action.name, action.help);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_documented_keys_are_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let _ = std::fs::write(&path, markdown());
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(written, markdown(), "docs/keys.md is out of date: run this test with UPDATE_DOCS=1");
    }

    #[test]
    fn keys_are_written_as_people_say_them() {
        assert_eq!(names(&[Chord::key('p'), Chord::key(' ')]), "p, Space");
        assert_eq!(names(&[Chord::control('l'), Chord::code(KeyCode::BackTab)]), "Ctrl-l, Shift-Tab");
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        for action in ACTIONS {
            for chord in action.keys {
                assert_eq!(Chord::parse(&chord.to_string()), Some(*chord));
            }
        }
        assert_eq!(Chord::parse("F12"), Some(Chord::code(KeyCode::F(12))));
        assert_eq!(Chord::parse("Ctrl-Space"), Some(Chord::control(' ')));
        for wrong in ["", "pp", "Control-c", "F99", "Meta-x", " "] {
            assert_eq!(Chord::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn keys_with_alt_and_releases_are_nothing() {
        assert_eq!(Chord::pressed(KeyEvent::new(KeyCode::Char('x'), KeyModifiers::ALT)), None);
        let release = KeyEvent::new_with_kind(KeyCode::Char('x'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(Chord::pressed(release), None);
        assert_eq!(Chord::pressed(KeyEvent::new(KeyCode::Char('F'), KeyModifiers::SHIFT)), Some(Chord::key('F')));
    }
}
