//! The one place that writes to stdout and stderr. A reader that has gone (`frostline runs | head`) is no error, and no
//! name from a file or a peer reaches the terminal with control characters in it.

use std::io::{self, Write};

use serde::Serialize;

use crate::{
    error::{Error, Result},
    text::guard,
};

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
        self.write(
            format!(
                "{}
",
                guard::clean_lines(text)
            )
            .as_bytes(),
        )
    }

    /// Writes one JSON value on a line.
    pub fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))?;
        self.json_line(&text)
    }

    /// Writes a line that is JSON already.
    pub fn json_line(&mut self, text: &str) -> Result<()> {
        self.write(
            format!(
                "{}
",
                guard::clean_json(text)
            )
            .as_bytes(),
        )
    }

    /// Writes bytes that Frostline made itself, as they are.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        match self.sink.write_all(bytes).and_then(|()| self.sink.flush()) {
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
    let _ = writeln!(io::stderr(), "{}", guard::clean_lines(text));
}

/// A question on stderr, whose answer is typed behind it.
pub fn prompt(text: &str) {
    let mut sink = io::stderr();
    let _ = sink.write_all(guard::clean_lines(text).as_bytes()).and_then(|()| sink.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

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
