//! The pages of layers, mistakes and the machine: what a person sees, and what keys and clicks do there.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{COLOURS, deliver, open, press, screen};
use crate::{
    command::{Command, Scene, Watch},
    picture::{Depth, Glyphs},
    tui::{Appearance, Connection, Effect, Model, Msg, page::Page, tree::Row, update},
};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 12)];

fn page(scenario: &str, size: (u16, u16), keys: &str) -> Model {
    let mut model = open(scenario, size, COLOURS);
    let effects = press(&mut model, keys);
    deliver(&mut model, effects);
    model
}

fn check(name: &str, scenario: &str, keys: &str) {
    for size in SIZES {
        let model = page(scenario, size, keys);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), screen(&model).backend());
    }
}

fn text(model: &Model) -> String {
    screen(model).backend().to_string()
}

fn click(model: &mut Model, word: &str) {
    let shown = text(model);
    let (row, line) = shown.lines().enumerate().find(|(_, line)| line.contains(word)).unwrap();
    // Each line of the test's screen begins with a quotation mark.
    let column = line[..line.find(word).unwrap()].chars().count() as u16 - 1;
    let kind = MouseEventKind::Down(MouseButton::Left);
    update(model, Msg::Mouse(MouseEvent { kind, column, row: row as u16, modifiers: KeyModifiers::NONE }));
}

#[test]
fn the_layers_of_a_small_network() {
    check("layers", "mid_run.jsonl", "3jjjj");
}

#[test]
fn the_layers_of_a_network_of_blocks() {
    check("layers_blocks", "deep.jsonl", "3<enter>jjjj<enter>jjjj");
}

#[test]
fn the_mistakes_of_ten_classes() {
    check("mistakes", "deep.jsonl", "5");
}

#[test]
fn the_confused_pairs_of_two_classes_when_all_is_over() {
    check("mistakes_pairs", "story.jsonl", "5<left>");
}

#[test]
fn the_machine_at_work() {
    check("machine", "deep.jsonl", "6");
}

#[test]
fn pages_of_which_nothing_is_known() {
    check("layers_empty", "starting.jsonl", "3");
    check("mistakes_empty", "starting.jsonl", "5");
    check("machine_empty", "starting.jsonl", "6");
}

#[test]
fn in_ascii_without_colours() {
    let plain = Appearance { ascii: true, ..Appearance::new(Depth::Mono, false) }.with_glyphs(Glyphs::Ascii);
    for (keys, name) in [("3", "layers_ascii"), ("5", "mistakes_ascii"), ("6", "machine_ascii")] {
        let mut model = open("deep.jsonl", (120, 40), plain);
        let effects = press(&mut model, keys);
        deliver(&mut model, effects);
        insta::assert_snapshot!(name, screen(&model).backend());
    }
}

#[test]
fn no_size_breaks_these_pages() {
    for keys in ["3", "5", "6"] {
        for scenario in ["deep.jsonl", "story.jsonl", "starting.jsonl"] {
            let mut model = page(scenario, (80, 24), keys);
            for size in (0..40)
                .map(|i| (i, i))
                .chain((30..130).step_by(7).map(|i| (i, 3 + i / 4)))
                .chain((1..50).map(|i| (260, i)))
            {
                update(&mut model, Msg::Resize(size.0, size.1));
                screen(&model);
            }
        }
    }
}

#[test]
fn each_page_asks_for_what_it_shows_and_gives_it_back() {
    let mut model = page("deep.jsonl", (120, 40), "");
    let scene = |scene, layer: Option<&str>| {
        Effect::Watch(Some(Watch { scene, layer: layer.map(Into::into), ..Watch::default() }))
    };
    assert_eq!(press(&mut model, "3"), [scene(Scene::Probe, Some("block1_conv1"))]);
    assert_eq!(press(&mut model, "j"), [scene(Scene::Probe, Some("block1_conv2"))], "whose histograms are wanted");
    let effects = press(&mut model, "5");
    assert_eq!(effects[0], Effect::Watch(model.verdict_wish()));
    assert!(matches!(&model.verdict_wish(), Some(Watch { scene: Scene::Verdict, sample: 3, .. })));
    assert_eq!(press(&mut model, "6"), [scene(Scene::Machine, None)]);
    let mut replay = page("deep.jsonl", (120, 40), "");
    update(&mut replay, Msg::Connection(Connection::Replay));
    assert!(press(&mut replay, "356").iter().all(|effect| !matches!(effect, Effect::Watch(Some(_)))));
}

#[test]
fn blocks_fold_and_the_cursor_passes_over_them() {
    let mut model = page("deep.jsonl", (120, 40), "3");
    assert!(text(&model).contains("block1_conv2"));
    press(&mut model, "j<enter>");
    assert!(!text(&model).contains("block1_conv2") && text(&model).contains("block1"));
    assert_eq!(model.selected().unwrap().info.name, "block1_conv1", "it stands for the block");
    press(&mut model, "j");
    assert_eq!(model.selected().unwrap().info.name, "block2_conv1");
    press(&mut model, "k<enter>");
    assert!(text(&model).contains("block1_conv2"), "unfolded");
    press(&mut model, "o");
    assert!(!text(&model).contains("block2_conv1"), "all of them");
    press(&mut model, "oG");
    assert_eq!(model.selected().unwrap().info.name, "dense_1");
}

#[test]
fn keys_speak_of_a_folded_block_as_a_whole() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut model = page("deep.jsonl", (120, 40), "3<enter>");
    let thawed = Command::Unfreeze { layers: names(&["block1_conv1", "block1_conv2"]) };
    assert_eq!(press(&mut model, "f"), [Effect::Send(thawed)]);
    let mut model = page("deep.jsonl", (120, 40), "3ojj");
    assert_eq!(model.selected().unwrap().info.name, "block3_conv1");
    let line = Command::FrostLine { layer: Some("block3_pool".into()) };
    assert!(press(&mut model, "F").contains(&Effect::Send(line)));
}

#[test]
fn a_click_folds_a_block_and_chooses_a_layer_or_a_mistake() {
    let mut model = page("deep.jsonl", (120, 40), "3");
    click(&mut model, "block2_conv2");
    assert_eq!(model.selected().unwrap().info.name, "block2_conv2");
    click(&mut model, "▾ block1");
    assert!(model.tree().iter().all(|row| !matches!(row, Row::Layer { at: 0, .. })));
    let mut model = page("deep.jsonl", (120, 40), "5");
    let third = model.mistakes()[2].case.name.clone();
    // The list may cut the name.
    click(&mut model, &third[..6]);
    assert_eq!(model.chosen_mistake().unwrap().case.name, third);
}

#[test]
fn mistakes_are_browsed_list_by_list_and_shown_in_the_lens() {
    let mut model = page("deep.jsonl", (120, 40), "5");
    let first = model.chosen_mistake().unwrap().case.sample;
    press(&mut model, "jj");
    assert_eq!(model.chosen_mistake().unwrap().case.sample, model.mistakes()[2].case.sample);
    press(&mut model, "<right>");
    assert!(text(&model).contains("confidently wrong") && model.view.judging.chosen == 0);
    press(&mut model, "<right>");
    assert!(model.chosen_mistake().unwrap().pair.is_some());
    press(&mut model, "<right><enter>");
    assert_eq!((model.view.page, model.view.sample), (Page::Lens, first));
}

#[test]
fn the_log_is_filtered_by_words_and_weight() {
    let mut model = page("deep.jsonl", (120, 40), "6");
    assert!(text(&model).contains("10 classes"));
    press(&mut model, "w");
    let shown = text(&model);
    assert!(shown.contains("warnings and errors") && shown.contains("load average") && !shown.contains("10 classes"));
    press(&mut model, "w");
    assert!(text(&model).contains("no space left") && !text(&model).contains("load average"));
    press(&mut model, "w/EPOCH 2");
    assert!(text(&model).contains("epoch 2:") && !text(&model).contains("epoch 1:"), "as it is typed");
    press(&mut model, "<esc>");
    assert!(text(&model).contains("epoch 1:"));
    press(&mut model, "/epoch 2<enter>1");
    assert!(text(&model).contains("epoch 1:"), "elsewhere the log is whole");
    press(&mut model, "6<esc>");
    assert!(text(&model).contains("epoch 1:") && model.view.page == Page::Machine, "Esc takes the filter away first");
}

#[test]
fn wide_names_long_names_and_many_classes_keep_their_places() {
    for size in SIZES {
        for keys in ["1", "3", "4", "5", "5<right>", "5<right><right>", "6"] {
            let mut model = page("deep.jsonl", size, "");
            let classes = (0..1000).map(|class| format!("고양이와 {class}마리의 아주 긴 이름")).collect();
            model.run.data.as_mut().unwrap().classes = classes;
            for (at, layer) in model.run.layers.iter_mut().enumerate() {
                layer.info.name =
                    format!("encoder_stage_of_a_very_long_name_{at}_피라미드_convolution_block_projection");
                layer.info.output = "(None, 1024, 1024, 4096)".into();
            }
            if let Some(mistakes) = &mut model.run.mistakes {
                let counts: Vec<Vec<u64>> = (0..1000u64)
                    .map(|truth| {
                        (0..1000u64)
                            .map(|said| if truth == said { 40 } else { u64::from((truth + said) % 97 == 0) })
                            .collect()
                    })
                    .collect();
                mistakes.confusion = crate::event::Shown::of(&counts);
            }
            let effects = press(&mut model, keys);
            deliver(&mut model, effects);
            let terminal = screen(&model);
            if size.0 >= 80 {
                let buffer = terminal.backend().buffer();
                let layout = model.layout();
                for (_, area) in layout.panes() {
                    for y in area.y + 1..area.bottom() - 1 {
                        let edges =
                            [area.x, area.right() - 1].map(|x| buffer.cell((x, y)).unwrap().symbol().to_owned());
                        // Of a pane of two boxes the corners are among them.
                        let frame = edges.iter().all(|edge| "│╭╮╰╯".contains(edge.as_str()));
                        assert!(frame, "row {y} of {size:?} after {keys}: {edges:?}");
                    }
                }
            }
        }
    }
}
