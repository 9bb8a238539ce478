//! The page of curves: charts, crosshair, zoom, other runs; and the mouse on it.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{COLOURS, journal, open, press, screen};
use crate::{
    command::Command,
    state::{Metric, RunState},
    tui::{Effect, Model, Msg, curves::Other, page::Page, prompt::Prompt, update},
};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 12)];

fn other(name: &str, scenario: &str) -> Msg {
    let mut run = Box::new(RunState::default());
    for stamped in journal(scenario) {
        run.apply(&stamped);
    }
    Msg::Other(Other { name: name.into(), run })
}

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Msg {
    Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

fn curves(keys: &str) -> Model {
    let mut model = open("mid_run.jsonl", (120, 40), COLOURS);
    press(&mut model, "2");
    press(&mut model, keys);
    model
}

#[test]
fn screens_of_curves() {
    for size in SIZES {
        let mut model = open("mid_run.jsonl", size, COLOURS);
        press(&mut model, "2");
        insta::assert_snapshot!(format!("curves_{}x{}", size.0, size.1), screen(&model).backend());
        update(&mut model, other("20250614-090000-critters", "story.jsonl"));
        press(&mut model, "+yb");
        insta::assert_snapshot!(format!("curves_read_{}x{}", size.0, size.1), screen(&model).backend());
    }
}

#[test]
fn the_crosshair_reads_all_charts() {
    let model = curves("b");
    // The best epoch is the seventh, after 441 steps.
    assert_eq!(model.view.curves.crosshair, Some(441.0));
    let shown = screen(&model).backend().to_string();
    assert!(shown.contains("step 441 · epoch 7"), "{shown}");
    assert!(shown.contains("loss ─ train 0.1") && shown.contains("◆ validation 0.2933"), "{shown}");
    let mut model = curves("<left><left><left>");
    let at = model.view.curves.crosshair.unwrap();
    assert!(at < 480.0);
    press(&mut model, "<right>");
    assert!(model.view.curves.crosshair.unwrap() > at);
    press(&mut model, "0");
    assert_eq!(model.view.curves.crosshair, None);
}

#[test]
fn zooming_follows_the_run_until_it_is_panned() {
    let mut model = curves("++");
    let steps = model.steps_shown();
    assert_eq!(model.view.curves.window.of(steps), [steps * 0.75, steps]);
    assert_eq!(model.view.curves.window.end, None);
    press(&mut model, ",");
    assert_eq!(model.view.curves.window.of(steps), [steps * 11.0 / 16.0, steps * 15.0 / 16.0]);
    press(&mut model, "..");
    assert_eq!(model.view.curves.window.end, None, "at the end it follows again");
    press(&mut model, "--");
    assert_eq!(model.view.curves.window.span, None);
}

#[test]
fn keys_of_the_curves_are_other_keys_elsewhere() {
    let mut model = open("mid_run.jsonl", (120, 40), COLOURS);
    press(&mut model, "m");
    assert!(model.view.prompt.is_none(), "the next method");
    press(&mut model, "2m");
    assert!(model.view.prompt.is_some(), "the list of charts");
}

#[test]
fn charts_are_chosen_from_a_list_and_one_always_stays() {
    let mut model = curves("m <down> <down> <esc>");
    assert_eq!(model.view.curves.metrics, [Metric::LearningRate]);
    press(&mut model, "mjjj ");
    assert_eq!(model.view.curves.metrics, [Metric::LearningRate]);
    press(&mut model, "<down> ");
    assert_eq!(model.view.curves.metrics, [Metric::LearningRate, Metric::Speed]);
}

#[test]
fn a_chart_can_have_the_page_alone() {
    let mut model = curves("j<enter>");
    assert_eq!(model.charts(), [Metric::Accuracy]);
    press(&mut model, "<enter>");
    assert_eq!(model.charts().len(), 4);
}

#[test]
fn runs_are_listed_and_read_and_put_away() {
    let mut model = curves("");
    assert_eq!(press(&mut model, "o"), [Effect::ListRuns]);
    let own = model.run.run.as_ref().unwrap().run.clone();
    update(&mut model, Msg::Runs(vec![own, "older".into()]));
    assert_eq!(press(&mut model, " "), [Effect::ReadRun("older".into())]);
    update(&mut model, other("older", "story.jsonl"));
    assert_eq!(model.view.curves.others.len(), 1);
    assert_eq!(press(&mut model, " "), []);
    assert!(model.view.curves.others.is_empty());
    press(&mut model, "<esc>");
    update(&mut model, Msg::Trouble("older: the journal is gone".into()));
    assert!(model.view.notice.is_some());
}

#[test]
fn smoothing_goes_through_round_factors_in_two_forms() {
    let mut model = curves("s");
    assert_eq!(model.view.curves.smoothing.factor, 0.9);
    press(&mut model, "SS");
    assert_eq!(model.view.curves.smoothing.factor, 0.6);
    press(&mut model, "d");
    assert!(model.view.curves.smoothing.plain);
}

#[test]
fn the_mouse_presses_the_keys_in_the_last_row() {
    let mut model = open("mid_run.jsonl", (120, 40), COLOURS);
    let press = |model: &mut Model, word: &str, beside: u16| {
        let terminal = screen(model);
        let buffer = terminal.backend().buffer();
        let cells: Vec<&str> = (0..120).map(|x| buffer[(x, 39)].symbol()).collect();
        let at = (0..120)
            .find(|at| cells[*at..].concat().starts_with(word))
            .unwrap_or_else(|| panic!("{word} in {cells:?}"));
        update(model, mouse(MouseEventKind::Down(MouseButton::Left), at as u16 + beside, 39))
    };
    assert_eq!(press(&mut model, "pause", 5), [], "between two keys there is nothing");
    assert_eq!(press(&mut model, "pause", 0), [Effect::Send(Command::Pause)]);
    model.view.notice = None;
    assert_eq!(press(&mut model, "help", 0), []);
    assert!(matches!(model.view.prompt, Some(Prompt::Help { .. })), "{:?}", model.view.prompt);
    assert_eq!(press(&mut model, "any other key", 0), []);
    assert!(model.view.prompt.is_none(), "a click closes the list of keys");
}

#[test]
fn the_mouse_turns_pages_points_and_zooms() {
    let mut model = open("mid_run.jsonl", (120, 40), COLOURS);
    // " 1 overview   2 curves   3 layers": the second name begins at column 13.
    update(&mut model, mouse(MouseEventKind::Down(MouseButton::Left), 16, 1));
    assert_eq!(model.view.page, Page::Curves);
    update(&mut model, mouse(MouseEventKind::Down(MouseButton::Left), 30, 10));
    let at = model.view.curves.crosshair.unwrap();
    update(&mut model, mouse(MouseEventKind::Drag(MouseButton::Left), 34, 10));
    assert!(model.view.curves.crosshair.unwrap() > at);
    update(&mut model, mouse(MouseEventKind::ScrollUp, 34, 10));
    assert!(model.view.curves.window.span.is_some());
    // A layer in the list is selected; its row is that of the screen.
    press(&mut model, "3");
    let text = screen(&model).backend().to_string();
    let row = text.lines().position(|line| line.contains("conv2d_2")).unwrap() as u16;
    update(&mut model, mouse(MouseEventKind::Down(MouseButton::Left), 8, row));
    assert_eq!(model.selected().unwrap().info.name, "conv2d_2");
    // Nothing happens under a question.
    press(&mut model, "x");
    update(&mut model, mouse(MouseEventKind::Down(MouseButton::Left), 3, 1));
    assert_eq!(model.view.page, Page::Layers);
}
