//! What a person sees, whole.

use ratatui::style::Color;

use super::{COLOURS, deliver, open, press, say, screen};
use crate::{
    command::Method,
    error::Class,
    event::{Ended, Event, Explained, PictureKind, Refused, RunEnded, State},
    picture::{Depth, Glyphs},
    tui::{Appearance, Connection, Effect, Model, Msg, update},
};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 12)];

/// Compares the screens of all sizes with what was seen and approved before.
fn check(name: &str, make: impl Fn((u16, u16)) -> Model) {
    for size in SIZES {
        let model = make(size);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), screen(&model).backend());
    }
}

#[test]
fn nothing_known_yet() {
    check("empty", |size| {
        let connection = Connection::Connecting { what: "starting the engine".into() };
        let mut model = Model::new(COLOURS, connection, size, jiff::tz::TimeZone::UTC);
        for _ in 0..2 * Model::TICKS {
            update(&mut model, Msg::Tick);
        }
        model
    });
}

#[test]
fn the_engine_is_starting() {
    check("starting", |size| open("starting.jsonl", size, COLOURS));
}

#[test]
fn in_the_middle_of_a_run() {
    check("mid_run", |size| open("mid_run.jsonl", size, COLOURS));
}

#[test]
fn in_the_third_of_three_phases() {
    check("phased", |size| open("phased.jsonl", size, COLOURS));
}

#[test]
fn a_question_before_a_phase_ends_and_a_line_for_another() {
    let mut model = open("phased.jsonl", (80, 24), COLOURS);
    press(&mut model, "e");
    insta::assert_snapshot!("end_phase_80x24", screen(&model).backend());
    press(&mut model, "ni");
    insta::assert_snapshot!("phase_80x24", screen(&model).backend());
    press(&mut model, "train=all epochs=2 learning_rate=1e-5 optimizer={kind=\"sgd\", momentum=0.9}");
    insta::assert_snapshot!("phase_typed_80x24", screen(&model).backend());
}

#[test]
fn paused_with_a_freeze_on_its_way() {
    check("paused", |size| {
        let mut model = open("mid_run.jsonl", size, COLOURS);
        say(&mut model, Event::StateChanged { state: State::Paused, step: 480 });
        press(&mut model, "jjjjf");
        model
    });
}

#[test]
fn completed() {
    check("completed", |size| open("story.jsonl", size, COLOURS));
}

#[test]
fn failed() {
    check("failed", |size| {
        let mut model = open("mid_run.jsonl", size, COLOURS);
        let how = Ended::Failed {
            class: Class::Environment,
            message: "cannot write checkpoints/last.safetensors: no space left on device".into(),
            hint: Some("free some space, then run frostline train --resume 20250615-150640-critters".into()),
        };
        say(&mut model, Event::RunEnded(RunEnded { how, step: 480, epoch: 8, seconds: 31.0 }));
        model
    });
}

#[test]
fn the_connection_is_lost() {
    check("lost", |size| {
        let mut model = open("mid_run.jsonl", size, COLOURS);
        let log_tail = vec!["CUDA error: an illegal memory access".into(), "terminate called \u{1b}[31mnow".into()];
        let lost = Connection::Lost { reason: "the engine was killed by signal 9".into(), log_tail };
        update(&mut model, Msg::Connection(lost));
        model
    });
}

#[test]
fn the_help_page() {
    check("help", |size| {
        let mut model = open("mid_run.jsonl", size, COLOURS);
        press(&mut model, "?");
        model
    });
}

#[test]
fn in_ascii_without_colours() {
    check("ascii", |size| {
        let plain = Appearance::new(Depth::Mono, false).with_glyphs(Glyphs::Ascii);
        open("mid_run.jsonl", size, plain)
    });
}

#[test]
fn a_question_before_a_stop_and_a_line_for_the_rate() {
    let mut model = open("mid_run.jsonl", (80, 24), COLOURS);
    press(&mut model, "x");
    insta::assert_snapshot!("stop_80x24", screen(&model).backend());
    press(&mut model, "nl2e-");
    insta::assert_snapshot!("rate_80x24", screen(&model).backend());
}

#[test]
fn ascii_screens_hold_nothing_else() {
    let plain = Appearance::new(Depth::Indexed, false).with_glyphs(Glyphs::Ascii);
    for size in SIZES {
        let model = open("mid_run.jsonl", size, plain);
        let terminal = screen(&model);
        assert!(terminal.backend().buffer().content.iter().all(|c| c.symbol().is_ascii()));
    }
}

#[test]
fn no_screen_of_any_size_breaks() {
    for appearance in [COLOURS, Appearance::new(Depth::Mono, true).with_glyphs(Glyphs::Ascii)] {
        for scenario in ["starting.jsonl", "mid_run.jsonl", "story.jsonl", "phased.jsonl"] {
            let mut model = open(scenario, (80, 24), appearance);
            for size in (0..30).map(|i| (i, i)).chain((0..90).map(|i| (i, 3 + i / 4))).chain((1..60).map(|i| (300, i)))
            {
                update(&mut model, Msg::Resize(size.0, size.1));
                for keys in ["<tab>", "z", "?", "?x", "<tab>l", "<esc>e", "ni", "<esc>v", ",", "v", "v"] {
                    press(&mut model, keys);
                    screen(&model);
                }
                press(&mut model, "<esc><esc>");
            }
        }
    }
}

#[test]
fn colours_say_what_marks_say() {
    let model = open("mid_run.jsonl", (120, 40), COLOURS);
    let terminal = screen(&model);
    let buffer = terminal.backend().buffer();
    let of = |symbol: &str| buffer.content.iter().find(|c| c.symbol() == symbol).map(|c| c.fg);
    assert_eq!(of("◆"), Some(Color::Rgb(0xf2, 0xb8, 0x80)), "validation is warm");
    assert_eq!(of("❄"), Some(Color::Rgb(0xb5, 0xf0, 0xff)), "frost is cold");
    let picture =
        buffer.content.iter().filter(|c| matches!(c.bg, Color::Rgb(..)) && "▘▝▀▖▌▞▛▗▚▐▜▄▙▟".contains(c.symbol()));
    assert!(picture.count() > 100, "the pictures are on the screen");
}

#[test]
fn the_pictures_before_stay_until_the_new_ones_have_come() {
    let mut model = open("mid_run.jsonl", (120, 40), COLOURS);
    let before = model.explained().unwrap().clone();
    let mut newer = before.clone();
    newer.step += 10;
    for picture in newer.pictures.iter_mut().filter(|picture| !matches!(picture.kind, PictureKind::Sample)) {
        picture.blob = format!("{}-later-8", picture.blob);
    }
    let effects = say(&mut model, Event::Explained(newer.clone()));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::FetchBlob(_))), "they are asked for");
    assert_eq!(model.explained(), Some(&before));
    deliver(&mut model, effects);
    assert_eq!(model.explained(), Some(&newer));
}

#[test]
fn a_picture_that_the_run_no_longer_keeps_is_not_waited_for() {
    let mut model = open("mid_run.jsonl", (120, 40), COLOURS);
    let pictures = model.shown_blobs();
    model.view.album = crate::tui::album::Album::default();
    for picture in &pictures {
        update(&mut model, Msg::NoBlob { hash: picture.clone() });
    }
    let shown = screen(&model).backend().to_string();
    assert_eq!(shown.matches("no longer kept").count(), pictures.len(), "{shown}");
}

/// The lens on a scenario, after some keys.
fn lens(scenario: &str, size: (u16, u16), keys: &str) -> Model {
    let mut model = open(scenario, size, COLOURS);
    let effects = press(&mut model, keys);
    deliver(&mut model, effects);
    model
}

#[test]
fn the_lens_on_a_run_that_goes_on() {
    check("lens_running", |size| lens("mid_run.jsonl", size, "v"));
}

#[test]
fn the_lens_looking_back() {
    check("lens_back", |size| lens("mid_run.jsonl", size, "v,,,,,"));
}

#[test]
fn the_lens_at_every_block() {
    check("lens_sweep", |size| lens("mid_run.jsonl", size, "vv"));
}

#[test]
fn the_lens_on_filters() {
    check("lens_filters", |size| lens("story.jsonl", size, "vvv"));
}

#[test]
fn the_lens_on_a_run_that_is_over_says_what_is_not_kept() {
    check("lens_finished", |size| lens("story.jsonl", size, "vm"));
}

#[test]
fn the_lens_says_what_has_to_wait_for_a_pause() {
    check("lens_refused", |size| {
        let mut model = lens("mid_run.jsonl", size, "vmmmmmm");
        assert_eq!(model.wish().method, Method::ScoreCam);
        let kept = model.run.kept.last().unwrap().clone();
        let reason = "Score-CAM at conv2d_3 would hold up training for 36 s; it is computed while the run is paused";
        let refused = Refused { method: Method::ScoreCam, layer: "conv2d_3".into(), reason: reason.into() };
        let pictures = kept.pictures[..2].to_vec();
        let effects =
            say(&mut model, Event::Explained(Explained { refused: Some(refused), kept: false, pictures, ..kept }));
        deliver(&mut model, effects);
        model
    });
}

#[test]
fn the_heat_on_the_screen_is_that_of_the_epoch() {
    let mut model = lens("mid_run.jsonl", (120, 40), "v");
    let mut seen = Vec::new();
    for _ in 0..4 {
        let effects = press(&mut model, ",");
        deliver(&mut model, effects);
        seen.push(screen(&model).backend().buffer().content.iter().map(|cell| (cell.fg, cell.bg)).collect::<Vec<_>>());
    }
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]));
    for keys in ["h", "hh", "hhh", "hhhh"] {
        let mut other = lens("mid_run.jsonl", (120, 40), "v,");
        press(&mut other, keys);
        let cells = screen(&other).backend().buffer().content.iter().map(|cell| (cell.fg, cell.bg)).collect::<Vec<_>>();
        assert_ne!(cells, seen[0], "{keys}");
    }
}
