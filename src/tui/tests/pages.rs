//! Every page in every state that a run can be in, at four sizes. One snapshot holds the states of a page at a size.

use super::{COLOURS, deliver, open, press, say, screen};
use crate::{
    error::Class,
    event::{Ended, Event, RunEnded, State},
    tui::{Connection, Effect, Model, Msg, page::Page, update},
};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 12)];

fn empty(size: (u16, u16)) -> Model {
    let connection = Connection::Connecting { what: "starting the engine".into() };
    Model::new(COLOURS, connection, size, jiff::tz::TimeZone::UTC)
}

fn running(size: (u16, u16)) -> Model {
    open("mid_run.jsonl", size, COLOURS)
}

fn paused(size: (u16, u16)) -> Model {
    let mut model = running(size);
    say(&mut model, Event::StateChanged { state: State::Paused, step: 480 });
    model
}

fn failed(size: (u16, u16)) -> Model {
    let mut model = running(size);
    let how = Ended::Failed { class: Class::Environment, message: "no space left on device".into(), hint: None };
    say(&mut model, Event::RunEnded(RunEnded { how, step: 480, epoch: 8, seconds: 31.0 }));
    model
}

fn disconnected(size: (u16, u16)) -> Model {
    let mut model = running(size);
    let lost = Connection::Lost { reason: "the engine was killed by signal 9".into(), log_tail: Vec::new() };
    update(&mut model, Msg::Connection(lost));
    model
}

fn finished(size: (u16, u16)) -> Model {
    open("story.jsonl", size, COLOURS)
}

#[test]
fn every_page_in_every_state() {
    type Make = fn((u16, u16)) -> Model;
    let states: [(&str, Make); 6] = [
        ("empty", empty),
        ("running", running),
        ("paused", paused),
        ("failed", failed),
        ("disconnected", disconnected),
        ("finished", finished),
    ];
    for (number, page) in (1..).zip(Page::ALL) {
        for size in SIZES {
            let screens = states.map(|(name, make)| {
                let mut model = make(size);
                let effects: Vec<Effect> = press(&mut model, &number.to_string());
                deliver(&mut model, effects);
                assert_eq!(model.view.page, page);
                format!("{name}\n{}", screen(&model).backend())
            });
            insta::assert_snapshot!(format!("{}_{}x{}", page.name(), size.0, size.1), screens.join("\n"));
        }
    }
}
