//! What a person sees on the home screen, and what keys cause.

#![allow(clippy::unwrap_used)]

use jiff::tz::TimeZone;
use ratatui::{Terminal, backend::TestBackend};

use super::{
    list::{Asking, Choice, Configuration, Effect, Home, Listing, Mark, Msg, Run},
    view,
};
use crate::{
    picture::{Depth, Glyphs},
    tui::{Appearance, Settings, keys::Chord},
};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 12)];

fn listing() -> Listing {
    let run = |name: &str, mark, state: &str, epoch, accuracy: Option<f64>| Run {
        name: name.into(),
        mark,
        state: state.into(),
        model: "critters-convnet".into(),
        epoch,
        epochs: if mark == Mark::New { 0 } else { 30 },
        best_validation_accuracy: accuracy,
        test_accuracy: accuracy.filter(|_| mark == Mark::Done),
        loss: (0..epoch * 2).map(|at| 0.7 / f64::from(at + 1).sqrt()).collect(),
        latest_at_ms: accuracy.map(|_| 1_772_000_000_000),
    };
    let configuration = |name: &str, about: &str| Configuration { name: name.into(), about: about.into() };
    Listing {
        runs: vec![
            run("2026-03-10-080000-fine-tune", Mark::Live, "running", 12, Some(0.953)),
            run("2026-03-10-070000-frozen-base", Mark::Paused, "paused", 3, Some(0.81)),
            run("2026-03-09-120005-고양이-개", Mark::Done, "completed", 30, Some(0.912)),
            run("2026-03-08-120005-critters", Mark::Cut, "interrupted", 7, Some(0.744)),
            run("2026-03-08-110005-critters", Mark::Failed, "failed", 1, None),
            run("2026-03-07-090000-mnist\u{1b}[2J", Mark::New, "new", 0, None),
        ],
        configurations: vec![
            configuration("demo", "What `frostline demo` trains: a small convnet on small drawings of cats and dogs."),
            configuration("config/fine-tune.toml", "Fine-tuning: the classifier first, above a frozen VGG16."),
            configuration("config/mnist.toml", "The book's first convnet: handwritten digits."),
        ],
    }
}

fn home(size: (u16, u16)) -> Home {
    let mut home = Home::new(Appearance::new(Depth::True, false), Settings::default(), size, TimeZone::UTC);
    home.update(Msg::Listing(listing()));
    home
}

/// Presses keys, each a character, or a name in angle brackets; gives the last effect.
fn press(home: &mut Home, keys: &str) -> Option<Effect> {
    let mut effect = None;
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let (name, next) = match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            Some(found) => found,
            None => rest.split_at(first.len_utf8()),
        };
        let name = if name == " " { "Space" } else { name };
        effect = home.update(Msg::Key(Chord::parse(name).unwrap()));
        rest = next;
    }
    effect
}

fn screen(home: &Home) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(home.size.0, home.size.1)).unwrap();
    terminal.draw(|frame| view::draw(home, frame)).unwrap();
    terminal
}

fn check(name: &str, make: impl Fn((u16, u16)) -> Home) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), screen(&make(size)).backend());
    }
}

#[test]
fn runs_and_configurations() {
    check("home", home);
}

#[test]
fn nothing_is_there_yet() {
    check("home_empty", |size| {
        let mut home = home(size);
        home.update(Msg::Listing(Listing { runs: Vec::new(), ..listing() }));
        home
    });
}

#[test]
fn a_filter_is_typed() {
    check("home_filter", |size| {
        let mut home = home(size);
        press(&mut home, "/critters");
        home
    });
}

#[test]
fn a_question_before_a_run_is_deleted() {
    check("home_delete", |size| {
        let mut home = home(size);
        press(&mut home, "jjd");
        home
    });
}

#[test]
fn help_and_ascii_without_colours() {
    let mut help = home((80, 24));
    press(&mut help, "?");
    insta::assert_snapshot!("home_help_80x24", screen(&help).backend());
    let mut plain = home((80, 24));
    plain.appearance = Appearance::new(Depth::Mono, false).with_glyphs(Glyphs::Ascii);
    insta::assert_snapshot!("home_ascii_80x24", screen(&plain).backend());
}

#[test]
fn enter_opens_what_is_under_the_cursor() {
    let mut shown = home((80, 24));
    let run = |name: &str| Some(Effect::Open(Choice::Run(name.into())));
    assert_eq!(press(&mut shown, "<Enter>"), run("2026-03-10-080000-fine-tune"));
    assert_eq!(press(&mut shown, "j<Enter>"), run("2026-03-10-070000-frozen-base"));
    assert_eq!(press(&mut shown, "G<Enter>"), Some(Effect::Open(Choice::Configuration("config/mnist.toml".into()))));
    assert_eq!(press(&mut shown, "/mnist<Enter><Home><Enter>"), run("2026-03-07-090000-mnist\u{1b}[2J"));
    assert_eq!(press(&mut shown, "q"), Some(Effect::Leave));
}

#[test]
fn only_a_yes_deletes_and_no_live_run_is_asked_about() {
    let mut shown = home((80, 24));
    assert_eq!(press(&mut shown, "dy"), None);
    assert!(press(&mut shown, "d").is_none() && shown.notice.as_ref().unwrap().text.contains("stop it first"));
    assert_eq!(press(&mut shown, "jjd<Enter>"), None);
    assert_eq!(press(&mut shown, "d"), None);
    assert_eq!(shown.asking, Some(Asking::Delete("2026-03-09-120005-고양이-개".into())));
    assert_eq!(press(&mut shown, "y"), Some(Effect::Delete("2026-03-09-120005-고양이-개".into())));
    assert_eq!(press(&mut shown, "Gd"), None);
    assert!(shown.notice.as_ref().unwrap().text.contains("only runs"));
}

#[test]
fn the_cursor_stays_on_its_run_when_the_list_changes() {
    let mut shown = home((80, 24));
    press(&mut shown, "jjj");
    let mut news = listing();
    news.runs.insert(0, Run { name: "newer".into(), ..news.runs[0].clone() });
    shown.update(Msg::Listing(news));
    assert_eq!(shown.selected(), Some(Choice::Run("2026-03-08-120005-critters".into())));
    shown.update(Msg::Listing(Listing::default()));
    assert_eq!(shown.selected(), None);
    let mut later = Home::new(Appearance::new(Depth::True, false), Settings::default(), (80, 24), TimeZone::UTC);
    later.look_for(Some("2026-03-08-110005-critters".into()));
    later.update(Msg::Listing(listing()));
    assert_eq!(later.selected(), Some(Choice::Run("2026-03-08-110005-critters".into())));
}

#[test]
fn a_click_chooses_and_a_second_one_opens() {
    let mut shown = home((80, 24));
    // Below the heads, the third run; then the second configuration.
    assert_eq!((shown.update(Msg::Press(5, 5)), shown.cursor), (None, 2));
    let name = "2026-03-09-120005-고양이-개".to_owned();
    assert_eq!(shown.update(Msg::Press(60, 5)), Some(Effect::Open(Choice::Run(name))));
    assert_eq!((shown.update(Msg::Press(5, 12)), shown.cursor), (None, 7));
    assert_eq!((shown.update(Msg::Press(5, 10)), shown.cursor), (None, 7), "a title is none");
    shown.update(Msg::Wheel(-3));
    assert_eq!(shown.cursor, 4);
    press(&mut shown, "d");
    assert_eq!((shown.update(Msg::Press(5, 5)), shown.cursor), (None, 4), "a question is answered by keys");
}

#[test]
fn no_screen_of_any_size_breaks() {
    for (columns, rows) in (0..30).map(|i| (i, i)).chain((0..250).step_by(7).map(|i| (i, 3 + i / 5))) {
        let mut shown = home((80, 24));
        shown.update(Msg::Resize(columns, rows));
        for keys in ["", "G", "?", "x/zzz", "<Esc>jjd"] {
            press(&mut shown, keys);
            if columns > 0 && rows > 0 {
                screen(&shown);
            }
        }
    }
}
