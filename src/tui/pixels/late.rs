//! Answers that come after the deadline, among the keys. crossterm hands control sequences of answers to nobody, but a string
//! (`ESC P … ESC \`) arrives as Alt+P and letters, each of which is a key of ours. They are swallowed from their first to their last.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Answers are on their way as long as this after they were asked for: no line is slower.
const OWED: Duration = Duration::from_secs(60);
/// The letters of one answer follow upon each other.
const PAUSE: Duration = Duration::from_millis(500);
/// An escape and what belongs to it, where they came in two pieces.
const SPLIT: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
pub struct Late {
    /// Until when answers may come.
    owed: Option<Instant>,
    /// When the last letter of the answer came that is being swallowed.
    inside: Option<Instant>,
    /// When an escape came by itself.
    escape: Option<Instant>,
}

impl Late {
    /// The terminal was asked at `now` and did not answer in time; or it did, and owes nothing.
    pub fn expect(&mut self, answered: bool, now: Instant) {
        *self = Self { owed: (!answered).then(|| now + OWED), ..Self::default() };
    }

    /// Whether `key` is part of an answer.
    pub fn swallows(&mut self, key: &KeyEvent, now: Instant) -> bool {
        if self.owed.is_none_or(|until| until < now) {
            return false;
        }
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let recent = |then: Option<Instant>, within| then.is_some_and(|then| now.duration_since(then) < within);
        let after_escape = recent(self.escape.take(), SPLIT);
        if recent(self.inside, PAUSE) {
            let bell = key.code == KeyCode::Char('g') && key.modifiers.contains(KeyModifiers::CONTROL);
            let ends = bell || key.code == KeyCode::Char('\\') && (alt || after_escape);
            self.inside = (!ends).then_some(now);
            self.note_escape(key, now);
            return true;
        }
        let starts = matches!(key.code, KeyCode::Char('_' | 'P' | ']' | '^')) && (alt || after_escape);
        self.inside = starts.then_some(now);
        self.note_escape(key, now);
        starts
    }

    fn note_escape(&mut self, key: &KeyEvent, now: Instant) {
        self.escape = (key.code == KeyCode::Esc).then_some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::pixels::typed::keys;

    /// What is left of `text` when each key comes a millisecond after the one before.
    fn left(late: &mut Late, text: &str, begun: Instant) -> Vec<KeyCode> {
        let times = (0..).map(|ms| begun + Duration::from_millis(ms));
        keys(text.as_bytes())
            .into_iter()
            .zip(times)
            .filter(|(key, at)| !late.swallows(key, *at))
            .map(|(k, _)| k.code)
            .collect()
    }

    const ANSWERS: &str = "\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.41.1)\x1b\\";

    #[test]
    fn late_answers_are_no_keys_and_keys_around_them_are() {
        let now = Instant::now();
        let mut late = Late::default();
        late.expect(false, now);
        assert_eq!(left(&mut late, &format!("j{ANSWERS}k"), now), [KeyCode::Char('j'), KeyCode::Char('k')]);
    }

    #[test]
    fn an_answer_that_never_ends_does_not_hold_the_keys_for_long() {
        let now = Instant::now();
        let mut late = Late::default();
        late.expect(false, now);
        assert_eq!(left(&mut late, "\x1b_Gi=31", now), []);
        assert_eq!(left(&mut late, "q", now + Duration::from_secs(2)), [KeyCode::Char('q')]);
    }

    #[test]
    fn who_owes_nothing_may_type_anything() {
        let now = Instant::now();
        let mut late = Late::default();
        late.expect(true, now);
        assert_eq!(left(&mut late, "\x1bPq", now), [KeyCode::Char('P'), KeyCode::Char('q')]);
        late.expect(false, now);
        let later = now + Duration::from_secs(120);
        assert_eq!(left(&mut late, "\x1bPq", later), [KeyCode::Char('P'), KeyCode::Char('q')]);
    }
}
