//! Bars on a terminal's stderr; elsewhere nothing, so that a log holds results only. And the moment at which Ctrl-C counts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
        mpsc,
    },
    thread,
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    cli::signals::Signals,
    error::{Error, Result},
};

/// Counts files.
pub fn files(what: &'static str, count: usize) -> ProgressBar {
    styled(count as u64, what, "{prefix} {bar:30} {human_pos}/{human_len}  {eta} left")
}

/// Counts bytes.
pub fn bytes(name: String, count: u64) -> ProgressBar {
    styled(count, name, "{prefix} {bar:30} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left")
}

fn styled(length: u64, prefix: impl Into<std::borrow::Cow<'static, str>>, template: &str) -> ProgressBar {
    // indicatif draws on stderr, a few times a second, and only if it is a terminal.
    let bar = ProgressBar::new(length).with_prefix(prefix);
    let ascii = std::env::var("TERM").is_ok_and(|term| term == "dumb" || term == "linux");
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars(if ascii { "#>-" } else { "█▉▊▋▌▍▎▏ " })),
        Err(_) => bar,
    }
}

/// Ctrl-C and SIGTERM, caught from here on, for work that must clean up behind itself.
pub struct Interrupts(Arc<AtomicU8>);

impl Interrupts {
    pub fn catch() -> Result<Self> {
        let code = Arc::new(AtomicU8::new(0));
        let (told, ready) = mpsc::channel();
        let shared = Arc::clone(&code);
        thread::spawn(move || {
            let waited = crate::cli::block_on(async {
                let mut signals = Signals::catch()?;
                let _ = told.send(());
                shared.store(signals.next().await.exit_code(), Ordering::Relaxed);
                Ok(())
            });
            // Where signals cannot be caught, they end the program as they do any other.
            drop(waited);
        });
        ready.recv().map_err(|_| Error::environment("cannot listen for signals", None))?;
        Ok(Self(code))
    }

    /// The exit code that a shell expects, once there was a signal.
    pub fn caught(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Relaxed)).filter(|code| *code > 0)
    }
}
