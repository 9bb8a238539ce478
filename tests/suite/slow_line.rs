//! The dashboard on a run behind a slow line: what needs no answer is there at once, what was asked is shown as asked, and pictures hold
//! nothing up.

use frostline::{
    command::Command,
    event::{Ended, Event, Explained, Gathered, Outcome, Picture, PictureKind, RunEnded, State, Steps},
    run::{Blobs, RunDir},
    trainer::{OnDisk, Record as _},
};
use image::{ImageFormat, RgbImage};

use crate::{
    acting::{Actor, Stage},
    line::{Line, Pace, SLOW, SSH},
    pty::Screen,
};

/// A far run, its line, and the dashboard before it.
fn attached(stage: &Stage) -> (Actor, Line, Screen) {
    let run = stage.run("far");
    stage.script("ssh", SSH);
    let line = Line::lay(&stage.path(""), SLOW);
    let mut actor = Actor::on(&run);
    actor.start();
    actor.say(Event::StateChanged { state: State::Running, step: 0 });
    let far = stage.path("").display().to_string();
    let path = format!("{far}:{}", std::env::var("PATH").unwrap());
    let screen = Screen::open_with(stage, &["attach", "--ssh", "gpu-box", "far"], &[("PATH", &path), ("FAR", &far)]);
    screen.await_text("RUNNING");
    (actor, line, screen)
}

#[test]
fn keys_are_heard_while_nothing_passes_and_a_command_is_pending_until_its_answer_comes() {
    let stage = Stage::new();
    let (mut actor, line, mut screen) = attached(&stage);
    line.shut();
    screen.press("6");
    screen.await_text("the first reading is on its way");
    screen.press("1");
    screen.press("p");
    screen.await_text("pausing");
    assert!(screen.shows("RUNNING"), "nobody has said that it is paused");
    assert!(actor.inbox.try_recv().is_err(), "the line is shut");
    line.open();
    assert_eq!(actor.answer(Outcome::Applied).command, Command::Pause);
    actor.say(Event::StateChanged { state: State::Paused, step: 12 });
    screen.await_text("PAUSED");
    assert!(!screen.shows("pausing"));
    screen.press("q");
    screen.await_text("come back with");
    actor.vanish();
}

/// A picture that no compression makes small.
fn picture(number: u32) -> (Vec<u8>, u32) {
    let side = 56;
    let dots = RgbImage::from_fn(side, side, |x, y| {
        let noise = (number * 7919 + y * side + x).wrapping_mul(2_654_435_761);
        let noise = (noise ^ noise >> 15).wrapping_mul(2_246_822_519).to_be_bytes();
        image::Rgb([noise[0], noise[1], noise[2]])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    dots.write_to(&mut png, ImageFormat::Png).unwrap();
    (png.into_inner(), side)
}

#[test]
fn pictures_come_last_and_hold_no_answer_up() {
    let stage = Stage::new();
    let (mut actor, line, mut screen) = attached(&stage);
    let mut blobs = Blobs::open(&stage.path("runs/2026-03-09-120005-far/blobs"), 10).unwrap();
    let layer = || String::from("conv2d");
    let kinds = [
        PictureKind::Sample,
        PictureKind::Heat { method: frostline::command::Method::GradCam, layer: layer(), class: 0, empty: false },
        PictureKind::Activations { layer: layer(), channels: 4 },
    ];
    let pictures = kinds.into_iter().zip(0..).map(|(kind, number)| {
        let (png, side) = picture(number);
        assert!((9_000..11_000).contains(&png.len()), "more than a second of the line each");
        Picture { kind, blob: blobs.put(&png).unwrap(), width: side, height: side }
    });
    let explained = Explained {
        step: 1,
        epoch: 1,
        sample: 0,
        name: "one.png".into(),
        label: 0,
        probabilities: vec![0.9, 0.1],
        pictures: pictures.collect(),
        kept: false,
        refused: None,
    };
    let before = line.came_down();
    actor.say(Event::Explained(explained));
    crate::acting::eventually("the first picture is on its way", || (line.came_down() > before + 2_000).then_some(()));
    screen.press("p");
    actor.answer(Outcome::Applied);
    actor.say(Event::StateChanged { state: State::Paused, step: 12 });
    screen.await_text("PAUSED");
    let came = line.came_down() - before;
    assert!(came < 16_000, "one picture was ahead of the answer, and {came} bytes came");
    crate::acting::eventually("the others come all the same", || (line.came_down() - before > 18_000).then_some(()));
    screen.press("q");
    screen.await_text("come back with");
    actor.vanish();
}

/// What an engine would have left behind of a run of 5,000 steps, each an event, whose readings no compression makes small.
fn long(run: &RunDir) {
    let mut now = 1_772_000_000_000;
    let clock = move || {
        now += 100;
        now
    };
    let mut record = OnDisk::open(run, clock).unwrap();
    let chance = |step: u64, of: u64| ((step * 7919 + of * 104_729) as f64).sin().abs();
    let gathered = |step, of| {
        let mean = chance(step, of);
        Gathered { mean, min: mean * 0.9, max: mean * 1.1, last: mean }
    };
    record.say(crate::acting::run_started()).unwrap();
    record.say(Event::StateChanged { state: State::Running, step: 0 }).unwrap();
    for step in 1..=5000 {
        record
            .say(Event::Steps(Steps {
                epoch: 1,
                step,
                step_in_epoch: step as u32,
                count: 1,
                loss: gathered(step, 1),
                accuracy: gathered(step, 2),
                learning_rate: chance(step, 3),
                images_per_second: 3e3 * chance(step, 4),
                data_wait: chance(step, 5),
            }))
            .unwrap();
    }
    let how = Ended::Completed { early: false };
    record.say(Event::RunEnded(RunEnded { how, step: 5000, epoch: 1, seconds: 500.0 })).unwrap();
}

#[test]
fn a_long_run_is_soon_there_and_whole_later() {
    let stage = Stage::new();
    let run = stage.run("far");
    long(&run);
    stage.script("ssh", SSH);
    let line = Line::lay(&stage.path(""), Pace { delay: SLOW.delay / 5, bytes_per_second: 40_000 });
    let far = stage.path("").display().to_string();
    let path = format!("{far}:{}", std::env::var("PATH").unwrap());
    let mut screen =
        Screen::open_with(&stage, &["attach", "--ssh", "gpu-box", "far"], &[("PATH", &path), ("FAR", &far)]);
    screen.await_text("COMPLETED");
    let came = line.came_down();
    assert!(came < 60_000, "{came} bytes came before the curves stood");
    let whole = std::fs::metadata(run.digest()).unwrap().len();
    assert!(whole > 500_000, "{whole}");
    crate::acting::eventually("the rest comes while nothing else does", || (line.came_down() > 150_000).then_some(()));
    screen.press("2");
    screen.await_text("learning rate");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
}
