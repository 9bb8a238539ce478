//! The only place of xtask that prints. All of it goes to standard error, so that a pipe sees just what the commands that
//! xtask starts have to say; the help text, which is asked for, goes to standard output.

use std::io::Write;

use crate::failure::Failure;

pub fn line(text: &str) {
    // The test runner can't hold back what is written this way.
    if cfg!(not(test)) {
        // A closed terminal is no reason to stop a set-up that other checkouts wait for.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

pub fn text(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

pub fn failure(failure: &Failure) {
    line(&render(failure));
}

fn render(failure: &Failure) -> String {
    let mut text = format!("error: {}", failure.what);
    for hint in &failure.hints {
        text.push_str("\n  hint: ");
        text.push_str(&hint.replace('\n', "\n        "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_stand_under_the_error_in_order() {
        let failure = Failure::new("no python3 on PATH").hint("install it").hint("or\nset LIBTORCH");
        assert_eq!(render(&failure), "error: no python3 on PATH\n  hint: install it\n  hint: or\n        set LIBTORCH");
    }
}
