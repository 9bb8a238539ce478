//! `frostline` alone in a terminal: runs, a dashboard, and back; on a pipe, help.

use std::{fs, process::Command};

use frostline::{event::Ended, run};

use crate::acting::{Actor, STAND_IN, Stage, eventually, only_run};
use crate::pty::Screen;

#[test]
fn home_leads_to_a_dashboard_and_back_and_deletes_a_run() {
    let stage = Stage::new();
    stage.script("frostline-engine", STAND_IN);
    let done = stage.run("mine");
    let mut actor = Actor::on(&done);
    actor.start();
    actor.end(Ended::Completed { early: false });
    let mut screen = Screen::open(&stage, &[]);
    screen.await_text("mine");
    screen.await_text("completed");
    screen.await_text("Start a run of");
    screen.press("\r");
    screen.await_text("COMPLETED");
    screen.press("q");
    // What would be said on the shell's screen is said here.
    screen.await_text("Start a run of");
    screen.await_text("completed after");
    screen.press("d");
    screen.await_text("Delete this run?");
    screen.press("y");
    screen.await_text("none yet");
    assert!(!done.path().exists());
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
    assert!(screen.is_the_shells());
}

#[test]
fn home_shows_the_runs_of_the_folder_that_is_named() {
    let stage = Stage::new();
    stage.run("mine");
    fs::rename(stage.path("runs"), stage.path("elsewhere")).unwrap();
    let mut screen = Screen::open(&stage, &["--runs", "elsewhere"]);
    screen.await_text("mine");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
}

#[test]
fn home_starts_a_configuration_and_tells_what_is_wrong_with_another() {
    let stage = Stage::new();
    stage.script("frostline-engine", STAND_IN);
    fs::create_dir(stage.path("config")).unwrap();
    fs::write(stage.path("config/broken.toml"), "# Not one\nsed = 1\n").unwrap();
    let mut screen = Screen::open(&stage, &[]);
    screen.await_text("config/broken.toml");
    screen.press("\r");
    screen.await_text("unknown field `sed`");
    screen.press("/demo\r\r");
    screen.await_text("STARTING");
    let begun = only_run(&stage.path("runs"));
    eventually("the engine is started", || begun.path().join("asked").exists().then_some(()));
    screen.press("q");
    screen.await_text("goes on");
    fs::write(begun.path().join("leave"), "").unwrap();
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
    assert_eq!(run::list(&stage.path("runs")).unwrap().len(), 1);
}

#[test]
fn on_a_pipe_there_is_help() {
    let said = Command::new(env!("CARGO_BIN_EXE_frostline")).output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("Usage: frostline"));
}
