//! What keys cause.

use super::{COLOURS, open, press, say};
use crate::{
    command::{Command, Method, Scene, Watch, Whose},
    event::{Answered, Ended, Event, Outcome, RunEnded, State},
    tui::{Connection, Effect, Model, Msg, model::Tone, page::Page, update},
};

fn mid_run() -> Model {
    open("mid_run.jsonl", (120, 40), COLOURS)
}

fn send(command: Command) -> Vec<Effect> {
    vec![Effect::Send(command)]
}

fn layers(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[track_caller]
fn check(keys: &str, want: &[Effect]) {
    assert_eq!(press(&mut mid_run(), keys), want, "after {keys}");
}

#[track_caller]
fn refused(model: &Model, word: &str) {
    let notice = model.view.notice.as_ref().unwrap();
    assert!(notice.tone == Tone::Bad && notice.text.contains(word), "{notice:?}");
}

#[test]
fn p_pauses_and_p_again_resumes_before_the_answer_came() {
    check("p", &send(Command::Pause));
    check("pp", &[Effect::Send(Command::Pause), Effect::Send(Command::Resume)]);
}

#[test]
fn a_step_and_the_rest_of_an_epoch_are_keys() {
    check(";", &send(Command::Step { steps: 1 }));
    check("E", &send(Command::Epoch));
    let mut model = mid_run();
    say(&mut model, Event::StateChanged { state: State::Paused, step: 480 });
    assert_eq!(press(&mut model, ";"), send(Command::Step { steps: 1 }));
    let footer = super::screen(&model).backend().to_string();
    let footer = footer.lines().last().unwrap();
    assert!(footer.contains("; step  E epoch"), "{footer}");
}

#[test]
fn f_freezes_the_selected_layer_and_thaws_a_frozen_one() {
    check("jjjjf", &send(Command::Freeze { layers: layers(&["conv2d_2"]) }));
    check("f", &send(Command::Unfreeze { layers: layers(&["conv2d"]) }));
}

#[test]
fn f_on_a_layer_without_parameters_says_so() {
    let mut model = mid_run();
    assert_eq!(press(&mut model, "jf"), []);
    refused(&model, "max_pooling2d has no parameters");
}

#[test]
fn shift_f_moves_the_frost_line_and_thaws_all_where_it_lies() {
    check("jjjjF", &send(Command::FrostLine { layer: Some("conv2d_2".into()) }));
    check("jjF", &send(Command::FrostLine { layer: None }));
    check("jjjF", &send(Command::FrostLine { layer: None }));
}

#[test]
fn brackets_scale_the_rate() {
    let halved = || Effect::Send(Command::ScaleRate { factor: 0.5, layers: vec![] });
    check("]", &send(Command::ScaleRate { factor: 2.0, layers: vec![] }));
    check("[[", &[halved(), halved()]);
}

#[test]
fn l_takes_a_number() {
    check("l3e-4<enter>", &send(Command::LearningRate { rate: 3e-4, layers: vec![] }));
    check("l12<backspace><backspace>0.01<enter>", &send(Command::LearningRate { rate: 0.01, layers: vec![] }));
    check("l1<esc>", &[]);
    check("l<enter>", &[]);
    check("l0<enter>", &[]);
    check("l1e<enter>", &[]);
    check("l0x<enter>", &[]);
}

#[test]
fn stop_needs_a_yes() {
    check("xy", &send(Command::Stop));
    check("x<enter>", &[]);
    check("xx", &[]);
    check("xq", &[]);
    let mut model = mid_run();
    press(&mut model, "xy");
    assert_eq!(press(&mut model, "p"), []);
    refused(&model, "being stopped");
}

#[test]
fn e_ends_a_phase_or_skips_it_and_i_takes_another() {
    check("ee", &send(Command::EndPhase));
    check("es", &send(Command::SkipPhase));
    check("ex", &[]);
    check("ie<esc>", &[]);
    check("i<enter>", &[]);
    let phase = "train=all epochs=2".to_owned();
    check("itrain=alll<backspace> epochs=2<enter>", &send(Command::InsertPhase { phase }));
}

#[test]
fn q_leaves_and_control_c_too() {
    check("q", &[Effect::Leave]);
    check("<c-c>", &[Effect::Leave]);
    check("?q", &[]);
    check("?qq", &[Effect::Leave]);
    check("l<c-c>", &[]);
}

fn sent(model: &mut Model, command: Command, id: u64) {
    update(model, Msg::Sent { command, by: "ada@lab".into(), id });
}

fn answer(model: &mut Model, request: Command, by: &str, id: u64, outcome: Outcome) {
    say(model, Event::Answered(Answered { id, by: by.into(), request, step: 7, outcome, moment: None }));
}

#[test]
fn an_answer_ends_the_pending() {
    let mut model = mid_run();
    press(&mut model, "c");
    assert_eq!(model.view.pending.newest(), Some(&Command::Checkpoint));
    sent(&mut model, Command::Checkpoint, 9);
    answer(&mut model, Command::Checkpoint, "ada@lab", 9, Outcome::Applied);
    assert!(model.view.pending.is_empty());
    assert_eq!(model.view.notice.as_ref().unwrap().text, "checkpoint: applied after step 7");
}

#[test]
fn a_refusal_tells_its_reason() {
    let mut model = mid_run();
    press(&mut model, "]");
    sent(&mut model, Command::ScaleRate { factor: 2.0, layers: vec![] }, 9);
    let outcome = Outcome::Rejected { reason: "the schedule is fixed".into() };
    // A number may lose its last bit on the way.
    answer(&mut model, Command::ScaleRate { factor: 2.000_000_000_000_000_4, layers: vec![] }, "ada@lab", 9, outcome);
    refused(&model, "the schedule is fixed");
    assert!(model.view.pending.is_empty());
}

#[test]
fn the_answer_to_another_s_equal_command_leaves_mine_pending() {
    let mut model = mid_run();
    press(&mut model, "p");
    sent(&mut model, Command::Pause, 9);
    answer(&mut model, Command::Pause, "bob@desk", 4, Outcome::Applied);
    answer(&mut model, Command::Pause, "ada@lab", 4, Outcome::Applied);
    assert_eq!(model.view.pending.newest(), Some(&Command::Pause));
    let outcome = Outcome::Rejected { reason: "the run is paused already".into() };
    answer(&mut model, Command::Pause, "ada@lab", 9, outcome);
    refused(&model, "paused already");
}

#[test]
fn a_journal_s_old_commands_are_no_news() {
    let mut model = open("starting.jsonl", (120, 40), COLOURS);
    update(&mut model, Msg::Connection(Connection::Connecting { what: "opening".into() }));
    answer(&mut model, Command::Pause, "bob@desk", 4, Outcome::Applied);
    assert_eq!(model.view.notice, None);
    update(&mut model, Msg::Connection(Connection::Live));
    answer(&mut model, Command::Resume, "bob@desk", 5, Outcome::Applied);
    assert!(model.view.notice.as_ref().unwrap().text.contains("bob@desk: resume"));
}

#[test]
fn r_goes_on_with_a_run_that_failed_or_was_stopped_but_not_with_one_that_is_complete() {
    let failed = Ended::Failed { class: crate::error::Class::Environment, message: "no memory".into(), hint: None };
    let stopped = Ended::Stopped { by: "ada@lab".into() };
    for (how, want) in
        [(failed, vec![Effect::Resume]), (stopped, vec![Effect::Resume]), (Ended::Completed { early: false }, vec![])]
    {
        let mut model = mid_run();
        say(&mut model, Event::RunEnded(RunEnded { how: how.clone(), step: 9, epoch: 1, seconds: 1.0 }));
        update(&mut model, Msg::Connection(Connection::Replay));
        assert_eq!(press(&mut model, "r"), want, "{how:?}");
        // Another machine's engine is not ours to start.
        model.view.host = Some("gpu-box".into());
        assert_eq!(press(&mut model, "r"), [], "{how:?}");
    }
}

#[test]
fn pinning_another_image_moves_the_lease() {
    let sample = |sample| vec![Effect::Watch(Some(Watch { sample, ..Watch::default() }))];
    check("n", &sample(1));
    let mut model = mid_run();
    press(&mut model, "N");
    assert_eq!(model.view.sample, 999, "the last of 1,000 comes before the first");
}

#[test]
fn enter_asks_for_the_selected_layer_and_enter_again_lets_go() {
    let watch = |layer: Option<&str>| Effect::Watch(Some(Watch { layer: layer.map(Into::into), ..Watch::default() }));
    // What is kept of the last epoch at that layer is shown until the answer comes.
    let kept = Effect::FetchBlob("heat-0-conv2d_1-7".into());
    check("jj<enter>", &[watch(Some("conv2d_1")), kept.clone()]);
    check("jj<enter><enter>", &[watch(Some("conv2d_1")), kept, watch(None)]);
    let mut model = mid_run();
    assert_eq!(press(&mut model, "<end><enter>"), []);
    refused(&model, "dense_1 has no feature map");
}

#[test]
fn what_is_off_the_screen_is_not_computed() {
    // That somebody looks on is told all the same: a run that goes wrong waits for them.
    let looks_on = || Effect::Watch(Some(Watch { scene: Scene::Figures, ..Watch::default() }));
    check("2", &[looks_on()]);
    check("4", &[]);
    let mut model = mid_run();
    assert_eq!(update(&mut model, Msg::Resize(40, 12)), [looks_on()]);
    assert_eq!(press(&mut model, "4"), [Effect::Watch(Some(Watch::default()))]);
}

#[test]
fn a_new_connection_is_asked_for_the_lease_again() {
    let mut model = mid_run();
    let lost = Connection::Lost { reason: "gone".into(), log_tail: vec![] };
    assert_eq!(update(&mut model, Msg::Connection(lost)), []);
    assert_eq!(press(&mut model, "p"), []);
    refused(&model, "no connection");
    assert_eq!(press(&mut model, "r"), [Effect::Resume]);
    let again = update(&mut model, Msg::Connection(Connection::Live));
    assert_eq!(again, [Effect::Watch(Some(Watch::default()))]);
}

#[test]
fn a_run_without_an_engine_cannot_be_steered() {
    let mut model = mid_run();
    update(&mut model, Msg::Connection(Connection::Replay));
    for key in ["p", "f", "F", "[", "l", "c", "x"] {
        assert_eq!(press(&mut model, key), [], "{key}");
        refused(&model, "no engine is at work");
    }
}

#[test]
fn keys_turn_to_pages_and_each_scrolls_its_own() {
    let mut model = mid_run();
    press(&mut model, "<tab><tab>");
    assert_eq!(model.view.page, Page::Layers);
    press(&mut model, "j6kkj");
    assert_eq!((model.view.page, model.view.log_back, model.view.cursor), (Page::Machine, 1, 1));
    press(&mut model, "<tab>");
    assert_eq!(model.view.page, Page::Overview);
    press(&mut model, "<s-tab>z");
    assert_eq!(model.view.page, Page::Overview, "z goes back to the page before");
    press(&mut model, "5<esc><esc>");
    assert_eq!(model.view.page, Page::Overview);
}

#[test]
fn the_cursor_moves_only_where_it_is_seen() {
    let mut model = open("mid_run.jsonl", (40, 12), COLOURS);
    press(&mut model, "j");
    assert_eq!((model.view.page, model.view.cursor), (Page::Layers, 0));
    press(&mut model, "j");
    assert_eq!(model.view.cursor, 1);
}

#[test]
fn a_notice_goes_after_a_while() {
    let mut model = mid_run();
    press(&mut model, "s");
    assert_eq!(model.view.notice.as_ref().unwrap().text, "smoothing 0.9, debiased");
    for _ in 0..6 * Model::TICKS {
        update(&mut model, Msg::Tick);
    }
    assert_eq!(model.view.notice, None);
}

fn wishes(effects: &[Effect]) -> Vec<Option<&Watch>> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Watch(watch) = effect { Some(watch.as_ref()) } else { None })
        .collect()
}

fn last_wish(keys: &str) -> Watch {
    let effects = press(&mut mid_run(), keys);
    wishes(&effects).last().unwrap().unwrap().clone()
}

#[test]
fn v_opens_the_lens_and_goes_through_its_scenes() {
    let mut model = mid_run();
    assert_eq!(press(&mut model, "v"), [], "the same is shown, larger");
    assert!(model.is_lens());
    let sweep = Watch { scene: Scene::Sweep, ..Watch::default() };
    assert_eq!(wishes(&press(&mut model, "v")), [Some(&sweep)]);
    let filters = Watch { scene: Scene::Filters(36), ..Watch::default() };
    assert_eq!(wishes(&press(&mut model, "v")), [Some(&filters)]);
    assert_eq!(wishes(&press(&mut model, "v")), [Some(&Watch::default())]);
    press(&mut model, "<esc>");
    assert!(!model.is_lens());
    assert_eq!(last_wish("vvv<esc>"), Watch::default(), "the small pane shows one layer");
}

#[test]
fn the_lens_asks_for_another_method_class_and_layer() {
    assert_eq!(last_wish("vm").method, Method::GradCamPlusPlus);
    assert_eq!(last_wish("vM").method, Method::Occlusion);
    assert_eq!(last_wish("vvM").method, Method::GuidedGradCam, "a sweep needs a layer");
    assert_eq!(last_wish("vC").class, Whose::True);
    assert_eq!(last_wish("vCC").class, Whose::Class(0));
    assert_eq!(last_wish("vCCC").class, Whose::Class(1));
    assert_eq!(last_wish("vCCCC").class, Whose::Predicted);
    assert_eq!(last_wish("vk").layer.as_deref(), Some("max_pooling2d_2"), "conv2d_3 is shown by default");
    assert_eq!(last_wish("vj").layer.as_deref(), Some("max_pooling2d_3"));
    assert_eq!(last_wish("vjjj").layer.as_deref(), Some("max_pooling2d_3"), "behind it there are only vectors");
    assert_eq!(last_wish("v<home>").layer.as_deref(), Some("conv2d"));
}

#[test]
fn the_lens_goes_back_through_the_epochs_that_are_kept() {
    let mut model = mid_run();
    press(&mut model, "v");
    let back = press(&mut model, ",");
    assert_eq!(model.looks_back(), Some(7));
    let nothing = Watch { scene: Scene::Figures, ..Watch::default() };
    assert_eq!(wishes(&back), [Some(&nothing)], "what is over is not computed");
    let back = press(&mut model, ",,");
    assert_eq!(model.looks_back(), Some(5));
    let fetched = |blob: &str| back.contains(&Effect::FetchBlob(blob.into()));
    assert!(fetched("heat-0-conv2d_3-5") && fetched("grid-0-conv2d_3-5"), "{back:?}");
    assert_eq!(model.explained().unwrap().epoch, 5);
    press(&mut model, "<");
    assert_eq!(model.looks_back(), Some(1));
    press(&mut model, ",");
    assert_eq!(model.looks_back(), Some(1), "there is nothing before");
    assert_eq!(wishes(&press(&mut model, ">")), [Some(&Watch::default())]);
    press(&mut model, ",.");
    assert_eq!(model.looks_back(), None, "behind the last epoch is now");
    // From anywhere the key opens the lens.
    let mut model = mid_run();
    press(&mut model, ",");
    assert!(model.is_lens() && model.looks_back() == Some(7));
}

#[test]
fn an_image_of_which_nothing_is_kept_is_looked_at_now() {
    let mut model = mid_run();
    press(&mut model, "v,,n");
    assert_eq!((model.view.sample, model.looks_back()), (1, None));
    press(&mut model, ",");
    assert_eq!(model.looks_back(), None);
    assert!(model.view.notice.as_ref().unwrap().text.contains("P keeps it"));
}

#[test]
fn shift_p_pins_and_unpins_and_b_goes_round_the_pinned() {
    check("vP", &send(Command::Unpin { sample: 0 }));
    let mut model = mid_run();
    press(&mut model, "vnn");
    assert_eq!(press(&mut model, "P"), send(Command::Pin { sample: 2 }));
    press(&mut model, "b");
    assert_eq!(model.view.sample, 0);
    press(&mut model, "b");
    assert_eq!(model.view.sample, 1);
    update(&mut model, Msg::Connection(Connection::Replay));
    assert_eq!(press(&mut model, "P"), []);
    refused(&model, "no engine");
}
