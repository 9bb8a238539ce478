//! The dashboard in a terminal, through the lives of a run: an engine that starts, dies, and is replaced by another.

use std::fs;

use frostline::{
    command::Command,
    event::{Ended, Event, Outcome, State},
};

use crate::acting::{Actor, SSH, STAND_IN, Stage, eventually, only_run};
use crate::pty::Screen;

#[test]
fn the_dashboard_follows_a_run_from_engine_to_engine_and_detaches() {
    let stage = Stage::new();
    stage.script("frostline-engine", STAND_IN);
    let mut screen = Screen::open(&stage, &["demo"]);
    screen.await_text("STARTING");
    let run = only_run(&stage.path("runs"));
    eventually("the engine is started", || run.path().join("asked").exists().then_some(()));
    let mut first = Actor::on(&run);
    first.start();
    first.say(Event::StateChanged { state: State::Running, step: 0 });
    screen.await_text("RUNNING");
    screen.press("p");
    let request = first.answer(Outcome::Applied);
    assert_eq!((request.command, request.by.as_str()), (Command::Pause, "ada@lab"));
    first.say(Event::StateChanged { state: State::Paused, step: 12 });
    screen.await_text("PAUSED");
    fs::write(run.engine_log(), "Killed by the kernel\n").unwrap();
    fs::write(run.path().join("leave"), "").unwrap();
    first.vanish();
    screen.await_text("LOST");
    screen.await_text("Killed by the kernel");

    // Somebody else resumes it.
    let mut second = Actor::on(&run);
    second.start();
    second.say(Event::StateChanged { state: State::Running, step: 12 });
    screen.await_text("RUNNING");
    screen.press("q");
    screen.await_text("goes on; come back with: frostline attach");
    assert_eq!(screen.exit_code(), 0);
    second.end(Ended::Completed { early: false });

    let mut replay = Screen::open(&stage, &["attach"]);
    replay.await_text("acted");
    replay.press("q");
    replay.await_text("completed after 20 steps");
    assert_eq!(replay.exit_code(), 0);
}

#[test]
fn a_lost_engine_is_started_again_by_a_key() {
    let stage = Stage::new();
    stage.script("frostline-engine", STAND_IN);
    let run = stage.run("mine");
    let mut first = Actor::on(&run);
    first.start();
    first.vanish();
    let mut screen = Screen::open(&stage, &["attach", "mine"]);
    screen.await_text("LOST");
    screen.press("r");
    eventually("the engine is started", || run.path().join("asked").exists().then_some(()));
    let mut second = Actor::on(&run);
    second.start();
    second.say(Event::StateChanged { state: State::Running, step: 0 });
    screen.await_text("RUNNING");
    fs::write(run.path().join("leave"), "").unwrap();
    second.end(crate::acting::failed(frostline::error::Class::Environment, "the disk is full"));
    screen.await_text("FAILED");

    // The disk has room again.
    fs::remove_file(run.path().join("leave")).unwrap();
    fs::remove_file(run.path().join("asked")).unwrap();
    screen.press("r");
    eventually("the engine is started again", || run.path().join("asked").exists().then_some(()));
    let mut third = Actor::on(&run);
    third.start();
    third.say(Event::StateChanged { state: State::Running, step: 0 });
    screen.await_text("RUNNING");
    fs::write(run.path().join("leave"), "").unwrap();
    third.end(crate::acting::failed(frostline::error::Class::Environment, "the disk is full again"));
    screen.await_text("FAILED");
    screen.press("q");
    screen.await_text("error: the disk is full again");
    assert_eq!(screen.exit_code(), 3);
}

#[test]
fn a_run_that_ended_unheard_has_ended_and_is_not_lost() {
    let stage = Stage::new();
    let run = stage.run("quick");
    let mut actor = Actor::on(&run);
    actor.start();
    actor.say(Event::StateChanged { state: State::Running, step: 0 });
    let mut screen = Screen::open(&stage, &["attach", "quick"]);
    screen.await_text("RUNNING");
    actor.end_unheard(Ended::Completed { early: false });
    screen.await_text("COMPLETED");
    screen.press("q");
    screen.await_text("completed after 20 steps");
    assert_eq!(screen.exit_code(), 0);
}

#[test]
fn a_link_to_another_machine_that_dropped_is_taken_up_by_a_key() {
    let stage = Stage::new();
    let run = stage.run("far");
    stage.script("ssh", SSH);
    let mut actor = Actor::on(&run);
    actor.start();
    actor.say(Event::StateChanged { state: State::Running, step: 0 });
    let far = stage.path("").display().to_string();
    let path = format!("{far}:{}", std::env::var("PATH").unwrap());
    let mut screen =
        Screen::open_with(&stage, &["attach", "--ssh", "gpu-box", "far"], &[("PATH", &path), ("FAR", &far)]);
    screen.await_text("RUNNING");
    fs::write(stage.path("cut"), "").unwrap();
    screen.await_text("LOST");
    screen.await_text("r connects again");
    actor.say(Event::StateChanged { state: State::Paused, step: 5 });
    screen.press("r");
    screen.await_text("LOST");
    fs::remove_file(stage.path("cut")).unwrap();
    // While the attempt before is still under way the key has no meaning.
    screen.press_until("r", "PAUSED");
    screen.press("q");
    screen.await_text("come back with: frostline attach --ssh gpu-box 2026-03-09-120005-far");
    assert_eq!(screen.exit_code(), 0);
    actor.vanish();
}
