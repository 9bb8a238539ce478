//! The command line against an engine that the test plays.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::Child,
};

use frostline::{
    command::Command,
    error::Class,
    event::{Ended, Event, Level, Outcome, Stamped},
    run::EngineLock,
};

use crate::acting::{Actor, SSH, STAND_IN, Stage, eventually, failed, only_run, said, spawned, told};

/// Starts `frostline train` on the demo's configuration and steps in for its engine.
fn trained(stage: &Stage, arguments: &[&str]) -> (Child, frostline::run::RunDir, Actor) {
    stage.script("frostline-engine", STAND_IN);
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/config/demo.toml");
    let train = spawned(&mut stage.frostline(&[&["train", demo], arguments].concat()));
    let run = only_run(&stage.path("runs"));
    eventually("the engine is started", || run.path().join("asked").exists().then_some(()));
    let actor = Actor::on(&run);
    (train, run, actor)
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn a_run_is_followed_to_its_end_in_lines() {
    let stage = Stage::new();
    let (train, run, mut actor) = trained(&stage, &[]);
    actor.start();
    actor.epoch(1);
    actor.epoch(2);
    fs::write(run.path().join("leave"), "").unwrap();
    actor.end(Ended::Completed { early: false });
    let said = told(train);
    assert_eq!(
        lines(&said.out),
        [
            "acted: 2 epochs, 32 images a step, sgd, binary_crossentropy",
            "epoch 1/2  loss 0.5000  accuracy 0.7500  rate 0.01  2.0 s  160 images/s",
            "epoch 2/2  loss 0.5000  accuracy 0.7500  rate 0.01  2.0 s  160 images/s",
            "completed after 20 steps, in 4.0 s",
        ]
    );
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)));
    assert!(fs::read_to_string(run.config()).unwrap().contains("[train]"), "the resolved configuration is kept");
}

#[test]
fn interrupting_train_saves_and_stops_the_run_and_tells_the_shell() {
    let stage = Stage::new();
    let (mut train, run, mut actor) = trained(&stage, &[]);
    actor.start();
    let mut out = BufReader::new(train.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    // SAFETY: the child has not been waited for, so the number is its own.
    unsafe { libc::kill(train.id() as libc::pid_t, libc::SIGINT) };
    let request = actor.answer(Outcome::Applied);
    assert_eq!((request.command, request.by.as_str()), (Command::Stop, "ada@lab"));
    fs::write(run.path().join("leave"), "").unwrap();
    actor.end(Ended::Stopped { by: "ada@lab".into() });
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(lines(&rest), ["stop (ada@lab): applied after step 12", "stopped by ada@lab after 20 steps, in 4.0 s"]);
    assert_eq!(train.wait().unwrap().code(), Some(130));
}

#[test]
fn an_engine_that_dies_is_told_with_its_last_words_and_the_way_back() {
    let stage = Stage::new();
    stage.script("frostline-engine", "echo 'cannot open libtorch_cpu.so' >&2; exit 127");
    let demo = said(&mut stage.frostline(&["demo"]));
    assert_eq!(demo.code, Some(3), "{}", demo.err);
    assert!(demo.err.contains("exit status: 127"), "{}", demo.err);
    assert!(demo.err.contains("| cannot open libtorch_cpu.so"), "{}", demo.err);
    assert!(demo.err.contains("frostline train --resume 20"), "{}", demo.err);

    let stage = Stage::new();
    let (train, run, mut actor) = trained(&stage, &[]);
    actor.start();
    fs::write(run.engine_log(), "CUDA error: out of memory\n").unwrap();
    fs::write(run.path().join("leave"), "").unwrap();
    actor.vanish();
    let train = told(train);
    assert_eq!(train.code, Some(3), "{}", train.err);
    assert!(train.err.contains("| CUDA error: out of memory"), "{}", train.err);
}

#[test]
fn without_the_engine_s_program_no_run_is_begun() {
    let stage = Stage::new();
    let demo = said(&mut stage.frostline(&["demo"]));
    assert_eq!(demo.code, Some(3));
    assert!(demo.err.contains("built without the feature `engine`"), "{}", demo.err);
    assert!(!stage.path("runs").exists());
}

#[test]
fn a_run_goes_on_where_it_was_and_tells_only_what_is_new() {
    let stage = Stage::new();
    stage.script("frostline-engine", STAND_IN);
    let run = stage.run("old");
    let mut first = Actor::on(&run);
    first.start();
    first.epoch(1);
    let held = said(&mut stage.frostline(&["train", "--resume", "old"]));
    assert_eq!(held.code, Some(2), "{}", held.err);
    assert!(held.err.contains("frostline attach 2026-03-09-120005-old"), "{}", held.err);
    first.vanish();
    let train = spawned(&mut stage.frostline(&["train", "--resume", "old"]));
    eventually("the engine is started", || run.path().join("asked").exists().then_some(()));
    let mut second = Actor::on(&run);
    second.epoch(2);
    fs::write(run.path().join("leave"), "").unwrap();
    second.end(Ended::Completed { early: true });
    let train = told(train);
    assert_eq!(lines(&train.out).len(), 2, "{}", train.out);
    assert!(train.out.ends_with("stopped early, as planned, after 20 steps, in 4.0 s\n"), "{}", train.out);
}

#[test]
fn attach_shows_a_run_from_its_beginning_whether_it_lives_or_not() {
    let stage = Stage::new();
    let run = stage.run("watched");
    let mut actor = Actor::on(&run);
    actor.start();
    actor.epoch(1);
    let live = spawned(&mut stage.frostline(&["attach"]));
    let json = spawned(&mut stage.frostline(&["attach", "watched", "--json"]));
    actor.epoch(2);
    actor.end(failed(Class::Environment, "the disk is full"));
    let live = told(live);
    assert_eq!((lines(&live.out).len(), live.code), (3, Some(3)), "{}", live.out);
    assert_eq!(live.err, "error: the disk is full\n  hint: a hint\n");

    let json = told(json);
    let events: Vec<Stamped> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(matches!(events[3].event, Event::RunEnded(_)));

    let replayed = said(&mut stage.frostline(&["attach"]));
    assert_eq!((replayed.out, replayed.err, replayed.code), (live.out, live.err, live.code));
}

#[test]
fn ctl_prints_the_answer_and_its_exit_code_says_whether_it_was_obeyed() {
    let stage = Stage::new();
    let run = stage.run("steered");
    let mut actor = Actor::on(&run);
    actor.start();
    let pause = spawned(&mut stage.frostline(&["ctl", "last", "pause"]));
    assert_eq!(actor.answer(Outcome::Applied).command, Command::Pause);
    let pause = told(pause);
    assert_eq!((pause.out.as_str(), pause.code), ("pause (ada@lab): applied after step 12\n", Some(0)));

    let freeze = spawned(&mut stage.frostline(&["ctl", "steered", "freeze", "conv2d", "flatten"]));
    let reason = "`flatten` has no parameters".to_owned();
    let request = actor.answer(Outcome::Rejected { reason });
    assert_eq!(request.command, Command::Freeze { layers: vec!["conv2d".into(), "flatten".into()] });
    let freeze = told(freeze);
    assert_eq!(freeze.err, "error: freeze conv2d flatten: rejected: `flatten` has no parameters\n");
    assert_eq!(freeze.code, Some(2));

    let thaw = spawned(&mut stage.frostline(&["ctl", "steered", "frost-line", "none"]));
    assert_eq!(actor.answer(Outcome::Applied).command, Command::FrostLine { layer: None });
    assert!(told(thaw).code == Some(0));

    let stop = spawned(&mut stage.frostline(&["ctl", "steered", "stop", "--wait"]));
    assert_eq!(actor.answer(Outcome::Applied).command, Command::Stop);
    actor.end(Ended::Stopped { by: "ada@lab".into() });
    let stop = told(stop);
    assert_eq!(lines(&stop.out)[1], "stopped by ada@lab after 20 steps, in 4.0 s");

    let late = said(&mut stage.frostline(&["ctl", "steered", "pause"]));
    assert_eq!(late.code, Some(2));
    assert!(late.err.contains("has no engine that could pause"), "{}", late.err);
}

#[test]
fn a_run_on_another_machine_is_watched_through_ssh() {
    let stage = Stage::new();
    let run = stage.run("far");
    stage.script("ssh", SSH);
    let mut actor = Actor::on(&run);
    actor.start();
    let path = format!("{}:{}", stage.path("").display(), std::env::var("PATH").unwrap());
    let attach = |arguments: &[&str]| {
        let mut command = stage.frostline(arguments);
        command.env("PATH", &path).env("FAR", stage.path(""));
        command
    };
    let live = spawned(&mut attach(&["attach", "--ssh", "gpu-box", "far"]));
    eventually("the viewer is there", || {
        actor.epoch(1);
        (actor.journal.head().borrow().events > 5).then_some(())
    });
    actor.end(Ended::Completed { early: false });
    let live = told(live);
    assert_eq!(live.code, Some(0), "{}", live.err);
    assert!(live.out.ends_with("completed after 20 steps, in 4.0 s\n"), "{}", live.out);
    let replayed = said(&mut attach(&["attach", "--ssh", "gpu-box", "far"]));
    assert_eq!(replayed.out, live.out);

    let unknown = said(&mut attach(&["attach", "--ssh", "gpu-box", "near"]));
    assert_eq!(unknown.code, Some(3));
    assert!(unknown.err.contains("| error: no run matches `near` in runs"), "{}", unknown.err);
}

#[test]
fn who_is_too_slow_for_the_end_of_a_run_finds_it_in_the_journal() {
    let stage = Stage::new();
    let (train, run, mut actor) = trained(&stage, &[]);
    actor.start();
    fs::write(run.path().join("leave"), "").unwrap();
    actor.end_unheard(Ended::Completed { early: false });
    let train = told(train);
    assert_eq!((train.err.as_str(), train.code), ("", Some(0)));
    assert!(train.out.ends_with("completed after 20 steps, in 4.0 s\n"), "{}", train.out);

    let run = stage.run("slow");
    let mut actor = Actor::on(&run);
    actor.start();
    stage.script("ssh", SSH);
    let mut attach = stage.frostline(&["attach", "--ssh", "gpu-box", "slow"]);
    let path = format!("{}:{}", stage.path("").display(), std::env::var("PATH").unwrap());
    attach.env("PATH", path).env("FAR", stage.path(""));
    let mut attach = spawned(&mut attach);
    let mut out = BufReader::new(attach.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    let stop = spawned(&mut stage.frostline(&["ctl", "slow", "stop", "--wait"]));
    assert_eq!(actor.answer(Outcome::Applied).command, Command::Stop);
    let mut answer = String::new();
    out.read_line(&mut answer).unwrap();
    actor.end_unheard(Ended::Stopped { by: "ada@lab".into() });
    let stop = told(stop);
    assert_eq!((stop.err.as_str(), stop.code), ("", Some(0)));
    assert!(stop.out.ends_with("stopped by ada@lab after 20 steps, in 4.0 s\n"), "{}", stop.out);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "stopped by ada@lab after 20 steps, in 4.0 s\n");
    assert_eq!(told(attach).code, Some(0));
}

#[test]
fn hints_find_a_run_that_is_kept_elsewhere() {
    let stage = Stage::new();
    stage.script("frostline-engine", "exit 1");
    let demo = said(&mut stage.frostline(&["demo", "--runs", "else where", "--name", "x"]));
    let folder = stage.path("").canonicalize().unwrap().join("else where");
    let run = only_run(&folder);
    let hint = format!("frostline train --resume {} --runs '{}'\n", run.name(), folder.display());
    assert!(demo.err.ends_with(&hint), "{}\n{hint}", demo.err);
    let there = said(stage.frostline(&["attach"]).env("FROSTLINE_RUNS", &folder));
    let hint = format!("frostline train --resume {}`\n", run.name());
    assert!(there.err.ends_with(&hint), "{}\n{hint}", there.err);
}

#[test]
fn a_run_is_extended_but_not_made_another() {
    let stage = Stage::new();
    let (train, run, mut actor) = trained(&stage, &["--name", "short"]);
    actor.start();
    fs::write(run.path().join("leave"), "").unwrap();
    actor.end(Ended::Completed { early: false });
    assert_eq!(told(train).code, Some(0));
    let before = fs::read_to_string(run.config()).unwrap();
    for other in ["seed=7", "model.input=[32,32,3]", "name=\"long\""] {
        let refused = said(&mut stage.frostline(&["train", "--resume", "short", "--set", other]));
        assert_eq!(refused.code, Some(2), "{other}: {}", refused.err);
        assert_eq!(fs::read_to_string(run.config()).unwrap(), before, "{other}");
    }
    for file in ["leave", "asked"] {
        fs::remove_file(run.path().join(file)).unwrap();
    }
    let extended = spawned(&mut stage.frostline(&["train", "--resume", "short", "--set", "train.epochs=77"]));
    eventually("the engine is started", || run.path().join("asked").exists().then_some(()));
    assert!(fs::read_to_string(run.config()).unwrap().contains("epochs = 77"), "the engine reads the new plan");
    let actor = Actor::on(&run);
    fs::write(run.path().join("leave"), "").unwrap();
    actor.end(Ended::Completed { early: false });
    assert_eq!(told(extended).code, Some(0));
}

#[test]
fn runs_are_listed_with_how_they_stand() {
    let stage = Stage::new();
    let none = said(&mut stage.frostline(&["runs"]));
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("frostline demo"), "{}", none.err);
    let (done, killed) = (stage.run("done"), stage.run("killed"));
    let mut actor = Actor::on(&done);
    actor.start();
    actor.end(Ended::Completed { early: false });
    let mut actor = Actor::on(&killed);
    actor.start();
    actor.epoch(1);
    actor.vanish();
    // A process that another test is just starting may hold this one's lock until it has loaded its program.
    eventually("the run is free", || EngineLock::holder(&killed).unwrap().is_none().then_some(()));
    let listed = said(&mut stage.frostline(&["runs"]));
    let lines = lines(&listed.out);
    assert_eq!(lines.len(), 3);
    assert!(lines[1].starts_with("2026-03-09-120005-done    completed"), "{}", listed.out);
    assert!(lines[2].starts_with("2026-03-09-120005-killed  interrupted    1/2    10"), "{}", listed.out);
    let json = said(&mut stage.frostline(&["runs", "--json"]));
    let second: serde_json::Value = serde_json::from_str(json.out.lines().nth(1).unwrap()).unwrap();
    assert_eq!((&second["standing"], &second["step"]), (&"interrupted".into(), &10.into()));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let stage = Stage::new();
    let run = stage.run("long");
    let mut actor = Actor::on(&run);
    actor.start();
    for _ in 0..2000 {
        actor.say(Event::Log { level: Level::Warning, message: "a line".into() });
    }
    actor.end(Ended::Completed { early: false });
    let mut attach = spawned(&mut stage.frostline(&["attach"]));
    drop(attach.stdout.take());
    let left = told(attach);
    assert_eq!((left.err.as_str(), left.code), ("", Some(0)));
}

#[test]
fn mistakes_of_the_user_are_told_before_anything_is_made() {
    let stage = Stage::new();
    stage.script("frostline-engine", STAND_IN);
    fs::write(stage.path("typo.toml"), "[modl]\n").unwrap();
    for (arguments, wanted) in [
        (&["train", "typo.toml"][..], "typo.toml:1:2"),
        (&["train", "nowhere.toml"], "nowhere.toml"),
        (&["train"], "CONFIG"),
        (&["demo", "--set", "train.epochs=none"], "train.epochs=none"),
        (&["attach", "nothing"], "no runs in runs"),
        (&["ctl", "last", "pause"], "no runs in runs"),
        (&["ctl", "last", "learning-rate", "fast"], "\"fast\" is no number"),
    ] {
        let mistaken = said(&mut stage.frostline(arguments));
        assert_eq!(mistaken.code, Some(2), "{arguments:?}: {}", mistaken.err);
        assert!(mistaken.err.contains(wanted), "{arguments:?}: {}", mistaken.err);
    }
    assert!(!stage.path("runs").exists());
}

#[test]
fn a_summary_needs_no_data() {
    let stage = Stage::new();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/config/from-scratch.toml"), stage.path("cats.toml")).unwrap();
    let summary = said(&mut stage.frostline(&["summary", "cats.toml"]));
    assert_eq!((summary.err.as_str(), summary.code), ("", Some(0)));
    // The chapter's network has 3,453,121 parameters.
    assert!(summary.out.contains("3,453,121"), "{}", summary.out);
    stage.script("frostline-engine", STAND_IN);
    let train = said(&mut stage.frostline(&["train", "cats.toml"]));
    assert_eq!(train.code, Some(2), "{}", train.err);
    assert!(!stage.path("runs").exists(), "a run without data was begun");
}

#[test]
fn predictions_and_figures_are_the_engine_s() {
    let stage = Stage::new();
    let run = stage.run("asked");
    stage.script(
        "frostline-engine",
        r#"echo "$@" > "$2/arguments"
case "$1" in
  predict) echo '{"image":"a.png","top":[{"class":"cat","probability":0.75},{"class":"dog","probability":0.25}]}'
           echo '{"image":"b.png","error":"it ends too early"}' ;;
  eval) case "$*" in *best*) : ;; *) echo 'error: no checkpoint' >&2; exit 2 ;; esac
    echo '{"event":"skipped","split":"test","total":1,"files":[{"path":"a.jpg","reason":"it ends too early"}]}'
    echo '{"event":"tested","metrics":{"loss":0.5,"accuracy":0.75},"images":8,"checkpoint":"best","confusion":[]}' ;;
esac"#,
    );
    let predict = said(&mut stage.frostline(&["predict", "last", "a.png", "b.png", "--top", "1"]));
    assert_eq!(predict.out, "a.png\n  cat   75.00 %  ███████████████\n");
    assert_eq!((predict.err.as_str(), predict.code), ("b.png: it ends too early\n", Some(2)));
    let arguments = fs::read_to_string(run.path().join("arguments")).unwrap();
    let expected = format!("predict {} --checkpoint best -- a.png b.png\n", run.path().display());
    assert_eq!(arguments, expected);
    let eval = said(&mut stage.frostline(&["eval", "--split", "validation", "--checkpoint", "last"]));
    assert_eq!((eval.err.as_str(), eval.code), ("error: no checkpoint\n", Some(2)));
    let arguments = fs::read_to_string(run.path().join("arguments")).unwrap();
    assert_eq!(arguments, format!("eval {} --split validation --checkpoint last\n", run.path().display()));
    let eval = said(&mut stage.frostline(&["eval"]));
    assert_eq!(eval.out, "test: loss 0.5000  accuracy 0.7500  on 8 images\n");
    let warning = "warning: 1 test image cannot be read and is left out:\n  a.jpg: it ends too early\n";
    assert_eq!((eval.err.as_str(), eval.code), (warning, Some(0)));
    let json = said(&mut stage.frostline(&["eval", "--json"]));
    assert_eq!((lines(&json.out).len(), json.err.as_str()), (1, warning), "{}", json.out);
}
