//! Actions that change only what this terminal shows.

use super::{
    alarms, curves, judging, lens,
    logbook::Filter,
    model::{Model, Tone},
    page::{Page, Pane},
    prompt::Prompt,
    tree,
    update::Effect,
    view,
};
use crate::event::{DataOpened, SplitName};

const PAGE: isize = 10;

pub fn down(model: &mut Model) -> Vec<Effect> {
    scroll(model, 1)
}

pub fn up(model: &mut Model) -> Vec<Effect> {
    scroll(model, -1)
}

pub fn page_down(model: &mut Model) -> Vec<Effect> {
    scroll(model, PAGE)
}

pub fn page_up(model: &mut Model) -> Vec<Effect> {
    scroll(model, -PAGE)
}

pub fn first(model: &mut Model) -> Vec<Effect> {
    scroll(model, isize::MIN / 2)
}

pub fn last(model: &mut Model) -> Vec<Effect> {
    scroll(model, isize::MAX / 2)
}

/// Each page scrolls what it lists.
pub fn scroll(model: &mut Model, by: isize) -> Vec<Effect> {
    match model.view.page {
        Page::Lens => {
            lens::step_layer(model, by);
            return Vec::new();
        }
        Page::Machine => return scroll_log(model, by),
        Page::Layers => tree::step(model, by),
        Page::Mistakes => judging::step(model, by),
        Page::Alarms => alarms::choose(model, by),
        Page::Curves => curves::choose(model, by),
        // A cursor that nobody sees is not moved.
        _ if !model.shows(Pane::Layers) => turn_to(model, Page::Layers),
        Page::Overview => {
            let most = model.run.layers.len().saturating_sub(1) as isize;
            model.view.cursor = (model.view.cursor as isize).saturating_add(by).clamp(0, most) as usize;
        }
    }
    Vec::new()
}

pub fn scroll_log(model: &mut Model, by: isize) -> Vec<Effect> {
    let most = view::log_lines(model).len().saturating_sub(1) as isize;
    model.view.log_back = (model.view.log_back as isize).saturating_sub(by).clamp(0, most) as usize;
    Vec::new()
}

pub fn next_page(model: &mut Model) -> Vec<Effect> {
    go_to(model, model.view.page.step(1))
}

pub fn previous_page(model: &mut Model) -> Vec<Effect> {
    go_to(model, model.view.page.step(-1))
}

pub fn go_to(model: &mut Model, page: Page) -> Vec<Effect> {
    turn_to(model, page);
    Vec::new()
}

pub fn turn_to(model: &mut Model, page: Page) {
    let view = &mut model.view;
    if view.page != page {
        view.before = std::mem::replace(&mut view.page, page);
    }
}

/// There and back.
pub fn page_before(model: &mut Model) -> Vec<Effect> {
    go_to(model, model.view.before)
}

/// From the innermost outwards: a box, the scrolling, the page.
pub fn close(model: &mut Model) -> Vec<Effect> {
    let is_told = model.is_told_of_an_end();
    let view = &mut model.view;
    if is_told {
        view.dismissed = true;
    } else if view.log_back > 0 {
        view.log_back = 0;
    } else if view.page == Page::Machine && !view.filter.is_none() {
        view.filter = Filter::default();
    } else if view.notice.is_none() {
        turn_to(model, Page::Overview);
    }
    model.view.notice = None;
    Vec::new()
}

pub fn show_layer(model: &mut Model) -> Vec<Effect> {
    let Some(layer) = model.selected() else { return Vec::new() };
    let (name, feature_map) = (layer.info.name.clone(), layer.info.feature_map);
    if !feature_map {
        model.notify(Tone::Bad, format!("{name} has no feature map to show"));
    } else if model.view.layer.as_deref() == Some(&name) {
        model.view.layer = None;
    } else {
        model.view.layer = Some(name);
    }
    Vec::new()
}

pub fn next_sample(model: &mut Model) -> Vec<Effect> {
    step_sample(model, 1)
}

pub fn previous_sample(model: &mut Model) -> Vec<Effect> {
    step_sample(model, -1)
}

/// Through the whole split while an engine can explain any of it, else through what was explained.
fn step_sample(model: &mut Model, by: i64) -> Vec<Effect> {
    if model.is_live() {
        let images = model.run.data.as_ref().map_or(0, pinned_images) as i64;
        if images > 0 {
            let next = (i64::from(model.view.sample) + by).rem_euclid(images) as u32;
            lens::look_at(model, next);
        }
    } else {
        let all = model.run.explained.iter().chain(&model.run.kept);
        let mut seen: Vec<u32> = all.map(|e| e.sample).collect();
        seen.sort_unstable();
        seen.dedup();
        let now = model.explained().map(|e| e.sample);
        if let Some(at) = seen.iter().position(|s| Some(*s) == now) {
            lens::look_at(model, seen[(at as i64 + by).rem_euclid(seen.len() as i64) as usize]);
        }
    }
    Vec::new()
}

/// Images in the split that is looked at.
fn pinned_images(data: &DataOpened) -> u64 {
    match data.pinned {
        SplitName::Train => data.train,
        SplitName::Validation => data.validation,
        SplitName::Test => data.test,
    }
}

pub fn glyphs(model: &mut Model) -> Vec<Effect> {
    let view = &mut model.view;
    if view.appearance.ascii {
        model.notify(Tone::Plain, "this terminal is set to ASCII");
        return Vec::new();
    }
    let name = view.pixels.cycle(&mut view.appearance.glyphs);
    let text = match view.pixels.able() {
        Some(able) => format!("pictures in {name}: {}", able.protocol.name()),
        None => format!("pictures in {name} glyphs"),
    };
    model.notify(Tone::Plain, text);
    Vec::new()
}

pub fn theme(model: &mut Model) -> Vec<Effect> {
    let look = &mut model.view.appearance;
    *look = look.with_scheme(look.next_scheme());
    let words = look.scheme.words();
    model.notify(Tone::Plain, format!("colours: {words}"));
    Vec::new()
}

pub fn leave(model: &mut Model) -> Vec<Effect> {
    model.view.prompt = None::<Prompt>;
    vec![Effect::Leave]
}
