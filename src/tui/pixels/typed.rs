//! Keys that were typed while the terminal was asked, as the key events that crossterm would have made of them. Only what the dashboard
//! listens to; other sequences are left out.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The keys in `bytes`, which hold no answers any more.
pub fn keys(bytes: &[u8]) -> Vec<KeyEvent> {
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.as_ref();
    let mut out = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (key, length) = match rest.strip_prefix("\x1b[").or_else(|| rest.strip_prefix("\x1bO")) {
            Some(inside) if !inside.is_empty() => {
                let length = inside
                    .find(|c: char| !(' '..'@').contains(&c))
                    .map_or(inside.len(), |at| at + inside[at..].chars().next().map_or(0, char::len_utf8));
                (named(&inside[..length]).map(|code| KeyEvent::new(code, KeyModifiers::NONE)), 2 + length)
            }
            _ => {
                let after = rest[first.len_utf8()..].chars().next().filter(|_| first == '\x1b');
                match after.filter(|c| !c.is_control()) {
                    Some(c) => (Some(KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT)), 1 + c.len_utf8()),
                    None => (Some(plain(first)), first.len_utf8()),
                }
            }
        };
        out.extend(key);
        rest = &rest[length..];
    }
    out
}

fn plain(c: char) -> KeyEvent {
    let (code, modifiers) = match c {
        '\x1b' => (KeyCode::Esc, KeyModifiers::NONE),
        '\r' => (KeyCode::Enter, KeyModifiers::NONE),
        '\t' => (KeyCode::Tab, KeyModifiers::NONE),
        '\x7f' => (KeyCode::Backspace, KeyModifiers::NONE),
        '\0' => (KeyCode::Char(' '), KeyModifiers::CONTROL),
        // Control and a letter.
        '\x01'..='\x1a' => (KeyCode::Char(char::from(c as u8 - 1 + b'a')), KeyModifiers::CONTROL),
        c if c.is_uppercase() => (KeyCode::Char(c), KeyModifiers::SHIFT),
        c => (KeyCode::Char(c), KeyModifiers::NONE),
    };
    KeyEvent::new(code, modifiers)
}

/// What follows `CSI` or `SS3`.
fn named(sequence: &str) -> Option<KeyCode> {
    Some(match sequence {
        "A" => KeyCode::Up,
        "B" => KeyCode::Down,
        "C" => KeyCode::Right,
        "D" => KeyCode::Left,
        "H" | "1~" | "7~" => KeyCode::Home,
        "F" | "4~" | "8~" => KeyCode::End,
        "3~" => KeyCode::Delete,
        "5~" => KeyCode::PageUp,
        "6~" => KeyCode::PageDown,
        "Z" => KeyCode::BackTab,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<KeyCode> {
        keys(text.as_bytes()).into_iter().map(|key| key.code).collect()
    }

    #[test]
    fn letters_names_and_sequences_become_keys() {
        use KeyCode::{BackTab, Char, Down, Enter, Esc, PageUp, Up};
        assert_eq!(codes("j고\r"), [Char('j'), Char('고'), Enter]);
        assert_eq!(codes("\x1b[A\x1bOB\x1b[5~\x1b[Z\x1b[15;2~q"), [Up, Down, PageUp, BackTab, Char('q')]);
        assert_eq!(codes("\x1b"), [Esc]);
        assert_eq!(codes("\x1b\x1b[A"), [Esc, Up]);
    }

    #[test]
    fn control_and_alt_are_told() {
        let found = keys(b"\x03\x1bx");
        assert_eq!(found[0], KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert_eq!(found[1], KeyEvent::new(KeyCode::Char('x'), KeyModifiers::ALT));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            proptest::prop_assert!(keys(&bytes).len() <= bytes.len());
        }
    }
}
