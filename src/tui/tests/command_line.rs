//! The `:` line.

use super::{COLOURS, open, press, screen};
use crate::{
    command::Command,
    tui::{Effect, Model, command_line::candidates, page::Page, prompt::Prompt},
};

fn mid_run() -> Model {
    open("mid_run.jsonl", (120, 40), COLOURS)
}

#[test]
fn words_are_commands() {
    let mut model = mid_run();
    let layers = vec!["conv2d_2".to_owned(), "dense".to_owned()];
    assert_eq!(press(&mut model, ":freeze conv2d_2 dense<enter>"), [Effect::Send(Command::Freeze { layers })]);
    assert_eq!(
        press(&mut model, ":learning-rate 1e-4<enter>"),
        [Effect::Send(Command::LearningRate { rate: 1e-4, layers: vec![] })]
    );
    assert_eq!(press(&mut model, ":<up><up><enter>").len(), 1, "lines come back");
    assert_eq!(press(&mut model, ":pause<esc>"), []);
    assert_eq!(press(&mut model, ":<backspace>"), []);
    assert_eq!(model.view.prompt, None);
}

#[test]
fn what_ends_the_run_asks_first() {
    let mut model = mid_run();
    assert_eq!(press(&mut model, ":stop<enter>"), []);
    assert_eq!(model.view.prompt, Some(Prompt::Stop));
    assert_eq!(press(&mut model, "y"), [Effect::Send(Command::Stop)]);
}

#[test]
fn tab_completes_verbs_layers_and_pages() {
    let mut model = mid_run();
    assert_eq!(press(&mut model, ":fre<tab>conv2d_3<enter>").len(), 1);
    assert!(candidates(&model, "freeze de").contains(&"dense".to_owned()));
    assert!(!candidates(&model, "freeze ").contains(&"flatten".to_owned()), "it has nothing to freeze");
    assert_eq!(candidates(&model, "frost-line no"), ["none"]);
    assert_eq!(candidates(&model, "phase i"), ["phase insert"]);
    press(&mut model, ":go mi<tab><enter>");
    assert_eq!(model.view.page, Page::Mistakes);
    press(&mut model, ":smoothing 0.42<enter>");
    assert_eq!(model.view.curves.smoothing.factor, 0.42);
    assert_eq!(press(&mut model, ":quit<enter>"), [Effect::Leave]);
}

#[test]
fn a_wrong_word_keeps_the_line_and_says_why() {
    let mut model = mid_run();
    assert_eq!(press(&mut model, ":paus<enter>"), []);
    let shown = screen(&model).backend().to_string();
    assert!(shown.contains("did you mean pause?"), "{shown}");
    assert_eq!(press(&mut model, "e<enter>"), [Effect::Send(Command::Pause)]);
}

#[test]
fn screens_of_the_line() {
    for size in [(80, 24), (120, 40), (40, 12)] {
        let mut model = open("mid_run.jsonl", size, COLOURS);
        press(&mut model, ":fr");
        insta::assert_snapshot!(format!("command_{}x{}", size.0, size.1), screen(&model).backend());
    }
}
