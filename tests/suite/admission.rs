//! A run that is not as it was: without a terminal it is refused, at one it is asked about. What was refused leaves no trace in the journal.

use std::{fs, path::Path};

use frostline::run::{RunDir, Standing, summarise};

use crate::acting::{Said, Stage, said};
use crate::jobs::CONFIG;
use crate::pty::Screen;

/// With the real engine, and a run that was killed at some step.
fn interrupted(stage: &Stage) -> RunDir {
    stage.script("frostline-engine", &format!("exec {} \"$@\"", env!("CARGO_BIN_EXE_frostline-engine")));
    // Longer, so that it is not over after two times.
    fs::write(stage.path("mine.toml"), CONFIG.replace("epochs = 60", "epochs = 200")).unwrap();
    let begun = said(&mut stage.frostline(&["train", "mine.toml", "--headless", "--run-dir", "runs/mine"]));
    assert_eq!(begun.code, Some(75), "{}", begun.err);
    let run = RunDir::open(&stage.path("runs/mine")).unwrap();
    let text = fs::read_to_string(run.journal()).unwrap();
    let end = text.trim_end().rfind('\n').unwrap();
    fs::write(run.journal(), &text[..=end]).unwrap();
    assert_eq!(summarise(&run).unwrap().standing, Standing::Interrupted);
    run
}

fn set(run: &RunDir, from: &str, to: &str) {
    let text = fs::read_to_string(run.config()).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(run.config(), text.replace(from, to)).unwrap();
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn a_refused_resume_leaves_the_run_as_it_was() {
    let stage = Stage::new();
    let run = interrupted(&stage);
    let journal = fs::read(run.journal()).unwrap();
    let resume = |more: &[&str]| -> Said {
        said(&mut stage.frostline(&[&["train", "--resume", "mine", "--headless"], more].concat()))
    };
    let is_as_it_was = |what: &str| {
        assert!(fs::read(run.journal()).unwrap() == journal, "{what}: the journal is another one");
        assert_eq!(summarise(&run).unwrap().standing, Standing::Interrupted, "{what}");
        assert!(run.take_refusal().is_none(), "{what}");
    };

    set(&run, "\nthreads = 1\n", "\nthreads = 2\n");
    let config = fs::read(run.config()).unwrap();
    let refused = resume(&["--set", "train.epochs=3"]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{}", refused.err);
    assert!(refused.err.contains("it was made with 1 threads, these are 2"), "{}", refused.err);
    assert!(refused.err.contains("--accept-changes"), "{}", refused.err);
    is_as_it_was("another number of threads");
    assert!(fs::read(run.config()).unwrap() == config, "what was not gone on with keeps its configuration");
    set(&run, "\nthreads = 2\n", "\nthreads = 1\n");

    let checkpoints = fs::read_dir(run.checkpoints()).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = checkpoints.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    for (path, _) in &kept {
        cut(path);
    }
    let refused = resume(&[]);
    assert_eq!(refused.code, Some(3), "{}", refused.err);
    assert!(refused.err.contains("not a complete checkpoint"), "{}", refused.err);
    is_as_it_was("no checkpoint can be read");

    for (path, bytes) in &kept {
        fs::write(path, bytes).unwrap();
    }
    let went_on = resume(&[]);
    assert_eq!(went_on.code, Some(75), "{}{}", went_on.out, went_on.err);
    assert_eq!(summarise(&run).unwrap().standing, Standing::Stopped);
}

#[test]
fn at_a_terminal_a_person_is_shown_what_differs_and_asked() {
    let stage = Stage::new();
    let run = interrupted(&stage);
    let journal = fs::read(run.journal()).unwrap();
    set(&run, "\nthreads = 1\n", "\nthreads = 2\n");
    set(&run, "\nmax_time = \"100ms\"\n", "\n");
    set(&run, "\nbatch_size = 8\n", "\nbatch_size = 6\n");
    set(&run, "\nepochs = 200\n", "\nepochs = 1\n");
    let resume = |more: &[&str]| Screen::open(&stage, &[&["train", "--resume", "mine"], more].concat());

    let mut screen = resume(&["--headless"]);
    screen.await_text("Go on all the same? [y/N]");
    screen.await_text("- it was made with 1 threads, these are 2");
    screen.await_text("- train.batch_size: 8, now 6");
    assert!(screen.is_the_shells());
    screen.press("\r");
    screen.await_text("stays as it is");
    assert_eq!(screen.exit_code(), 2);
    assert!(fs::read(run.journal()).unwrap() == journal);

    let mut screen = resume(&[]);
    screen.await_text("Go on all the same? [y/N]");
    screen.press("\u{3}");
    assert_eq!(screen.exit_code(), 130);
    assert!(fs::read(run.journal()).unwrap() == journal);

    let mut screen = resume(&[]);
    screen.await_text("Go on all the same? [y/N]");
    screen.press("y\r");
    screen.await_text("COMPLETED");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
    assert_eq!(summarise(&run).unwrap().standing, Standing::Completed);
}
