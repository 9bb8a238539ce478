//! Which keys do what: each action's own, unless the user has bound others to its name. Two actions never share a key where both apply.

use std::collections::HashMap;

use super::{
    actions::{ACTIONS, Action},
    keys::Chord,
};
use crate::config::{ConfigError, UiFile, nearest};

/// The user's own keys; empty: the table's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keymap {
    bound: HashMap<&'static str, Vec<Chord>>,
}

impl Keymap {
    /// Binds what `ui.toml` says.
    pub fn new(file: &UiFile) -> Result<Self, ConfigError> {
        let mut keymap = Self::default();
        for (name, chords) in &file.ui.keys {
            let Some(action) = ACTIONS.iter().find(|action| action.name == name) else {
                let known = nearest(name, ACTIONS.iter().map(|action| action.name));
                return Err(file.wrong(
                    file.place(name),
                    format!("there is no action `{name}`; docs/keys.md has all"),
                    known,
                ));
            };
            let mut keys = Vec::new();
            for word in chords.get_ref() {
                let Some(chord) = Chord::parse(word) else {
                    let known = nearest(word, Chord::NAMES.iter().map(|(name, _)| *name));
                    return Err(file.wrong(chords.span(), format!("there is no key `{word}`"), known));
                };
                keys.push(chord);
            }
            keymap.bound.insert(action.name, keys);
        }
        match keymap.conflict() {
            None => Ok(keymap),
            Some((chord, one, other)) => {
                // The one that the user has bound is at fault; both may be.
                let at_fault = if keymap.bound.contains_key(other) { other } else { one };
                let own = if at_fault == other { one } else { other };
                let message =
                    format!("`{chord}` does `{own}` too: bind another key to one of them, or none with {own} = []");
                Err(file.wrong(file.ui.keys.get(at_fault).map_or(0..0, toml::Spanned::span), message, None))
            }
        }
    }

    pub fn of(&self, action: &'static Action) -> &[Chord] {
        self.bound.get(action.name).map_or(action.keys, Vec::as_slice)
    }

    /// Two actions of different names that a key does where both apply.
    fn conflict(&self) -> Option<(Chord, &'static str, &'static str)> {
        for (at, one) in ACTIONS.iter().enumerate() {
            for other in ACTIONS[at + 1..].iter().filter(|other| other.name != one.name && one.clashes(other)) {
                if let Some(chord) = self.of(one).iter().find(|chord| self.of(other).contains(chord)) {
                    return Some((*chord, one.name, other.name));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::error::Error;

    fn bind(text: &str) -> Result<Keymap, String> {
        let file = UiFile::parse(text, Path::new("ui.toml")).map_err(|error| Error::from(error).to_string())?;
        Keymap::new(&file).map_err(|error| Error::from(error).to_string())
    }

    fn action(name: &str) -> &'static Action {
        ACTIONS.iter().find(|action| action.name == name).unwrap()
    }

    #[test]
    fn an_action_has_the_keys_that_were_bound_to_it() {
        let keymap = bind("[keys]\nfreeze = [\"Z\", \"Ctrl-f\", \"F5\"]\nstop = []\n").unwrap();
        assert_eq!(super::super::keys::names(keymap.of(action("freeze"))), "Z, Ctrl-f, F5");
        assert!(keymap.of(action("stop")).is_empty());
        assert_eq!(keymap.of(action("help")), [Chord::key('?')]);
    }

    #[test]
    fn mistakes_name_the_line_and_the_nearest_word() {
        let mistakes = [
            "[keys]\nfreze = [\"z\"]\n",
            "[keys]\nfreeze = [\"Entr\"]\n",
            "[keys]\nfreeze = [\"p\"]\n",
            "[keys]\nfreeze = [\"Q\"]\nhelp = [\"Q\"]\n",
            "theme = \"drak\"\n",
            "smoothing = 1.0\n",
            "colour = 3\n",
        ];
        let told: Vec<String> = mistakes.iter().map(|text| bind(text).unwrap_err()).collect();
        insta::assert_snapshot!(told.join("\n\n"));
    }

    #[test]
    fn the_table_is_consistent() {
        assert_eq!(Keymap::default().conflict(), None);
        for action in ACTIONS {
            assert!(!action.name.is_empty(), "{} has no name", action.help);
        }
    }
}
