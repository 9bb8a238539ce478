//! The one gate between text from outside (file names, class names, messages) and the terminal. What could move the cursor, recolour the terminal
//! or reverse a line is spelled out; widths are those of the terminal's cells, not of characters.

use std::{borrow::Cow, fmt::Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `text` with control and invisible formatting characters written as escapes: `cat.3\x1b[2J.jpg`. For one line.
pub fn clean(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe)
}

/// [`clean`] for text of several lines: line feeds and tabs stay.
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_unsafe(c) && !matches!(c, '\n' | '\t'))
}

/// [`clean`] for text that is JSON: the escapes are JSON's, so that it says the same as before.
pub fn clean_json(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| is_unsafe(c) && c != '\n';
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if !hidden(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let written = write!(out, "\\u{unit:04x}");
            debug_assert!(written.is_ok(), "a string takes everything");
        }
    }
    Cow::Owned(out)
}

fn escaped(text: &str, hidden: fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !hidden(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c => {
                let code = u32::from(c);
                let written = if code < 0x100 { write!(out, "\\x{code:02x}") } else { write!(out, "\\u{{{code:x}}}") };
                debug_assert!(written.is_ok(), "a string takes everything");
            }
        }
    }
    Cow::Owned(out)
}

/// Controls, and what no font shows but terminals and readers obey: zero-width characters, direction marks, tags, private planes' placeholders.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe0fff | 0x10_eeee)
}

/// Cells that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` cleaned and cut to at most `cells`, with `ellipsis` in place of what is missing.
pub fn fit(text: &str, cells: usize, ellipsis: &str) -> String {
    let text = clean(text);
    if text.width() <= cells {
        return text.into_owned();
    }
    let room = cells.saturating_sub(ellipsis.width());
    let mut out = head(&text, room).to_owned();
    if ellipsis.width() <= cells {
        out.push_str(ellipsis);
    }
    out
}

/// [`fit`], filled with blanks to exactly `cells`.
pub fn column(text: &str, cells: usize, ellipsis: &str) -> String {
    let mut out = fit(text, cells, ellipsis);
    out.extend(std::iter::repeat_n(' ', cells.saturating_sub(out.width())));
    out
}

/// [`column`] with the blanks on the left.
pub fn column_right(text: &str, cells: usize, ellipsis: &str) -> String {
    let out = fit(text, cells, ellipsis);
    " ".repeat(cells.saturating_sub(out.width())) + &out
}

/// `text` cleaned and broken into lines of at most `cells`, between words where there are any.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let paragraph = clean(paragraph);
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let gap = usize::from(!line.is_empty());
            if line.width() + gap + word.width() > cells && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            let mut rest = word;
            while rest.width() > cells.max(1) {
                // A character wider than the line still has to go somewhere.
                let part = match head(rest, cells) {
                    "" => &rest[..rest.chars().next().map_or(0, char::len_utf8)],
                    part => part,
                };
                lines.push(part.to_owned());
                rest = &rest[part.len()..];
            }
            line.push_str(rest);
        }
        lines.push(line);
    }
    lines
}

/// The longest beginning of `text` that takes at most `cells`.
fn head(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > cells {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_shown_not_sent() {
        assert_eq!(clean("cat.3\u{1b}[2J.jpg"), "cat.3\\x1b[2J.jpg");
        assert_eq!(clean("a\u{9b}31m\r\n\u{202e}b"), "a\\x9b31m\\x0d\\n\\u{202e}b");
        assert!(matches!(clean("猫 naïve 🐈"), Cow::Borrowed(_)), "letters of any script pass");
    }

    #[test]
    fn text_of_several_lines_keeps_its_lines() {
        assert_eq!(clean_lines("größe 猫\n\tx"), "größe 猫\n\tx");
        assert_eq!(
            clean_lines("a\u{1b}]0;owned\u{7}b\r\u{202e}c\u{200b}d\n"),
            "a\\x1b]0;owned\\x07b\\x0d\\u{202e}c\\u{200b}d\n"
        );
    }

    #[test]
    fn json_stays_json_and_says_the_same() {
        let name = "a\u{1b}[2J\u{9b}\u{202e}\u{e0041}b\n猫";
        let text = serde_json::to_string(name).unwrap();
        let clean = clean_json(&text);
        assert!(!clean.contains(is_unsafe), "{clean}");
        assert_eq!(serde_json::from_str::<String>(&clean).unwrap(), name);
    }

    #[test]
    fn wide_characters_take_two_cells() {
        assert_eq!(fit("猫と犬の写真", 7, "…"), "猫と犬…");
        assert_eq!(fit("猫と犬", 6, "…"), "猫と犬");
        assert_eq!(column("猫と犬", 4, "…"), "猫… ");
        assert_eq!(column_right("猫", 4, "…"), "  猫");
        assert_eq!(fit("abc", 0, "…"), "");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("the layer has no parameters", 12), ["the layer", "has no", "parameters"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("猫と犬", 3), ["猫", "と", "犬"]);
    }

    proptest! {
        #[test]
        fn nothing_that_fits_is_wider_or_unsafe(text in any::<String>(), cells in 0usize..40) {
            let fitted = fit(&text, cells, "…");
            prop_assert!(width(&fitted) <= cells);
            prop_assert!(!fitted.chars().any(is_unsafe));
            for line in wrap(&text, cells.max(2)) {
                prop_assert!(width(&line) <= cells.max(2), "{line:?}");
            }
        }
    }
}
