//! Steps that went wrong, as a person meets them.

use super::{COLOURS, alarmed, deliver, open, press, say, screen};
use crate::{
    command::{Command, Scene},
    event::{Alarm, Answered, Event, Found, NonFinite, Outcome, State, Suspect, Then},
    tui::{Connection, Effect, Model, Msg, model::Tone, page::Page, update},
};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 12)];

fn alarm(step: u64, found: Found, layers: &[&str], then: Then) -> Alarm {
    let image = |place: u32| {
        let (sample, label) = ((step as u32 * 31 + place * 17) % 2000, place % 2);
        let name = format!("train/{}/{}.{sample}.jpg", ["cat", "dog"][label as usize], ["cat", "dog"][label as usize]);
        Suspect { sample, name, label: Some(label), blob: format!("suspect-{step}-{place}") }
    };
    let loss = if matches!(found, Found::Spike { .. }) { 9.25 } else { f64::INFINITY };
    let layers = layers.iter().map(|name| (*name).to_owned()).collect();
    let images = (0..16).map(image).collect();
    Alarm { step, epoch: 8, found, loss, learning_rate: Some(1e4), layers, count: 32, images, then }
}

/// First a batch that is skipped, then somebody sets a rate, then the run waits.
pub fn go_wrong(model: &mut Model) {
    let gradient = Found::NonFinite { what: NonFinite::Gradient };
    let first = alarm(479, gradient, &["dense_1", "dense"], Then::Skipped);
    say(model, Event::Alarm(first));
    let request = Command::LearningRate { rate: 1e4, layers: Vec::new() };
    let answered =
        Answered { id: 1, by: "ann@lab".into(), request, step: 480, outcome: Outcome::Applied, moment: None };
    say(model, Event::Answered(answered));
    say(model, Event::LearningRate { step: 480, rate: 1e4, why: "held by ann@lab".into(), layers: Vec::new() });
    let loss = Found::NonFinite { what: NonFinite::Loss };
    let effects =
        say(model, Event::Alarm(alarm(482, loss, &["conv2d_2", "max_pooling2d_2", "conv2d_3"], Then::Paused)));
    deliver(model, effects);
    say(model, Event::StateChanged { state: State::Paused, step: 483 });
}

fn check(name: &str, make: impl Fn((u16, u16)) -> Model) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), screen(&make(size)).backend());
    }
}

#[test]
fn a_run_that_waits_at_one_shows_it_by_itself() {
    check("alarm_paused", |size| {
        let model = alarmed(size);
        assert_eq!(model.view.page, Page::Alarms);
        model
    });
}

#[test]
fn the_one_before_it() {
    check("alarm_before", |size| {
        let mut model = alarmed(size);
        let effects = press(&mut model, "<left>jj");
        deliver(&mut model, effects);
        model
    });
}

#[test]
fn one_image_alone() {
    check("alarm_image", |size| {
        let mut model = alarmed(size);
        let effects = press(&mut model, "j<enter>");
        deliver(&mut model, effects);
        model
    });
}

#[test]
fn a_leap_that_was_only_told_is_a_key_away() {
    check("alarm_spike", |size| {
        let mut model = open("mid_run.jsonl", size, COLOURS);
        say(&mut model, Event::Alarm(alarm(479, Found::Spike { z: 35.2, median: 0.31 }, &[], Then::Warned)));
        assert_eq!(model.view.page, Page::Overview);
        let notice = model.view.notice.take().unwrap();
        assert!(notice.tone == Tone::Bad && notice.text.contains("; a shows it"), "{notice:?}");
        let effects = press(&mut model, "a");
        deliver(&mut model, effects);
        model
    });
}

#[test]
fn layers_where_it_began_are_marked_in_the_tree() {
    let mut model = alarmed((120, 40));
    for page in ["3", "1"] {
        press(&mut model, page);
        let shown = screen(&model).backend().to_string();
        let line = |name: &str| shown.lines().find(|line| line.contains(name)).unwrap().to_owned();
        assert!(line(" conv2d_2 ").contains('▲') && line(" conv2d_3 ").contains('▲'), "{shown}");
        assert!(!line(" conv2d_1 ").contains('▲'), "{shown}");
    }
    say(&mut model, Event::StateChanged { state: State::Running, step: 484 });
    let shown = screen(&model).backend().to_string();
    assert!(!shown.lines().any(|line| line.contains("▲ conv2d_2") || line.contains("▲  conv2d_2")), "{shown}");
}

#[test]
fn keys_go_there_and_back_and_through_them() {
    let mut model = open("mid_run.jsonl", (120, 40), COLOURS);
    press(&mut model, "a");
    assert!(model.view.notice.as_ref().is_some_and(|notice| notice.text == "no step went wrong"));
    let mut model = alarmed((120, 40));
    let shown = |model: &Model| model.alarm().map(|(alarm, number)| (alarm.step, number));
    assert_eq!(shown(&model), Some((482, 2)));
    press(&mut model, "<left><left>");
    assert_eq!(shown(&model), Some((479, 1)));
    press(&mut model, "<right>");
    assert_eq!(shown(&model), Some((482, 2)));
    press(&mut model, "a");
    assert_eq!(model.view.page, Page::Overview);
    press(&mut model, "3a");
    assert_eq!(model.view.page, Page::Alarms);
    assert_eq!(press(&mut model, "["), [Effect::Send(Command::ScaleRate { factor: 0.5, layers: Vec::new() })]);
    press(&mut model, "a");
    assert_eq!(model.view.page, Page::Layers);
    press(&mut model, ":go al<enter>");
    assert_eq!(model.view.page, Page::Alarms);
    press(&mut model, "jjj");
    assert_eq!(model.view.alarms.image, 3);
    press(&mut model, "kkkkkk");
    assert_eq!(model.view.alarms.image, 0);
}

#[test]
fn what_can_be_done_follows_from_what_went_wrong() {
    let words =
        |model: &Model| model.remedies().into_iter().map(|(key, does)| format!("{key} {does}")).collect::<Vec<_>>();
    let mut model = alarmed((120, 40));
    let told = words(&model);
    assert_eq!(told[0], "[ halves the learning rate, now 1e4");
    assert!(told.contains(&"p goes on with the next batch, without this one".to_owned()), "{told:?}");
    assert!(told.contains(&"u goes back to step 480, to before learning-rate 10000".to_owned()), "{told:?}");
    let weights = Found::NonFinite { what: NonFinite::Weights };
    say(&mut model, Event::Alarm(alarm(483, weights, &["conv2d"], Then::Paused)));
    assert!(words(&model)[0].starts_with("u goes back"), "{:?}", words(&model));
    update(&mut model, Msg::Connection(Connection::Replay));
    assert_eq!(words(&model), [""; 0]);
}

#[test]
fn a_run_that_waits_is_joined_at_what_it_waits_for() {
    let mut model = open("mid_run.jsonl", (120, 40), COLOURS);
    update(&mut model, Msg::Connection(Connection::Lost { reason: "gone".into(), log_tail: Vec::new() }));
    go_wrong(&mut model);
    assert_eq!(model.view.page, Page::Overview, "a journal that is read turns no page");
    let effects = update(&mut model, Msg::Connection(Connection::Live));
    assert_eq!(model.view.page, Page::Alarms);
    let blobs: Vec<_> = effects.iter().filter(|effect| matches!(effect, Effect::FetchBlob(_))).collect();
    assert_eq!(blobs.len(), 16);
    assert_eq!(*blobs[15], Effect::FetchBlob("suspect-482-0".into()), "the newest wish is fetched first");
    let watches = |effect: &Effect| matches!(effect, Effect::Watch(Some(watch)) if watch.scene == Scene::Figures);
    assert!(effects.iter().any(watches), "it would not wait for nobody");
}

#[test]
fn a_small_screen_asks_for_no_pictures() {
    let mut model = open("mid_run.jsonl", (40, 12), COLOURS);
    let effects = say(
        &mut model,
        Event::Alarm(alarm(482, Found::NonFinite { what: NonFinite::Loss }, &["conv2d"], Then::Paused)),
    );
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::FetchBlob(_))), "{effects:?}");
}

#[test]
fn a_name_with_control_characters_is_cleaned() {
    let mut model = open("mid_run.jsonl", (120, 40), COLOURS);
    let mut bad = alarm(482, Found::NonFinite { what: NonFinite::Loss }, &["conv2d"], Then::Paused);
    bad.images[0].name = "a\u{1b}[31mb/\u{202e}고양이.jpg".into();
    say(&mut model, Event::Alarm(bad));
    let terminal = screen(&model);
    assert!(terminal.backend().buffer().content.iter().all(|cell| !cell.symbol().contains(['\u{1b}', '\u{202e}'])));
}
