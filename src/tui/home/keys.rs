//! What keys do on the home screen. What the dashboard does too has the dashboard's keys, the user's own included.

use crossterm::event::KeyCode;

use crate::tui::{
    actions::ACTIONS,
    keymap::Keymap,
    keys::{Chord, names},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Open,
    Filter,
    Delete,
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    Theme,
    Close,
    Leave,
    Redraw,
    Help,
}

pub struct Key {
    pub act: Act,
    from: From,
    pub help: &'static str,
    /// A word for the last row.
    pub hint: Option<&'static str>,
}

enum From {
    Own(&'static [Chord]),
    /// The dashboard's action of this name.
    Dashboard(&'static str),
}

const fn own(act: Act, keys: &'static [Chord], hint: &'static str, help: &'static str) -> Key {
    Key { act, from: From::Own(keys), help, hint: Some(hint) }
}

const fn shared(act: Act, name: &'static str, hint: Option<&'static str>, help: &'static str) -> Key {
    Key { act, from: From::Dashboard(name), help, hint }
}

pub static KEYS: [Key; 14] = [
    own(Act::Open, &[Chord::code(KeyCode::Enter)], "open", "Watch the run, or start one of the configuration"),
    own(Act::Filter, &[Chord::key('/')], "filter", "Show only what has these words in it; Esc shows all"),
    own(Act::Delete, &[Chord::key('d')], "delete", "Delete the run and all its files (asks first)"),
    shared(Act::Down, "down", None, "Down"),
    shared(Act::Up, "up", None, "Up"),
    shared(Act::PageDown, "page-down", None, "Ten lines down"),
    shared(Act::PageUp, "page-up", None, "Ten lines up"),
    shared(Act::First, "first-line", None, "The first line"),
    shared(Act::Last, "last-line", None, "The last line"),
    shared(Act::Theme, "theme", None, "Other colours"),
    shared(Act::Close, "close", None, "Show all again"),
    shared(Act::Redraw, "redraw", None, "Draw the whole screen again"),
    shared(Act::Help, "help", Some("help"), "This list"),
    shared(Act::Leave, "leave", Some("quit"), "Leave; runs go on"),
];

impl Key {
    pub fn chords<'a>(&'a self, keymap: &'a Keymap) -> &'a [Chord] {
        match self.from {
            From::Own(keys) => keys,
            From::Dashboard(name) => {
                ACTIONS.iter().find(|action| action.name == name).map_or(&[], |action| keymap.of(action))
            }
        }
    }

    pub fn names(&self, keymap: &Keymap) -> String {
        names(self.chords(keymap))
    }
}

pub fn find(chord: Chord, keymap: &Keymap) -> Option<Act> {
    KEYS.iter().find(|key| key.chords(keymap).contains(&chord)).map(|key| key.act)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_home_screen_is_there_once() {
        let keymap = Keymap::default();
        for (at, one) in KEYS.iter().enumerate() {
            assert!(!one.chords(&keymap).is_empty(), "{}", one.help);
            for other in &KEYS[at + 1..] {
                assert!(!one.chords(&keymap).iter().any(|key| other.chords(&keymap).contains(key)), "{}", one.help);
            }
        }
    }
}
