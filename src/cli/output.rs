//! The one place that writes to stdout and stderr. A reader that has gone (`frostline runs | head`) is no error, and no
//! name from a file or a peer reaches the terminal with control characters in it.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use crate::error::{Error, Result};

pub struct Output {
    sink: Box<dyn Write>,
    closed: bool,
}

impl Output {
    pub fn stdout() -> Self {
        Self { sink: Box::new(io::stdout()), closed: false }
    }

    /// Writes a line, or several.
    pub fn line(&mut self, text: &str) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = writeln!(self.sink, "{}", visible(text)).and_then(|()| self.sink.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Error::environment(format!("cannot write to stdout: {error}"), None)),
            Ok(()) => Ok(()),
        }
    }
}

/// Writes to stderr; where that fails there is nobody left to tell.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{}", visible(text));
}

/// Control characters, and those that turn the direction of text, as escapes. Line feeds and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if hidden(character) {
            clean.extend(character.escape_unicode());
        } else {
            clean.push(character);
        }
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_command_a_terminal_is_shown_as_text() {
        assert_eq!(visible("größe 猫\n\tx"), "größe 猫\n\tx");
        assert_eq!(visible("a\u{1b}]0;owned\u{7}b\r\u{9b}c\u{202e}d"), {
            "a\\u{1b}]0;owned\\u{7}b\\u{d}\\u{9b}c\\u{202e}d"
        });
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut out = Output { sink: Box::new(Gone), closed: false };
        assert!(out.line("a").is_ok() && out.line("b").is_ok() && out.closed);
    }
}
