//! What the dashboard sends over the line to a terminal, how soon it answers a key, and how soon a long run stands on the screen.
//! `cargo bench --bench screen` runs real programs on real runs for two minutes and prints each figure beside what is asked of it. It judges
//! no change: a busy machine misses what a quiet one keeps, so it ends with 0 either way.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

// The bench asks less of it than the tests do.
#[allow(dead_code)]
#[path = "../../tests/suite/line.rs"]
mod line;
mod runs;
mod terminal;

use std::{
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use self::{
    line::{Line, SLOW},
    runs::Small,
    terminal::Terminal,
};

/// Keys that each change what is on the screen, over and over.
const KEYS: [&str; 7] = ["2", "1", "j", "k", "3", "j", "k"];

fn main() {
    // `cargo bench` hands over `--bench`; a filter names sections.
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |section: &str| only.is_empty() || only.iter().any(|word| section.contains(word.as_str()));
    println!("| figure | asked | reached | |\n|---|---|---|---|");
    let trains = runs::engine().exists();
    if !trains {
        println!("| nothing is trained: there is no {} | | | |", runs::engine().display());
    }
    if wanted("running") && trains {
        running();
    }
    if wanted("attach") {
        attach();
    }
    if wanted("line") && trains {
        slow_line();
    }
}

/// A run that trains: its traffic, page by page, and its keys; then the same while it is paused.
fn running() {
    let folder = tempfile::tempdir().unwrap();
    let run = Small::start(folder.path());
    for (page, name, asked) in [("1", "overview", None), ("2", "curves", Some(10.0)), ("6", "machine", None)] {
        let mut terminal = attached(folder.path(), &["attach"], &[]);
        terminal.press(page);
        sleep(Duration::from_secs(3));
        let sent = terminal.sent_in(Duration::from_secs(20));
        row(&format!("sent while it trains, {name}, KB/s"), asked, sent / 1000.0);
        terminal.leave();
    }
    keys(folder.path(), "while it trains");
    run.ctl(&["pause"]);
    for (page, name) in [("1", "overview"), ("2", "curves")] {
        let mut terminal = attached(folder.path(), &["attach"], &[]);
        terminal.press(page);
        sleep(Duration::from_secs(4));
        let sent = terminal.sent_in(Duration::from_secs(10));
        row(&format!("sent while it is paused, {name}, KB/s"), Some(1.0), sent / 1000.0);
        terminal.leave();
    }
    keys(folder.path(), "while it is paused");
}

fn keys(folder: &Path, when: &str) {
    let mut terminal = attached(folder, &["attach"], &[]);
    sleep(Duration::from_secs(3));
    let mut took: Vec<f64> = Vec::new();
    for key in KEYS.iter().cycle().take(42) {
        sleep(Duration::from_millis(170));
        took.push(terminal.answer_to(key).map_or(f64::INFINITY, |took| took.as_secs_f64() * 1e3));
    }
    took.sort_by(f64::total_cmp);
    row(&format!("a key until the first byte, {when}, median, ms"), Some(50.0), took[took.len() / 2]);
    row(&format!("a key until the first byte, {when}, worst of {}, ms", took.len()), Some(50.0), took[took.len() - 1]);
    terminal.leave();
}

/// A million steps, with what the engine keeps of them and without it.
fn attach() {
    let folder = tempfile::tempdir().unwrap();
    let run = runs::million(folder.path());
    let size = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().len() as f64 / 1e6;
    println!("| journal of a million steps, MB |  | {:.1} | |", size(run.journal()));
    println!("| its digest, MB |  | {:.2} | |", size(run.digest()));
    let once = || {
        let begun = Instant::now();
        let mut terminal = Terminal::open(folder.path(), &["attach", "last"], &[]);
        // The run's end is the last of its events: until it is known, the curves are not whole.
        terminal.until_text("COMPLETED");
        terminal.until_curves();
        let took = begun.elapsed().as_secs_f64() * 1e3;
        terminal.leave();
        took
    };
    let mut took: Vec<f64> = (0..5).map(|_| once()).collect();
    took.sort_by(f64::total_cmp);
    row("a million steps until the curves stand, median of 5, ms", Some(300.0), took[2]);
    row("the slowest of them, ms", None, took[4]);
    std::fs::remove_file(run.digest()).unwrap();
    row("the same without the digest, once, ms", None, once());
}

/// A run on another machine, behind 64 kbit/s and 150 ms each way.
fn slow_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = Small::start(folder.path());
    runs::script(&folder.path().join("ssh"), line::SSH);
    let line = Line::lay(folder.path(), SLOW);
    let far = folder.path().display().to_string();
    let path = format!("{far}:{}", std::env::var("PATH").unwrap());
    let begun = Instant::now();
    let mut terminal =
        Terminal::open(folder.path(), &["attach", "--ssh", "far-away", "last"], &[("PATH", &path), ("FAR", &far)]);
    terminal.until_curves();
    row("slow line: attach until the curves stand, s", None, begun.elapsed().as_secs_f64());
    sleep(Duration::from_secs(8));
    let (before, begun) = (line.came_down(), Instant::now());
    sleep(Duration::from_secs(10));
    let rate = (line.came_down() - before) as f64 / begun.elapsed().as_secs_f64() / 1e3;
    row("slow line: what comes down while it trains, overview, KB/s", None, rate);
    for page in ["2", "1"] {
        let took = terminal.answer_to(page).map_or(f64::INFINITY, |took| took.as_secs_f64() * 1e3);
        row(&format!("slow line: key `{page}` until the first byte, ms"), Some(100.0), took);
        sleep(Duration::from_secs(2));
    }
    let begun = Instant::now();
    terminal.press("p");
    terminal.until_text("pausing");
    row("slow line: `pausing` shown, ms", Some(100.0), begun.elapsed().as_secs_f64() * 1e3);
    terminal.until_text("PAUSED");
    row("slow line: paused, a round trip of 300 ms included, ms", None, begun.elapsed().as_secs_f64() * 1e3);
    terminal.leave();
    drop(run);
}

fn attached(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
    let mut terminal = Terminal::open(folder, arguments, variables);
    terminal.until_curves();
    terminal
}

fn row(what: &str, asked: Option<f64>, reached: f64) {
    let (asked, verdict) = match asked {
        Some(most) => (format!("≤ {most}"), if reached <= most { "kept" } else { "**not kept**" }),
        None => (String::new(), ""),
    };
    println!("| {what} | {asked} | {reached:.2} | {verdict} |");
}
