//! Windows of time over steps that a framework drives, and the line in which the result is said.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What is printed once the windows are full.
pub struct Clock {
    pub task: String,
    pub system: String,
    pub seconds: f64,
    pub repeats: usize,
    start: Instant,
    steps: usize,
    first: f64,
    since: Instant,
    images: usize,
    values: Vec<f64>,
}

/// Steps before the first window.
const WARM_UP: usize = 5;

static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);

impl Clock {
    pub fn start(task: String, system: String, seconds: f64, repeats: usize) {
        let now = Instant::now();
        let (first, images, steps, values) = (0.0, 0, 0, Vec::new());
        let clock = Self { task, system, seconds, repeats, start: now, steps, first, since: now, images, values };
        *CLOCK.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock);
    }
}

/// Called at the start of every step on so many images. Prints and ends the process once enough windows are full: burn-train has no
/// other way out of an epoch.
pub fn tick(images: usize) {
    let mut clock = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(clock) = clock.as_mut() else { return };
    clock.steps += 1;
    if clock.steps == 2 {
        clock.first = clock.start.elapsed().as_secs_f64();
    }
    if clock.steps <= WARM_UP {
        clock.since = Instant::now();
        return;
    }
    clock.images += images;
    let elapsed = clock.since.elapsed().as_secs_f64();
    if elapsed >= clock.seconds {
        clock.values.push(clock.images as f64 / elapsed);
        (clock.since, clock.images) = (Instant::now(), 0);
    }
    if clock.values.len() >= clock.repeats {
        println!(
            r#"RESULT {{"task": "{}", "system": "{}", "by": "stock", "unit": "img/s", "values": {:?}, "first_s": {}, "version": "burn 0.22.1"}}"#,
            clock.task, clock.system, clock.values, clock.first
        );
        std::process::exit(0)
    }
}
